//! The files of `editors/`: they are what editors can read, and know the words of the language.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn json(path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(root().join("editors/vscode").join(path)).unwrap()).unwrap()
}

#[test]
fn the_extension_names_files_that_are_there() {
    let package = json("package.json");
    let contributes = &package["contributes"];
    for path in [&package["main"], &contributes["languages"][0]["configuration"], &contributes["grammars"][0]["path"]] {
        assert!(root().join("editors/vscode").join(path.as_str().unwrap()).is_file(), "{path}");
    }
    assert_eq!(contributes["grammars"][0]["scopeName"], json("syntaxes/gdc.tmLanguage.json")["scopeName"]);
    json("language-configuration.json");
}

#[test]
fn the_grammar_knows_every_reserved_word_and_includes_what_it_has() {
    let grammar = json("syntaxes/gdc.tmLanguage.json");
    let text = grammar.to_string();
    let page = fs::read_to_string(root().join("docs/language.md")).unwrap();
    let reserved = page.split("Reserved are\n\n```text\n").nth(1).unwrap().split("```").next().unwrap();
    let rust_only = ["self", "Self", "super", "crate", "_"];
    let mut count = 0;
    for word in reserved.split_whitespace().filter(|w| !rust_only.contains(w)) {
        let known = [format!("({word}|"), format!("|{word}|"), format!("|{word})"), format!("({word})")];
        assert!(known.iter().any(|k| text.contains(k)), "{word}");
        count += 1;
    }
    assert!(count > 20, "{count}");
    for include in text.split("\"include\":\"#").skip(1) {
        let name = include.split('"').next().unwrap();
        assert!(grammar["repository"].get(name).is_some(), "{name}");
    }
}
