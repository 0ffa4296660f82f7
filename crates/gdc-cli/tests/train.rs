//! `gdc train` as a user runs it: from specs and data to weights, with the local Rust compiler.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod common;

use common::{CACHE, CLASSES, LINE, class_data, finish, folder};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

const QUADRATIC: &str = "model Quadratic {
    param x = 1.0;
    loss (x - 3)^2;
    optimizer sgd(lr = 0.1);
    train { steps = 100; until = mean_loss < 1e-6; }
}
";

struct Run {
    code: i32,
    out: String,
    err: String,
}

fn train(folder: &Path, words: &[&str]) -> Run {
    train_with(folder, words, &[])
}

fn train_with(folder: &Path, words: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gdc"));
    command.current_dir(folder).arg("train").args(words).args(["--cache", CACHE]).envs(variables.iter().copied());
    let (code, out, err) = finish(command.output().unwrap());
    Run { code, out, err }
}

/// y = 3 x + 2 without noise.
fn line_data() -> String {
    let rows = (0..10).map(|i| f64::from(i) / 5.0 - 1.0).map(|x| format!("{x},{}\n", 3.0 * x + 2.0));
    std::iter::once("x,y\n".to_owned()).chain(rows).collect()
}

fn tensors(path: &Path) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let bytes = fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |data: &[u8]| data.chunks_exact(4).map(|c| f32::from_le_bytes(c.try_into().unwrap())).collect();
    file.tensors().into_iter().map(|(name, t)| (name, (t.shape().to_vec(), numbers(t.data())))).collect()
}

