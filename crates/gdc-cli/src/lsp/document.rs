//! One open document: its text, what is wrong with it, and what is known about its names.

use super::names::{self, Definition};
use super::uri_of;
use crate::explain::Explained;
use crate::explain::math::Math;
use crate::explain::unicode;
use crate::spec::Spec;
use crate::text::{bytes, count, grouped, shape};
use gdc_driver::Source;
use gdc_syntax::{Diagnostic, FileId, Severity, SourceMap, Span, format};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A text with what the compiler said.
pub struct Document {
    uri: String,
    path: Option<PathBuf>,
    text: String,
    diagnostics: Vec<Diagnostic>,
    sources: SourceMap,
    /// The last version of the text that compiled.
    explained: Option<Explained>,
}

impl Document {
    /// Compiles a text. `before` is the document as it was.
    pub fn new(uri: &str, path: Option<PathBuf>, text: String, before: Option<Document>) -> Document {
        let name = path.as_deref().map_or_else(|| uri.to_owned(), |p| p.display().to_string());
        let folder = path.as_deref().and_then(Path::parent).map(Path::to_owned);
        let spec = Spec { source: Source { name, text: text.clone(), folder } };
        let (diagnostics, sources, explained) = match Explained::try_new(&spec, None) {
            Ok(mut explained) => {
                let warnings = std::mem::take(&mut explained.output.warnings);
                (warnings, explained.output.sources.clone(), Some(explained))
            }
            // A file of definitions alone is no mistake.
            Err(failure) if failure.models.is_empty() && crate::check::lacks_model(&failure) => {
                (Vec::new(), failure.sources, None)
            }
            Err(failure) => (failure.diagnostics, failure.sources, before.and_then(|b| b.explained)),
        };
        Document { uri: uri.to_owned(), path, text, diagnostics, sources, explained }
    }

    /// For `textDocument/publishDiagnostics`.
    pub fn diagnostics(&self) -> Value {
        self.diagnostics.iter().map(|d| self.diagnostic(d)).collect()
    }

    fn diagnostic(&self, d: &Diagnostic) -> Value {
        let root = FileId(0);
        // A mistake that shows in another file is reported where this one leads to it.
        let own = |s: &Span| s.file == root;
        let spans = std::iter::once(d.span).chain(d.secondary.iter().map(|l| l.span));
        let span = spans.into_iter().find(own).unwrap_or(Span::new(root, 0, 0));
        let mut message = d.message.clone();
        if !own(&d.span) {
            let (line, column) = self.sources.line_column(d.span);
            message.push_str(&format!(" ({}:{line}:{column})", self.sources.file(d.span.file).name));
        }
        if !d.label.is_empty() {
            message.push_str(&format!("\n{}", d.label));
        }
        d.notes.iter().for_each(|n| message.push_str(&format!("\nnote: {n}")));
        d.help.iter().for_each(|h| message.push_str(&format!("\nhelp: {h}")));
        let related = d.secondary.iter().filter(|l| own(&l.span));
        let related: Vec<Value> = related
            .map(|l| json!({"location": {"uri": self.uri, "range": self.range(l.span)}, "message": l.text}))
            .collect();
        json!({
            "range": self.range(span),
            "severity": match d.severity { Severity::Error => 1, Severity::Warning => 2 },
            "code": d.code.0,
            "source": "gdc",
            "message": message,
            "relatedInformation": related,
        })
    }

    fn range(&self, span: Span) -> Value {
        range(&self.text, span.start as usize, span.end as usize)
    }

    /// The byte of a position.
    pub fn offset(&self, position: &Value) -> usize {
        let number = |key: &str| position[key].as_u64().unwrap_or(0) as usize;
        let start: usize = self.text.split_inclusive('\n').take(number("line")).map(str::len).sum();
        let line = self.text[start..].split('\n').next().unwrap_or("");
        let mut units = number("character");
        let mut at = start;
        for c in line.chars() {
            if units < c.len_utf16() {
                break;
            }
            units -= c.len_utf16();
            at += c.len_utf8();
        }
        at
    }

