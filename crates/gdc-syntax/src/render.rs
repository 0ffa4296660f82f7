//! Diagnostics as text: one line each, or (feature `render`) with the source shown.

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::SourceMap;

/// `file:line:col: error[E0203]: message`, without a line break.
pub fn short(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let (line, column) = sources.line_column(diagnostic.span);
    format!(
        "{}:{line}:{column}: {}[{}]: {}",
        sources.file(diagnostic.span.file).name,
        match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        diagnostic.code,
        diagnostic.message
    )
}

#[cfg(feature = "render")]
pub use full::render;

#[cfg(feature = "render")]
mod full {
    use super::*;
    use crate::source::{FileId, Span};
    use annotate_snippets::renderer::DecorStyle;
    use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
    use std::ops::Range;

    /// All of `diagnostics`, each with the lines it is about, its notes and its help,
    /// and a blank line after it.
    pub fn render(diagnostics: &[Diagnostic], sources: &SourceMap, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii);
        let mut out = String::new();
        for diagnostic in diagnostics {
            out.push_str(&renderer.render(&[report(diagnostic, sources)]));
            out.push_str("\n\n");
        }
        out
    }

    fn report<'a>(diagnostic: &'a Diagnostic, sources: &'a SourceMap) -> Group<'a> {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.0));
        // The file of the mistake first, then the others in the order of their labels.
        let mut files = vec![diagnostic.span.file];
        for label in &diagnostic.secondary {
            if !files.contains(&label.span.file) {
                files.push(label.span.file);
            }
        }
        for file in files {
            group = group.element(snippet(diagnostic, sources, file));
        }
        for note in &diagnostic.notes {
            group = group.element(Level::NOTE.message(note.as_str()));
        }
        for help in &diagnostic.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        group
    }

    fn snippet<'a>(
        diagnostic: &'a Diagnostic,
        sources: &'a SourceMap,
        file: FileId,
    ) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let source = sources.file(file);
        let text: &str = &source.text;
        let mut snippet = Snippet::source(text).path(source.name.as_str()).fold(true);
        if diagnostic.span.file == file {
            let mut primary = AnnotationKind::Primary.span(range(text, diagnostic.span));
            if !diagnostic.label.is_empty() {
                primary = primary.label(diagnostic.label.as_str());
            }
            snippet = snippet.annotation(primary);
        }
        let labels = diagnostic.secondary.iter().filter(|l| l.span.file == file);
        snippet.annotations(
            labels.map(|label| AnnotationKind::Context.span(range(text, label.span)).label(label.text.as_str())),
        )
    }

    /// The bytes of a span, inside of `text` and on the boundaries of characters.
    fn range(text: &str, span: Span) -> Range<usize> {
        let boundary = |at: u32| {
            let mut at = (at as usize).min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = boundary(span.start);
        start..boundary(span.end).max(start)
    }
}
