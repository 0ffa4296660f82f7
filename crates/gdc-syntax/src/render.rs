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
    use crate::diagnostic::boundary_before;
    use crate::source::{FileId, Span};
    use annotate_snippets::renderer::DecorStyle;
    use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
    use std::ops::Range;

    /// All of `diagnostics`, each with the lines it is about, its notes and its help,
    /// and a blank line after it.
    pub fn render(diagnostics: &[Diagnostic], sources: &SourceMap, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii);
        let mut out = String::new();
        for diagnostic in diagnostics {
            // A part of a long line has no path of its own, which shows as a lonely mark.
            for line in renderer.render(&[report(diagnostic, sources)]).lines().filter(|line| !is_lonely_mark(line)) {
                out.push_str(line);
                out.push('\n');
            }
            out.push('\n');
        }
        out
    }

    /// Whether nothing but `:::` is seen of a line that may have colours.
    fn is_lonely_mark(line: &str) -> bool {
        let plain = line.split('\u{1b}').enumerate().map(|(k, part)| match part.split_once('m') {
            Some((_, rest)) if k > 0 => rest,
            _ => part,
        });
        plain.collect::<String>().trim() == ":::"
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
            let shown = Shown::of(diagnostic, sources, file);
            if shown.cut {
                let (line, column) = (shown.line, shown.column);
                let origin = Origin::path(sources.file(file).name.as_str()).line(line).char_column(column);
                group = group.element(origin);
            }
            group = group.element(snippet(diagnostic, sources, file, &shown));
        }
        for note in &diagnostic.notes {
            group = group.element(Level::NOTE.message(note.as_str()));
        }
        for help in &diagnostic.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        group
    }

    /// Bytes of a line above which only a part of it is shown.
    const LONG_LINE: usize = 1_000;

    /// Bytes of a long line that are shown on either side of a mistake.
    const AROUND: usize = 60;

    /// The part of a file that a message shows: rendering costs time by the length of what it is given.
    struct Shown {
        bytes: Range<usize>,
        /// Whether this is a part of a line, and only the first place is shown.
        cut: bool,
        /// The line with which it begins.
        line: usize,
        /// The column of the first place, in characters.
        column: usize,
    }

    impl Shown {
        fn of(diagnostic: &Diagnostic, sources: &SourceMap, file: FileId) -> Shown {
            let text: &str = &sources.file(file).text;
            let primary = (diagnostic.span.file == file).then_some(diagnostic.span);
            let labels = diagnostic.secondary.iter().map(|label| label.span).filter(|span| span.file == file);
            let spans: Vec<Span> = primary.into_iter().chain(labels).collect();
            let first = spans.iter().map(|s| range(text, *s).start).min().unwrap_or(0);
            let last = spans.iter().map(|s| range(text, *s).end).max().unwrap_or(0);
            let start_of_line = |at: usize| text[..at].rfind('\n').map_or(0, |end| end + 1);
            let end_of_line = |at: usize| text[at..].find('\n').map_or(text.len(), |length| at + length);
            let bytes = start_of_line(first)..end_of_line(last);
            let place = |at: usize| sources.line_column(Span::new(file, at, at));
            let all = &text[bytes.clone()];
            if all.len() <= LONG_LINE || all.lines().all(|line| line.len() <= LONG_LINE) {
                return Shown { line: place(bytes.start).0, column: 1, bytes, cut: false };
            }
            let at = spans.first().map_or(0..0, |s| range(text, *s));
            let start = boundary_before(text, at.start.saturating_sub(AROUND)).max(start_of_line(at.start));
            let end = boundary_before(text, at.end.min(at.start + AROUND) + AROUND);
            let (line, column) = place(at.start);
            Shown { bytes: start..end.min(end_of_line(at.start)).max(start), cut: true, line, column }
        }
    }

    fn snippet<'a>(
        diagnostic: &'a Diagnostic,
        sources: &'a SourceMap,
        file: FileId,
        shown: &Shown,
    ) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let source = sources.file(file);
        let text = &source.text[shown.bytes.clone()];
        // The bytes of a span in what is shown of the text.
        let inside = |span: Span| {
            let range = range(&source.text, span);
            let place = |at: usize| at.clamp(shown.bytes.start, shown.bytes.end) - shown.bytes.start;
            place(range.start)..place(range.end)
        };
        let mut snippet = Snippet::source(text).line_start(shown.line).fold(true);
        if !shown.cut {
            snippet = snippet.path(source.name.as_str());
        }
        let mut annotations = Vec::new();
        if diagnostic.span.file == file {
            let mut primary = AnnotationKind::Primary.span(inside(diagnostic.span));
            if !diagnostic.label.is_empty() {
                primary = primary.label(diagnostic.label.as_str());
            }
            annotations.push(primary);
        }
        let labels = diagnostic.secondary.iter().filter(|l| l.span.file == file);
        annotations
            .extend(labels.map(|label| AnnotationKind::Context.span(inside(label.span)).label(label.text.as_str())));
        if shown.cut {
            annotations.truncate(1);
        }
        snippet.annotations(annotations)
    }

    /// The bytes of a span, inside of `text` and on the boundaries of characters.
    fn range(text: &str, span: Span) -> Range<usize> {
        let boundary = |at: u32| boundary_before(text, at as usize);
        let start = boundary(span.start);
        start..boundary(span.end).max(start)
    }
}
