//! The formatter: the same tokens and comments with regular spaces, breaks and indentation.
//!
//! Where lines end is left to the writer, but for statements and blocks, which begin lines of
//! their own unless a whole block stands on one line. Blanks that align a token with one of a
//! neighbouring line are kept. Tokens are never changed, so the meaning cannot change either.

use crate::lex::{self, Kind};

/// Spaces of one level.
const INDENT: usize = 4;
/// Blocks of statements on one line are kept if they end before this column.
const ONE_LINE: usize = 120;
/// Alignment that a pass has broken is taken out by the next one; each only removes blanks.
const PASSES: usize = 8;

/// Formats a whole source, or a part of one; what does not parse is formatted as well as its
/// brackets allow.
pub fn format(text: &str) -> String {
    let mut text = pass(text);
    for _ in 0..PASSES {
        let next = pass(&text);
        if next == text {
            break;
        }
        text = next;
    }
    text
}

/// A token or comment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sort {
    Word,
    Value,
    Open,
    Close,
    Operator,
    Doc,
    LineComment,
    BlockComment,
}

struct Piece<'t> {
    sort: Sort,
    text: &'t str,
    start: usize,
    /// Line ends in the source before it.
    breaks: usize,
    /// Nothing stands between it and the piece before.
    tight: bool,
    /// For brackets that open: what is inside stays on one line.
    one_line: bool,
}

/// Operators of several signs, longest first.
const JOINED: [&str; 13] = ["...", "..=", "..", "|>", "<-", "->", "==", "!=", "<=", ">=", "&&", "||", "+="];

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let tokens = lex::tokens(text);
    let mut list: Vec<Piece> = Vec::new();
    let (mut at, mut i) = (0, 0);
    while let Some(token) = tokens.get(i) {
        let breaks = comments(text, at, token.start, &mut list);
        let mut end = token.end;
        let sort = match token.kind {
            Kind::Word | Kind::RawWord => Sort::Word,
            Kind::Number | Kind::Str | Kind::OpenStr | Kind::Stray(_) => Sort::Value,
            Kind::Doc | Kind::InnerDoc => Sort::Doc,
            Kind::OpenComment => Sort::BlockComment,
            Kind::Open(_) => Sort::Open,
            Kind::Close(_) => Sort::Close,
            Kind::Punct(_) => {
                let rest = text.get(token.start..).unwrap_or("");
                if let Some(joined) = JOINED.iter().find(|j| rest.starts_with(**j)) {
                    end = token.start + joined.len();
                }
                Sort::Operator
            }
        };
        let body = text.get(token.start..end).unwrap_or("");
        let tight = at == token.start && at > 0;
        list.push(Piece { sort, text: body.trim_end(), start: token.start, breaks, tight, one_line: false });
        at = end;
        while tokens.get(i).is_some_and(|t| t.start < end) {
            i += 1;
        }
    }
    comments(text, at, text.len(), &mut list);
    mark_one_line(text, &mut list);
    list
}

