//! Shows diagnostics: with the source for people, or as JSON for programs.

use gdc_syntax::{Diagnostic, Severity, SourceMap, Span, render};
use serde_json::{Value, json};
use std::io::IsTerminal;

/// Shows diagnostics on standard error, with colours on a terminal.
pub fn human(diagnostics: &[Diagnostic], sources: &SourceMap) {
    let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    eprint!("{}", render::render(diagnostics, sources, color));
}

/// One JSON object on one line.
pub fn json(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let mut object = place(diagnostic.span, sources);
    let labels: Vec<Value> = diagnostic
        .secondary
        .iter()
        .map(|label| {
            let mut object = place(label.span, sources);
            object["label"] = json!(label.text);
            object
        })
        .collect();
    object["severity"] = json!(match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    });
    object["code"] = json!(diagnostic.code.0);
    object["message"] = json!(diagnostic.message);
    object["label"] = json!(diagnostic.label);
    object["secondary"] = json!(labels);
    object["notes"] = json!(diagnostic.notes);
    object["help"] = json!(diagnostic.help);
    object.to_string()
}

/// Lines and columns count from 1, columns in characters, and the end is exclusive.
fn place(span: Span, sources: &SourceMap) -> Value {
    let (line, column) = sources.line_column(span);
    let end = Span { start: span.end, ..span };
    let (end_line, end_column) = sources.line_column(end);
    json!({
        "file": sources.file(span.file).name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "start": span.start,
        "end": span.end,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use gdc_syntax::Code;

    #[test]
    fn json_names_places_by_line_and_byte() {
        let mut sources = SourceMap::default();
        let file = sources.add("m.gd", "model M {\n  lé x;\n}");
        let diagnostic = Diagnostic::error(Code("E0001"), Span::new(file, 12, 15), "no \"x\"")
            .label("here")
            .secondary(Span::new(file, 0, 5), "there")
            .help("do");
        let value: Value = serde_json::from_str(&json(&diagnostic, &sources)).unwrap();
        assert_eq!(value["severity"], "error");
        assert_eq!((&value["line"], &value["column"], &value["end_column"]), (&json!(2), &json!(3), &json!(5)));
        assert_eq!((&value["start"], &value["end"]), (&json!(12), &json!(15)));
        assert_eq!(value["message"], "no \"x\"");
        assert_eq!(value["secondary"][0]["label"], "there");
        assert_eq!(value["help"][0], "do");
    }
}
