//! `gdc compile` and `gdc check` as a user runs them.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod common;

use common::{LINE, finish, folder, gdc};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

fn gdc_with_input(folder: &Path, words: &[&str], input: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gdc"))
        .current_dir(folder)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    finish(child.wait_with_output().unwrap())
}

#[test]
fn a_spec_is_written_beside_itself_and_checked() {
    let folder = folder(&[("line.gd", LINE)]);
    let path = folder.path();
    let (code, _, err) = gdc(path, &["compile", "line.gd", "--check"]);
    assert_eq!(code, 1);
    assert!(err.contains("line.rs is missing\n  help: gdc compile line.gd\n"), "{err}");
    let (code, out, err) = gdc(path, &["compile", "line.gd"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""));
    let text = fs::read_to_string(path.join("line.rs")).unwrap();
    assert!(text.contains("pub struct Line"), "{text}");
    assert_eq!(gdc(path, &["compile", "line.gd", "--check"]), (0, String::new(), String::new()));

    fs::write(path.join("line.rs"), text.replace("struct Line", "struct Lime")).unwrap();
    let (code, _, err) = gdc(path, &["compile", "line.gd", "--check"]);
    assert_eq!(code, 1);
    assert!(err.contains("line.rs is not what line.gd compiles to"), "{err}");
    assert!(err.contains("-pub struct Lime") && err.contains("+pub struct Line"), "{err}");
    assert!(err.contains("help: gdc compile line.gd\n"), "{err}");
}

#[test]
fn the_same_text_gives_the_same_bytes_from_anywhere() {
    let (a, b) = (folder(&[("line.gd", LINE)]), folder(&[("line.gd", LINE)]));
    let file = a.path().join("line.gd");
    let out = a.path().join("out/x.rs");
    let words = ["compile", file.to_str().unwrap(), "-o", out.to_str().unwrap()];
    assert_eq!(gdc(b.path(), &words).0, 0);
    assert_eq!(gdc(b.path(), &["compile", "line.gd"]).0, 0);
    assert_eq!(fs::read(out).unwrap(), fs::read(b.path().join("line.rs")).unwrap());
}

#[test]
fn every_stage_can_be_shown() {
    let folder = folder(&[("line.gd", LINE)]);
    for (stage, part) in [("ast", "Line"), ("graph", "y_hat"), ("program", "y_hat"), ("rust", "pub struct Line")] {
        let (code, out, err) = gdc(folder.path(), &["compile", "line.gd", "--emit", stage]);
        assert_eq!((code, err.as_str()), (0, ""), "{stage}");
        assert!(out.contains(part), "{stage}\n{out}");
    }
    assert!(!folder.path().join("line.rs").exists());
}

#[test]
fn standard_input_goes_to_standard_output() {
    let folder = folder(&[("line.gd", LINE)]);
    let (code, out, _) = gdc_with_input(folder.path(), &["compile", "-"], LINE);
    assert_eq!(code, 0);
    let (_, beside, _) = gdc(folder.path(), &["compile", "line.gd", "-o", "-"]);
    assert!(out.contains("pub struct Line") && beside.contains("pub struct Line"));
    let (code, _, err) = gdc_with_input(folder.path(), &["check", "-"], "model {");
    assert_eq!(code, 1);
    assert!(err.contains("<stdin>"), "{err}");
}

#[test]
fn all_files_are_reported_and_only_good_ones_written() {
    let folder = folder(&[("a.gd", "model A { los 1; }"), ("b.gd", LINE), ("c.gd", "model C {")]);
    let (code, _, err) = gdc(folder.path(), &["compile", "a.gd", "b.gd", "c.gd", "d.gd", "--out-dir", "gen"]);
    assert_eq!(code, 1);
    for part in ["a.gd:1:", "c.gd:1:", "cannot read d.gd"] {
        assert!(err.contains(part), "{part}\n{err}");
    }
    let mut names: Vec<_> = fs::read_dir(folder.path().join("gen")).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["b.rs"]);
}