    /// The definition of a name, what it computes, and its derivative.
    pub fn hover(&self, at: usize) -> Value {
        let Some((path, name, place)) = names::path_at(&self.text, at) else { return Value::Null };
        let own = names::definitions(&self.text);
        let meant = names::meant(&own, &name, at).cloned();
        let definition = meant.or_else(|| library(&name).map(|(d, _)| d));
        let mut parts: Vec<String> = Vec::new();
        if let Some(d) = &definition {
            parts.push(format!("```gd\n{}\n```", d.head));
            if !d.docs.is_empty() {
                parts.push(d.docs.join("\n"));
            }
        }
        let is_value = definition.as_ref().is_none_or(|d| d.scope.is_some() && d.kind != "argument");
        if let (true, Some(explained)) = (is_value, &self.explained) {
            parts.extend(facts(explained, &path));
        }
        if parts.is_empty() {
            return Value::Null;
        }
        json!({
            "contents": {"kind": "markdown", "value": parts.join("\n\n")},
            "range": range(&self.text, place.start, place.end),
        })
    }

    /// Where a name is defined: in this text, in a file that it imports, or in the library, of
    /// which a copy is shown.
    pub fn definition(&self, at: usize) -> Value {
        let Some((_, name, _)) = names::path_at(&self.text, at) else { return Value::Null };
        let own = names::definitions(&self.text);
        if let Some(d) = names::meant(&own, &name, at) {
            return json!({"uri": self.uri, "range": range(&self.text, d.range.start, d.range.end)});
        }
        for path in self.imports() {
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            if let Some(d) = names::definitions(&text).iter().find(|d| d.name == name && d.scope.is_none()) {
                return json!({"uri": uri_of(&path), "range": range(&text, d.range.start, d.range.end)});
            }
        }
        let Some((d, (file, text))) = library(&name) else { return Value::Null };
        match library_copy(file, text) {
            Some(path) => json!({"uri": uri_of(&path), "range": range(text, d.range.start, d.range.end)}),
            None => Value::Null,
        }
    }

    /// The files that the text imports by itself.
    fn imports(&self) -> Vec<PathBuf> {
        let Some(folder) = self.path.as_deref().and_then(Path::parent) else { return Vec::new() };
        let items = gdc_syntax::scan::items(&self.text).into_iter();
        items.filter(|(kind, _, _)| *kind == "import").map(|(_, name, _)| folder.join(name.trim_matches('"'))).collect()
    }

    /// Names that can stand at a place.
    pub fn completion(&self, at: usize) -> Value {
        let before = self.text[..at].trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
        if let Some(path) = before.strip_suffix('.') {
            return self.parts_of(path);
        }
        let after_pipe = before.trim_end().ends_with("|>");
        let own = names::definitions(&self.text);
        let known = |d: &&Definition| d.scope.as_ref().is_none_or(|s| s.contains(&at));
        let mut items: Vec<Value> = own.iter().filter(known).map(|d| item(d, "0")).collect();
        for (_, text) in gdc_driver::library() {
            items.extend(names::definitions(text).iter().filter(|d| d.scope.is_none()).map(|d| item(d, "1")));
        }
        if !after_pipe {
            let words = gdc_syntax::words::completions().into_iter();
            items.extend(words.map(|word| json!({"label": word, "kind": 14, "sortText": format!("2{word}")})));
        }
        items.dedup_by(|a, b| a["label"] == b["label"]);
        Value::Array(items)
    }

    /// What can follow a dot: the labels and parameters of a value.
    fn parts_of(&self, before: &str) -> Value {
        let start = before.rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).map_or(0, |i| i + 1);
        let prefix = format!("{}.", before.get(start..).unwrap_or(""));
        let Some(explained) = &self.explained else { return json!([]) };
        let model = &explained.output.model;
        let mut parts: Vec<String> = model
            .params
            .iter()
            .filter_map(|p| model.graph.node(p.node).name.strip_prefix(&prefix).map(str::to_owned))
            .map(|rest| rest.split('.').next().unwrap_or("").to_owned())
            .collect();
        parts.sort();
        parts.dedup();
        parts.iter().map(|p| json!({"label": p, "kind": 5})).collect()
    }

    /// One edit of the whole text, or none where it is in its regular form or does not parse.
    pub fn formatting(&self) -> Value {
        let source = Source { name: String::new(), text: self.text.clone(), folder: None };
        let new = format::format(&self.text);
        if gdc_driver::parse(&source).is_err() || new == self.text {
            return json!([]);
        }
        json!([{"range": range(&self.text, 0, self.text.len()), "newText": new}])
    }
}

