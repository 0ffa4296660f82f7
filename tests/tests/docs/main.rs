//! The documentation is held to what the compiler does: texts that it shows are made anew and
//! compared, every example of the language is compiled, and wrong ones fail as they say.
//!
//! A comment `<!-- shows: ... -->` before a fenced block says what the block is a copy of; see
//! `shown.rs` for what it can name. `GDC_BLESS=1 cargo test -p gdc-tests --test docs` writes
//! these blocks anew; read what changed before you keep it.

// A panic is how a test fails, in its helpers too.
#![allow(clippy::unwrap_used, clippy::panic)]

mod examples;
mod markdown;
mod shown;

use markdown::{Block, Document, documents};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Fails with everything that is wrong, so that one run shows all there is to do.
fn nothing(wrong: &[String], rule: &str) {
    assert!(wrong.is_empty(), "{rule}:\n\n{}\n", wrong.join("\n\n"));
}

#[test]
fn what_is_shown_is_what_there_is() {
    let bless = std::env::var_os("GDC_BLESS").is_some();
    let mut wrong = Vec::new();
    for document in documents() {
        let mut fresh = document.clone();
        for block in document.blocks().iter().rev() {
            let Some(what) = &block.shows else { continue };
            match shown::text(what) {
                Ok(text) if text == block.text => {}
                Ok(text) => {
                    fresh.replace(block, &text);
                    if !bless {
                        wrong.push(format!("{}:{}: {what}\nis now:\n{text}", document.path, block.line));
                    }
                }
                Err(e) => wrong.push(format!("{}:{}: {what}: {e}", document.path, block.line)),
            }
        }
        if bless && fresh.text != document.text {
            fs::write(root().join(&document.path), fresh.text).unwrap();
        }
    }
    nothing(&wrong, "the documentation shows what is no longer so (GDC_BLESS=1 writes it anew)");
}

#[test]
fn examples_do_what_they_say() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for document in documents() {
        for block in document.blocks().iter().filter(|b| b.language() == "gd") {
            count += 1;
            if let Err(e) = examples::check(block) {
                wrong.push(format!("{}:{}: {e}", document.path, block.line));
            }
        }
    }
    assert!(count > 50, "only {count} examples were found");
    nothing(&wrong, "these examples do something else");
}

#[test]
fn every_code_that_a_program_can_meet_has_an_example() {
    let mut missing = Vec::new();
    let blocks: Vec<Block> = documents().iter().flat_map(Document::blocks).collect();
    for (code, _) in gdc_syntax::codes::ALL {
        let tag = format!("={}", code.0);
        let shown = blocks.iter().any(|b| b.language() == "gd" && b.info.contains(&tag));
        if !shown && !examples::WITHOUT_EXAMPLE.contains(&code.0) {
            missing.push(code.0.to_owned());
        }
    }
    nothing(&missing, "no example of the documentation has these codes");
}

#[test]
fn the_readme_has_the_two_commands() {
    let readme = read("README.md");
    let commands: Vec<&str> = readme.lines().filter_map(|l| l.strip_prefix("    cargo ")).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    let ci = read(".ci/run");
    let missing = commands.iter().filter(|command| !ci.contains(&format!("\nstep cargo {command}\n")));
    let missing: Vec<String> = missing.map(|command| format!("cargo {command}")).collect();
    nothing(&missing, ".ci/run does not run these commands of README.md");
    for word in commands.iter().flat_map(|c| c.split(' ')).filter(|w| w.contains('/')) {
        assert!(root().join(word).is_file(), "{word} does not exist");
    }
}

#[test]
fn the_readme_lists_the_commands_of_the_program() {
    let source = read("crates/gdc-cli/src/cli.rs");
    let list = source.split("pub enum Command {").nth(1).and_then(|s| s.split("\n}").next()).unwrap();
    let names = list.lines().map(str::trim).filter(|l| l.ends_with("),"));
    let names: Vec<String> = names.filter_map(|l| l.split('(').next()).map(str::to_lowercase).collect();
    let readme = read("README.md");
    let row = readme.lines().find(|l| l.starts_with("| Program |")).unwrap();
    let mut cells = row.split('|').skip(2);
    let (there, not_yet) = (cells.next().unwrap(), cells.next().unwrap());
    let wrong: Vec<String> = names
        .iter()
        .filter(|name| !there.contains(&format!("`gdc {name}`")) || not_yet.contains(&format!("`{name}`")))
        .cloned()
        .collect();
    nothing(&wrong, "README.md does not list these commands as there");
    assert_eq!(there.matches("`gdc ").count(), names.len(), "README.md lists a command that is not there");
}

#[test]
fn the_whole_library_is_listed() {
    let text = read("docs/language.md");
    let names = gdc_core::library::Library::std_files().map(|(name, _)| name);
    let names = names.map(|name| name.trim_start_matches("std/").trim_end_matches(".gd").to_owned());
    let missing: Vec<String> = names.filter(|n| !text.contains(&format!("<!-- shows: library {n} -->"))).collect();
    nothing(&missing, "docs/language.md has no list of these files of the library");
}

#[test]
fn every_pass_is_described() {
    let source = read("crates/gdc-core/src/lib.rs");
    let body = source.split("pub fn compile_model").nth(1).and_then(|s| s.split("\n}").next()).unwrap();
    let text = read("docs/architecture.md");
    let calls = body.lines().filter(|line| !line.trim_start().starts_with("//"));
    let passes = calls
        .filter_map(|line| line.split("::").next()?.rsplit([' ', '(']).next().filter(|_| line.contains("(&mut graph")));
    let passes: Vec<&str> = passes.collect();
    assert!(passes.len() > 5, "the passes are found: {passes:?}");
    let missing = passes.iter().filter(|pass| !text.contains(&format!("`{pass}.rs`")));
    let missing: Vec<String> = missing.map(|pass| (*pass).to_owned()).collect();
    nothing(&missing, "docs/architecture.md does not list these passes");
}
