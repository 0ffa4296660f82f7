//! What can be said of a text from its tokens alone: characters that belong to no
//! token, malformed numbers, brackets without partner, nesting beyond the limit.

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::lex::{Kind, Token};
use crate::source::{FileId, Span};
use std::collections::BTreeMap;
use std::ops::Range;

/// Levels of brackets, each with the `else`s of its statement, that a text may nest.
/// The parser recurses over them, also on the small stack of a test's thread.
const MAX_NESTING: usize = 64;

/// What the tokens say about whether and how to parse.
pub(crate) struct Checked {
    /// Parsing would only repeat, in worse words, what was reported.
    pub(crate) fatal: bool,
    /// Whether anything was reported.
    pub(crate) reported: bool,
    /// The text with its wrong tokens replaced, byte for byte, by what was meant.
    pub(crate) repaired: Option<String>,
}

/// Checks all tokens of `text`, which begins at `offset` of `file`.
pub(crate) fn check(
    text: &str,
    tokens: &[Token],
    file: FileId,
    offset: usize,
    diagnostics: &mut Diagnostics,
) -> Checked {
    let mut checker =
        Checker { text, file, offset, diagnostics, fatal: false, reported: false, quoted: false, repairs: Vec::new() };
    for token in tokens {
        checker.token(token);
    }
    checker.brackets(tokens);
    checker.nesting(tokens);
    let repaired = if checker.repairs.is_empty() { None } else { Some(checker.repaired()) };
    let reported = checker.reported;
    Checked { fatal: checker.fatal, reported, repaired }
}

/// The brackets that are open, innermost last.
#[derive(Default)]
struct OpenBrackets<'t> {
    list: Vec<(char, &'t Token)>,
    /// How many of each kind, so that none is looked for in vain.
    kinds: BTreeMap<char, usize>,
}

impl<'t> OpenBrackets<'t> {
    fn push(&mut self, bracket: char, token: &'t Token) {
        self.list.push((bracket, token));
        *self.kinds.entry(bracket).or_default() += 1;
    }

    fn pop(&mut self) -> Option<(char, &'t Token)> {
        let (bracket, token) = self.list.pop()?;
        self.kinds.entry(bracket).and_modify(|n| *n -= 1);
        Some((bracket, token))
    }

    fn has(&self, bracket: char) -> bool {
        self.kinds.get(&bracket).is_some_and(|n| *n > 0)
    }
}

struct Checker<'a> {
    text: &'a str,
    file: FileId,
    offset: usize,
    diagnostics: &'a mut Diagnostics,
    fatal: bool,
    reported: bool,
    /// Whether a single quote was met.
    quoted: bool,
    /// Bytes to replace, and by what; the rest of a range becomes blank.
    repairs: Vec<(Range<usize>, String)>,
}

