//! Rules that hold for every file of the repository.

// A panic is how a test fails, in its helpers too.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A file of the repository, by its path from the root.
struct File {
    path: String,
    text: String,
}

impl File {
    fn is(&self, extension: &str) -> bool {
        self.path.ends_with(&format!(".{extension}"))
    }

    /// The text before its unit tests, if they are in the file itself.
    fn without_tests(&self) -> &str {
        self.text.split("#[cfg(test)]\nmod").next().unwrap_or("")
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All files that are text, without what is built or hidden.
fn files() -> Vec<File> {
    let root = root();
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().to_string();
            let hidden = name.starts_with('.') && name != ".ci";
            if hidden || matches!(&*name, "target" | "__pycache__") || path == root.join("data") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let path = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
                files.push(File { path, text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 50, "the repository is found");
    files
}

/// Fails with every line of `wrong`, so that one run shows all there is to do.
fn nothing(wrong: Vec<String>, rule: &str) {
    assert!(wrong.is_empty(), "{rule}:\n  {}\n", wrong.join("\n  "));
}

#[test]
fn every_rust_file_says_its_job() {
    let wrong = files().into_iter().filter(|f| f.is("rs") && !f.text.starts_with("//! "));
    nothing(wrong.map(|f| f.path).collect(), "these files do not open with `//! `");
}

#[test]
fn nothing_is_left_to_do_later() {
    let marks = [concat!("to", "do!("), concat!("un", "implemented!("), concat!("d", "bg!(")];
    let mut wrong = Vec::new();
    for file in files().iter().filter(|f| f.is("rs")) {
        for (i, line) in file.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                wrong.push(format!("{}:{}: {}", file.path, i + 1, line.trim()));
            }
        }
    }
    nothing(wrong, "these lines are unfinished");
}

#[test]
fn no_file_names_a_machine() {
    let homes = [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("/wo", "rk/")];
    let mut wrong = Vec::new();
    for file in files() {
        for (i, line) in file.text.lines().enumerate() {
            if homes.iter().any(|home| line.contains(home)) {
                wrong.push(format!("{}:{}: {}", file.path, i + 1, line.trim()));
            }
        }
    }
    nothing(wrong, "these lines name a path of one machine");
}

#[test]
fn documentation_names_only_what_exists() {
    let root = root();
    let mut wrong = Vec::new();
    for file in files().iter().filter(|f| f.is("md")) {
        let folder = root.join(&file.path).parent().unwrap().to_path_buf();
        let mut fenced = false;
        for (i, line) in file.text.lines().enumerate() {
            let missing = |name: &str, base: &Path| {
                (!base.join(name).exists()).then(|| format!("{}:{}: {name}", file.path, i + 1))
            };
            fenced ^= line.starts_with("```");
            if fenced {
                continue;
            }
            // In code `sum[i](x[i])` is no link.
            let prose: String = line.split('`').step_by(2).collect();
            wrong.extend(links(&prose).filter_map(|link| missing(link, &folder)));
            wrong.extend(paths(line).filter_map(|path| missing(path, &root)));
        }
    }
    nothing(wrong, "these paths are named in documentation, but do not exist");
}

/// What a line of Markdown links to within the repository.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .filter_map(|target| target.split('#').next())
        .filter(|path| !path.is_empty() && !path.contains(':') && !path.contains(' '))
}

/// The words in code font that begin like a path from the root. A `*` stands for any name, so a
/// word with one is not looked for.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    const TOP: [&str; 6] = ["crates/", "grammar/", "tests/", "specs/", "docs/", ".ci/"];
    let words = line.split('`').skip(1).step_by(2);
    words.filter(|word| {
        let plain = word.chars().all(|c| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-'));
        plain && TOP.iter().any(|top| word.starts_with(top))
    })
}

#[test]
fn every_snapshot_belongs_to_a_test() {
    let root = root();
    let mut wrong = Vec::new();
    for file in files() {
        if file.path.ends_with(".snap.new") {
            wrong.push(format!("{} waits for review", file.path));
        }
        if !file.is("snap") {
            continue;
        }
        let source = file.text.lines().find_map(|line| line.strip_prefix("source: ")).unwrap_or("");
        let test = fs::read_to_string(root.join(source.trim_matches('"'))).unwrap_or_default();
        let name = file.path.trim_end_matches(".snap").rsplit("__").next().unwrap_or("");
        // A second snapshot of one test is called `name-2`.
        let name = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('-');
        if name.is_empty() || !test.contains(name) {
            wrong.push(format!("{}: no `{name}` in `{source}`", file.path));
        }
    }
    nothing(wrong, "these snapshots are of no test");
}

#[test]
fn what_is_compared_stays_apart() {
    let mut wrong = Vec::new();
    for name in ["gdc-codegen", "gdc-interp", "gdc-schedule"] {
        let manifest = fs::read_to_string(root().join(format!("crates/{name}/Cargo.toml"))).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or("");
        let dependencies = dependencies.split("\n[").next().unwrap_or("");
        let ours = dependencies.lines().filter(|line| line.starts_with("gdc"));
        wrong.extend(ours.filter(|line| !line.starts_with("gdc-ir.")).map(|l| format!("{name}: {l}")));
    }
    nothing(wrong, "these crates see only `gdc-ir` of ours");
}

#[test]
fn the_compiler_knows_no_layer_by_name() {
    let files = files();
    let mut names = BTreeSet::new();
    for file in files.iter().filter(|f| f.path.starts_with("crates/gdc-core/std/") && f.is("gd")) {
        for line in file.text.lines() {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            if matches!(words.next(), Some("layer" | "optimizer" | "transform")) {
                names.extend(words.next());
            }
        }
    }
    let mut wrong = Vec::new();
    let crates = ["gdc-ir", "gdc-core", "gdc-schedule", "gdc-codegen", "gdc-driver"];
    for file in files.iter().filter(|f| f.is("rs") && !f.path.contains("test")) {
        if crates.iter().any(|c| file.path.starts_with(&format!("crates/{c}/src/"))) {
            let text = file.without_tests();
            let known = names.iter().filter(|name| text.contains(&format!("\"{name}\"")));
            wrong.extend(known.map(|name| format!("{}: {name}", file.path)));
        }
    }
    nothing(wrong, "the compiler knows these entries of the library by name");
}
