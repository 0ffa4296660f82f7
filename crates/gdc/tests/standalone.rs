//! The runtime's text compiles as part of a file that needs nothing but
//! `core`, under the strictest settings, whichever sections are taken.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

use std::path::Path;
use std::process::Command;

#[path = "../../gdc-codegen/runtime/sections.rs"]
mod sections;

/// Compiles `text` as a library and returns rustc's complaints.
fn complaints(folder: &Path, name: &str, text: &str) -> String {
    let source = folder.join(name).with_extension("rs");
    std::fs::write(&source, text).unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    let done = Command::new(rustc)
        .args(["--edition", "2021", "--crate-type", "lib", "--emit", "metadata", "--out-dir"])
        .arg(folder)
        .arg(&source)
        .output()
        .unwrap();
    String::from_utf8_lossy(&done.stderr).into_owned()
}

#[test]
fn every_subset_compiles_without_warnings() {
    let folder = std::env::temp_dir().join(format!("gdc-standalone-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let hosted = |name: &&str| sections::HOSTED.iter().any(|(instead, _)| instead == name);
    let bare = || sections::SECTIONS.iter().map(|s| s.name).filter(|name| !hosted(name));
    let mut subsets: Vec<Vec<&str>> = bare().map(|name| vec![name]).collect();
    subsets.push(bare().collect());
    subsets.push(vec![]);
    // For programs with `std`.
    subsets.push(sections::SECTIONS.iter().map(|s| s.name).collect());
    for (i, subset) in subsets.iter().enumerate() {
        // Threads take what lives longer than the compiler can see.
        let library = match subset.iter().any(hosted) {
            true => "#![deny(unsafe_code)]\n",
            false => "#![no_std]\n#![forbid(unsafe_code)]\n",
        };
        let text = format!("{library}#![no_implicit_prelude]\n#![deny(warnings)]\n{}", sections::module(subset));
        let said = complaints(&folder, &format!("subset{i}"), &text);
        assert!(said.is_empty(), "sections {subset:?}:\n{said}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
