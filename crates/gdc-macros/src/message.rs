//! Diagnostics as the text of one rustc message. rustc underlines the place, so the words that
//! belong there, the further places, notes and help all go into the message.

use gdc_syntax::{Diagnostic, SourceMap, Span};
use std::fmt::Write;

/// The longest quotation of a further place, in characters.
const QUOTE: usize = 48;

/// The message of a mistake in the tokens of a macro. `line` knows the line of a place in the
/// user's file, as far as rustc does.
pub fn for_tokens(diagnostic: &Diagnostic, sources: &SourceMap, line: &dyn Fn(Span) -> Option<usize>) -> String {
    let mut text = first_line(diagnostic);
    if !diagnostic.label.is_empty() {
        add(&mut text, "here: ", &diagnostic.label);
    }
    for label in &diagnostic.secondary {
        if label.span.file == diagnostic.span.file {
            let quote = quote(sources.text(label.span));
            let place = match line(label.span) {
                Some(line) => format!("line {line}: `{quote}`: "),
                None => format!("`{quote}`: "),
            };
            add(&mut text, &place, &label.text);
        } else {
            excerpt(&mut text, sources, label.span, &label.text);
        }
    }
    finish(text, diagnostic)
}

/// The message of a mistake in a file: with the place, and the line that holds it.
pub fn for_file(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let mut text = first_line(diagnostic);
    excerpt(&mut text, sources, diagnostic.span, &diagnostic.label);
    for label in &diagnostic.secondary {
        excerpt(&mut text, sources, label.span, &label.text);
    }
    finish(text, diagnostic)
}

fn first_line(diagnostic: &Diagnostic) -> String {
    format!("{} [{}]", diagnostic.message, diagnostic.code)
}

fn finish(mut text: String, diagnostic: &Diagnostic) -> String {
    for note in &diagnostic.notes {
        add(&mut text, "note: ", note);
    }
    for help in &diagnostic.help {
        add(&mut text, "help: ", help);
    }
    text
}

/// Adds a line; the further lines of `words` are indented to stand below its first.
fn add(text: &mut String, head: &str, words: &str) {
    let indent = " ".repeat(head.chars().count());
    for (i, line) in words.lines().enumerate() {
        let head = if i == 0 { head } else { &indent };
        text.push('\n');
        text.push_str(head);
        text.push_str(line);
    }
}

/// Adds `--> file:line:column`, the line, and carets below the range, with `words` after them.
fn excerpt(text: &mut String, sources: &SourceMap, span: Span, words: &str) {
    let file = sources.file(span.file);
    let (number, column) = sources.line_column(span);
    let line = file.text.split('\n').nth(number - 1).unwrap_or("").trim_end();
    let before: String = line.chars().take(column - 1).collect();
    let rest = &line[before.len()..];
    let marked = sources.text(span).lines().next().unwrap_or("").trim_end();
    let marked = if rest.starts_with(marked) { marked } else { "" };
    let gutter = " ".repeat(number.to_string().len());
    let carets = "^".repeat(spread(marked).chars().count().max(1));
    let indent = " ".repeat(spread(&before).chars().count());
    let words = words.replace('\n', " ");
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "\n{gutter}--> {}:{number}:{column}\n{gutter} |\n{number} | {}\n{gutter} | {}",
        file.name,
        spread(line),
        format!("{indent}{carets} {words}").trim_end(),
    );
}

/// Tabs as blanks, so that the carets stand below what they mark.
fn spread(line: &str) -> String {
    line.replace('\t', "    ")
}

/// A short quotation of rebuilt text, spaced as people write it.
fn quote(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut out = String::new();
    for (i, word) in words.iter().enumerate() {
        let closes = matches!(*word, ")" | "]" | "," | ";" | "." | ":");
        let opens = matches!(*word, "(" | "[") && words[..i].last().is_some_and(|w| is_operand_end(w));
        let opened = out.ends_with(['(', '[', '.']);
        if i > 0 && !closes && !opens && !opened {
            out.push(' ');
        }
        out.push_str(word);
    }
    if out.chars().count() > QUOTE {
        out = out.chars().take(QUOTE - 1).collect();
        out.push('…');
    }
    out
}

/// Whether a bracket after this word is a call or an index.
fn is_operand_end(word: &str) -> bool {
    word.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ')' | ']'))
        && !matches!(word, "in" | "if" | "else" | "over" | "yield" | "loss" | "return")
}

#[cfg(test)]
mod tests {
    use super::*;
    use gdc_syntax::{Code, FileId};

    #[test]
    fn a_mistake_in_a_file_shows_the_line() {
        let mut sources = SourceMap::default();
        let file = sources.add("a.gd", "model M {\n\tlet h = x |> dense(4);\n}\n");
        let wrong = Diagnostic::error(Code("E0203"), Span::new(file, 19, 20), "no `x`")
            .label("unknown")
            .secondary(Span::new(file, 24, 32), "used by this")
            .help("write `input x: [4];`");
        assert_eq!(
            for_file(&wrong, &sources),
            "no `x` [E0203]\n \
             --> a.gd:2:10\n  |\n2 |     let h = x |> dense(4);\n  |             ^ unknown\n \
             --> a.gd:2:15\n  |\n2 |     let h = x |> dense(4);\n  |                  ^^^^^^^^ used by this\n\
             help: write `input x: [4];`"
        );
    }

    #[test]
    fn a_mistake_in_tokens_quotes_the_other_place() {
        let mut sources = SourceMap::default();
        let file = sources.add("<network>", "let h = x |> dense ( 4 ) ; let y = h + x ;");
        let wrong = Diagnostic::error(Code("E0203"), Span::new(file, 35, 40), "shapes differ")
            .label("[4] and [5]")
            .secondary(Span::new(file, 13, 24), "[4]\nfrom here")
            .note("sizes must be equal");
        assert_eq!(
            for_tokens(&wrong, &sources, &|_| Some(7)),
            "shapes differ [E0203]\nhere: [4] and [5]\nline 7: `dense(4)`: [4]\n                    \
             from here\nnote: sizes must be equal"
        );
    }

    #[test]
    fn odd_ranges_are_shown_as_far_as_they_go() {
        let mut sources = SourceMap::default();
        let file = sources.add("é.gd", "é\n\nb");
        for (start, end) in [(0, 6), (1, 2), (2, 2), (6, 6), (6, 9), (9, 12)] {
            let wrong = Diagnostic::error(Code("E0001"), Span::new(file, start, end), "odd");
            assert!(for_file(&wrong, &sources).contains("^"));
        }
        assert_eq!(file, FileId(0));
    }

    #[test]
    fn quotations_are_spaced_as_people_write() {
        assert_eq!(quote("sum [ i ] ( x [ i ] * w [ i , j ] )"), "sum[i](x[i] * w[i, j])");
        assert_eq!(quote("input x : [ 4 , 5 ] ;"), "input x: [4, 5];");
        assert_eq!(quote("a . b + ( c - d ) |> f"), "a.b + (c - d) |> f");
        assert_eq!(quote(&"x + ".repeat(40)).chars().count(), QUOTE);
    }
}
