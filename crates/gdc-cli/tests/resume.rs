//! Long trainings with `gdc train`: checkpoints, stopping early, the best weights, validation
//! splits, normalised inputs, and warnings about gradients.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod common;

use common::{CLASSES, LINE, class_data, folder, gdc_with_cache as gdc};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn tensors(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    file.tensors().into_iter().map(|(name, t)| (name, t.data().to_vec())).collect()
}

#[test]
fn a_training_that_was_interrupted_gives_the_same_bits() {
    interrupted(CLASSES);
}

#[test]
fn and_so_it_does_in_f64() {
    let folder = interrupted(&CLASSES.replace("model Classes {", "model Classes {\n    precision f64;"));
    let path = folder.path();
    // Eight bytes for each of 4 by 8 numbers, not all of which an f32 could hold.
    let tensors = tensors(&path.join("parts.ckpt"));
    let numbers = tensors["h.dense.w"].chunks_exact(8).map(|c| f64::from_le_bytes(c.try_into().unwrap()));
    assert_eq!((numbers.len(), numbers.clone().all(|v| f64::from(v as f32) == v)), (32, false));
    // A checkpoint is of one precision.
    fs::write(path.join("c.gd"), CLASSES).unwrap();
    let words = ["train", "c.gd", "--data", "t.csv", "--validation-split", "0.2", "--resume", "parts.ckpt"];
    let (code, _, err) = gdc(path, &words);
    assert_eq!(code, 1);
    assert!(err.contains("precision: f64 then, f32 now"), "{err}");
}

/// Trains a model in one go and in parts, in a folder that is left.
fn interrupted(spec: &str) -> tempfile::TempDir {
    let folder = folder(&[("c.gd", spec), ("t.csv", &class_data(50))]);
    let path = folder.path();
    let common = ["train", "c.gd", "--data", "t.csv", "--validation-split", "0.2", "--keep-best", "-q"];
    let run = |more: &[&str]| {
        let (code, _, err) = gdc(path, &[&common, more].concat());
        assert_eq!(code, 0, "{err}");
    };
    run(&["--checkpoint", "whole.ckpt", "--weights", "whole.safetensors", "--history", "whole.csv"]);
    // Stopped after 7 epochs, and once more in the middle of a step limit.
    run(&["--checkpoint", "parts.ckpt", "--epochs", "7"]);
    run(&["--resume", "parts.ckpt", "--epochs", "12"]);
    run(&["--resume", "parts.ckpt", "--weights", "parts.safetensors", "--history", "parts.csv"]);
    assert_eq!(tensors(&path.join("whole.ckpt")), tensors(&path.join("parts.ckpt")));
    assert!(tensors(&path.join("parts.ckpt")).contains_key("best/h.dense.w"));
    assert!(tensors(&path.join("parts.ckpt")).contains_key("h.dense.w.m"));
    assert_eq!(tensors(&path.join("whole.safetensors")), tensors(&path.join("parts.safetensors")));
    let history = fs::read_to_string(path.join("whole.csv")).unwrap();
    assert_eq!(history, fs::read_to_string(path.join("parts.csv")).unwrap());
    assert_eq!(history.lines().count(), 21);
    assert!(history.starts_with("epoch,steps,loss,accuracy,validation_loss,validation_accuracy\n1,5,"), "{history}");
    // Checkpoints do not change what comes out.
    run(&["--weights", "plain.safetensors"]);
    assert_eq!(tensors(&path.join("whole.safetensors")), tensors(&path.join("plain.safetensors")));

    let wrong = |words: &[&str], part: &str| {
        let (code, _, err) = gdc(path, &[&common, words].concat());
        assert_eq!(code, 1);
        assert!(err.contains(part), "{err}");
    };
    wrong(&["--resume", "parts.ckpt", "--seed", "5"], "seed: 0 then, 5 now");
    wrong(&["--resume", "plain.safetensors"], "`h.dense.w.m: [4, 8]` is missing");
    folder
}

