//! `gdc verify`, `gdc predict`, `gdc eval` and `gdc bench` as a user runs them, with the local
//! Rust compiler.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod common;

use common::{CLASSES, LINE, class_data, folder, gdc_with_cache as gdc};
use std::fs;

#[test]
fn three_ways_agree_and_a_tolerance_that_is_too_small_fails() {
    let folder = folder(&[("c.gd", CLASSES), ("train.csv", &class_data(60))]);
    let (code, out, err) = gdc(folder.path(), &["verify", "c.gd"]);
    assert_eq!(code, 0, "{out}{err}");
    let rows: Vec<Vec<&str>> = out.lines().skip(2).take(4).map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(
        rows.iter().map(|r| r[0]).collect::<Vec<_>>(),
        ["h.dense.w", "h.dense.b", "logits.dense.w", "logits.dense.b"]
    );
    for row in &rows {
        let errors: Vec<f64> = row[3..6].iter().map(|t| t.parse().unwrap()).collect();
        assert!(errors[0] < 1e-6 && errors[1] < 1e-5 && errors[2] < 1e-5 && errors[1] > 0.0, "{row:?}");
    }
    let (code, _, _) = gdc(folder.path(), &["verify", "c.gd", "--data", "train.csv", "--samples", "5", "-q"]);
    assert_eq!(code, 0);
    let (code, out, err) = gdc(folder.path(), &["verify", "c.gd", "--tolerance", "1e-12"]);
    assert_eq!(code, 1);
    assert!(out.contains("WRONG") && err.contains("out of tolerance: h.dense.w, "), "{out}{err}");
}

#[test]
fn a_model_in_f64_is_computed_in_f64() {
    let text = CLASSES.replace("model Classes {", "model Classes {\n    precision f64;");
    let folder = folder(&[("c.gd", text.as_str()), ("train.csv", &class_data(60))]);
    let path = folder.path();
    let (code, out, err) = gdc(path, &["verify", "c.gd", "--tolerance", "1e-12"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("logits.dense.b"), "{out}");
    let train = ["train", "c.gd", "--data", "train.csv", "--normalize", "x", "--weights", "w.safetensors", "-q"];
    assert_eq!(gdc(path, &train).0, 0);
    let apply = ["--weights", "w.safetensors", "--data", "train.csv"];
    let (code, out, err) = gdc(path, &[&["eval", "c.gd"], &apply[..]].concat());
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("100.00 % right"), "{out}");
    // The outputs, as text and as an array, have all their digits: they add up to one.
    let csv = gdc(path, &[&["predict", "c.gd", "-q"], &apply[..]].concat()).1;
    assert_eq!(gdc(path, &[&["predict", "c.gd", "-q", "--out", "p.npy"], &apply[..]].concat()).0, 0);
    let array: ndarray::Array2<f64> = ndarray_npy::read_npy(path.join("p.npy")).unwrap();
    for (line, row) in csv.lines().skip(1).zip(array.rows()) {
        let told: Vec<f64> = line.split(',').map(|c| c.parse().unwrap()).collect();
        assert_eq!(told, row.to_vec());
        assert!((told.iter().sum::<f64>() - 1.0).abs() < 1e-15, "{line}");
    }
    assert_eq!((csv.lines().count(), array.nrows()), (61, 60));
}

/// Numbers go from f32 to f64 as they are; the other way they are rounded, and it is said.
#[test]
fn weights_of_one_precision_are_taken_by_a_model_of_the_other() {
    let wide = CLASSES.replace("model Classes {", "model Classes {\n    precision f64;");
    let folder = folder(&[("n.gd", CLASSES), ("w.gd", wide.as_str()), ("t.csv", &class_data(40))]);
    let path = folder.path();
    for (from, to, note) in [("n.gd", "w.gd", ""), ("w.gd", "n.gd", "rounded to the model's f32")] {
        let train = ["train", from, "--data", "t.csv", "--weights", "w.safetensors", "-q"];
        assert_eq!(gdc(path, &train).0, 0);
        let words = ["predict", to, "--weights", "w.safetensors", "--data", "t.csv"];
        let (code, out, err) = gdc(path, &words);
        assert_eq!((code, err.contains("rounded")), (0, !note.is_empty()), "{err}");
        assert!(err.contains(note) && out.lines().count() == 41, "{err}");
    }
}

