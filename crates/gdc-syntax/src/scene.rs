//! The place where parsing failed, with its neighbours: what the hints look at.

use crate::expect::Failure;
use crate::lex::{Kind, Token};
use crate::source::{FileId, Span};
use crate::words::STATEMENT_WORDS;
use std::ops::Range;

/// A failure among the tokens of its text.
pub(crate) struct Scene<'a> {
    pub(crate) text: &'a str,
    pub(crate) tokens: &'a [Token],
    pub(crate) failure: &'a Failure,
    /// The token that cannot stand where it is; `tokens.len()` at the end.
    pub(crate) at: usize,
    pub(crate) file: FileId,
    pub(crate) offset: usize,
}

impl<'a> Scene<'a> {
    /// The token `by` places after the wrong one.
    pub(crate) fn token(&self, by: isize) -> Option<&'a Token> {
        self.tokens.get(self.at.checked_add_signed(by)?)
    }

    /// Its text, empty where there is none.
    pub(crate) fn text(&self, by: isize) -> &'a str {
        self.token(by).map_or("", |t| t.text(self.text))
    }

    pub(crate) fn kind(&self, by: isize) -> Option<Kind> {
        self.token(by).map(|t| t.kind)
    }

    pub(crate) fn is_word(&self, by: isize, words: &[&str]) -> bool {
        self.kind(by) == Some(Kind::Word) && words.contains(&self.text(by))
    }

    /// Whether the tokens from `by` on spell `operator` without blanks between.
    pub(crate) fn spells(&self, by: isize, operator: &str) -> bool {
        self.token(by).is_some_and(|t| {
            matches!(t.kind, Kind::Punct(_)) && self.text.get(t.start..).is_some_and(|rest| rest.starts_with(operator))
        })
    }

    pub(crate) fn span_of(&self, range: Range<usize>) -> Span {
        Span::new(self.file, self.offset + range.start, self.offset + range.end)
    }

    /// The wrong token; at the end of the text, the last one.
    pub(crate) fn span(&self) -> Span {
        match self.token(0) {
            Some(token) => {
                let length = self.operator().map_or(token.range().len(), str::len);
                self.span_of(token.start..token.start + length)
            }
            None => self.span_of(self.tokens.last().map_or(0..0, Token::range)),
        }
    }

    /// From the token `from` to the token `to`, both counted from the wrong one.
    pub(crate) fn span_between(&self, from: isize, to: isize) -> Span {
        match (self.token(from), self.token(to)) {
            (Some(a), Some(b)) => self.span_of(a.start..b.end),
            _ => self.span(),
        }
    }

    /// The operator of several characters that begins at the wrong token.
    fn operator(&self) -> Option<&'static str> {
        const LONG: [&str; 24] = [
            "..=", "...", "=>", "**", "::", "->", "<-", "==", "!=", "<=", ">=", "&&", "||", "|>", "+=", "-=", "*=",
            "/=", "^=", "%=", "++", "--", ":=", "..",
        ];
        LONG.into_iter().find(|operator| self.spells(0, operator))
    }

    /// The wrong token as a message shows it.
    pub(crate) fn found(&self) -> String {
        let Some(token) = self.token(0) else {
            return "the end of the text".to_owned();
        };
        match token.kind {
            Kind::Doc => "a documentation comment".to_owned(),
            Kind::Str => "a text".to_owned(),
            _ => {
                let text = self.operator().unwrap_or_else(|| token.text(self.text));
                format!("`{text}`")
            }
        }
    }

    /// Whether the wrong token stands on a later line than the one before it.
    pub(crate) fn on_new_line(&self) -> bool {
        let (Some(before), Some(token)) = (self.token(-1), self.token(0)) else {
            return self.token(0).is_none();
        };
        self.text.get(before.end..token.start).is_some_and(|t| t.contains('\n'))
    }

    /// The bracket that is open at the wrong token, as an index of `tokens`.
    pub(crate) fn open_bracket(&self) -> Option<usize> {
        self.open_before(self.at, |_| true)
    }

    fn open_before(&self, at: usize, accept: impl Fn(char) -> bool) -> Option<usize> {
        let mut depth = 0usize;
        for i in (0..at.min(self.tokens.len())).rev() {
            match self.tokens[i].kind {
                Kind::Close(_) => depth += 1,
                Kind::Open(c) if depth == 0 && accept(c) => return Some(i),
                Kind::Open(_) => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        None
    }

    /// The opening partner of the closing bracket at `close`.
    pub(crate) fn partner_of(&self, close: usize) -> Option<usize> {
        self.open_before(close, |_| true)
    }

    /// Where the statement with the wrong token begins, as an index of `tokens`.
    pub(crate) fn statement_start(&self) -> usize {
        let mut i = self.at.min(self.tokens.len());
        while let Some(before) = i.checked_sub(1) {
            match self.tokens[before].kind {
                Kind::Punct(';') | Kind::Open('{') => return i,
                Kind::Close('}') if self.ends_a_statement(before) => return i,
                Kind::Close(_) => i = self.partner_of(before).unwrap_or(before),
                _ => i = before,
            }
        }
        i
    }

    /// Whether a statement ends at the closing brace `close`, judged by what follows it.
    fn ends_a_statement(&self, close: usize) -> bool {
        match self.tokens.get(close + 1) {
            Some(next) => match next.kind {
                Kind::Word => next.text(self.text) != "else",
                Kind::Doc | Kind::Open('{') | Kind::Number | Kind::Str => true,
                _ => false,
            },
            None => true,
        }
    }

    /// The bytes of the statement with the wrong token; `None` outside of any block.
    pub(crate) fn statement(&self) -> Option<Range<usize>> {
        self.open_before(self.at, |c| c == '{')?;
        let start = self.tokens.get(self.statement_start())?.start;
        let mut depth = 0usize;
        let mut end = start;
        for (i, token) in self.tokens.iter().enumerate().skip(self.at) {
            match token.kind {
                Kind::Open(_) => depth += 1,
                Kind::Close('}') if depth == 0 => break,
                Kind::Close(_) => depth = depth.saturating_sub(1),
                Kind::Punct(';') if depth == 0 => {
                    end = token.end;
                    break;
                }
                _ => {}
            }
            end = token.end;
            let next_begins = self.tokens.get(i + 1).is_some_and(|t| STATEMENT_WORDS.contains(&t.text(self.text)));
            if depth == 0 && token.kind == Kind::Close('}') && next_begins {
                break;
            }
        }
        // Where the wrong token is the closing brace, the statement lies before it.
        end = end.max(self.token(-1).map_or(start, |t| t.end));
        (end > start).then_some(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::RESERVED;
    use gdc_grammar::{GdParser, Rule};
    use pest::Parser;

    #[test]
    fn the_reserved_words_are_those_of_the_grammar() {
        let is_name = |word: &str| GdParser::parse(Rule::file, &format!("const {word} = 1;")).is_ok();
        let names: Vec<&&str> = RESERVED.iter().filter(|word| is_name(word)).collect();
        assert!(names.is_empty(), "{names:?}");
        let others = STATEMENT_WORDS.iter().filter(|word| !RESERVED.contains(word));
        assert!(others.clone().count() > 3 && others.clone().all(|word| is_name(word)));
        assert!(is_name("lets") && is_name("_a") && is_name("type"));
    }
}
