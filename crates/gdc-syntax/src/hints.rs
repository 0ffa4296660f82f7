//! From a failure of the grammar to a diagnostic that says what to write.
//!
//! Each hint looks at the tokens around the failure and either knows the mistake or
//! passes it on; the last resort is "expected ..., found ...".

mod foreign;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::scene::Scene;
use crate::similar::edits;
use crate::words::{ITEM_WORDS, RESERVED, STATEMENT_WORDS};

type Hint = fn(&Scene<'_>) -> Option<Diagnostic>;

/// The more specific first.
const HINTS: [Hint; 22] = [
    doc_comment,
    foreign::foreign_item,
    foreign::foreign_statement,
    reserved_word,
    foreign::let_mut,
    foreign::power,
    arrow,
    foreign::bar_or_ampersand,
    foreign::fat_arrow,
    foreign::word_operator,
    single_equals,
    double_equals,
    foreign::compound_assignment,
    colon,
    import_path,
    leading_point,
    reduction_without_parentheses,
    type_name,
    after_closed_statement,
    branch_without_braces,
    misspelt_statement,
    missing_semicolon,
];

/// Says what is wrong at a failure.
pub(crate) fn explain(scene: &Scene<'_>) -> Diagnostic {
    HINTS.iter().find_map(|hint| hint(scene)).unwrap_or_else(|| generic(scene))
}

fn generic(s: &Scene<'_>) -> Diagnostic {
    let message = if s.failure.inside_token() {
        format!("unexpected {}", s.found())
    } else {
        format!("expected {}, found {}", s.failure.expected(), s.found())
    };
    let diagnostic = Diagnostic::error(codes::E0001, s.span(), message);
    let start = s.tokens.get(s.statement_start()).map_or("", |t| t.text(s.text));
    if s.failure.wants_statement() && s.spells(0, ";") {
        return diagnostic.help("remove this `;`");
    }
    if s.failure.wants("=") && matches!(start, "output" | "metric") && !s.failure.wants_operator() {
        return diagnostic.help(format!("write `{start} name = ...;`"));
    }
    if s.failure.wants("for") && !s.failure.wants_statement() {
        return diagnostic.help("`for w, g` names a parameter and its gradient");
    }
    if s.failure.wants(":") && s.text(0) == "[" && !s.failure.wants_operator() {
        return diagnostic.help("a type follows `:`, as in `input x: [2];`");
    }
    if s.token(0).is_none() {
        return diagnostic.label("the text ends after this");
    }
    diagnostic
}

fn doc_comment(s: &Scene<'_>) -> Option<Diagnostic> {
    let at = match (s.kind(0), s.kind(-1)) {
        (Some(Kind::Doc), _) => 0,
        // Documentation and then no statement.
        (_, Some(Kind::Doc)) if matches!(s.kind(0), None | Some(Kind::Close(_))) => -1,
        _ => return None,
    };
    let span = s.span_between(at, at);
    Some(
        Diagnostic::error(codes::E0012, span, "a documentation comment documents nothing here")
            .help("it stands before an item or a statement; elsewhere write `//`"),
    )
}

fn reserved_word(s: &Scene<'_>) -> Option<Diagnostic> {
    if !s.failure.inside_token() || !s.is_word(0, &RESERVED) {
        return None;
    }
    let word = s.text(0);
    let introduced = s.is_word(-1, &STATEMENT_WORDS) || s.is_word(-1, &["fn", "model", "as"]);
    let bound = (s.spells(1, "=") && !s.spells(1, "==")) || s.spells(1, ":") || s.spells(1, "<-");
    let listed = matches!(s.text(-1), "(" | "," | "[") && matches!(s.text(1), ")" | "," | "]");
    if word == "_" || introduced || bound || listed {
        let message = match word {
            "_" => "`_` is not a name".to_owned(),
            _ => format!("`{word}` is a reserved word, not a name"),
        };
        let help = match word {
            "_" => "every index and every value has a name".to_owned(),
            _ => format!("choose another name, such as `{word}_`"),
        };
        return Some(Diagnostic::error(codes::E0006, s.span(), message).help(help));
    }
    let message = format!("expected an expression, found `{word}`");
    let diagnostic = Diagnostic::error(codes::E0001, s.span(), message);
    Some(match word {
        "self" | "Self" => diagnostic.help("parameters and lets are named directly, without `self.`"),
        _ => diagnostic,
    })
}

/// `<-` where it cannot stand.
fn arrow(s: &Scene<'_>) -> Option<Diagnostic> {
    if !(s.text(0) == "<" && s.text(1) == "-") {
        return None;
    }
    let span = s.span_between(0, 1);
    let start = s.statement_start();
    let head: Vec<&str> = s.tokens.get(start..s.at)?.iter().map(|t| t.text(s.text)).collect();
    let diagnostic = match head.as_slice() {
        ["let" | "state" | "param" | "const" | "output" | "loss" | "metric", _] => {
            Diagnostic::error(codes::E0001, span, "expected `=`, found `<-`")
                .help("`<-` gives the next value of a name that exists; this binds one with `=`")
        }
        [_, "[" | ".", ..] => Diagnostic::error(codes::E0001, span, "only a whole name has a next value")
            .help("write `name <- ...;` with the whole next value"),
        _ => Diagnostic::error(codes::E0013, span, "`<-` is one operator: it gives a next value")
            .help("to compare with a negative value, write `a < (-b)`"),
    };
    Some(diagnostic)
}

/// `=` where an expression goes on.
fn single_equals(s: &Scene<'_>) -> Option<Diagnostic> {
    if s.text(0) != "=" || s.text(1) == "=" || !s.failure.inside_token() {
        return None;
    }
    let diagnostic = Diagnostic::error(codes::E0001, s.span(), "unexpected `=`");
    let start = s.statement_start();
    let first = s.tokens.get(start).map_or("", |t| t.text(s.text));
    let inside = s.open_bracket().is_some_and(|open| open >= start);
    if inside || STATEMENT_WORDS.contains(&first) || ITEM_WORDS.contains(&first) {
        return Some(diagnostic.help("to compare, write `==`"));
    }
    if start + 1 == s.at {
        return Some(
            diagnostic.help(format!("`let {first} = ...;` binds a value, `{first} <- ...;` gives a next value")),
        );
    }
    Some(diagnostic.help("`let y[i] = ...;` binds a value"))
}

/// `==` where a value is bound.
fn double_equals(s: &Scene<'_>) -> Option<Diagnostic> {
    // The grammar takes the first `=` before it sees the second.
    if s.failure.wants_operator() || s.failure.wants_expression() || !s.spells(-1, "==") {
        return None;
    }
    let span = s.span_between(-1, 0);
    Some(Diagnostic::error(codes::E0001, span, "expected `=`, found `==`").help("to bind a value, write `=`"))
}

/// Slices, settings and types of other languages.
fn colon(s: &Scene<'_>) -> Option<Diagnostic> {
    if s.text(0) != ":" {
        return None;
    }
    let diagnostic = || {
        let message = format!("expected {}, found {}", s.failure.expected(), s.found());
        Diagnostic::error(codes::E0001, s.span(), message)
    };
    if s.spells(0, "::") {
        return Some(diagnostic().help("all names of a source and its imports are visible; write the name alone"));
    }
    let open = s.open_bracket().and_then(|i| s.tokens.get(i)).map_or("", |t| t.text(s.text));
    if open == "[" {
        return Some(diagnostic().help("a slice is written `x[1..3]`, `x[..3]`, `x[1..]`"));
    }
    if s.failure.wants("=") {
        return Some(diagnostic().help("write `name = value;`"));
    }
    None
}

fn import_path(s: &Scene<'_>) -> Option<Diagnostic> {
    if !s.is_word(-1, &["import"]) || !s.failure.wants("r\"") {
        return None;
    }
    let message = format!("expected a path in quotes, found {}", s.found());
    let diagnostic = Diagnostic::error(codes::E0001, s.span(), message);
    Some(match s.kind(0) {
        Some(Kind::Word) => diagnostic.help(format!("write `import \"{}.gd\";`", s.text(0))),
        _ => diagnostic.help("write `import \"path.gd\";`"),
    })
}

fn leading_point(s: &Scene<'_>) -> Option<Diagnostic> {
    if !(s.failure.wants_expression() && s.text(0) == "." && s.kind(1) == Some(Kind::Number)) {
        return None;
    }
    let span = s.span_between(0, 1);
    Some(Diagnostic::error(codes::E0005, span, "a number begins with a digit").help(format!("write `0.{}`", s.text(1))))
}

fn reduction_without_parentheses(s: &Scene<'_>) -> Option<Diagnostic> {
    const REDUCTIONS: [&str; 10] = ["sum", "mean", "prod", "max", "min", "argmax", "argmin", "any", "all", "lse"];
    if s.text(0) == "]" && s.text(-1) == "[" && s.is_word(-2, &REDUCTIONS) {
        let word = s.text(-2);
        return Some(
            Diagnostic::error(codes::E0001, s.span(), "expected an index, found `]`")
                .help(format!("`{word}[i](x[i])` binds an index, `{word}(x)` takes the whole tensor")),
        );
    }
    if s.text(-1) != "]" || s.text(0) == "(" {
        return None;
    }
    let open = s.partner_of(s.at.checked_sub(1)?)?;
    let word = s.tokens.get(open.checked_sub(1)?)?.text(s.text);
    if !REDUCTIONS.contains(&word) {
        return None;
    }
    let message = format!("expected `(`, found {}", s.found());
    Some(
        Diagnostic::error(codes::E0001, s.span(), message)
            .help(format!("a reduction encloses in parentheses what it reduces: `{word}[i](x[i])`")),
    )
}

fn type_name(s: &Scene<'_>) -> Option<Diagnostic> {
    if !s.failure.wants_type() {
        return None;
    }
    let message = format!("expected a type, found {}", s.found());
    Some(
        Diagnostic::error(codes::E0001, s.span(), message)
            .help("a type is a shape `[n, m]`, `[]` for one number, or a range `in 0..n`"),
    )
}

/// An operator after a statement that its closing brace ended.
fn after_closed_statement(s: &Scene<'_>) -> Option<Diagnostic> {
    if !s.failure.wants_statement() || s.text(-1) != "}" {
        return None;
    }
    if !matches!(s.kind(0), Some(Kind::Punct(c)) if c != ';') {
        return None;
    }
    let message = format!("expected a statement, found {}", s.found());
    Some(
        Diagnostic::error(codes::E0001, s.span(), message)
            .note("a statement that begins with `if`, `scan` or `{` ends at its `}`")
            .help("bind it with `let`, or put parentheses around it"),
    )
}

fn branch_without_braces(s: &Scene<'_>) -> Option<Diagnostic> {
    if !s.failure.wants("{") || s.failure.wants_expression() {
        return None;
    }
    let start = s.tokens.get(s.statement_start()..s.at)?;
    let conditional = start.iter().any(|t| t.is_word(s.text, "if"));
    if !conditional {
        return None;
    }
    let message = format!("expected `{{`, found {}", s.found());
    let diagnostic = Diagnostic::error(codes::E0001, s.span(), message);
    Some(diagnostic.help("branches stand in braces: `if c { a } else { b }`"))
}

/// A statement whose first word is almost a keyword: `ouput p = x;`.
fn misspelt_statement(s: &Scene<'_>) -> Option<Diagnostic> {
    let start = s.statement_start();
    let token = s.tokens.get(start).filter(|t| t.kind == Kind::Word)?;
    let named = matches!(s.kind(0), Some(Kind::Word | Kind::Open('{')));
    if start + 1 != s.at || !named {
        return None;
    }
    let word = token.text(s.text);
    let meant = closest(word, &STATEMENT_WORDS)?;
    let message = format!("no statement begins with `{word}`");
    Some(Diagnostic::error(codes::E0001, s.span_of(token.range()), message).help(format!("did you mean `{meant}`?")))
}

fn missing_semicolon(s: &Scene<'_>) -> Option<Diagnostic> {
    if !s.failure.wants(";") || s.failure.wants_statement() {
        return None;
    }
    let binds = (s.spells(1, "=") && !s.spells(1, "==")) || s.spells(1, "<-");
    let next = s.is_word(0, &STATEMENT_WORDS)
        || (s.kind(0) == Some(Kind::Word) && binds)
        || s.is_word(0, &ITEM_WORDS)
        || s.is_word(0, &["scan"])
        || matches!(s.kind(0), Some(Kind::Close('}')) | None);
    if !(next || s.on_new_line()) {
        return None;
    }
    // The last character that does belong to the statement.
    let before = s.token(-1)?;
    let last = before.text(s.text).chars().next_back().map_or(1, char::len_utf8);
    let span = s.span_of(before.end.saturating_sub(last)..before.end);
    let diagnostic = Diagnostic::error(codes::E0003, span, "expected `;` after this").label("`;` is missing here");
    let start = s.statement_start();
    let head = s.tokens.get(start..s.at)?;
    if let [name, less, minus, ..] = head
        && less.text(s.text) == "<"
        && minus.text(s.text) == "-"
    {
        let name = name.text(s.text);
        return Some(
            diagnostic.help(format!("`{name} <- ...;` gives a next value; to compare, write `{name} < (-...)`")),
        );
    }
    Some(diagnostic.help("write `;` at the end of a statement"))
}

/// The word of `words` that differs from `word` in at most two letters; in one where
/// it is short, in none where it is very short.
fn closest(word: &str, words: &[&'static str]) -> Option<&'static str> {
    let limit = match word.len() {
        0..=3 => return None,
        4 => 1,
        _ => 2,
    };
    let edits = words.iter().map(|w| (edits(word, w), *w)).filter(|(d, _)| (1..=limit).contains(&d.letters));
    edits.min().map(|(_, w)| w)
}