#[test]
fn what_was_trained_predicts_and_is_scored() {
    let folder = folder(&[("c.gd", CLASSES), ("train.csv", &class_data(60)), ("test.csv", &class_data(30))]);
    let path = folder.path();
    let (code, _, err) = gdc(path, &["train", "c.gd", "--data", "train.csv", "--weights", "w.npz", "-q"]);
    assert_eq!(code, 0, "{err}");
    let (code, out, err) = gdc(path, &["eval", "c.gd", "--weights", "w.npz", "--data", "test.csv"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("`probs` against `label`: 100.00 % right"), "{out}");
    assert!(out.contains("0  10   ·   ·\n1   ·  10   ·\n2   ·   ·  10\n"), "{out}");
    let (_, json, _) = gdc(path, &["eval", "c.gd", "--weights", "w.npz", "--data", "test.csv", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["samples"], 30);
    assert_eq!(value["comparisons"][0]["confusion"], serde_json::json!([[10, 0, 0], [0, 10, 0], [0, 0, 10]]));
    assert_eq!(value["metrics"]["accuracy"], 1.0);

    let (code, csv, _) = gdc(path, &["predict", "c.gd", "--weights", "w.npz", "--data", "test.csv", "-q"]);
    assert_eq!(code, 0);
    let rows: Vec<Vec<f64>> = csv.lines().skip(1).map(|l| l.split(',').map(|c| c.parse().unwrap()).collect()).collect();
    assert!(csv.starts_with("probs[0],probs[1],probs[2]\n"), "{csv}");
    assert_eq!(rows.len(), 30);
    for (i, row) in rows.iter().enumerate() {
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-5);
        assert!(row[i % 3] > 0.5, "{row:?}");
    }
    // Any format gives the same numbers.
    for name in ["p.npy", "p.npz", "p.csv"] {
        let (code, _, err) = gdc(path, &["predict", "c.gd", "--weights", "w.npz", "--data", "test.csv", "-o", name]);
        assert_eq!(code, 0, "{err}");
    }
    assert_eq!(fs::read_to_string(path.join("p.csv")).unwrap(), csv);
    let array: ndarray::Array2<f32> =
        ndarray_npy::ReadNpyExt::read_npy(fs::File::open(path.join("p.npy")).unwrap()).unwrap();
    assert_eq!(array.shape(), [30, 3]);
    assert!((f64::from(array[[4, 1]]) - rows[4][1]).abs() < 1e-6);
}

#[test]
fn numbers_are_scored_by_their_errors_and_steps_are_timed() {
    let rows: String = (0..10).map(|i| f64::from(i) / 5.0).map(|x| format!("{x},{}\n", 3.0 * x + 2.0)).collect();
    let folder = folder(&[("line.gd", LINE), ("line.csv", &format!("x,y\n{rows}"))]);
    let path = folder.path();
    let (code, _, err) = gdc(path, &["train", "line.gd", "--data", "line.csv", "--weights", "w.safetensors", "-q"]);
    assert_eq!(code, 0, "{err}");
    let (code, out, _) = gdc(path, &["eval", "line.gd", "--weights", "w.safetensors", "--data", "line.csv"]);
    assert_eq!(code, 0);
    assert!(out.contains("`y_hat` against `y`: mean absolute error") && out.contains("R² 1.000"), "{out}");
    let (code, out, err) = gdc(path, &["bench", "line.gd", "--seconds", "0.05"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("training step of 4") && out.contains("prediction of one"), "{out}");
    let (code, _, err) = gdc(path, &["bench", "line.gd", "--seconds", "-1"]);
    assert_eq!(code, 2, "{err}");
}

#[test]
fn what_does_not_fit_is_named() {
    let no_label = class_data(5).replace("label", "other");
    let bad = class_data(5).replace("\n2,", "\n7,");
    let hole = class_data(5).replacen(",1,", ",nan,", 1);
    let files =
        [("c.gd", CLASSES), ("train.csv", &class_data(9)), ("n.csv", &no_label), ("b.csv", &bad), ("h.csv", &hole)];
    let folder = folder(&[files.as_slice(), &[("line.gd", LINE), ("l.csv", "x,y\n1,2\n2,3\n")]].concat());
    let path = folder.path();
    let ok = |words: &[&str]| assert_eq!(gdc(path, words).0, 0);
    ok(&["train", "c.gd", "--data", "train.csv", "--weights", "w.safetensors", "--epochs", "1", "-q"]);
    ok(&["train", "line.gd", "--data", "l.csv", "--weights", "l.npz", "--epochs", "1", "-q"]);
    let wrong = |words: &[&str], part: &str| {
        let (code, _, err) = gdc(path, words);
        assert_ne!(code, 0);
        assert!(err.contains(part), "{words:?}: {err}");
    };
    let eval = |data: &'static str| ["eval", "c.gd", "--weights", "w.safetensors", "--data", data];
    wrong(&eval("b.csv"), "7, which is not in 0..3");
    wrong(&eval("h.csv"), "is missing (`nan`): leave the row out");
    wrong(&eval("none.csv"), "cannot read none.csv");
    wrong(&["eval", "c.gd", "--weights", "l.npz", "--data", "train.csv"], "`h.dense.w: [4, 8]` is missing");
    wrong(&["eval", "c.gd", "--weights", "l.npz", "--data", "train.csv"], "the model has no `w` (in the file [])");
    wrong(&["predict", "c.gd", "--weights", "w.safetensors"], "--data FILE is needed: the model has `input x: [2, 2]`");
    wrong(
        &["predict", "c.gd", "--weights", "w.safetensors", "--data", "train.csv", "-o", "p.txt"],
        ".csv, .npy or .npz",
    );
}

#[test]
fn entry_points_are_applied_with_the_trained_weights() {
    let text = LINE.replace("optimizer", "entry back(a: [2], up: in 0..4) -> [2] = w * a + b + up;\n    optimizer");
    let points = "x,y\n0,2\n1,5\n-1,-1\n0.5,3.5\n";
    let folder = folder(&[("line.gd", text.as_str()), ("line.csv", points), ("a.csv", "up,a_0,a_1\n3,0,1\n0,-1,2\n")]);
    let path = folder.path();
    let train = ["train", "line.gd", "--data", "line.csv", "--normalize", "x", "--weights", "w.npz", "-q"];
    assert_eq!(gdc(path, &train).0, 0);
    // Normalised inputs are the model's; an entry point takes its own as they are.
    let by_entry = ["predict", "line.gd", "--weights", "w.npz", "--data", "a.csv", "--entry"];
    let (code, out, err) = gdc(path, &[&by_entry[..], &["back"]].concat());
    assert_eq!(code, 0, "{err}");
    let rows: Vec<Vec<f64>> = out.lines().skip(1).map(|l| l.split(',').map(|c| c.parse().unwrap()).collect()).collect();
    assert_eq!(out.lines().next(), Some("back[0],back[1]"));
    // The mean of x is 0.125 and its deviation 0.7395, so that y = 3 x + 2 = 2.375 + 2.2185 x'.
    let (w, b) = (3.0 * 0.546_875_f64.sqrt(), 2.375);
    for (row, expected) in rows.iter().zip([[b + 3.0, w + b + 3.0], [b - w, b + 2.0 * w]]) {
        row.iter().zip(expected).for_each(|(got, e)| assert!((got - e).abs() < 1e-4, "{out} {expected:?}"));
    }
    assert_eq!(rows.len(), 2);
    let (code, _, err) = gdc(path, &[&by_entry[..], &["forth"]].concat());
    assert_eq!(code, 2);
    assert!(err.contains("has no such entry point; it has `back`"), "{err}");
}

/// Outputs, entry points and streams are compared too, each in a row of its own.
#[test]
fn what_is_predicted_is_verified() {
    let text = "model Streamed {
    const t = 4;
    input  x: [t];
    input  k: in 0..3;
    target y: [t];
    param w = 0.5;
    let all = scan (h = 0) over xt in x { h <- tanh(w * h + xt); yield h; };
    let p[i] = all[i] + k;
    output p = p;
    output last = all[t - 1];
    loss mse(p, y);
    entry half(z: [3], m: in 0..5) -> [] = w * sum(z) / 2 + m;
    stream t;
    optimizer sgd(lr = 0.1);
    train { batch = 2; }
}
";
    let folder = folder(&[("m.gd", text)]);
    let (code, out, err) = gdc(folder.path(), &["verify", "m.gd", "-q"]);
    assert_eq!(code, 0, "{out}{err}");
    let row = |start: &str| {
        let line = out.lines().find(|l| l.split_whitespace().take(3).collect::<Vec<_>>().join(" ") == start);
        let line = line.unwrap_or_else(|| panic!("no `{start}` in {out}"));
        let words: Vec<&str> = line.split_whitespace().skip(3).collect();
        (words[0].parse::<f64>().ok(), words[1].parse::<f64>().unwrap(), words[2].to_owned())
    };
    for start in ["p output 8", "last output 2", "p stream 8", "last stream 8"] {
        let (passes, generated, verdict) = row(start);
        assert!(passes.unwrap() < 1e-9 && generated < 1e-5 && verdict == "ok", "{out}");
    }
    assert!(row("half entry 2").1 < 1e-6, "{out}");
    let (code, out, err) = gdc(folder.path(), &["verify", "m.gd", "-q", "--tolerance", "1e-12"]);
    assert_eq!(code, 1);
    assert!(out.contains("WRONG") && err.contains("half"), "{out}{err}");
}

/// Class data with words for labels, and lines ended as on Windows.
fn named_data(rows: usize) -> String {
    let names = ["setosa", "\"iris, wild\"", "versicolor"];
    let lines = class_data(rows).lines().map(|l| l.to_owned()).collect::<Vec<_>>();
    let named = lines[1..].iter().map(|l| format!("{}{}", names[usize::from(l.as_bytes()[0] - b'0')], &l[1..]));
    std::iter::once(lines[0].clone()).chain(named).collect::<Vec<_>>().join("\r\n") + "\r\n"
}

/// Names of classes are learnt from the training data, kept with the weights, and come back in
/// predictions and in the confusion matrix.
#[test]
fn classes_can_have_names() {
    let text = CLASSES.replace("    loss ", "    output class = argmax(logits);\n    loss ");
    let rest = named_data(30).replace("versicolor", "virginica");
    let folder = folder(&[
        ("c.gd", text.as_str()),
        ("train.csv", &named_data(60)),
        ("test.csv", &named_data(31)),
        ("x.csv", &rest),
    ]);
    let path = folder.path();
    let train = ["train", "c.gd", "--data", "train.csv", "--weights", "w.safetensors"];
    let (code, _, err) = gdc(path, &train);
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains("`label`, in alphabetical order: `iris, wild` is 0, `setosa` is 1, `versicolor` is 2"),
        "{err}"
    );
    let apply = |words: &[&str]| gdc(path, &[words, &["--weights", "w.safetensors", "-q"]].concat());
    let (code, out, err) = apply(&["eval", "c.gd", "--data", "test.csv"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("100.00 % right") && out.contains("iris, wild          10       ·"), "{out}");
    let (_, json, _) = apply(&["eval", "c.gd", "--data", "test.csv", "--json"]);
    assert!(json.contains("\"name\":\"versicolor\""), "{json}");
    let (code, out, err) = apply(&["predict", "c.gd", "--data", "test.csv"]);
    assert_eq!(code, 0, "{err}");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "\"probs[iris, wild]\",probs[setosa],probs[versicolor],class");
    assert!(
        lines[1].ends_with(",setosa") && lines[2].ends_with(",\"iris, wild\"") && lines[3].ends_with(",versicolor")
    );
    let (code, _, err) = apply(&["eval", "c.gd", "--data", "x.csv"]);
    assert_eq!(code, 1);
    assert!(
        err.contains("x.csv: `target label: [] in 0..3` has names that the training data did not have: `virginica`")
    );
    // The same words in the same places, whichever come first in the data.
    std::fs::write(path.join("n.csv"), class_data(30)).unwrap();
    assert!(apply(&["eval", "c.gd", "--data", "n.csv"]).0 == 0);
    assert_eq!(gdc(path, &["train", "c.gd", "--data", "n.csv", "--weights", "w.safetensors", "-q"]).0, 0);
    let (code, _, err) = apply(&["eval", "c.gd", "--data", "test.csv"]);
    assert_eq!(code, 1);
    assert!(err.contains("the weights were trained with numbers: write 0 to 2 in their place"), "{err}");
}