#[test]
fn it_stops_when_the_loss_gets_no_lower_and_keeps_the_best() {
    let folder = folder(&[("c.gd", CLASSES), ("t.csv", &class_data(60))]);
    let path = folder.path();
    // Labels that follow no rule: the validation loss rises while the training loss falls.
    let mut text = class_data(30);
    text = text.replace("\n0,", "\n9,").replace("\n1,", "\n0,").replace("\n9,", "\n1,");
    fs::write(path.join("v.csv"), &text).unwrap();
    let words = ["train", "c.gd", "--data", "t.csv", "--validation", "v.csv", "--patience", "3", "--out", "out"];
    let (code, out, err) = gdc(path, &words);
    assert_eq!(code, 0, "{err}");
    let history = fs::read_to_string(path.join("out/history.csv")).unwrap();
    let losses: Vec<f64> = history.lines().skip(1).map(|l| l.split(',').nth(4).unwrap().parse().unwrap()).collect();
    let best = (0..losses.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b])).unwrap();
    assert_eq!(losses.len(), best + 4, "{history}");
    assert!(losses.len() < 20 && out.lines().count() == losses.len(), "{out}");
    assert!(err.contains("stopped: the loss got no lower"), "{err}");
    assert!(err.contains(&format!("the weights are those of epoch {}", best + 1)), "{err}");
    assert!(err.contains("loss        ▁") || err.contains("█"), "{err}");
    let (_, json, _) =
        gdc(path, &["eval", "c.gd", "--weights", "out/weights.safetensors", "--data", "v.csv", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!((value["loss"].as_f64().unwrap() - losses[best]).abs() < 1e-6, "{json} {losses:?}");
}

#[test]
fn inputs_are_normalised_in_training_and_after() {
    let rows: String = (0..12).map(f64::from).map(|x| format!("{},{}\n", 1000.0 + 50.0 * x, 3.0 * x + 2.0)).collect();
    let folder = folder(&[("line.gd", LINE), ("line.csv", &format!("x,y\n{rows}"))]);
    let path = folder.path();
    // Without it, the numbers are far too large for this rate, which is said.
    let (code, _, err) = gdc(path, &["train", "line.gd", "--data", "line.csv", "--epochs", "30"]);
    assert_eq!(code, 0);
    assert!(err.contains("warning: the loss was no finite number at step"), "{err}");
    assert!(err.contains("the gradient of `w`"), "{err}");
    for weights in ["w.safetensors", "w.npz"] {
        let words = ["train", "line.gd", "--data", "line.csv", "--normalize", "x", "--weights", weights, "-q"];
        let (code, _, err) = gdc(path, &words);
        assert_eq!((code, err.as_str()), (0, ""));
        let (code, out, _) = gdc(path, &["predict", "line.gd", "--weights", weights, "--data", "line.csv"]);
        assert_eq!(code, 0);
        let last: f64 = out.lines().last().unwrap().parse().unwrap();
        assert!((last - 35.0).abs() < 1e-2, "{out}");
    }
    let (code, _, err) = gdc(path, &["train", "line.gd", "--data", "line.csv", "--normalize", "y"]);
    assert_eq!(code, 2);
    assert!(err.contains("is no input of real numbers"), "{err}");
    let (code, _, err) = gdc(path, &["train", "line.gd", "--data", "line.csv", "--validation-split", "2"]);
    assert_eq!(code, 2);
    assert!(err.contains("a number between 0 and 1"), "{err}");
}

/// Sums of four numbers, large ones by `scale`.
fn sums(scale: f64) -> String {
    let row = |i: usize| {
        let x: Vec<f64> = (0..4).map(|k| ((i * 37 + k * 11) % 17) as f64 / 8.0 - 1.0).collect();
        format!("{},{},{},{},{}\n", x[0], x[1], x[2], x[3], scale * x.iter().sum::<f64>())
    };
    std::iter::once("x_0,x_1,x_2,x_3,y\n".to_owned()).chain((0..64).map(row)).collect()
}

#[test]
fn gradients_that_explode_or_vanish_name_their_layers_and_others_none() {
    let model = |layers: &str, rate: &str| {
        format!(
            "model Deep {{ input x: [4]; target y: [1]; let h = x |> {layers}; let z = h |> dense(1); output p = z; \
             loss mean((z - y)^2); optimizer sgd(lr = {rate}); train {{ batch = 8; epochs = 2; }} }}"
        )
    };
    let stack: Vec<String> = (0..10).map(|i| format!("dense(8) as l{i} |> sigmoid")).collect();
    let (deep, wild) = (model(&stack.join(" |> "), "0.1"), model("dense(8) as first", "0.005"));
    let sound = model("batch_norm |> dense(8) as own |> tanh", "0.05").replace("train {", "freeze h.own.b; train {");
    let (small, large) = (sums(1.0), sums(1000.0));
    let folder = folder(&[
        ("deep.gd", deep.as_str()),
        ("wild.gd", wild.as_str()),
        ("sound.gd", sound.as_str()),
        ("small.csv", small.as_str()),
        ("large.csv", large.as_str()),
    ]);
    let said = |words: &[&str]| {
        let (code, _, err) = gdc(folder.path(), &[&["train", "-q"], words].concat());
        assert_eq!(code, 0, "{err}");
        err
    };
    let deep = said(&["deep.gd", "--data", "small.csv"]);
    assert!(deep.contains("`h.l0.w`") && deep.contains("vanishes") && !deep.contains("`z.dense.w`"), "{deep}");
    let wild = said(&["wild.gd", "--data", "large.csv"]);
    assert!(wild.contains("explodes") && wild.contains("`h.first.w`"), "{wild}");
    // Neither states nor what is frozen has a gradient that could vanish.
    assert_eq!(said(&["sound.gd", "--data", "small.csv"]), "");
}

/// A step that threads share is the same step: the numbers do not depend on them, with or without
/// `--threads`, which stands for what the spec could say.
#[test]
fn threads_change_no_bits() {
    let spec = CLASSES.replace("dense(8)", "dense(32)").replace("batch = 8; epochs = 20;", "batch = 32; epochs = 3;");
    let folder = folder(&[("c.gd", &spec), ("t.csv", &class_data(64))]);
    let path = folder.path();
    let trained = |threads: &[&str]| {
        let words = ["train", "c.gd", "--data", "t.csv", "--weights", "w.safetensors"];
        let (code, _, err) = gdc(path, &[&words, threads].concat());
        assert_eq!(code, 0, "{err}");
        (tensors(&path.join("w.safetensors")), err)
    };
    let (alone, _) = trained(&[]);
    let (shared, said) = trained(&["--threads", "2"]);
    assert!(!said.contains("one thread"), "{said}");
    assert_eq!(alone, shared);
    // The step is far too short, and that is said.
    let (short, said) = trained(&["--threads", "auto"]);
    assert!(said.contains("note: this model is trained on one thread: a step of about"), "{said}");
    assert_eq!(alone, short);
    let (code, _, err) = gdc(path, &["train", "c.gd", "--data", "t.csv", "--threads", "0"]);
    assert!(code == 2 && err.contains("`auto` or a number from 1 to 64 is needed"), "{err}");
}
