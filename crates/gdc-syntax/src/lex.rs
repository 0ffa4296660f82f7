//! A cheap scan of a text into tokens: enough to find items, brackets and
//! statements without parsing, and to name the token at which parsing failed.

use std::ops::Range;

/// What a token is. Operators stay single characters here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Word,
    /// A number, with whatever letters stick to it.
    Number,
    /// A closed text literal.
    Str,
    /// `///`, `/** */`, `#[doc = "..."]`
    Doc,
    /// `//!` and `/*! */`, which document what is around them.
    InnerDoc,
    /// `r#name`
    RawWord,
    /// `(`, `[`, `{`
    Open(char),
    /// `)`, `]`, `}`
    Close(char),
    /// A character of an operator, `;`, `,`, `.`, `:`.
    Punct(char),
    /// A text literal without its closing quote.
    OpenStr,
    /// A comment without its `*/`.
    OpenComment,
    /// A character that begins no token.
    Stray(char),
}

/// A token and its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Token {
    pub(crate) fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    pub(crate) fn text<'t>(&self, source: &'t str) -> &'t str {
        source.get(self.start..self.end).unwrap_or("")
    }

    pub(crate) fn is_word(&self, source: &str, word: &str) -> bool {
        self.kind == Kind::Word && self.text(source) == word
    }
}

/// All tokens of `text`; comments are left out, documentation is not.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0, unclosed: [false; 3] };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.token() {
        tokens.push(token);
    }
    tokens
}

pub(crate) fn is_word_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || (!c.is_ascii() && pest::unicode::XID_START(c))
}

fn is_word_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || (!c.is_ascii() && pest::unicode::XID_CONTINUE(c))
}

/// How text literals begin.
const OPENERS: [&str; 3] = ["r#\"", "r\"", "\""];

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    /// What each of [`OPENERS`] opens is not closed from here on, which is found only once.
    unclosed: [bool; 3],
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump_while(&mut self, accept: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !accept(c)).unwrap_or(rest.len());
    }

    fn token(&mut self) -> Option<Token> {
        loop {
            self.bump_while(|c| matches!(c, ' ' | '\n' | '\t' | '\r'));
            let start = self.at;
            let c = self.peek()?;
            if let Some(kind) = self.comment() {
                let Some(kind) = kind else { continue };
                return Some(Token { kind, start, end: self.at });
            }
            let kind = self.kind(c);
            return Some(Token { kind, start, end: self.at });
        }
    }

    /// Passes a comment: `None` where there is none, `Some(None)` for a plain one.
    fn comment(&mut self) -> Option<Option<Kind>> {
        let rest = self.rest();
        if rest.starts_with("//") {
            let kind = if rest.starts_with("//!") {
                Some(Kind::InnerDoc)
            } else if rest.starts_with("///") && !rest.starts_with("////") {
                Some(Kind::Doc)
            } else {
                None
            };
            self.bump_while(|c| c != '\n');
            return Some(kind);
        }
        if !rest.starts_with("/*") {
            return None;
        }
        let kind = if rest.starts_with("/*!") {
            Some(Kind::InnerDoc)
        } else if rest.starts_with("/**") && !matches!(rest.as_bytes().get(3), Some(b'*' | b'/')) {
            Some(Kind::Doc)
        } else {
            None
        };
        match end_of_block_comment(rest) {
            Some(length) => {
                self.at += length;
                Some(kind)
            }
            None => {
                self.at = self.text.len();
                Some(Some(Kind::OpenComment))
            }
        }
    }

    fn kind(&mut self, c: char) -> Kind {
        if c == '"' || self.rest().starts_with("r\"") || self.rest().starts_with("r#\"") {
            return self.string();
        }
        if c == 'r' && self.rest().strip_prefix("r#").is_some_and(|r| r.starts_with(is_word_start)) {
            self.at += 2;
            self.bump_while(is_word_part);
            return Kind::RawWord;
        }
        if is_word_start(c) {
            self.bump_while(is_word_part);
            return Kind::Word;
        }
        if c.is_ascii_digit() {
            self.number();
            return Kind::Number;
        }
        if c == '#'
            && let Some(length) = self.doc_attribute()
        {
            self.at += length;
            return Kind::Doc;
        }
        self.at += c.len_utf8();
        match c {
            '(' | '[' | '{' => Kind::Open(c),
            ')' | ']' | '}' => Kind::Close(c),
            '+' | '-' | '*' | '/' | '%' | '^' | '@' | '=' | '<' | '>' | '!' | '&' | '|' | '.' | ',' | ';' | ':' => {
                Kind::Punct(c)
            }
            _ => Kind::Stray(c),
        }
    }

    fn string(&mut self) -> Kind {
        match self.literal(self.at) {
            Some(length) => {
                self.at += length;
                Kind::Str
            }
            // An open literal is taken to end with its line, so that the rest is still read.
            None => {
                self.bump_while(|c| c != '\n');
                Kind::OpenStr
            }
        }
    }

    /// The length of the text literal at a place, if it is closed. A quote that is escaped in one
    /// literal without end begins another, which has no end either.
    fn literal(&mut self, at: usize) -> Option<usize> {
        let text = self.text.get(at..).unwrap_or("");
        let opener = OPENERS.iter().position(|o| text.starts_with(o))?;
        if self.unclosed[opener] {
            return None;
        }
        let length = end_of_string(text);
        self.unclosed[opener] = length.is_none();
        length
    }

    /// The length of `#[doc = "..."]`, with blanks between its parts.
    fn doc_attribute(&mut self) -> Option<usize> {
        let mut rest = self.text.get(self.at..)?;
        for part in ["#", "[", "doc", "="] {
            rest = rest.trim_start().strip_prefix(part)?;
        }
        rest = rest.trim_start();
        let length = self.literal(self.text.len() - rest.len())?;
        rest = rest.get(length..)?.trim_start().strip_prefix(']')?;
        Some(self.text.len() - self.at - rest.len())
    }

    fn number(&mut self) {
        self.bump_while(is_word_part);
        let mut rest = self.rest().chars();
        if rest.next() == Some('.') && !rest.next().is_some_and(|c| c == '.' || is_word_start(c)) {
            self.at += 1;
            self.bump_while(is_word_part);
        }
        // `1e-3`: the sign belongs to the exponent.
        let before = self.text.get(..self.at).unwrap_or("");
        if before.ends_with(['e', 'E']) {
            let mut rest = self.rest().chars();
            if matches!(rest.next(), Some('+' | '-')) && rest.next().is_some_and(|c| c.is_ascii_digit()) {
                self.at += 1;
                self.bump_while(is_word_part);
            }
        }
    }
}

