//! A session of an editor with `gdc lsp`, message by message over standard input and output.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const MODEL: &str = "model M {
    input  x: [4];
    target y: [1];
    let h = x |> dense(3) |> tanh;
    let z = h |> dense(1);
    output p = z;
    loss   mse(z, y);
    optimizer sgd(lr = 0.1);
}
";

struct Client {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    id: u64,
}

impl Client {
    fn start(cache: &std::path::Path) -> Client {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gdc"))
            .arg("lsp")
            .env("XDG_CACHE_HOME", cache)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut client = Client { child, to, from, id: 0 };
        let answer = client.ask("initialize", json!({"processId": null, "rootUri": null, "capabilities": {}}));
        assert_eq!(answer["capabilities"]["hoverProvider"], true);
        client.tell("initialized", json!({}));
        client
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.to, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.to.flush().unwrap();
    }

    fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.from.read_line(&mut line).unwrap();
            match line.trim().split_once(": ") {
                Some(("Content-Length", n)) => length = n.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut text = vec![0; length];
        self.from.read_exact(&mut text).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.id += 1;
        let id = self.id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        let answer = self.receive();
        assert_eq!(answer["id"], id, "{answer}");
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"].clone()
    }

    /// Opens a text, or changes it; what is wrong with it.
    fn text(&mut self, method: &str, uri: &str, text: &str) -> Vec<Value> {
        let document = json!({"uri": uri, "languageId": "gd", "version": 1, "text": text});
        self.tell(method, json!({"textDocument": document, "contentChanges": [{"text": text}]}));
        let note = self.receive();
        assert_eq!(note["method"], "textDocument/publishDiagnostics");
        assert_eq!(note["params"]["uri"], uri);
        note["params"]["diagnostics"].as_array().unwrap().clone()
    }

    /// Asks about the first place of some words, `skip` characters into them.
    fn at(&mut self, method: &str, uri: &str, text: &str, words: &str, skip: usize) -> Value {
        let at = text.find(words).unwrap_or_else(|| panic!("{words}")) + skip;
        let line = text[..at].matches('\n').count();
        let character = text[..at].rsplit('\n').next().unwrap().encode_utf16().count();
        let position = json!({"line": line, "character": character});
        self.ask(method, json!({"textDocument": {"uri": uri}, "position": position}))
    }

    fn stop(mut self) {
        assert_eq!(self.ask("shutdown", Value::Null), Value::Null);
        self.tell("exit", Value::Null);
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn a_session_from_opening_a_model_to_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Client::start(folder.path());
    let uri = "file:///nowhere/m.gd";
    assert_eq!(client.text("textDocument/didOpen", uri, MODEL), Vec::<Value>::new());

    let hover = |client: &mut Client, words: &str, skip| {
        let answer = client.at("textDocument/hover", uri, MODEL, words, skip);
        answer["contents"]["value"].as_str().unwrap_or("").to_owned()
    };
    let h = hover(&mut client, "let h", 4);
    assert!(h.contains("```gd\nlet h\n```") && h.contains("shape `[3]`") && h.contains("15 parameters"), "{h}");
    assert!(h.contains("h⁽ᵇ⁾ᵢ = tanh(h.z⁽ᵇ⁾ᵢ + h.bᵢ)"), "{h}");
    let z = hover(&mut client, "mse(z", 4);
    assert!(z.contains("∂L/∂z⁽ᵇ⁾ᵢ = 2·(z⁽ᵇ⁾ᵢ − y⁽ᵇ⁾ᵢ)/n"), "{z}");
    let dense = hover(&mut client, "dense", 1);
    assert!(dense.contains("layer dense(x: [n], units: int"), "{dense}");
    assert_eq!(hover(&mut client, "0.1", 1), "");

    let answer = client.at("textDocument/definition", uri, MODEL, "= z;", 2);
    assert_eq!((&answer["uri"], &answer["range"]["start"]), (&json!(uri), &json!({"line": 4, "character": 8})));
    let answer = client.at("textDocument/definition", uri, MODEL, "tanh", 0);
    assert!(answer["uri"].as_str().is_none_or(|u| u.ends_with("/std/activations.gd")), "{answer}");
    let answer = client.at("textDocument/definition", uri, MODEL, "dense", 0);
    let path = answer["uri"].as_str().unwrap().strip_prefix("file://").unwrap();
    let line = answer["range"]["start"]["line"].as_u64().unwrap() as usize;
    assert!(std::fs::read_to_string(path).unwrap().lines().nth(line).unwrap().starts_with("layer dense("));

    let answer = client.at("textDocument/completion", uri, MODEL, "|> tanh", 3);
    let labels: Vec<&str> = answer.as_array().unwrap().iter().map(|i| i["label"].as_str().unwrap()).collect();
    assert!(["h", "x", "dense", "relu", "conv2d"].iter().all(|l| labels.contains(l)), "{labels:?}");
    assert!(!labels.contains(&"let"));
    client.stop();
}

#[test]
fn mistakes_come_and_go_and_the_text_is_formatted() {
    let folder = tempfile::tempdir().unwrap();
    let parts = folder.path().join("parts ü.gd");
    std::fs::write(&parts, "/// Twice.\nfn twice(v) = 2 * v;\n").unwrap();
    let uri = format!("file://{}/m.gd", folder.path().display());
    let mut client = Client::start(folder.path());
    let wrong = MODEL.replace("dense(1)", "dnse(1)");
    let mistakes = client.text("textDocument/didOpen", &uri, &wrong);
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    let first = &mistakes[0];
    assert_eq!((&first["severity"], &first["code"], &first["source"]), (&json!(1), &json!("E0101"), &json!("gdc")));
    assert_eq!(first["range"], json!({"start": {"line": 4, "character": 17}, "end": {"line": 4, "character": 21}}));
    assert!(first["message"].as_str().unwrap().contains("help: "), "{first}");

    // Characters outside of the basic plane count as two.
    let strange = format!("// 𝕏\n{}", MODEL.replace("dense(1)", "/* 𝕏 */ dnse(1)"));
    let mistakes = client.text("textDocument/didChange", &uri, &strange);
    assert_eq!(mistakes[0]["range"]["start"], json!({"line": 5, "character": 26}));
    let broken = client.text("textDocument/didChange", &uri, "model M { let = ; }");
    assert!(!broken.is_empty());
    let answer = client.ask("textDocument/formatting", json!({"textDocument": {"uri": uri}, "options": {}}));
    assert_eq!(answer, json!([]));

    let importing =
        format!("import \"parts ü.gd\";\n{}", MODEL.replace("tanh;", "twice;").replace("let z = ", "let z="));
    assert_eq!(client.text("textDocument/didChange", &uri, &importing), Vec::<Value>::new());
    let answer = client.at("textDocument/definition", &uri, &importing, "twice", 0);
    assert_eq!(answer["range"]["start"], json!({"line": 1, "character": 3}), "{answer}");
    assert!(answer["uri"].as_str().unwrap().ends_with("/parts%20%C3%BC.gd"), "{answer}");
    let edits = client.ask("textDocument/formatting", json!({"textDocument": {"uri": uri}, "options": {}}));
    assert!(edits[0]["newText"].as_str().unwrap().contains("\n    let z = h |> dense(1);\n"), "{edits}");
    // A file of definitions needs no model.
    assert_eq!(client.text("textDocument/didOpen", "file:///l.gd", "fn f(z) = z;\n"), Vec::<Value>::new());
    client.tell("textDocument/didClose", json!({"textDocument": {"uri": uri}}));
    assert_eq!(client.receive()["params"]["diagnostics"], json!([]));
    client.stop();
}
