//! `gdc diff` and `gdc fmt` as a user runs them.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod common;

use common::{finish, gdc};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

const OLD: &str = "model Small {
    input  x: [3];
    target y: [1];
    let h = x |> dense(4) |> tanh;
    let z = h |> dense(1);
    output p = sigmoid(z);
    loss   mean(binary_cross_entropy(logits = z, y));
    optimizer sgd(lr = 0.5);
    train { batch = 8; epochs = 10; }
}
";

fn run(folder: &Path, program: &str, words: &[&str]) -> (i32, String, String) {
    let output = Command::new(program).current_dir(folder).args(words).output().unwrap();
    finish(output)
}

/// The comparison of a changed text with the old one.
fn diff(new: &str, format: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old.gd"), OLD).unwrap();
    fs::write(folder.path().join("new.gd"), new).unwrap();
    let (code, out, err) = gdc(folder.path(), &["diff", "old.gd", "new.gd", "--format", format]);
    assert_eq!(code, 0, "{err}");
    out
}

fn json_of(new: &str) -> Value {
    serde_json::from_str(&diff(new, "json")).unwrap()
}

#[test]
fn other_names_and_another_layout_are_the_same_function_by_structure() {
    let laid_out = OLD.replace("    let z", "\n    // the logits\n    let   z").replace("|> tanh", "\n        |> tanh");
    let text = diff(&laid_out, "text");
    assert!(text.contains("Same function: the graphs are equal in structure (proved). Nothing else changed"), "{text}");
    let renamed = OLD.replace("let h", "let hidden").replace("h |>", "hidden |>");
    let value = json_of(&renamed);
    assert_eq!(value["function"], json!({"same": true, "by": "structure"}));
    assert_eq!(value["same_update"], true);
    // Initial values are keyed by names.
    assert_eq!(value["same_initial_values"], false);
    let names: Vec<&str> = value["renamed"].as_array().unwrap().iter().map(|r| r["after"].as_str().unwrap()).collect();
    assert_eq!(names, ["hidden.dense.w", "hidden.dense.b"]);
}

#[test]
fn another_way_to_write_it_is_the_same_function_by_evaluation() {
    let new = OLD.replace("sigmoid(z)", "0.5 + 0.5 * tanh(z / 2)");
    let value = json_of(&new);
    assert_eq!(value["function"]["same"], true, "{value}");
    assert_eq!(value["function"]["by"], "evaluation");
    assert!(value["function"]["largest_relative_difference"].as_f64().unwrap() < 1e-9);
    assert!(diff(&new, "text").contains("this is no proof"));
}

#[test]
fn a_changed_model_shows_layers_cost_equations_and_settings() {
    let new = OLD.replace("dense(4) |> tanh", "dense(6) |> sigmoid").replace("epochs = 10", "epochs = 20");
    let text = diff(&new, "text");
    assert!(text.contains("Different function: parameter `h.dense.w` [3, 4] is now [3, 6]"), "{text}");
    assert!(text.contains("h.dense  layer [4], 16 parameters  layer [6], 24 parameters"), "{text}");
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("parameters 21 31 +47.6 %"), "{text}");
    assert!(text.contains("epochs  10      20"), "{text}");
    assert!(text.contains("  - h⁽ᵇ⁾ᵢ = tanh(h.z⁽ᵇ⁾ᵢ + h.bᵢ)\n  + h⁽ᵇ⁾ᵢ = σ(h.z⁽ᵇ⁾ᵢ + h.bᵢ)"), "{text}");
    assert!(text.contains("  - ∂L/∂h.z⁽ᵇ⁾ᵢ = "), "{text}");
    let markdown = diff(&new, "markdown");
    assert!(markdown.contains("| `epochs` | 10 | 20 |"), "{markdown}");
    assert!(markdown.contains("| `h⁽ᵇ⁾ᵢ = tanh(h.z⁽ᵇ⁾ᵢ + h.bᵢ)` | `h⁽ᵇ⁾ᵢ = σ("), "{markdown}");
    let only_rate = json_of(&OLD.replace("lr = 0.5", "lr = 0.25"));
    assert_eq!(only_rate["function"]["by"], "structure");
    assert_eq!(only_rate["same_update"], false);
    let scaled = json_of(&OLD.replace("sigmoid(z)", "sigmoid(2 * z)"));
    assert_eq!(scaled["function"]["same"], false);
    assert!(scaled["function"]["how"][0].as_str().unwrap().starts_with("`p` differs by up to"), "{scaled}");
}

#[test]
fn revisions_of_a_repository_are_compared_with_their_imports() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let git = |words: &[&str]| {
        let fixed = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
        let (code, _, err) = run(path, "git", &[&fixed, words].concat());
        assert_eq!(code, 0, "{err}");
    };
    fs::create_dir(path.join("m")).unwrap();
    fs::write(path.join("parts.gd"), "fn squash(z) = tanh(z);\n").unwrap();
    let importing = format!("import \"../parts.gd\";\n{}", OLD.replace("|> tanh", "|> squash"));
    fs::write(path.join("m/a.gd"), &importing).unwrap();
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "one"]);
    // The imported file changes in the working folder only.
    fs::write(path.join("parts.gd"), "fn squash(z) = sigmoid(z);\n").unwrap();
    let (code, out, err) = gdc(path, &["diff", "HEAD:m/a.gd", "m/a.gd"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("Different function") && out.contains("tanh(h.z") && out.contains("σ(h.z"), "{out}");
    let (_, out, _) = gdc(&path.join("m"), &["diff", "HEAD:a.gd", "HEAD:m/a.gd"]);
    assert!(out.contains("Same function: the graphs are equal"), "{out}");
    let (code, _, err) = gdc(path, &["diff", "HEAD:none.gd", "m/a.gd"]);
    assert_eq!(code, 1);
    assert!(err.contains("cannot read HEAD:none.gd"), "{err}");
}

#[test]
fn files_and_folders_are_formatted_or_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("sub")).unwrap();
    fs::write(path.join("a.gd"), OLD).unwrap();
    fs::write(path.join("sub/b.gd"), OLD.replace("    let h = x", "  let h=x")).unwrap();
    let (code, _, err) = gdc(path, &["fmt", "--check", "."]);
    assert_eq!(code, 1);
    assert!(err.contains("b.gd is not formatted") && err.contains("+    let h = x |> dense(4) |> tanh;"), "{err}");
    assert!(err.contains("help: gdc fmt ") && !err.contains("a.gd is not"), "{err}");
    let (code, _, err) = gdc(path, &["fmt", "."]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(fs::read_to_string(path.join("sub/b.gd")).unwrap(), OLD);
    assert_eq!(gdc(path, &["fmt", "--check", "."]).0, 0);
    fs::write(path.join("bad.gd"), "model M { let = ; }").unwrap();
    let (code, _, err) = gdc(path, &["fmt", "bad.gd"]);
    assert_eq!(code, 1);
    assert!(err.contains("error[E"), "{err}");
    assert_eq!(fs::read_to_string(path.join("bad.gd")).unwrap(), "model M { let = ; }");
}