/// The length of a comment that begins with `/*`, which nests.
fn end_of_block_comment(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0usize);
    while at + 1 < bytes.len() {
        match (bytes[at], bytes[at + 1]) {
            (b'/', b'*') => (depth, at) = (depth + 1, at + 2),
            (b'*', b'/') => {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}

/// The length of a text literal.
fn end_of_string(text: &str) -> Option<usize> {
    if let Some(raw) = text.strip_prefix("r#\"") {
        return raw.find("\"#").map(|at| at + 5);
    }
    if let Some(raw) = text.strip_prefix("r\"") {
        return raw.find('"').map(|at| at + 3);
    }
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(&str, Kind)> {
        tokens(text).iter().map(|t| (t.text(text), t.kind)).collect()
    }

    #[test]
    fn numbers_keep_their_suffix_and_leave_ranges() {
        use Kind::*;
        assert_eq!(kinds("1.0f32"), [("1.0f32", Number)]);
        assert_eq!(kinds("1e-3"), [("1e-3", Number)]);
        assert_eq!(kinds("0..4"), [("0", Number), (".", Punct('.')), (".", Punct('.')), ("4", Number)]);
        assert_eq!(kinds("h.0.b").len(), 5);
    }

    #[test]
    fn comments_nest_and_documentation_stays() {
        use Kind::*;
        assert_eq!(kinds("/* a /* b */ c */ x // y"), [("x", Word)]);
        assert_eq!(kinds("/// a\nx"), [("/// a", Doc), ("x", Word)]);
        assert_eq!(kinds("# [ doc = \" a\" ] x"), [("# [ doc = \" a\" ]", Doc), ("x", Word)]);
        assert_eq!(kinds("/***/ /**/ //// a"), []);
        assert_eq!(kinds("/* a"), [("/* a", OpenComment)]);
    }

    #[test]
    fn literals_and_strays() {
        use Kind::*;
        assert_eq!(kinds(r#""a\"b" r"c\" x"#), [(r#""a\"b""#, Str), (r#"r"c\""#, Str), ("x", Word)]);
        assert_eq!(kinds("\"a\nb"), [("\"a", OpenStr), ("b", Word)]);
        assert_eq!(kinds("r#type − θ"), [("r#type", RawWord), ("−", Stray('−')), ("θ", Word)]);
    }
}
