//! Generated code on other machines than this one: WebAssembly in Node.js, 64-bit ARM in QEMU, and
//! every instruction set of this machine, held to each other number by number.
//!
//! Where multiplications and additions are fused, all bits are the same, and so they are where they
//! are not. What is not here is skipped, unless `GDC_TARGETS` is `all`: the targets come by
//! `rustup target add`, the programs as Node.js and QEMU's user mode.

#![allow(clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const MODELS: [(&str, &str); 4] = [
    ("dense", include_str!("targets/dense.gd")),
    ("image", include_str!("targets/image.gd")),
    ("words", include_str!("targets/words.gd")),
    ("double", include_str!("targets/double.gd")),
];
/// So many steps are trained.
const STEPS: &str = "12";

/// What runs where no level is of this machine.
struct Elsewhere {
    level: &'static str,
    target: &'static str,
    flags: &'static str,
    /// What can run it; the same with what shows that it is there.
    runner: &'static str,
}

const ELSEWHERE: [Elsewhere; 3] = [
    Elsewhere { level: "scalar", target: "wasm32-unknown-unknown", flags: "", runner: "node" },
    Elsewhere {
        level: "simd128",
        target: "wasm32-unknown-unknown",
        flags: "-Ctarget-feature=+simd128",
        runner: "node",
    },
    Elsewhere {
        level: "neon",
        target: "aarch64-unknown-linux-musl",
        flags: "-Clinker=rust-lld",
        runner: "qemu-aarch64",
    },
];

/// By level and model, all numbers.
type Told = BTreeMap<(String, String), Vec<f64>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent").to_owned()
}

/// A package with the code of all models and the harness, which needs the runtime and nothing else.
fn package() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("targets");
    fs::create_dir_all(folder.join("src")).expect("a folder");
    // What speaks of the whole file stands first.
    let mut lib = include_str!("targets/harness.rs").to_owned();
    for (name, text) in MODELS {
        let source = gdc_driver::Source { name: format!("{name}.gd"), text: text.to_owned(), folder: None };
        let Ok(output) = gdc_driver::compile(&source, &gdc_driver::Options::default()) else {
            panic!("{name}.gd does not compile")
        };
        lib.push_str(&format!("#[allow(warnings)]\nmod {name} {{ {} }}\n", output.tokens));
    }
    let gdc = root().join("crates/gdc");
    let manifest = format!(
        "[package]\nname = \"targets\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\n\
         [dependencies]\ngdc = {{ path = {gdc:?}, default-features = false, features = [\"std\"] }}\n\n\
         [profile.dev]\nopt-level = 1\ndebug = false\ndebug-assertions = false\nincremental = false\n\n[workspace]\n"
    );
    let steps = format!("fn main() {{ targets::tell_all({STEPS}); }}\n");
    for (name, text) in [("Cargo.toml", manifest), ("src/lib.rs", lib), ("src/main.rs", steps)] {
        // What is the same is not built again.
        if fs::read_to_string(folder.join(name)).ok().as_deref() != Some(text.as_str()) {
            fs::write(folder.join(name), text).expect("written");
        }
    }
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).expect("the versions that were tested");
    folder
}

fn output(command: &mut Command) -> String {
    let done = command.output().expect("it can be started");
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// Builds the package; where the results are.
fn build(folder: &Path, target: Option<&str>, flags: &str) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(folder).args(["build", "--offline", "--quiet", "--target-dir", "target"]);
    cargo.env_remove("CARGO_ENCODED_RUSTFLAGS").env("RUSTFLAGS", flags);
    if let Some(target) = target {
        cargo.args(["--target", target]);
        cargo.arg(if target.starts_with("wasm") { "--lib" } else { "--bin=targets" });
    }
    output(&mut cargo);
    folder.join("target").join(target.unwrap_or_default()).join("debug")
}

/// The lines of a run.
fn parse(text: &str, told: &mut Told) {
    for line in text.lines() {
        let mut words = line.split(' ').map(str::to_owned);
        let (Some(level), Some(model)) = (words.next(), words.next()) else { panic!("{line}") };
        let number = |word: String| f64::from_bits(u64::from_str_radix(&word, 16).expect("bits"));
        told.insert((level, model), words.map(number).collect());
    }
}

/// Why something cannot be run here.
fn missing(elsewhere: &Elsewhere) -> Option<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    let library = output(Command::new(rustc).args(["--print", "target-libdir", "--target", elsewhere.target]));
    if !Path::new(library.trim()).is_dir() {
        return Some(format!("rustup target add {}", elsewhere.target));
    }
    let runs = Command::new(elsewhere.runner).arg("--version").output().is_ok_and(|done| done.status.success());
    (!runs).then(|| format!("there is no {}", elsewhere.runner))
}

fn told() -> Told {
    let (folder, mut told) = (package(), Told::new());
    parse(&output(&mut Command::new(build(&folder, None, "").join("targets"))), &mut told);
    for elsewhere in &ELSEWHERE {
        if let Some(why) = missing(elsewhere) {
            assert!(std::env::var("GDC_TARGETS").as_deref() != Ok("all"), "{why}");
            println!("not tested: {} ({why})", elsewhere.level);
            continue;
        }
        let built = build(&folder, Some(elsewhere.target), elsewhere.flags);
        let mut run = Command::new(elsewhere.runner);
        if elsewhere.runner == "node" {
            run.arg(root().join("tests/tests/targets/run.mjs")).arg(built.join("targets.wasm"));
            run.args([elsewhere.level, STEPS]);
        } else {
            run.arg(built.join("targets"));
        }
        parse(&output(&mut run), &mut told);
    }
    told
}

/// How far two runs lie apart, in parts of the largest number.
fn apart(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().chain(b).all(|x| x.is_finite()));
    let largest = a.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / largest
}

/// Whether a level multiplies and adds with one rounding.
fn fused(level: &str) -> bool {
    matches!(level, "avx512" | "avx2" | "neon")
}

#[test]
fn every_machine_computes_the_same() {
    let told = told();
    for ((level, model), numbers) in &told {
        for ((other, _), others) in told.iter().filter(|((other, m), _)| m == model && other > level) {
            let (apart, model) = (apart(numbers, others), MODELS[model.parse::<usize>().expect("a number")].0);
            println!("{model}: {level} and {other} are {apart:.1e} apart");
            if model == "double" || fused(level) == fused(other) {
                assert!(apart == 0.0, "{model}: {level} and {other} are {apart:e} apart");
            } else {
                assert!(apart < 2e-6, "{model}: {level} and {other} are {apart:e} apart");
            }
        }
    }
}