impl Checker<'_> {
    fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.file, self.offset + range.start, self.offset + range.end)
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.reported = true;
        self.diagnostics.push(diagnostic);
    }

    fn repaired(&self) -> String {
        // In the order of the text, but for a digit and its middle dots.
        let mut repairs: Vec<&(Range<usize>, String)> = self.repairs.iter().collect();
        repairs.sort_by_key(|(range, _)| (range.start, range.end));
        let (mut text, mut at) = (String::with_capacity(self.text.len()), 0);
        for (range, by) in repairs.into_iter().filter(|(range, by)| by.len() <= range.len()) {
            let Some(before) = self.text.get(at..range.start) else { continue };
            text.push_str(before);
            text.push_str(by);
            text.extend(std::iter::repeat_n(' ', range.len() - by.len()));
            at = range.end;
        }
        text.push_str(self.text.get(at..).unwrap_or(""));
        text
    }

    fn token(&mut self, token: &Token) {
        let range = token.range();
        let span = self.span(range.clone());
        match token.kind {
            Kind::Number => self.number(token),
            Kind::Word if token.text(self.text).contains('\u{b7}') => self.middle_dot(token),
            // A byte order mark, which some editors put first.
            Kind::Stray('\u{feff}') if token.start == 0 && self.offset == 0 => {
                self.repairs.push((range, String::new()));
            }
            Kind::Stray(c) => self.stray(c, range),
            Kind::RawWord => {
                let name = token.text(self.text).trim_start_matches("r#").to_owned();
                self.report(
                    Diagnostic::error(codes::E0006, span, "raw identifiers are not names here")
                        .help(format!("write `{name}`; the generated Rust escapes it where needed")),
                );
                self.repairs.push((range.start..range.start + 2, String::new()));
            }
            Kind::InnerDoc => {
                self.report(
                    Diagnostic::error(codes::E0012, span, "a comment cannot document what is around it")
                        .help("write `//`, or `///` before the item that it documents"),
                );
                self.repairs.push((range, String::new()));
            }
            Kind::OpenStr => {
                self.fatal = true;
                self.report(
                    Diagnostic::error(codes::E0016, span, "this text is not closed").help("close it with `\"`"),
                );
            }
            Kind::OpenComment => {
                self.fatal = true;
                let span = self.span(range.start..range.start + 2);
                self.report(
                    Diagnostic::error(codes::E0017, span, "this comment is not closed")
                        .note("comments nest: each `/*` inside needs its own `*/`")
                        .help("close it with `*/`"),
                );
            }
            _ => {}
        }
    }

    fn number(&mut self, token: &Token) {
        let text = token.text(self.text);
        let length = number_length(text);
        let Some(suffix) = text.get(length..).filter(|s| !s.is_empty()) else {
            return;
        };
        if suffix.starts_with('\u{b7}') {
            return self.middle_dot(token);
        }
        let range = token.start + length..token.end;
        let number = text.get(..length).unwrap_or("");
        let lower = suffix.to_ascii_lowercase();
        let diagnostic = match lower.as_str() {
            "f32" | "f64" | "f16" | "bf16" | "f" => {
                suffixed(self.span(range.clone())).help("`precision f64;` in the model chooses the type of all numbers")
            }
            "e" | "e_" => Diagnostic::error(codes::E0005, self.span(range.clone()), "the exponent has no digits")
                .help(format!("write `{number}e1`, say")),
            "k" | "m" | "g" | "kib" | "mib" | "gib" => suffixed(self.span(range.clone()))
                .help(format!("write the number out: `{number}_000`, `{number} * 1024`")),
            _ if number == "0" && lower.starts_with(['x', 'b', 'o']) => {
                Diagnostic::error(codes::E0005, self.span(token.range()), "numbers are decimal")
            }
            _ if matches!(lower.as_bytes().first(), Some(b'u' | b'i')) && lower.len() <= 5 => {
                suffixed(self.span(range.clone()))
                    .help("numbers without point and exponent are integers where one is needed")
            }
            _ => suffixed(self.span(range.clone())).help(format!("to multiply, write `{number} * {suffix}`")),
        };
        self.report(diagnostic);
        self.repairs.push((range, String::new()));
    }

    /// `a·b`: to Unicode the middle dot is a letter, to people it is a product.
    fn middle_dot(&mut self, token: &Token) {
        for (at, dot) in token.text(self.text).match_indices('\u{b7}') {
            let start = token.start + at;
            self.stray('\u{b7}', start..start + dot.len());
        }
    }

    fn stray(&mut self, c: char, range: Range<usize>) {
        let span = self.span(range.clone());
        if let Some(meant) = look_alike(c) {
            let shown = if meant == " " { "a plain blank".to_owned() } else { format!("`{meant}`") };
            self.report(
                Diagnostic::error(
                    codes::E0004,
                    span,
                    format!("`{}` (U+{:04X}) looks like {shown} but is not", visible(c), c as u32),
                )
                .help(format!("write {shown}")),
            );
            self.repairs.push((range, meant.to_owned()));
            return;
        }
        let diagnostic = Diagnostic::error(codes::E0004, span, format!("no token begins with `{}`", visible(c)));
        let diagnostic = match c {
            '\'' => diagnostic.help("the name of a function stands without quotes, the path of an import in `\"`"),
            '?' => diagnostic.help("write `if c { a } else { b }`"),
            '#' => diagnostic.help("comments begin with `//`"),
            '~' => diagnostic.help("write `!` for not"),
            _ => diagnostic,
        };
        self.fatal = true;
        // A quote has a partner, which is no second mistake.
        if !(c == '\'' && std::mem::replace(&mut self.quoted, true)) {
            self.report(diagnostic);
        }
    }

    /// Each bracket must have its partner.
    fn brackets(&mut self, tokens: &[Token]) {
        let mut open = OpenBrackets::default();
        for token in tokens {
            match token.kind {
                Kind::Open(c) => open.push(c, token),
                Kind::Close(c) if open.has(partner(c)) => {
                    // What was opened since then lacks its partner.
                    while let Some((o, inner)) = open.pop()
                        && o != partner(c)
                    {
                        let missing = format!("`{}` is missing before this", partner(o));
                        self.unpaired(self.unclosed(o, inner).secondary(self.span(token.range()), missing));
                    }
                }
                Kind::Close(c) => {
                    self.unpaired(self.unopened(c, token, open.list.last()));
                    // Taken for the wrong partner of the innermost bracket.
                    if open.list.last().is_some_and(|(o, _)| *o != '{') {
                        open.pop();
                    }
                }
                _ => {}
            }
        }
        if open.list.is_empty() {
            return;
        }
        let items = self.items_at_margin(tokens);
        for (o, token) in open.list {
            let mut diagnostic = self.unclosed(o, token);
            if let Some(next) = items.get(items.partition_point(|t| t.start <= token.start)) {
                diagnostic = diagnostic
                    .secondary(self.span(next.range()), format!("`{}` may be missing before this", partner(o)));
            }
            self.unpaired(diagnostic);
        }
    }

    fn unpaired(&mut self, diagnostic: Diagnostic) {
        self.fatal = true;
        self.report(diagnostic);
    }

    fn unclosed(&self, bracket: char, token: &Token) -> Diagnostic {
        let message = format!("this `{bracket}` is not closed");
        Diagnostic::error(codes::E0002, self.span(token.range()), message)
            .help(format!("close it with `{}`", partner(bracket)))
    }

    fn unopened(&self, bracket: char, token: &Token, open: Option<&(char, &Token)>) -> Diagnostic {
        let message = format!("`{bracket}` closes nothing");
        let diagnostic = Diagnostic::error(codes::E0002, self.span(token.range()), message);
        match open {
            Some((o, token)) => {
                let text = format!("what is open here is closed by `{}`", partner(*o));
                let help = format!("write `{}` here, or open `{}` before", partner(*o), partner(bracket));
                diagnostic.secondary(self.span(token.range()), text).help(help)
            }
            None => diagnostic.help("take it out"),
        }
    }

    /// The words at the left margin that begin items.
    fn items_at_margin<'t>(&self, tokens: &'t [Token]) -> Vec<&'t Token> {
        let at_margin = |t: &&Token| {
            t.kind == Kind::Word
                && matches!(t.text(self.text), "model" | "layer" | "fn" | "optimizer" | "import")
                && self.text.get(..t.start).is_some_and(|before| before.ends_with('\n'))
        };
        tokens.iter().filter(at_margin).collect()
    }

    /// Nesting is bounded before anything recurses over it.
    fn nesting(&mut self, tokens: &[Token]) {
        // For each open bracket, how often `else` nested in the current statement.
        let mut levels = vec![0usize];
        let mut total = 0usize;
        for token in tokens {
            match token.kind {
                Kind::Open(_) => {
                    levels.push(0);
                    total += 1;
                }
                Kind::Close(_) => {
                    let elses = levels.pop().unwrap_or(0);
                    total = total.saturating_sub(elses + 1);
                }
                Kind::Word if token.is_word(self.text, "else") => {
                    if let Some(level) = levels.last_mut() {
                        *level += 1;
                        total += 1;
                    }
                }
                Kind::Punct(';' | ',') => {
                    if let Some(level) = levels.last_mut() {
                        total -= *level;
                        *level = 0;
                    }
                }
                _ => {}
            }
            if total > MAX_NESTING {
                self.fatal = true;
                let span = self.span(token.range());
                self.report(
                    Diagnostic::error(codes::E0007, span, "brackets are nested too deeply")
                        .note(format!("the limit is {MAX_NESTING} brackets and `else`s"))
                        .help("bind parts with `let`, or give them to a function"),
                );
                return;
            }
        }
    }
}