/// Precision and the like are of all samples, not means over batches of four.
#[test]
fn functions_of_sums_are_evaluated_over_all_samples() {
    let text = "model Counts {
    input x: [];
    target y: [];
    param w = 0.5;
    let z = w * x;
    output p = sigmoid(z);
    loss binary_cross_entropy(logits = z, y);
    metric right = (z > 0) == (y > 0.5);
    metric precision = precision(y, z);
    metric recall = recall(y, z);
    optimizer sgd(lr = 0.01);
    train { batch = 4; shuffle = false; }
}
";
    let data = "x,y\n1,1\n2,1\n0.5,1\n3,1\n1,0\n1.5,0\n-1,1\n-2,0\n-0.5,1\n2,0\n1,0\n";
    let folder = folder(&[("m.gd", text), ("t.csv", data)]);
    let path = folder.path();
    let train = ["train", "m.gd", "--data", "t.csv", "--weights", "w.safetensors", "--history", "h.csv", "-q"];
    assert_eq!(gdc(path, &train).0, 0);
    let (code, json, err) =
        gdc(path, &["eval", "m.gd", "--data", "t.csv", "--weights", "w.safetensors", "--json", "-q"]);
    assert_eq!(code, 0, "{err}");
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let metric = |name: &str| value["metrics"][name].as_f64().unwrap();
    assert_eq!(value["metrics"].as_object().unwrap().len(), 3, "{json}");
    assert_eq!((metric("precision"), metric("recall")), (0.5, 4.0 / 6.0), "{json}");
    assert!((metric("right") - 5.0 / 11.0).abs() < 1e-6, "{json}");
    // And those of an epoch of training.
    let history = fs::read_to_string(path.join("h.csv")).unwrap();
    let cells: Vec<&str> = history.lines().nth(1).unwrap().split(',').collect();
    assert_eq!(history.lines().next().unwrap(), "epoch,steps,loss,right,precision,recall");
    assert_eq!(cells[4].parse::<f64>().unwrap(), 0.5, "{history}");
}