#[test]
fn a_line_is_fitted_and_everything_is_written() {
    let folder = folder(&[("line.gd", LINE), ("line.csv", &line_data())]);
    let path = folder.path();
    let run = train(path, &["line.gd", "--data", "line.csv", "--out", "out", "--history-steps", "steps.csv"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(run.out.lines().count(), 300);
    assert!(run.out.starts_with("epoch 1/300  loss "), "{}", run.out);
    let weights = tensors(&path.join("out/weights.safetensors"));
    let near = |name: &str, value: f32| {
        let (shape, values) = &weights[name];
        assert!(shape.is_empty() && (values[0] - value).abs() < 1e-3, "{name} {values:?}");
    };
    near("w", 3.0);
    near("b", 2.0);
    let history = fs::read_to_string(path.join("out/history.csv")).unwrap();
    assert!(history.starts_with("epoch,steps,loss\n1,3,"), "{history}");
    assert_eq!(history.lines().count(), 301);
    assert!(fs::read_to_string(path.join("out/loss.svg")).unwrap().contains("<polyline"));
    assert!(fs::read(path.join("out/loss.png")).unwrap().starts_with(b"\x89PNG"));
    // The first four rows, from w = b = 0: mean of y^2 / 2.
    let first: f64 = (0..4).map(|i| (3.0 * (f64::from(i) / 5.0 - 1.0) + 2.0_f64).powi(2) / 8.0).sum();
    let steps = fs::read_to_string(path.join("steps.csv")).unwrap();
    let found: f64 = steps.lines().nth(1).unwrap().strip_prefix("1,").unwrap().parse().unwrap();
    assert!((found - first).abs() < 1e-6, "{found} {first}");
    assert_eq!(steps.lines().count(), 901);

    let again = train(path, &["line.gd", "--data", "line.csv", "--out", "again", "-q"]);
    assert_eq!(again.out.lines().count(), 1);
    assert_eq!(again.err, "");
    for name in ["weights.safetensors", "history.csv"] {
        assert_eq!(fs::read(path.join("out").join(name)).unwrap(), fs::read(path.join("again").join(name)).unwrap());
    }
}

#[test]
fn a_model_without_inputs_needs_no_data() {
    let folder = folder(&[("q.gd", QUADRATIC), ("x.csv", "x\n1\n")]);
    let run = train(folder.path(), &["q.gd", "--weights", "w.safetensors"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.starts_with("step 10/100  loss "), "{}", run.out);
    assert!(run.err.contains("below the spec's threshold"), "{}", run.err);
    let x = tensors(&folder.path().join("w.safetensors"))["x"].1[0];
    assert!((x - 3.0).abs() < 1e-3, "{x}");
    let run = train(folder.path(), &["q.gd", "--data", "x.csv"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("takes no data"), "{}", run.err);
}

#[test]
fn classes_are_learnt_validated_and_taken_up_again() {
    let data = (class_data(60), class_data(20));
    let folder = folder(&[("c.gd", CLASSES), ("train.csv", &data.0), ("test.csv", &data.1)]);
    let path = folder.path();
    let words = ["c.gd", "--data", "train.csv", "--validation", "test.csv"];
    let more = ["--weights", "w.safetensors", "--history", "h.csv", "--dump-gradients", "g.safetensors"];
    let run = train(path, &[&words[..], &more[..]].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    let last = run.out.lines().last().unwrap();
    assert!(last.starts_with("epoch 20/20  loss ") && last.contains("accuracy 1.000  validation loss "), "{last}");
    let history = fs::read_to_string(path.join("h.csv")).unwrap();
    assert!(history.starts_with("epoch,steps,loss,accuracy,validation_loss,validation_accuracy\n"), "{history}");
    let (weights, gradients) = (tensors(&path.join("w.safetensors")), tensors(&path.join("g.safetensors")));
    let shapes = |t: &BTreeMap<String, (Vec<usize>, Vec<f32>)>| -> Vec<(String, Vec<usize>)> {
        t.iter().map(|(name, (shape, _))| (name.clone(), shape.clone())).collect()
    };
    assert_eq!(shapes(&weights), shapes(&gradients));
    assert_eq!(weights["h.dense.w"].0, [4, 8]);
    assert!(gradients["logits.dense.w"].1.iter().any(|v| *v != 0.0));

    let run = train(path, &["c.gd", "--data", "train.csv", "--init", "w.safetensors", "--epochs", "1", "--seed", "5"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("accuracy 1.000"), "{}", run.out);
    let run = train(path, &["c.gd", "--data", "train.csv", "--steps", "3"]);
    assert!(run.out.starts_with("epoch 1  loss") && run.out.lines().count() == 1, "{}", run.out);
    let (a, b) = (
        train(path, &["c.gd", "--data", "train.csv", "--steps", "3", "--seed", "1"]).out,
        train(path, &["c.gd", "--data", "train.csv", "--steps", "3", "--seed", "2"]).out,
    );
    assert_ne!(a, b);
}

#[test]
fn what_is_wrong_is_said_before_anything_is_built_or_written() {
    let files = [
        ("line.gd", LINE),
        ("c.gd", CLASSES),
        ("bad.gd", "model Bad { input x: [2]; loss y; }"),
        ("no_loss.gd", "model A { input x: [2]; output y = x; }"),
        ("line.csv", &line_data()),
        ("labels.csv", "label,x0,x1,x2,x3\n0,1,2,3,4\n7,1,2,3,4\n"),
        ("columns.csv", "label,x0,x1\n0,1,2\n"),
        ("nan.csv", "x,y\n1,2\nnan,3\n"),
    ];
    let folder = folder(&files);
    for (words, code, part) in [
        (&["line.gd"][..], 2, "--data FILE is needed: the model has `input x: []`, `target y: []`"),
        (&["line.gd", "--data", "none.csv"], 1, "cannot read none.csv"),
        (
            &["line.gd", "--data", "nan.csv"],
            1,
            "nan.csv:\n  line 3 (row 2), column 1: `x` is missing (`nan`): leave the row out or fill it in",
        ),
        (&["c.gd", "--data", "labels.csv"], 1, "line 3 (row 2), column 1: `label` is 7, which is not in 0..3"),
        (&["c.gd", "--data", "columns.csv"], 1, "lacks `x2`, `x3` of its 4 columns"),
        (&["line.gd", "--data", "z=line.csv"], 2, "the model has no `z`"),
        (&["line.gd", "--data", "line.csv", "--epochs", "0"], 2, "--epochs"),
        (&["line.gd", "--data", "line.csv", "--init", "line.csv"], 1, "not a whole safetensors file"),
        (&["line.gd", "--data", "line.csv", "--model", "Other"], 1, "Other"),
        (&["bad.gd", "--data", "line.csv"], 1, "bad.gd:1:"),
        (&["no_loss.gd", "--data", "line.csv"], 1, "the model `A` has no loss"),
        (&["none.gd"], 1, "cannot read none.gd"),
    ] {
        let run = train(folder.path(), &[words, &["--out", "out"]].concat());
        assert_eq!((run.code, run.out.as_str()), (code, ""), "{words:?}\n{}", run.err);
        assert!(run.err.contains(part), "{words:?}\n{}", run.err);
        assert!(!run.err.contains("building"), "{words:?}\n{}", run.err);
        assert!(!folder.path().join("out").exists());
    }
}

#[test]
fn weights_of_another_model_are_refused_with_all_differences() {
    let folder = folder(&[("line.gd", LINE), ("q.gd", QUADRATIC), ("line.csv", &line_data())]);
    assert_eq!(train(folder.path(), &["q.gd", "--weights", "q.safetensors"]).code, 0);
    let run = train(folder.path(), &["line.gd", "--data", "line.csv", "--init", "q.safetensors"]);
    assert_eq!(run.code, 1);
    for part in ["`w: []` is missing", "`b: []` is missing", "the model has no `x`"] {
        assert!(run.err.contains(part), "{part}\n{}", run.err);
    }
}

#[test]
fn a_missing_or_broken_toolchain_is_named() {
    let folder = folder(&[("line.gd", LINE), ("line.csv", &line_data())]);
    let words = ["line.gd", "--data", "line.csv"];
    let run = train_with(folder.path(), &words, &[("RUSTC", "/no/such/rustc")]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("`/no/such/rustc` (named by RUSTC) does not run"), "{}", run.err);
    assert!(run.err.contains("rustup.rs"), "{}", run.err);
}

#[test]
fn a_loss_that_diverges_is_warned_about() {
    let text = LINE.replace("lr = 0.5", "lr = 1e30");
    let folder = folder(&[("line.gd", text.as_str()), ("line.csv", &line_data())]);
    let run = train(folder.path(), &["line.gd", "--data", "line.csv", "-q", "--epochs", "5"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.contains("no finite number"), "{}", run.err);
}

#[test]
fn arrays_come_from_idx_and_npy_files_by_name() {
    use ndarray_npy::WriteNpyExt;
    let folder = folder(&[("c.gd", CLASSES)]);
    let path = folder.path();
    // Twelve samples of 2 x 2 bytes, whose class is the place of the 1.
    let mut images = vec![0, 0, 8, 3, 0, 0, 0, 12, 0, 0, 0, 2, 0, 0, 0, 2];
    (0..12).for_each(|i| images.extend((0..4).map(|k| u8::from(k == i % 3))));
    fs::write(path.join("images"), &images).unwrap();
    let labels: ndarray::Array1<i64> = (0..12).map(|i| i % 3).collect();
    labels.write_npy(fs::File::create(path.join("labels.npy")).unwrap()).unwrap();
    let words = ["c.gd", "--data", "x=images", "--data", "label=labels.npy", "--epochs", "100", "-q"];
    let run = train(path, &words);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(run.out.contains("accuracy 1.000"), "{}", run.out);

    fs::write(path.join("images"), &images[..images.len() - 1]).unwrap();
    let run = train(path, &words);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("images is not a whole IDX file: its extents [12, 2, 2] need 48 bytes"), "{}", run.err);
    let wrong: ndarray::Array2<f32> = ndarray::Array2::zeros((12, 5));
    wrong.write_npy(fs::File::create(path.join("images")).unwrap()).unwrap();
    let run = train(path, &words);
    assert_eq!(run.code, 1);
    for part in ["images holds [12, 5] = 12 samples of [5]", "`input x: [2, 2]` takes [2, 2]"] {
        assert!(run.err.contains(part), "{}", run.err);
    }
}