fn item(d: &Definition, order: &str) -> Value {
    let kind = match d.kind {
        "fn" | "layer" | "optimizer" | "transform" => 3,
        "model" => 7,
        _ => 6,
    };
    json!({
        "label": d.name,
        "kind": kind,
        "detail": d.head,
        "documentation": d.docs.join("\n"),
        "sortText": format!("{order}{}", d.name),
    })
}

/// A definition of the standard library, with its file.
fn library(name: &str) -> Option<(Definition, (&'static str, &'static str))> {
    gdc_driver::library().find_map(|(file, text)| {
        let found = names::definitions(text).into_iter().find(|d| d.name == name && d.scope.is_none());
        found.map(|d| (d, (file, text)))
    })
}

/// A file of the library, written where editors can open it.
fn library_copy(file: &str, text: &str) -> Option<PathBuf> {
    let path = crate::train::build::cache_folder(None).join(env!("CARGO_PKG_VERSION")).join(file);
    if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return Some(path);
    }
    crate::files::write_whole(&path, text.as_bytes()).ok().map(|()| path)
}

/// Lines and UTF-16 units from 0, of bytes.
fn range(text: &str, start: usize, end: usize) -> Value {
    let place = |at: usize| {
        let mut at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &text[..at];
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap_or("").encode_utf16().count();
        json!({"line": line, "character": column})
    };
    json!({"start": place(start), "end": place(end)})
}

/// Shape, parameters, cost, equation and derivative of a value.
fn facts(explained: &Explained, path: &str) -> Vec<String> {
    let table = &explained.table;
    let graph = &explained.output.model.graph;
    let mut parts = Vec::new();
    let inside: Vec<&crate::explain::layers::Layer> = table
        .layers
        .iter()
        .filter(|l| l.name == path || l.name.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
        .collect();
    let node = graph.find(path).map(|id| graph.node(id));
    if let Some(node) = node {
        let own = &node.shape[usize::from(node.per_sample).min(node.shape.len())..];
        parts.push(format!("shape `{}`", shape(own)));
    } else if let Some(layer) = inside.iter().find(|l| l.name == path) {
        parts.push(format!("shape `{}`", shape(&layer.shape)));
    }
    let params: u64 = inside.iter().map(|l| l.params).sum();
    if params > 0 {
        parts.push(format!("{} parameters ({})", grouped(params), bytes(params * table.width)));
    }
    let (forward, backward) = inside.iter().fold((0.0, 0.0), |s, l| (s.0 + l.forward, s.1 + l.backward));
    if forward + backward > 0.0 {
        parts.push(format!("operations per sample: {} forward, {} backward", count(forward), count(backward)));
    }
    let mut lines: Vec<String> = vec![parts.join(" · ")];
    let is_of = |m: &Math, partial: bool| match m {
        Math::Symbol(s) => s.partial == partial && explained.names.long(s) == path,
        _ => false,
    };
    let shown = |e: &crate::explain::math::Equation| format!("```text\n{}\n```", unicode::equation(e));
    let mut forward = explained.forward.iter().flat_map(|s| &s.equations);
    lines.extend(forward.find(|e| is_of(&e.left, false)).map(shown));
    lines.extend(explained.backward.iter().find(|e| is_of(&e.left, true)).map(shown));
    lines.retain(|l| !l.is_empty());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_utf16_units() {
        let text = "a\nü𝕏b";
        let document = Document::new("untitled:1", None, text.to_owned(), None);
        assert_eq!(document.offset(&json!({"line": 1, "character": 3})), text.find('b').unwrap());
        assert_eq!(range(text, text.find('b').unwrap(), text.len())["start"], json!({"line": 1, "character": 3}));
        assert_eq!(document.offset(&json!({"line": 9, "character": 9})), text.len());
    }
}
