//! `import`: where files are looked for, what files that import each other get to hear, and
//! names that two files define.

#![allow(clippy::expect_used, clippy::panic)] // a test that fails says so by panicking

use gdc_driver::{Failure, Options, Source, compile};
use std::path::PathBuf;

/// A folder of its own for each test, with these files.
fn folder(test: &str, files: &[(&str, &str)]) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("imports").join(test);
    for (name, text) in files {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    root
}

fn source(root: &std::path::Path, text: &str) -> Source {
    Source { name: "main.gd".to_owned(), text: text.to_owned(), folder: Some(root.to_owned()) }
}

const MODEL: &str = "model M { input x: [2]; loss sum(f(x |> dense(2))); optimizer sgd(); }";

fn compiles(root: &std::path::Path, text: &str) {
    if let Err(failure) = compile(&source(root, text), &Options::default()) {
        panic!("{:?}", first(&failure));
    }
}

fn fails(root: &std::path::Path, text: &str) -> Box<Failure> {
    match compile(&source(root, text), &Options::default()) {
        Ok(_) => panic!("it compiles"),
        Err(failure) => failure,
    }
}

/// Code, message, notes and help of the first diagnostic.
fn first(failure: &Failure) -> (String, String) {
    let d = failure.diagnostics.first().expect("a diagnostic");
    (d.code.0.to_owned(), gdc_syntax::render::render(&failure.diagnostics, &failure.sources, false))
}

#[test]
fn beside_the_importing_file_then_beside_the_source() {
    let root = folder(
        "places",
        &[
            ("parts/a.gd", "import \"b.gd\"; import \"shared.gd\"; fn f(z) = g(z) + h(z);"),
            ("parts/b.gd", "fn g(z) = 2 * z;"),
            ("b.gd", "fn g(z) = not_this_one(z);"),
            ("shared.gd", "fn h(z) = 3 * z;"),
        ],
    );
    compiles(&root, &format!("import \"parts/a.gd\"; {MODEL}"));
}

#[test]
fn a_file_is_read_once() {
    let root = folder(
        "once",
        &[
            ("a.gd", "import \"c.gd\"; fn a(z) = c(z);"),
            ("b.gd", "import \"c.gd\"; fn b(z) = c(z);"),
            ("c.gd", "fn c(z) = z;"),
        ],
    );
    compiles(&root, &format!("import \"a.gd\"; import \"b.gd\"; fn f(z) = a(z) + b(z); {MODEL}"));
}

#[test]
fn files_that_import_each_other_are_named() {
    let files = [("a.gd", "import \"b.gd\"; fn f(z) = z;"), ("b.gd", "import \"c.gd\";"), ("c.gd", "import \"a.gd\";")];
    let (code, text) = first(&fails(&folder("cycle", &files), &format!("import \"a.gd\"; {MODEL}")));
    assert_eq!(code, "E0109");
    assert!(text.contains("a.gd imports b.gd imports c.gd imports a.gd"), "{text}");
}

#[test]
fn a_file_that_imports_itself_is_named() {
    let root = folder("itself", &[("main.gd", "")]);
    let (code, text) = first(&fails(&root, &format!("import \"main.gd\"; {MODEL}")));
    assert_eq!(code, "E0109");
    assert!(text.contains("main.gd imports main.gd"), "{text}");
}

#[test]
fn what_is_not_there_says_where_it_was_looked_for() {
    let root = folder("missing", &[("layers.gd", "")]);
    let (code, text) = first(&fails(&root, &format!("import \"layer.gd\"; {MODEL}")));
    assert_eq!(code, "E0109");
    assert!(text.contains("beside the file that imports it"), "{text}");
    assert!(text.contains("did you mean `layers.gd`?"), "{text}");
}

#[test]
fn a_name_means_one_thing() {
    let root = folder("names", &[("a.gd", "fn f(z) = z;\noptimizer o() for w, g { w <- w - g; }")]);
    let (code, text) = first(&fails(&root, &format!("import \"a.gd\"; fn f(z) = 2 * z; {MODEL}")));
    assert_eq!(code, "E0102");
    assert!(text.contains("a.gd"), "{text}");
    let own = "optimizer o(lr = 0.1) for w: [...], g { w <- w - lr * g; }";
    let (code, _) = first(&fails(&root, &format!("import \"a.gd\"; {own} {MODEL}")));
    assert_eq!(code, "E0102");
}
