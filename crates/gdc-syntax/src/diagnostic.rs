//! What is wrong with a source: a code, a span, what was expected and found, and help.
//! Detection fills these in; rendering is elsewhere.

use crate::source::Span;
use std::collections::BTreeSet;
use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Nothing is generated.
    Error,
    /// Code is generated all the same.
    Warning,
}

/// A stable identifier of a kind of mistake, `E0123` or `W0012`; see [`crate::codes`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A further place that matters, and what it has to do with the mistake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is there, in a few words.
    pub text: String,
}

/// One mistake, or one warning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// Which kind of mistake.
    pub code: Code,
    /// One sentence without a full stop.
    pub message: String,
    /// The very token or expression that is wrong.
    pub span: Span,
    /// What to show under `span`; may be empty.
    pub label: String,
    /// Where the other side came from.
    pub secondary: Vec<Label>,
    /// Facts that explain, such as the arithmetic of a size.
    pub notes: Vec<String>,
    /// What to write instead.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            span,
            label: String::new(),
            secondary: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
        }
    }

    /// A warning at `span`.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, span, message) }
    }

    /// Sets the words under the primary span.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    /// Adds a further place.
    pub fn secondary(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// Adds a fact.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Cuts what is longer than anybody reads.
    fn shorten(&mut self) {
        let labels = self.secondary.iter_mut().map(|l| &mut l.text);
        let words = [&mut self.message, &mut self.label].into_iter().chain(&mut self.notes).chain(&mut self.help);
        words.chain(labels).filter(|text| text.len() > MAX_WORDS).for_each(|text| *text = cut(text));
    }

    /// Adds advice.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }
}

/// The last place up to `at` where a character begins, or the end of the text.
pub(crate) fn boundary_before(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The two ends of a text that is too long.
fn cut(text: &str) -> String {
    let half = MAX_WORDS / 2 - 8;
    let (start, end) = (boundary_before(text, half), boundary_before(text, text.len() - half));
    format!("{} ... {}", &text[..start], &text[end..])
}

/// Errors of a phase were reported; what it would have returned does not exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reported;

/// Errors, and as many warnings, that are kept of one compilation: nobody reads more.
const MAX_KEPT: usize = 100;

/// The longest message, label, note or help, in bytes: a name that is quoted may be of any length.
const MAX_WORDS: usize = 2_000;

/// Collects the diagnostics of a compilation, in the order in which they were found.
#[derive(Clone, Default, Debug)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    /// What was pushed, kept or not.
    seen: BTreeSet<(Code, Span)>,
    errors: usize,
    warnings: usize,
}

impl Diagnostics {
    /// Keeps a diagnostic; one with the same code and span as an earlier one is dropped, and so are
    /// those that come after very many others, which are counted all the same.
    pub fn push(&mut self, mut diagnostic: Diagnostic) -> Reported {
        if !self.seen.insert((diagnostic.code, diagnostic.span)) {
            return Reported;
        }
        let count = match diagnostic.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *count += 1;
        if *count <= MAX_KEPT {
            diagnostic.shorten();
            self.list.push(diagnostic);
        }
        Reported
    }

    /// Takes over what another collection has found, each changed by `change`.
    pub(crate) fn absorb(&mut self, other: Diagnostics, change: impl Fn(Diagnostic) -> Diagnostic) {
        let (errors, warnings) = other.left_out();
        for diagnostic in other.list {
            self.push(change(diagnostic));
        }
        self.errors += errors;
        self.warnings += warnings;
    }

    /// Errors and warnings that are not kept.
    fn left_out(&self) -> (usize, usize) {
        let kept = |severity| self.list.iter().filter(|d| d.severity == severity).count();
        (self.errors - kept(Severity::Error), self.warnings - kept(Severity::Warning))
    }

    /// How many diagnostics were found, kept or not.
    pub(crate) fn count(&self) -> usize {
        self.errors + self.warnings
    }

    /// Whether no further error is kept.
    pub fn is_full(&self) -> bool {
        self.errors >= MAX_KEPT
    }

    /// Whether an error (not only warnings) was kept.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Ends a phase: an `Err` if it reported any error.
    pub fn checkpoint(&self) -> Result<(), Reported> {
        if self.has_errors() { Err(Reported) } else { Ok(()) }
    }

    /// Everything that is kept so far.
    pub fn as_slice(&self) -> &[Diagnostic] {
        &self.list
    }

    /// Everything that is kept, ordered by file and place; the last one tells how many are not.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        let (errors, warnings) = self.left_out();
        self.list.sort_by_key(|d| (d.span, d.code));
        if let Some(last) = self.list.last_mut() {
            for (count, word) in [(errors, "error"), (warnings, "warning")] {
                if count > 0 {
                    last.notes.push(format!("and {} more {word}{}", grouped(count), if count == 1 { "" } else { "s" }));
                }
            }
        }
        self.list
    }
}

/// A number with its digits in threes: `9,312`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let parts: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|p| std::str::from_utf8(p).ok()).collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FileId, codes};

    fn found(count: usize, words: &str) -> Diagnostics {
        let mut diagnostics = Diagnostics::default();
        for at in 0..count {
            diagnostics.push(Diagnostic::error(codes::E0001, Span::new(FileId(0), at, at + 1), words));
            diagnostics.push(Diagnostic::error(codes::E0001, Span::new(FileId(0), at, at + 1), words));
        }
        diagnostics
    }

    #[test]
    fn no_more_are_kept_than_anybody_reads() {
        let all = found(12_345, "no").into_sorted();
        assert_eq!(all.len(), MAX_KEPT);
        assert_eq!(all[MAX_KEPT - 1].notes, ["and 12,245 more errors"]);
        assert_eq!(found(MAX_KEPT, "no").into_sorted()[MAX_KEPT - 1].notes, [""; 0]);
        let mut both = found(90, "no");
        both.absorb(found(5_000, "no"), |d| Diagnostic { code: codes::E0002, ..d });
        assert_eq!(both.into_sorted()[99].notes, ["and 4,990 more errors"]);
    }

    #[test]
    fn long_words_are_cut_between_letters() {
        let message = found(1, &format!("begin {} end", "é".repeat(1 << 20))).into_sorted().remove(0).message;
        assert!(message.len() <= MAX_WORDS && message.starts_with("begin é") && message.ends_with("é end"));
    }
}
