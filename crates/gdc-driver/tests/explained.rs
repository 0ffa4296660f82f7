//! `gdc check --explain CODE` shows a wrong and a right source for every code: the wrong one gets
//! this code first, the right one compiles without it. So every code of the catalogue can be met.

#![allow(clippy::expect_used, clippy::panic)] // a test that fails says so by panicking

use gdc_driver::{Options, Source, compile};
use gdc_syntax::{Code, codes, examples};

/// The codes of what is said of a source, errors first, and the messages.
fn said(part: &str, folder: &std::path::Path) -> (bool, Vec<Code>, Vec<String>) {
    let text = examples::whole(part);
    let source = Source { name: "example.gd".to_owned(), text, folder: Some(folder.to_owned()) };
    let (good, list) = match compile(&source, &Options::default()) {
        Ok(output) => (true, output.warnings),
        Err(failure) => (false, failure.diagnostics),
    };
    let messages = list.iter().map(|d| format!("{}: {}", d.code, d.message)).collect();
    (good, list.iter().map(|d| d.code).collect(), messages)
}

#[test]
fn every_code_has_a_wrong_and_a_right_source() {
    let folder = std::env::temp_dir().join(format!("gdc-explained-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("layers.gd"), "fn twice(z) = 2 * z;").expect("written");
    let mut wrong = Vec::new();
    for example in examples::ALL {
        let code = example.code;
        let (good, found, messages) = said(example.wrong, &folder);
        if found.first() != Some(&code) || good == code.0.starts_with('E') {
            wrong.push(format!("{code}, wrong: {messages:?}"));
        }
        let (good, found, messages) = said(example.right, &folder);
        if !good || found.contains(&code) {
            wrong.push(format!("{code}, right: {messages:?}"));
        }
    }
    std::fs::remove_dir_all(&folder).expect("removed");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_code_is_left_out() {
    let shown: Vec<Code> = examples::ALL.iter().map(|e| e.code).collect();
    let wanted = codes::ALL.iter().map(|(code, _)| *code).filter(|c| !examples::WITHOUT_EXAMPLE.contains(c));
    assert_eq!(shown, wanted.collect::<Vec<_>>());
}

/// What no short source gets: a long one does, or nothing ever should.
#[test]
fn a_long_source_is_told_so() {
    let (_, found, _) = said(&"x".repeat((1 << 20) + 1), std::path::Path::new("."));
    assert_eq!(found, [codes::E0008]);
}
