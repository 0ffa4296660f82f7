//! `gdc new`, `gdc completions`, `gdc man` and the help texts as a user meets them.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod common;

use common::{CACHE, gdc};
use std::path::Path;
use std::process::Command;

#[test]
fn a_new_project_trains_is_up_to_date_builds_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = gdc(folder.path(), &["new", "demo"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("cd demo"), "{out}");
    let project = folder.path().join("demo");
    let check = ["compile", "model.gd", "--stand-alone", "--out", "src/model.rs", "--check"];
    assert_eq!(gdc(&project, &check), (0, String::new(), String::new()));
    assert_eq!(gdc(&project, &["fmt", "--check", "."]).0, 0);
    let train = ["train", "model.gd", "--data", "data.csv", "--out", "run", "-q", "--cache", CACHE];
    let (code, out, err) = gdc(&project, &train);
    assert_eq!(code, 0, "{err}");
    let accuracy: f64 = out.trim().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(accuracy > 0.9, "{out}");
    let built = Command::new(env!("CARGO"))
        .args(["run", "-q", "--offline"])
        .current_dir(&project)
        .env("CARGO_TARGET_DIR", folder.path().join("target"))
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&built.stdout), String::from_utf8_lossy(&built.stderr));
    assert!(built.status.success(), "{err}");
    assert_eq!(err, "", "warnings");
    let score = out.lines().find_map(|l| l.strip_prefix("accuracy ")).unwrap();
    assert!(score.parse::<f64>().unwrap() > 0.9, "{out}");

    let (code, _, err) = gdc(folder.path(), &["new", "demo"]);
    assert_eq!(code, 1);
    assert!(err.contains("demo exists already"), "{err}");
    let (code, _, err) = gdc(folder.path(), &["new", "1 bad"]);
    assert_eq!(code, 2);
    assert!(err.contains("cannot name a package"), "{err}");
}

#[test]
fn completions_and_manual_pages_know_all_commands() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, out, _) = gdc(folder.path(), &["completions", shell]);
        assert_eq!(code, 0);
        assert!(out.contains("explain") && out.contains("validation-split"), "{shell}");
    }
    let (code, out, _) = gdc(folder.path(), &["man"]);
    assert_eq!(code, 0);
    assert!(out.starts_with(".ie") || out.contains(".TH gdc 1"), "{out}");
    assert_eq!(gdc(folder.path(), &["man", "--out", "man1"]).0, 0);
    let page = std::fs::read_to_string(folder.path().join("man1/gdc-train.1")).unwrap();
    assert!(page.contains("gdc\\-train") && page.contains("patience"), "{page}");
}

#[test]
fn every_command_has_help_with_examples() {
    let here = Path::new(".");
    let (_, out, _) = gdc(here, &["--help"]);
    let commands: Vec<&str> = out
        .lines()
        .skip_while(|l| *l != "Commands:")
        .skip(1)
        .take_while(|l| !l.is_empty())
        .filter_map(|l| l.strip_prefix("  ")?.split_whitespace().next())
        .filter(|c| *c != "help")
        .collect();
    assert!(commands.len() >= 14, "{commands:?}");
    for command in commands {
        let (code, out, _) = gdc(here, &[command, "--help"]);
        assert_eq!(code, 0);
        assert!(out.contains("Examples:") && out.contains(&format!("  gdc {command}")), "{command}: {out}");
    }
}

#[test]
fn no_colour_reaches_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.gd"), "model M { let = ; }").unwrap();
    let (_, _, err) = gdc(folder.path(), &["check", "bad.gd"]);
    assert!(err.contains("error[") && !err.contains('\u{1b}'), "{err}");
}