#[test]
fn a_failed_compilation_leaves_the_old_file() {
    let folder = folder(&[("a.gd", "model A {"), ("a.rs", "old")]);
    assert_eq!(gdc(folder.path(), &["compile", "a.gd"]).0, 1);
    assert_eq!(fs::read_to_string(folder.path().join("a.rs")).unwrap(), "old");
}

#[test]
fn wrong_calls_exit_with_two() {
    let folder = folder(&[("a.gd", LINE), ("b.gd", LINE)]);
    fs::create_dir(folder.path().join("d")).unwrap();
    fs::write(folder.path().join("d/a.gd"), LINE).unwrap();
    for (words, part) in [
        (&["compile"][..], "required"),
        (&["compile", "a.gd", "b.gd", "-o", "x.rs"], "--out-dir"),
        (&["compile", "a.gd", "d/a.gd", "--out-dir", "gen"], "would both be written to"),
        (&["compile", "-", "--check"], "--check compares with a file"),
        (&["compile", "a.gd", "-o", "a.gd"], "would be overwritten"),
        (&["compile", "a.gd", "--emit", "soup"], "soup"),
        (&["check", "--explain", "E9999"], "no code `E9999`"),
        (&["check"], "required"),
        (&["frobnicate"], "frobnicate"),
    ] {
        let (code, out, err) = gdc(folder.path(), words);
        assert_eq!((code, out.as_str()), (2, ""), "{words:?}");
        assert!(err.contains(part), "{words:?}\n{err}");
    }
}

/// A file of layers is checked as that: names and arguments whatever the sizes, since nobody has
/// said these yet.
#[test]
fn a_file_of_definitions_is_checked_without_a_model() {
    let good = "/// Two layers.
layer block(x: [t, n], heads: int, scale = 2.0) { (x |> dense(n) |> relu) * scale }
fn odd(x: [n], y: [n + 1]) = sum(x) + y[0];
fn rate(base) = base / (1 + t);
fn of_class(k: in 0..m) -> [] = k + 1.0;
layer twice(x: [n], inner: layer) { x |> inner as a |> inner as b }
optimizer plain(lr = 0.1) for w, g { w <- w - lr * g; }
transform halve(by) for w, g { g <- g * by; }
const width = 3;
";
    let bad = "layer block(x: [n]) { x |> dense(n) |> rellu }
fn g(x) = block(x, 3, 4);
optimizer plain(lr = 0.1) for w, g { w <- w - lr * h; }
";
    let folder = folder(&[("good.gd", good), ("bad.gd", bad), ("twice.gd", "fn f(z) = z;\nfn f(z) = z;\n")]);
    let (code, out, err) = gdc(folder.path(), &["check", "good.gd"]);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    assert!(err.contains("good.gd holds no model: ") && err.contains("1 file: 0 errors, 0 warnings"), "{err}");
    let (code, _, err) = gdc(folder.path(), &["check", "bad.gd"]);
    assert_eq!(code, 1);
    for part in
        ["--> bad.gd:1:40", "nothing here is called `rellu`", "error[E0106]", "--> bad.gd:2:", "--> bad.gd:3:52"]
    {
        assert!(err.contains(part), "{part}\n{err}");
    }
    assert!(err.contains("1 file: 3 errors") && !err.contains("Tries"), "{err}");
    // Nothing is found in the standard library.
    let std = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gdc-core/std");
    let files = fs::read_dir(std).unwrap().map(|e| e.unwrap().path().display().to_string());
    let words: Vec<String> = std::iter::once("check".to_owned()).chain(files).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (code, _, err) = gdc(folder.path(), &words);
    assert!(code == 0 && words.len() > 10 && err.contains("25 definitions called"), "{err}");
    let (code, _, err) = gdc(folder.path(), &["check", "twice.gd"]);
    assert!(code == 1 && err.contains("error[E0102]") && !err.contains("E0406"), "{err}");
}

