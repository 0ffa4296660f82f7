//! What is wrong with a source: a code, a span, what was expected and found, and help.
//! Detection fills these in; rendering is elsewhere.

use crate::source::Span;
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

    /// Adds advice.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }
}

/// Errors of a phase were reported; what it would have returned does not exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reported;

/// Collects the diagnostics of a compilation, in the order in which they were found.
#[derive(Clone, Default, Debug)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Keeps a diagnostic; one with the same code and span as an earlier one is dropped.
    pub fn push(&mut self, diagnostic: Diagnostic) -> Reported {
        if !self.list.iter().any(|d| d.code == diagnostic.code && d.span == diagnostic.span) {
            self.list.push(diagnostic);
        }
        Reported
    }

    /// Whether an error (not only warnings) was kept.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Error)
    }

    /// Ends a phase: an `Err` if it reported any error.
    pub fn checkpoint(&self) -> Result<(), Reported> {
        if self.has_errors() { Err(Reported) } else { Ok(()) }
    }

    /// Everything so far.
    pub fn as_slice(&self) -> &[Diagnostic] {
        &self.list
    }

    /// Everything, ordered by file and place.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|d| (d.span, d.code));
        self.list
    }
}
