//! The steps of `action.yml` and the hook of `docs/review.md`, run as they are written.

#![allow(clippy::unwrap_used, reason = "tests may panic")]
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const GDC: &str = env!("CARGO_BIN_EXE_gdc");

const LINE: &str = "model Line {
    input  x: [];
    target y: [];
    param w = 0.0;
    output y_hat = w * x;
    loss   (y_hat - y)^2 / 2;
    optimizer sgd(lr = 0.5);
    train { batch = 4; }
}
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Names and scripts of the steps that begin with `run: |`.
fn steps() -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join("action.yml")).unwrap();
    let mut found = Vec::new();
    let mut name = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.trim().strip_prefix("- name: ") {
            name = rest.to_owned();
        }
        if line.trim() == "run: |" {
            let mut script = String::new();
            while let Some(line) = lines.next_if(|l| l.starts_with("        ") || l.is_empty()) {
                script.push_str(line.strip_prefix("        ").unwrap_or(""));
                script.push('\n');
            }
            found.push((name.clone(), script));
        }
    }
    assert_eq!(found.len(), 3, "{found:?}");
    found
}

fn git(path: &Path, words: &[&str]) -> bool {
    let fixed = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
    Command::new("git").current_dir(path).args(fixed).args(words).env("GDC", GDC).output().unwrap().status.success()
}

/// A repository with a spec and its Rust, committed.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("specs")).unwrap();
    fs::write(path.join("specs/line.gd"), LINE).unwrap();
    fs::write(path.join("specs/old.gd"), LINE).unwrap();
    generate(path, "specs/line.gd");
    generate(path, "specs/old.gd");
    assert!(git(path, &["init", "-q"]) && git(path, &["add", "."]) && git(path, &["commit", "-qm", "one"]));
    folder
}

fn generate(path: &Path, spec: &str) {
    assert!(Command::new(GDC).current_dir(path).args(["compile", spec]).status().unwrap().success());
}

/// Runs a step as a runner does; whether it succeeded, and what it said.
fn step(path: &Path, script: &str) -> (bool, String) {
    let output = Command::new("bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
        .current_dir(path)
        .envs([("GDC", GDC), ("SPECS", "specs"), ("BASE", ""), ("OPTIONS", "")])
        .env("GITHUB_STEP_SUMMARY", path.join("summary.md"))
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_action_summarises_changes_and_fails_on_stale_code() {
    let folder = repository();
    let path = folder.path();
    let new = LINE.replace("param w = 0.0;", "param w = 0.0;\n    param b = 0.0;").replace("w * x;", "w * x + b;");
    fs::write(path.join("specs/line.gd"), &new).unwrap();
    fs::write(path.join("specs/more.gd"), LINE).unwrap();
    fs::remove_file(path.join("specs/old.gd")).unwrap();
    assert!(git(path, &["add", "-A"]) && git(path, &["commit", "-qm", "two"]));
    let steps = steps();
    let (ok, err) = step(path, &steps[0].1);
    assert!(ok, "{err}");
    let summary = fs::read_to_string(path.join("summary.md")).unwrap();
    assert!(summary.contains("### `HEAD~1:specs/line.gd` → `HEAD:specs/line.gd`"), "{summary}");
    assert!(
        summary.contains("Different function: parameter `b` [] is new")
            && summary.contains("| parameters | 1 | 2 | +100.0 % |"),
        "{summary}"
    );
    assert!(
        summary.contains("### `specs/more.gd` is new") && summary.contains("### `specs/old.gd` is gone"),
        "{summary}"
    );
    let (ok, err) = step(path, &steps[1].1);
    assert!(ok, "{err}");
    let (ok, err) = step(path, &steps[2].1);
    assert!(
        !ok && err.contains("line.rs is not what specs/line.gd compiles to") && err.contains("more.rs is missing"),
        "{err}"
    );
    generate(path, "specs/line.gd");
    generate(path, "specs/more.gd");
    let (ok, err) = step(path, &steps[2].1);
    assert!(ok, "{err}");
    fs::write(path.join("specs/line.gd"), new.replace("param b", "  param  b")).unwrap();
    let (ok, err) = step(path, &steps[1].1);
    assert!(!ok && err.contains("line.gd is not formatted"), "{err}");
}

#[test]
fn the_documented_hook_stops_a_commit_of_stale_code() {
    let folder = repository();
    let path = folder.path();
    let page = fs::read_to_string(root().join("docs/review.md")).unwrap();
    let hook = page.split("```bash\n").nth(1).unwrap().split("```").next().unwrap();
    let file = path.join(".git/hooks/pre-commit");
    fs::write(&file, hook).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(path.join("specs/line.gd"), LINE.replace("0.5", "0.25")).unwrap();
    git(path, &["add", "-A"]);
    assert!(!git(path, &["commit", "-qm", "stale"]));
    generate(path, "specs/line.gd");
    git(path, &["add", "-A"]);
    assert!(git(path, &["commit", "-qm", "fresh"]));
}

#[test]
fn hooks_for_pre_commit_call_commands_that_exist() {
    let text = fs::read_to_string(root().join(".pre-commit-hooks.yaml")).unwrap();
    let entries: Vec<&str> = text.lines().filter_map(|l| l.trim().strip_prefix("entry: gdc ")).collect();
    assert_eq!(entries, ["fmt --check", "compile --check"]);
    let folder = repository();
    for entry in entries {
        let mut command = Command::new(GDC);
        let ran = command.current_dir(folder.path()).args(entry.split(' ')).arg("specs/line.gd").status().unwrap();
        assert!(ran.success());
    }
}