fn suffixed(span: Span) -> Diagnostic {
    Diagnostic::error(codes::E0005, span, "numbers have no suffix").label("remove this")
}

/// How much of `text` is a number: digits, a fraction, an exponent.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(|b| b.is_ascii_digit() || *b == b'_') {
            at += 1;
        }
        at
    };
    let mut at = digits(0);
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        if bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at = digits(at);
        }
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        if bytes.get(at + 1 + sign).is_some_and(u8::is_ascii_digit) {
            at = digits(at + 1 + sign);
        }
    }
    at
}

fn partner(bracket: char) -> char {
    match bracket {
        '(' => ')',
        '[' => ']',
        '{' => '}',
        ')' => '(',
        ']' => '[',
        _ => '{',
    }
}

/// A character as a message shows it.
fn visible(c: char) -> String {
    if c.is_control() || c.is_whitespace() { c.escape_debug().collect() } else { c.to_string() }
}

/// The operator that a character of Unicode is mistaken for; never longer in bytes.
fn look_alike(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}' => "-",
        '\u{d7}' | '\u{b7}' | '\u{2217}' | '\u{2219}' | '\u{22c5}' | '\u{2a09}' => "*",
        '\u{f7}' | '\u{2044}' | '\u{2215}' => "/",
        '\u{2264}' | '\u{2a7d}' => "<=",
        '\u{2265}' | '\u{2a7e}' => ">=",
        '\u{2260}' => "!=",
        '\u{2190}' => "<-",
        '\u{2192}' => "->",
        '\u{2026}' => "...",
        '\u{b2}' => "^2",
        '\u{b3}' => "^3",
        '\u{201c}' | '\u{201d}' | '\u{201e}' => "\"",
        '\u{ff1b}' | '\u{37e}' => ";",
        '\u{ff0c}' => ",",
        '\u{ff1a}' => ":",
        '\u{ff1d}' => "=",
        '\u{a0}' | '\u{2000}'..='\u{200b}' | '\u{202f}' | '\u{3000}' | '\u{feff}' => " ",
        _ => return None,
    })
}
