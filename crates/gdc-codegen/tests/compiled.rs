//! Generated text, compiled under the strictest settings, checked by clippy, and run.
#![allow(clippy::unwrap_used)]

mod models;

use gdc_codegen::{Options, Runtime, generate, header, print};
use gdc_ir::program::Programs;
use std::path::Path;
use std::process::Command;

fn text(programs: &Programs, runtime: Runtime) -> String {
    let origin = |loc: gdc_ir::graph::Loc| Some(format!("model.gd:{}", loc.1));
    let tokens = generate(programs, &Options { runtime, origin: &origin });
    print(tokens, &header(programs, "model.gd")).unwrap()
}

const MANIFEST: &str = r#"
[package]
name = "strict"
version = "0.0.0"
edition = "2021"

[dependencies]
gdc = { path = "gdc" }

[profile.dev]
debug = false

[workspace]
"#;

/// The runtime alone: crate `gdc` without its macro, which would build the whole compiler.
const RUNTIME_MANIFEST: &str = r#"
[package]
name = "gdc"
version = "0.0.0"
edition = "2024"

[lib]
path = "lib.rs"

[dependencies]
fearless_simd = { version = "1.2", features = ["std"] }

[features]
default = ["std", "alloc"]
std = []
alloc = []
"#;

/// A project that depends on crate `gdc`, kept between runs for its build.
fn write(folder: &Path) {
    let source = folder.join("src");
    std::fs::create_dir_all(&source).unwrap();
    std::fs::create_dir_all(folder.join("gdc")).unwrap();
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gdc/src/rt/mod.rs");
    let file = |name: &str, text: &str| {
        if std::fs::read_to_string(folder.join(name)).ok().as_deref() != Some(text) {
            std::fs::write(folder.join(name), text).unwrap();
        }
    };
    file("Cargo.toml", MANIFEST);
    file("gdc/Cargo.toml", RUNTIME_MANIFEST);
    file("gdc/lib.rs", &format!("//! The runtime.\nextern crate alloc;\n#[path = {runtime:?}]\npub mod rt;\n"));
    let quadratic = text(&models::quadratic(), Runtime::Crate);
    file("src/quadratic.rs", &quadratic);
    for (name, programs) in [
        ("classifier", models::classifier()),
        ("double", models::double()),
        ("strange", models::strange()),
        ("large", models::large()),
        ("single", models::single()),
    ] {
        file(&format!("src/{name}.rs"), &text(&programs, Runtime::Crate));
    }
    file("src/small.rs", &text(&models::quadratic(), Runtime::StandAlone));
    file("src/alone.rs", &text(&models::classifier(), Runtime::StandAlone));
    file("src/lib.rs", &include_str!("strict/lib.rs").replace("//@quadratic", &quadratic));
    file("src/main.rs", include_str!("strict/run.rs"));
}

fn cargo(folder: &Path, arguments: &[&str]) {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo {arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn generated_code_compiles_without_warnings_and_computes_what_it_should() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("strict");
    write(&folder);
    cargo(&folder, &["run", "--quiet", "--offline"]);
    cargo(&folder, &["clippy", "--quiet", "--offline", "--lib", "--", "-D", "warnings"]);
}

#[test]
fn the_same_program_gives_the_same_text() {
    let programs = models::classifier();
    assert_eq!(text(&programs, Runtime::Crate), text(&programs, Runtime::Crate));
}