#[test]
fn check_counts_and_speaks_json() {
    let folder = folder(&[("a.gd", "model A { los 1; }"), ("b.gd", LINE)]);
    let (code, out, err) = gdc(folder.path(), &["check", "b.gd"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", "1 file: 0 errors, 0 warnings\n"));
    let (code, out, err) = gdc(folder.path(), &["check", "a.gd", "b.gd"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("2 files: 1 error, 0 warnings"), "{err}");
    let (code, out, err) = gdc(folder.path(), &["check", "a.gd", "b.gd", "--message-format", "json"]);
    assert_eq!((code, err.as_str()), (1, ""));
    let value: serde_json::Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!((&value["severity"], &value["line"]), (&"error".into(), &1.into()));
    let (code, out, _) = gdc(folder.path(), &["check", "--explain", value["code"].as_str().unwrap()]);
    assert_eq!(code, 0);
    assert!(out.len() > 40);
}

const SMALL: &str = "model Small {
    input  x: [2];
    target y: [1];
    let h = x |> dense(3) |> tanh;
    let z = h |> dense(1);
    output p = sigmoid(z);
    loss   mean(binary_cross_entropy(logits = z, y));
    optimizer adam(lr = 0.05);
    train { batch = 4; }
}
";

/// Named tensors as NumPy keeps them.
fn weights(path: &Path) {
    let mut archive = ndarray_npy::NpzWriter::new(fs::File::create(path).unwrap());
    let w = ndarray::arr2(&[[0.5_f32, -0.25, 1.5], [2.0, 0.125, f32::MIN_POSITIVE]]);
    archive.add_array("h.dense.w", &w).unwrap();
    archive.add_array("h.dense.b", &ndarray::arr1(&[0.1_f32, 0.2, 0.3])).unwrap();
    archive.add_array("z.dense.w", &ndarray::arr2(&[[1.0_f32], [-1.0], [0.5]])).unwrap();
    archive.add_array("z.dense.b", &ndarray::arr1(&[-0.75_f32])).unwrap();
    archive.finish().unwrap();
}

#[test]
fn weights_are_baked_in_and_the_tests_beside_the_code_can_fail() {
    let folder = folder(&[("small.gd", SMALL)]);
    let path = folder.path();
    weights(&path.join("w.npz"));
    let words = ["compile", "small.gd", "--stand-alone", "--bake", "w.npz", "--emit-tests"];
    assert_eq!(gdc(path, &words), (0, String::new(), String::new()));
    assert_eq!(gdc(path, &[&words[..], &["--check"]].concat()).0, 0);
    let tests = fs::read_to_string(path.join("small_tests.rs")).unwrap();
    // A number that was changed is found by the check and by the test itself.
    let start = tests.find("const LOSS: f64 = ").unwrap() + 18;
    let end = start + tests[start..].find(';').unwrap();
    fs::write(path.join("small_tests.rs"), format!("{}0.1{}", &tests[..start], &tests[end..])).unwrap();
    let (code, _, err) = gdc(path, &[&words[..], &["--check"]].concat());
    assert_eq!(code, 1);
    assert!(err.contains("help: gdc compile small.gd --stand-alone --emit-tests --bake w.npz"), "{err}");
    fs::rename(path.join("small_tests.rs"), path.join("bad_tests.rs")).unwrap();
    fs::write(path.join("small_tests.rs"), &tests).unwrap();
    let code = fs::read_to_string(path.join("small.rs")).unwrap();
    fs::write(path.join("bad.rs"), code.replace("small_tests.rs", "bad_tests.rs")).unwrap();
    let root = "#![deny(warnings)]\nmod bad;\nmod small;\n#[test]\nfn baked() {\n    let h = |a: f32, b: f32, c: f32| (a * 1.0 + b * 2.0 + c).tanh();\n    \
                let z = h(0.5, 2.0, 0.1) - h(-0.25, 0.125, 0.2) + 0.5 * h(1.5, 0.0, 0.3) - 0.75;\n    \
                let p = small::SMALL.predict(&[1.0, 2.0])[0];\n    assert!((p - 1.0 / (1.0 + (-z).exp())).abs() < 1e-5, \"{p} {z}\");\n    \
                assert!(bad::SMALL.h_dense_w[1][2] == f32::MIN_POSITIVE);\n}\n";
    fs::write(path.join("lib.rs"), root).unwrap();
    let built =
        Command::new("rustc").current_dir(path).args(["--test", "--edition=2021", "-o", "t", "lib.rs"]).output();
    let (code, _, err) = finish(built.unwrap());
    assert_eq!((code, err.as_str()), (0, ""));
    let (code, out, _) = finish(Command::new(path.join("t")).output().unwrap());
    assert_eq!(code, 101, "{out}");
    assert!(out.contains("4 passed; 1 failed"), "{out}");
    assert!(out.contains("bad::golden::losses_and_gradients_are_those_of_the_interpreter ... FAILED"), "{out}");
}

#[test]
fn a_folder_is_checked_file_by_file_and_definitions_alone_are_passed_over() {
    let folder = folder(&[("line.gd", LINE), ("parts.gd", "fn f(z) = z;\n")]);
    let path = folder.path();
    fs::create_dir(path.join("more")).unwrap();
    fs::write(path.join("more/small.gd"), SMALL).unwrap();
    let (code, _, err) = gdc(path, &["compile", "--check", "."]);
    assert_eq!(code, 1);
    assert!(err.contains("line.rs is missing\n  help: gdc compile ./line.gd\n"), "{err}");
    assert!(err.contains("small.rs is missing") && !err.contains("parts"), "{err}");
    assert_eq!(gdc(path, &["compile", "."]).0, 0);
    assert_eq!(gdc(path, &["compile", "--check", "."]), (0, String::new(), String::new()));
    fs::write(path.join("line.gd"), LINE.replace("lr = 0.5", "lr = 0.25")).unwrap();
    let (code, _, err) = gdc(path, &["compile", "--check", "."]);
    assert_eq!(code, 1);
    assert!(err.contains("line.rs is not what ./line.gd compiles to\n@@ ") && err.contains("0.25"), "{err}");
}

/// Of a model in f64, golden numbers are held to ten digits.
#[test]
fn tests_of_a_model_in_f64_are_tighter() {
    let folder = folder(&[("small.gd", &SMALL.replace("model Small {", "model Small {\n    precision f64;"))]);
    let path = folder.path();
    let words = ["compile", "small.gd", "--stand-alone", "--emit-tests"];
    assert_eq!(gdc(path, &words), (0, String::new(), String::new()));
    let tests = fs::read_to_string(path.join("small_tests.rs")).unwrap();
    assert!(tests.contains("const REALS: &[f64]") && tests.contains("const ERROR: f64 = 1e-10;"), "{tests}");
    // A golden number that is off in its eighth digit is found.
    let start = tests.find("const LOSS: f64 = ").unwrap() + 18;
    let end = start + tests[start..].find(';').unwrap();
    let loss: f64 = tests[start..end].parse().unwrap();
    let off = format!("{}{:?}{}", &tests[..start], loss * (1.0 + 1e-8), &tests[end..]);
    fs::write(path.join("bad_tests.rs"), off).unwrap();
    let code = fs::read_to_string(path.join("small.rs")).unwrap();
    fs::write(path.join("bad.rs"), code.replace("small_tests.rs", "bad_tests.rs")).unwrap();
    fs::write(path.join("lib.rs"), "#![deny(warnings)]\nmod bad;\nmod small;\n").unwrap();
    let built =
        Command::new("rustc").current_dir(path).args(["--test", "--edition=2021", "-o", "t", "lib.rs"]).output();
    let (code, _, err) = finish(built.unwrap());
    assert_eq!((code, err.as_str()), (0, ""));
    let (code, out, _) = finish(Command::new(path.join("t")).output().unwrap());
    assert_eq!(code, 101, "{out}");
    assert!(out.contains("3 passed; 1 failed") && out.contains("bad::golden::losses_and_gradients"), "{out}");
}
