//! From pest pairs to the syntax tree: names, numbers, texts and documentation.

use super::{Builder, Built, Parts};
use crate::ast;
use crate::codes;
use crate::diagnostic::Diagnostic;
use gdc_grammar::Rule;
use pest::iterators::Pair;
use unicode_normalization::UnicodeNormalization;

impl Builder<'_> {
    /// A name, in NFC.
    pub(super) fn name(&mut self, pair: &Pair<'_, Rule>) -> ast::Name {
        let text = pair.as_str();
        let text = if text.is_ascii() { text.to_owned() } else { text.nfc().collect() };
        ast::Name { text, span: self.span(pair) }
    }

    pub(super) fn need_name(&mut self, parts: &mut Parts<'_>) -> Built<ast::Name> {
        let pair = self.need(parts, Rule::ident)?;
        Ok(self.name(&pair))
    }

    pub(super) fn number(&mut self, pair: &Pair<'_, Rule>) -> Built<ast::ExprKind> {
        let text = pair.as_str().replace('_', "");
        let integer = !text.contains(['.', 'e', 'E']);
        let Ok(value) = text.parse::<f64>() else {
            let span = self.span(pair);
            return Err(self.disagreement(span));
        };
        if value.is_infinite() {
            let span = self.span(pair);
            self.report(Diagnostic::error(codes::E0005, span, "this number is too large").help("`inf` is infinity"));
        } else if integer && value > 9_007_199_254_740_992.0 {
            let span = self.span(pair);
            self.report(
                Diagnostic::error(codes::E0005, span, "this integer is too large")
                    .note("integers are exact up to 2^53"),
            );
        }
        Ok(ast::ExprKind::Number { value, integer })
    }

    /// The text that a literal stands for.
    pub(super) fn string(&mut self, pair: &Pair<'_, Rule>) -> Built<String> {
        match unescape(pair.as_str()) {
            Ok(text) => Ok(text),
            Err(escape) => {
                let span = self.span(pair);
                let known =
                    "the known escapes are `\\n`, `\\t`, `\\r`, `\\0`, `\\\\`, `\\\"`, `\\'`, `\\x41` and `\\u{e9}`";
                self.report(Diagnostic::error(codes::E0016, span, format!("unknown escape `{escape}`")).note(known));
                Ok(String::new())
            }
        }
    }

    /// The documentation before an item or a statement, line by line.
    pub(super) fn docs(&mut self, parts: &mut Parts<'_>) -> Built<Vec<String>> {
        let mut lines = Vec::new();
        while let Some(pair) = parts.take(Rule::doc) {
            let text = pair.as_str();
            if let Some(line) = text.strip_prefix("///") {
                lines.push(doc_line(line));
            } else if let Some(inside) = text.strip_prefix("/**") {
                let inside = inside.strip_suffix("*/").unwrap_or(inside).trim();
                lines.extend(inside.lines().map(|line| {
                    let line = line.trim_start();
                    doc_line(line.strip_prefix('*').unwrap_or(line))
                }));
            } else {
                let literal = text.find(['"', 'r']).and_then(|at| text.get(at..)).unwrap_or("");
                let literal = literal.trim_end_matches(']').trim_end();
                let inside = unescape(literal).unwrap_or_default();
                lines.extend(inside.lines().map(doc_line));
            }
        }
        Ok(lines)
    }
}

fn doc_line(line: &str) -> String {
    line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned()
}

/// The text of a literal, or the escape that is not known.
fn unescape(literal: &str) -> Result<String, String> {
    if let Some(raw) = literal.strip_prefix('r') {
        return Ok(raw.trim_matches('#').trim_matches('"').to_owned());
    }
    let inside = literal.strip_prefix('"').and_then(|l| l.strip_suffix('"')).unwrap_or(literal);
    let mut text = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        let escape = chars.next();
        match escape {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('0') => text.push('\0'),
            Some(c @ ('\\' | '"' | '\'')) => text.push(c),
            Some('x') => {
                let digits: String = chars.by_ref().take(2).collect();
                text.push(character(&digits, 0x7f).ok_or_else(|| format!("\\x{digits}"))?);
            }
            Some('u') => {
                let digits: String = chars.by_ref().take_while(|c| *c != '}').collect();
                let digits = digits.trim_start_matches('{').replace('_', "");
                text.push(character(&digits, 0x10_ffff).ok_or_else(|| format!("\\u{{{digits}}}"))?);
            }
            // A line break after a backslash is skipped with the blanks that follow, as in Rust.
            Some('\n') => {
                let rest = chars.as_str().trim_start();
                chars = rest.chars();
            }
            other => return Err(other.map_or("\\".to_owned(), |c| format!("\\{c}"))),
        }
    }
    Ok(text)
}

fn character(digits: &str, limit: u32) -> Option<char> {
    let value = u32::from_str_radix(digits, 16).ok().filter(|v| *v <= limit)?;
    char::from_u32(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_stand_for_their_text() {
        assert_eq!(unescape(r#""a\"b\\\n\u{e9}\x41""#).as_deref(), Ok("a\"b\\\n\u{e9}A"));
        assert_eq!(unescape(r##"r#"a\n"#"##).as_deref(), Ok("a\\n"));
        assert_eq!(unescape(r#""\q""#), Err("\\q".to_owned()));
        assert_eq!(unescape(r#""\u{d800}""#), Err("\\u{d800}".to_owned()));
    }
}