/// Adds the comments between two tokens; the line ends since the last of them.
fn comments<'t>(text: &'t str, from: usize, to: usize, list: &mut Vec<Piece<'t>>) -> usize {
    let (mut at, mut breaks) = (from, 0);
    while at < to {
        let rest = text.get(at..to).unwrap_or("");
        let (sort, len) = if rest.starts_with("//") {
            (Sort::LineComment, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (Sort::BlockComment, block_comment(rest))
        } else {
            breaks += usize::from(rest.starts_with('\n'));
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        let body = rest.get(..len).unwrap_or(rest).trim_end();
        list.push(Piece { sort, text: body, start: at, breaks, tight: false, one_line: false });
        breaks = 0;
        at += len;
    }
    breaks
}

/// The length of a block comment, which may hold others.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < text.len() {
        let rest = text.get(at..).unwrap_or("");
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth.saturating_sub(1), at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Finds the blocks that stand on one line and are short enough to stay there.
fn mark_one_line(text: &str, list: &mut [Piece]) {
    let mut open: Vec<usize> = Vec::new();
    for i in 0..list.len() {
        match list[i].sort {
            Sort::Open => open.push(i),
            Sort::Close => {
                let Some(start) = open.pop() else { continue };
                let line_start = text.get(..list[start].start).and_then(|t| t.rfind('\n')).map_or(0, |n| n + 1);
                let inside = &list[start + 1..=i];
                let whole = inside.iter().all(|p| p.breaks == 0 && !matches!(p.sort, Sort::LineComment | Sort::Doc));
                let short = list[i].start - line_start < ONE_LINE || !inside.iter().any(|p| p.text == ";");
                list[start].one_line = whole && short;
            }
            _ => {}
        }
    }
}

/// An open bracket.
struct Level {
    /// Of the lines inside.
    indent: usize,
    block: bool,
    one_line: bool,
    /// The column after the bracket, in the source and in the output.
    column: (usize, usize),
}

struct Writer {
    out: String,
    levels: Vec<Level>,
    /// Of the line that is being written.
    line_indent: usize,
    /// Whether the statement that is being written has a head and a body: `fn`, `for`, ...
    headed: bool,
}

fn pass(text: &str) -> String {
    let list = pieces(text);
    let columns = Columns::new(text, &list);
    let mut writer = Writer { out: String::new(), levels: Vec::new(), line_indent: 0, headed: false };
    for i in 0..list.len() {
        writer.piece(&list, i, &columns);
    }
    let mut out = writer.out;
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

impl Writer {
    fn piece(&mut self, list: &[Piece], i: usize, columns: &Columns) {
        let piece = &list[i];
        let before = i.checked_sub(1).and_then(|k| list.get(k));
        if piece.sort == Sort::Close {
            let level = self.levels.pop();
            if let (Some(level), Some(before)) = (level, before) {
                let empty = before.sort == Sort::Open;
                let breaks = if level.block { !level.one_line && !empty } else { piece.breaks > 0 };
                if breaks || before.sort == Sort::LineComment {
                    self.line(0, level.indent.saturating_sub(INDENT));
                } else if level.block && !empty {
                    self.out.push(' ');
                }
            }
            self.out.push_str(piece.text);
            return;
        }
        if let Some(before) = before {
            self.gap(list, i, before, columns);
        }
        if statement_begins(list, i) {
            self.headed = HEADED.contains(&piece.text);
        }
        self.out.push_str(piece.text);
        if piece.sort == Sort::Open {
            let block = piece.text == "{";
            let around = self.levels.last().map_or(0, |l| l.indent);
            // The body of what has a head is indented by the head, wherever that ends.
            let from = if block && self.headed { around } else { self.line_indent };
            let line = self.out.rfind('\n').map_or(0, |n| n + 1);
            let column = (columns.places[i].1 + 1, self.out[line..].chars().count());
            self.levels.push(Level { indent: from + INDENT, block, one_line: piece.one_line, column });
        }
    }

    /// Ends the line, with an empty one after it if there was one.
    fn line(&mut self, empty: usize, indent: usize) {
        self.out.push('\n');
        if empty > 0 {
            self.out.push('\n');
        }
        self.out.push_str(&" ".repeat(indent));
        self.line_indent = indent;
    }

    /// What stands between two pieces.
    fn gap(&mut self, list: &[Piece], i: usize, before: &Piece, columns: &Columns) {
        let piece = &list[i];
        let indent = self.levels.last().map_or(0, |l| l.indent);
        let in_block = self.levels.last().is_none_or(|l| l.block && !l.one_line);
        let begins = statement_begins(list, i);
        let forced = matches!(before.sort, Sort::LineComment | Sort::Doc)
            || piece.sort == Sort::Doc
            || in_block && begins && !is_trailing(piece) && before.sort != Sort::BlockComment;
        if forced || piece.breaks > 0 {
            let empty = usize::from(piece.breaks > 1 && before.sort != Sort::Open);
            let inside_list =
                self.levels.last().is_some_and(|l| !l.block) && (before.sort == Sort::Open || before.text == ",");
            let comment = matches!(piece.sort, Sort::LineComment | Sort::BlockComment);
            let heads = comment && piece.breaks > 0 && begins_after(list, i);
            let goes_on = !(begins || inside_list || heads);
            // Lines that stand under what follows their bracket go on standing there.
            let under = self.levels.last().filter(|l| !l.block && l.column.0 == columns.places[i].1);
            let indent = match under {
                Some(level) if columns.is_first(i) => level.column.1,
                _ => indent + if goes_on { INDENT } else { 0 },
            };
            self.line(empty, indent);
            return;
        }
        if piece.sort == Sort::LineComment || piece.sort == Sort::BlockComment || before.sort == Sort::BlockComment {
            let aligned = columns.kept(i);
            self.out.push_str(&" ".repeat(aligned.unwrap_or(1)));
            return;
        }
        if spaced(list, i) {
            let aligned = columns.kept(i);
            self.out.push_str(&" ".repeat(aligned.unwrap_or(1)));
        }
    }
}

/// Whether a comment stands behind what it is about.
fn is_trailing(piece: &Piece) -> bool {
    matches!(piece.sort, Sort::LineComment | Sort::BlockComment) && piece.breaks == 0
}

/// Whether the piece is the first of a statement, an item or a block.
fn statement_begins(list: &[Piece], i: usize) -> bool {
    let Some(before) = last_token(list, i) else { return true };
    match (before.sort, before.text) {
        (Sort::Doc, _) | (Sort::Operator, ";") | (Sort::Open, "{") => true,
        (Sort::Close, "}") => {
            let next = &list[i];
            let goes_on = matches!(next.text, "else" | "as" | "for" | "with" | "over" | "in" | "if" | "freeze");
            let starts = matches!(next.text, "for" | "if") && list[i].breaks > 0;
            match next.sort {
                Sort::Word => !goes_on || starts,
                Sort::Doc | Sort::LineComment | Sort::BlockComment => true,
                Sort::Value | Sort::Open | Sort::Close | Sort::Operator => false,
            }
        }
        _ => false,
    }
}

/// Whether what follows a comment begins a statement, so that the comment belongs to it.
fn begins_after(list: &[Piece], i: usize) -> bool {
    let is_comment = |p: &&Piece| matches!(p.sort, Sort::LineComment | Sort::BlockComment);
    let skipped = list[i..].iter().take_while(is_comment).count();
    match list.get(i + skipped) {
        Some(next) if next.sort == Sort::Close => {
            last_token(list, i).is_none_or(|t| matches!(t.text, ";" | "{" | "}" | ","))
        }
        Some(_) => statement_begins(list, i + skipped),
        None => true,
    }
}

/// The last piece before a place that is no comment.
fn last_token<'a, 't>(list: &'a [Piece<'t>], i: usize) -> Option<&'a Piece<'t>> {
    list[..i].iter().rev().find(|p| !matches!(p.sort, Sort::LineComment | Sort::BlockComment))
}

/// What begins a statement with a head and a body.
const HEADED: [&str; 8] = ["model", "fn", "layer", "optimizer", "transform", "for", "train", "entry"];

/// Words that a bracket does not belong to.
const APART: [&str; 24] = [
    "let",
    "if",
    "else",
    "in",
    "for",
    "loss",
    "output",
    "metric",
    "scan",
    "over",
    "yield",
    "return",
    "with",
    "as",
    "optimizer",
    "transform",
    "freeze",
    "assert",
    "entry",
    "const",
    "train",
    "state",
    "param",
    "import",
];

/// Whether a blank stands before a piece, on one line.
fn spaced(list: &[Piece], i: usize) -> bool {
    let (a, b) = (&list[i - 1], &list[i]);
    let prefix = |k: usize| is_prefix(list, k);
    match (a.sort, a.text, b.sort, b.text) {
        (_, _, _, "," | ";" | ":") => false,
        (_, "," | ";" | ":", _, _) => true,
        (_, "." | ".." | "..=" | "^", _, _) | (_, _, _, "." | "..=" | "^") => false,
        (_, _, _, "..") => a.text == "in",
        (_, "{", _, _) | (_, _, _, "{") => true,
        (Sort::Open, ..) => false,
        (_, "...", _, _) => false,
        (Sort::Operator, _, _, _) if prefix(i - 1) => false,
        // Products that were written closely, as in `2*i + 1`, stay so.
        (_, "*" | "/", _, _) if a.tight && b.tight => false,
        (_, _, _, "*" | "/") if b.tight && list.get(i + 1).is_some_and(|c| c.tight) && !prefix(i) => false,
        (Sort::Operator, _, _, _) => true,
        (_, _, Sort::Operator, _) => true,
        (Sort::Word, word, Sort::Open, "(" | "[") => APART.contains(&word) && !is_called(list, i - 1),
        (Sort::Value | Sort::Close, _, Sort::Open, "(" | "[") => false,
        _ => true,
    }
}

/// Whether a word that could be a keyword is a name here: after a dot, or where a value goes on.
fn is_called(list: &[Piece], i: usize) -> bool {
    i.checked_sub(1).and_then(|k| list.get(k)).is_some_and(|p| p.text == "." || p.text == "|>")
}

/// Whether an operator has nothing to its left: `-x`, `!c`, `*.bias`.
fn is_prefix(list: &[Piece], i: usize) -> bool {
    if !matches!(list[i].text, "-" | "!" | "*" | "..") {
        return false;
    }
    match last_token(list, i) {
        None => true,
        Some(t) => match t.sort {
            Sort::Value | Sort::Close => false,
            Sort::Word => APART.contains(&t.text),
            Sort::Open | Sort::Operator | Sort::Doc | Sort::LineComment | Sort::BlockComment => true,
        },
    }
}

/// Where pieces begin in the source, for keeping what is aligned.
struct Columns {
    /// Line and column of each piece.
    places: Vec<(usize, usize)>,
    /// How many blanks stand before each piece.
    blanks: Vec<usize>,
    /// For each line, the columns of its pieces.
    lines: Vec<Vec<usize>>,
}

impl Columns {
    fn new(text: &str, list: &[Piece]) -> Columns {
        let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        let mut lines = vec![Vec::new(); starts.len()];
        let place = |piece: &Piece| {
            let line = starts.partition_point(|s| *s <= piece.start).saturating_sub(1);
            let column = text.get(starts[line]..piece.start).map_or(0, |t| t.chars().count());
            (line, column)
        };
        let places: Vec<(usize, usize)> = list.iter().map(place).collect();
        for &(line, column) in &places {
            lines[line].push(column);
        }
        let before = |p: &Piece| text.get(..p.start).map_or(0, |t| t.len() - t.trim_end_matches(' ').len());
        Columns { places, blanks: list.iter().map(before).collect(), lines }
    }

    /// Whether a piece is the first of its line.
    fn is_first(&self, i: usize) -> bool {
        i.checked_sub(1).is_none_or(|k| self.places[k].0 < self.places[i].0)
    }

    /// The blanks before a piece, if they are several and align it with a piece of the line
    /// above or below.
    fn kept(&self, i: usize) -> Option<usize> {
        let ((line, column), count) = (self.places[i], self.blanks[i]);
        let has = |l: Option<&Vec<usize>>| l.is_some_and(|l| l.contains(&column));
        let neighbours = has(self.lines.get(line + 1)) || line.checked_sub(1).is_some_and(|l| has(self.lines.get(l)));
        (count > 1 && neighbours).then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(format(text), expected);
        assert_eq!(format(expected), expected, "not a fixed point");
    }

    #[test]
    fn spaces_breaks_and_indentation_are_regular() {
        check(
            "model  M{input x:[2] ;\nlet y=x*2+ -1; loss( y-3 ) ^2 ;\n\n\n  optimizer sgd( lr=0.1 );train{batch=4;}}",
            "model M {\n    input x: [2];\n    let y = x*2 + -1;\n    loss (y - 3)^2;\n\n    optimizer sgd(lr = 0.1);\n    train { batch = 4; }\n}\n",
        );
    }

    #[test]
    fn calls_reductions_and_ranges_are_tight() {
        check("let z [ j ] = sum [ i ] ( x [ i ] * w[ i,j ] )+b[j] ;", "let z[j] = sum[i](x[i] * w[i, j]) + b[j];\n");
        check("let a[ i in 0 .. 4 ] = ( x[i - 1] else 0 );", "let a[i in 0..4] = (x[i - 1] else 0);\n");
        check("optimizer adamw() for * . bias , table ;", "optimizer adamw() for *.bias, table;\n");
    }

    #[test]
    fn comments_stay_where_they_are() {
        check(
            "// head\nmodel M { // why\n/// doc\nlet a = 1; // one\n  /* two */ let b = 2;\n// last\n}\n// end",
            "// head\nmodel M { // why\n    /// doc\n    let a = 1; // one\n    /* two */ let b = 2;\n    // last\n}\n// end\n",
        );
    }

    #[test]
    fn heads_of_several_lines_do_not_move_their_bodies() {
        let text = "fn f(a: [n],\n     b: [n]) -> [n] {\n    let c = 2*a;\n    if c > 0 { c } else { b }\n}\n";
        check(text, text);
    }

    #[test]
    fn alignment_is_kept_and_stray_blanks_are_not() {
        let aligned = "model M {\n    input  x: [2];\n    target y: [1];\n}\n";
        check(aligned, aligned);
        check("model M {\n    input   x: [2];\n}\n", "model M {\n    input x: [2];\n}\n");
    }

    #[test]
    fn lines_that_go_on_are_indented() {
        check(
            "let h = x\n|> dense(4)\n|> relu;\nlet t = f(\na,\nb\n);",
            "let h = x\n    |> dense(4)\n    |> relu;\nlet t = f(\n    a,\n    b\n);\n",
        );
    }
}
