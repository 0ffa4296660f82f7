//! What the tests of the program share: models, data, and how `gdc` is run.

#![allow(dead_code, reason = "no test uses all of it")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Two small layers that tell three classes apart.
pub const CLASSES: &str = "model Classes {
    input  x: [2, 2];
    target label: in 0..3;
    let h      = x |> flatten |> dense(8) |> tanh;
    let logits = h |> dense(3);
    output probs = softmax(logits);
    loss   cross_entropy(logits, label);
    metric accuracy = argmax(logits) == label;
    optimizer adam(lr = 0.02);
    train { batch = 8; epochs = 20; }
}
";

/// A straight line by least squares.
pub const LINE: &str = "model Line {
    input  x: [];
    target y: [];
    param w = 0.0;
    param b = 0.0;
    output y_hat = w * x + b;
    loss   (y_hat - y)^2 / 2;
    optimizer sgd(lr = 0.5);
    train { batch = 4; epochs = 300; shuffle = false; }
}
";

/// Compiled programs are kept between runs of the tests.
pub const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/workers");

/// Runs `gdc` in a folder: the exit code, and what it wrote to its two outputs.
pub fn gdc(folder: &Path, words: &[&str]) -> (i32, String, String) {
    finish(Command::new(env!("CARGO_BIN_EXE_gdc")).current_dir(folder).args(words).output().unwrap())
}

/// The same for a command that builds programs.
pub fn gdc_with_cache(folder: &Path, words: &[&str]) -> (i32, String, String) {
    gdc(folder, &[words, &["--cache", CACHE]].concat())
}

/// The exit code and the texts of a process.
pub fn finish(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A folder with these files, which goes away with the value.
pub fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// Three clouds of points around the corners of a triangle, by a fixed pattern.
pub fn class_data(rows: usize) -> String {
    let mut text = String::from("label,x_0_0,x_0_1,x_1_0,x_1_1\n");
    for i in 0..rows {
        let (label, wobble) = (i % 3, ((i * 37) % 11) as f64 / 11.0 - 0.5);
        let corner = [[1.0, 0.0], [-1.0, 1.0], [-1.0, -1.0]][label];
        text.push_str(&format!("{label},{},{},{},{wobble}\n", corner[0] + wobble, corner[1] - wobble, -corner[0]));
    }
    text
}
