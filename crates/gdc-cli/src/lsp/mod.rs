//! `gdc lsp`: a language server over standard input and output.

mod document;
mod names;

use crate::fault::{Fault, Outcome};
use document::Document;
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Serves until the client says that it is done.
pub fn run() -> Outcome {
    let (connection, threads) = Connection::stdio();
    let lost = |e: &dyn std::fmt::Display| Fault::input(format!("the editor does not speak the protocol: {e}"));
    connection.initialize(capabilities()).map_err(|e| lost(&e))?;
    Server { documents: BTreeMap::new() }.serve(&connection).map_err(|e| lost(&e))?;
    drop(connection);
    threads.join().map_err(|e| Fault::input(format!("the editor is gone: {e}")))
}

fn capabilities() -> Value {
    json!({
        "positionEncoding": "utf-16",
        "textDocumentSync": {"openClose": true, "change": 1, "save": {"includeText": true}},
        "hoverProvider": true,
        "definitionProvider": true,
        "completionProvider": {"triggerCharacters": [".", ">"]},
        "documentFormattingProvider": true,
    })
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The open documents by their addresses.
struct Server {
    documents: BTreeMap<String, Document>,
}

impl Server {
    fn serve(&mut self, connection: &Connection) -> Result<(), Failure> {
        for message in &connection.receiver {
            match message {
                Message::Request(request) => {
                    if connection.handle_shutdown(&request)? {
                        return Ok(());
                    }
                    connection.sender.send(Message::Response(self.answer(&request)))?;
                }
                Message::Notification(note) => {
                    for message in self.notice(&note) {
                        connection.sender.send(Message::Notification(message))?;
                    }
                }
                Message::Response(_) => {}
            }
        }
        Ok(())
    }

    fn answer(&self, request: &Request) -> Response {
        let params = &request.params;
        let document = address(params).and_then(|uri| self.documents.get(uri));
        let place = |d: &Document| d.offset(&params["position"]);
        let result = match (request.method.as_str(), document) {
            ("textDocument/hover", Some(d)) => d.hover(place(d)),
            ("textDocument/definition", Some(d)) => d.definition(place(d)),
            ("textDocument/completion", Some(d)) => d.completion(place(d)),
            ("textDocument/formatting", Some(d)) => d.formatting(),
            (method, None) if method.starts_with("textDocument/") => Value::Null,
            (method, _) => {
                let message = format!("there is no {method}");
                return Response::new_err(request.id.clone(), ErrorCode::MethodNotFound as i32, message);
            }
        };
        Response::new_ok(request.id.clone(), result)
    }

    /// Takes up a new text; the diagnostics of it.
    fn notice(&mut self, note: &Notification) -> Vec<Notification> {
        let params = &note.params;
        let Some(uri) = address(params) else { return Vec::new() };
        let text = match note.method.as_str() {
            "textDocument/didOpen" => params["textDocument"]["text"].as_str(),
            "textDocument/didChange" => {
                params["contentChanges"].as_array().and_then(|c| c.last()).and_then(|c| c["text"].as_str())
            }
            "textDocument/didSave" => params["text"].as_str(),
            "textDocument/didClose" => {
                self.documents.remove(uri);
                return vec![publish(uri, &json!([]))];
            }
            _ => return Vec::new(),
        };
        let Some(text) = text else { return Vec::new() };
        let before = self.documents.remove(uri);
        let document = Document::new(uri, path_of(uri), text.to_owned(), before);
        let note = publish(uri, &document.diagnostics());
        self.documents.insert(uri.to_owned(), document);
        vec![note]
    }
}

fn publish(uri: &str, diagnostics: &Value) -> Notification {
    Notification::new("textDocument/publishDiagnostics".to_owned(), json!({"uri": uri, "diagnostics": diagnostics}))
}

fn address(params: &Value) -> Option<&str> {
    params["textDocument"]["uri"].as_str()
}

/// The path of a `file://` address; none for a document that is in no file.
fn path_of(uri: &str) -> Option<PathBuf> {
    let rest = uri.strip_prefix("file://")?;
    let mut bytes = Vec::new();
    let mut at = rest.bytes();
    while let Some(b) = at.next() {
        if b == b'%' {
            let digits = [at.next()?, at.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(b);
        }
    }
    let path = String::from_utf8(bytes).ok()?;
    // On Windows an address is `file:///c:/folder`.
    let drive = path.as_bytes().get(2) == Some(&b':') && path.starts_with('/');
    Some(PathBuf::from(if drive { &path[1..] } else { &path }))
}

/// The `file://` address of a path.
fn uri_of(path: &std::path::Path) -> String {
    let mut uri = String::from("file://");
    let text = path.to_string_lossy().replace('\\', "/");
    if !text.starts_with('/') {
        uri.push('/');
    }
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"/-._~:".contains(&b) {
            uri.push(char::from(b));
        } else {
            uri.push_str(&format!("%{b:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_paths_are_translated_both_ways() {
        for path in ["/a/b c.gd", "/ü/%.gd"] {
            assert_eq!(path_of(&uri_of(path.as_ref())), Some(PathBuf::from(path)));
        }
        assert_eq!(uri_of("/a b".as_ref()), "file:///a%20b");
        assert_eq!(path_of("untitled:1"), None);
        assert_eq!(path_of("file:///a%2"), None);
    }
}
