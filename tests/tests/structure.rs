//! The inner loops of reference specs: that they are still made of vectors held in registers.
//!
//! Generated code that loses this shape computes the same, up to 60 times slower, and no other
//! test notices. So the specs are compiled to assembly as a user's release build does, and their
//! innermost loops are looked at: for AVX-512, loops of packed fused multiply-adds that store
//! nothing; for AVX2, where tiles as wide do not fit the registers, loops of packed ones that may.
#![allow(clippy::expect_used, clippy::panic)]

use gdc_driver::{Options, Source, compile};
use gdc_tests::repository;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A spec of `bench/specs`, and what its code must have.
struct Wanted {
    spec: &'static str,
    /// At least as many tiles for AVX-512: about one for each product, forward and backward.
    avx512: usize,
    /// And as many loops of packed multiply-adds for AVX2.
    avx2: usize,
    /// At most as many innermost loops of arithmetic on single numbers, for all instruction sets
    /// together: the logarithm of each sample's loss is one, for each of them.
    scalar: usize,
}

const WANTED: [Wanted; 4] = [
    Wanted { spec: "digits", avx512: 4, avx2: 4, scalar: 6 },
    Wanted { spec: "mlp_784_128_10", avx512: 4, avx2: 4, scalar: 6 },
    Wanted { spec: "lenet", avx512: 12, avx2: 12, scalar: 9 },
    Wanted { spec: "lstm", avx512: 10, avx2: 8, scalar: 12 },
];

#[test]
fn hot_loops_of_reference_specs_are_made_of_vectors() {
    let Some(project) = Project::new() else { return };
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let half = |wanted: &'static [Wanted]| {
            let project = &project;
            scope.spawn(move || {
                let all = wanted.iter().map(|w| judge(w, &Loops::of(&project.assembly(w.spec, &generated(w.spec)))));
                all.filter_map(Result::err).collect::<Vec<String>>()
            })
        };
        let (first, second) = (half(&WANTED[..3]), half(&WANTED[3..]));
        first.join().into_iter().chain(second.join()).flatten().collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn loops_that_lost_their_vectors_are_noticed() {
    let Some(project) = Project::new() else { return };
    let wanted = &WANTED[0];
    let text = generated(wanted.spec);
    // Each lane by itself, as where the compiler gives up on a loop.
    let scalar = broken(&text, "F32x16::from_fn(simd, |i| black_box(a[i]) * b[i] + c[i])");
    let found = Loops::of(&project.assembly("scalar", &scalar));
    assert!(judge(wanted, &found).is_err(), "{found:?}");
    // What is added up lies in memory, as where a tile is larger than the registers.
    let stored = broken(&text, "*black_box(&rt::mul_add(x, y, z))");
    let found = Loops::of(&project.assembly("stored", &stored));
    assert!(judge(wanted, &found).is_err_and(|why| why.contains("AVX-512")), "{found:?}");
}

/// Whether the loops found are those wanted.
fn judge(wanted: &Wanted, found: &Loops) -> Result<(), String> {
    let spec = wanted.spec;
    let mut wrong = Vec::new();
    if found.avx512 < wanted.avx512 {
        wrong.push(format!("{spec}: {} tiles for AVX-512, at least {} wanted", found.avx512, wanted.avx512));
    }
    if found.avx2 < wanted.avx2 {
        wrong.push(format!("{spec}: {} loops of vectors for AVX2, at least {} wanted", found.avx2, wanted.avx2));
    }
    if found.scalar > wanted.scalar {
        wrong.push(format!("{spec}: {} loops without vectors, at most {} wanted", found.scalar, wanted.scalar));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// The generated file of a spec.
fn generated(spec: &str) -> String {
    let name = format!("{spec}.gd");
    let text = fs::read_to_string(repository(&format!("bench/specs/{name}"))).expect(spec);
    let source = Source { name: name.clone(), text, folder: None };
    let output = compile(&source, &Options::default()).unwrap_or_else(|_| panic!("{spec} is right"));
    gdc_codegen::print(output.tokens, &gdc_codegen::header(&output.programs, &name)).expect("tokens are items")
}

/// The text with an expression of `x`, `y` and `z`, or of their lanes `a`, `b` and `c`, in place of
/// every fused multiply-add.
fn broken(text: &str, instead: &str) -> String {
    let function = format!(
        "#[allow(unused_variables, unused_imports)]\n#[inline(always)]\n\
         fn instead<S: gdc::rt::Simd>(simd: S, x: gdc::rt::F32x16<S>, y: gdc::rt::F32x16<S>, z: gdc::rt::F32x16<S>)\n\
             -> gdc::rt::F32x16<S> {{\n\
             use core::hint::black_box;\n\
             use gdc::rt::{{self, F32x16}};\n\
             let (a, b, c) = (x.to_array(), y.to_array(), z.to_array());\n\
             {instead}\n\
         }}\n"
    );
    let text = text.replace("rt::mul_add(", "super::instead(simd, ");
    assert!(text.contains("super::instead("), "there are fused multiply-adds");
    text + &function
}

/// Where specs are compiled, beside the runtime.
struct Project {
    folder: PathBuf,
    runtime: PathBuf,
}

/// The runtime alone: crate `gdc` without its macro, which would build the whole compiler. What
/// counts is compiled with the specs, so how this is compiled does not matter.
const MANIFEST: &str = r#"
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

[profile.dev]
debug = false

[workspace]
"#;

impl Project {
    /// Builds the runtime, or nothing where there are no such instruction sets.
    fn new() -> Option<Project> {
        if !cfg!(target_arch = "x86_64") {
            println!("skipped: the instructions looked for are those of x86-64");
            return None;
        }
        // Tests run side by side, each in its own process or thread.
        static BUILT: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let _guard = BUILT.lock();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("structure");
        fs::create_dir_all(&folder).expect("a folder for tests");
        let runtime = repository("crates/gdc/src/rt/mod.rs");
        let library = format!("//! The runtime.\nextern crate alloc;\n#[path = {runtime:?}]\npub mod rt;\n");
        for (name, text) in [("Cargo.toml", MANIFEST), ("lib.rs", &library)] {
            let file = folder.join(name);
            if fs::read_to_string(&file).ok().as_deref() != Some(text) {
                fs::write(&file, text).expect("a file for tests");
            }
        }
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--offline"])
            .current_dir(&folder)
            .env("CARGO_TARGET_DIR", folder.join("target"))
            .env_remove("RUSTFLAGS")
            .output()
            .expect("cargo runs");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let runtime = folder.join("target/debug/libgdc.rlib");
        Some(Project { folder, runtime })
    }

    /// The assembly of a generated file, as a release build compiles it.
    fn assembly(&self, name: &str, text: &str) -> String {
        let (source, result) = (self.folder.join(format!("{name}.rs")), self.folder.join(format!("{name}.s")));
        fs::write(&source, text).expect("a file for tests");
        let done = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
            .args(["--edition", "2021", "--crate-type", "lib", "--crate-name", "spec", "--cap-lints", "allow"])
            .args(["-C", "opt-level=3", "-C", "codegen-units=1", "--emit", "asm"])
            .arg("-L")
            .arg(self.folder.join("target/debug/deps"))
            .arg("--extern")
            .arg(format!("gdc={}", self.runtime.display()))
            .arg("-o")
            .arg(&result)
            .arg(&source)
            .output()
            .expect("rustc runs");
        assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
        fs::read_to_string(&result).expect("assembly")
    }
}

/// The innermost loops of some code, by what they are made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Loops {
    /// Tiles in registers of AVX-512: [`WORTH`] packed fused multiply-adds, and nothing stored.
    avx512: usize,
    /// As many packed ones of AVX2.
    avx2: usize,
    /// As many operations on single numbers.
    scalar: usize,
}

/// How many operations make a loop one that counts: as many multiply-adds are under way at once.
const WORTH: usize = 8;

impl Loops {
    /// Of assembly as rustc writes it for x86-64.
    fn of(assembly: &str) -> Loops {
        let mut found = Loops::default();
        let mut function: Vec<Line> = Vec::new();
        for line in assembly.lines().map(Line::of) {
            match line {
                Line::Function => {
                    found.add(&function);
                    function.clear();
                }
                Line::Nothing => {}
                line => function.push(line),
            }
        }
        found.add(&function);
        found
    }

    fn add(&mut self, function: &[Line<'_>]) {
        for body in innermost(function) {
            let count = |wanted: &dyn Fn(&str, &str) -> bool| {
                body.iter().filter(|line| matches!(line, Line::Instruction(name, on) if wanted(name, on))).count()
            };
            let packed = |register| {
                count(&|name, on| name.starts_with("vfmadd") && name.ends_with("ps") && on.contains(register))
            };
            let stores = count(&|name, on| {
                name.contains("mov") && on.starts_with('%') && on.contains("mm") && on.ends_with(')')
            });
            let single = count(&|name, _| {
                name.ends_with("ss") && ["add", "sub", "mul", "div"].iter().any(|op| name.contains(op))
            });
            self.avx512 += usize::from(packed("%zmm") >= WORTH && stores == 0 && single == 0);
            self.avx2 += usize::from(packed("%zmm") == 0 && packed("%ymm") >= WORTH && single == 0);
            self.scalar += usize::from(single >= WORTH);
        }
    }
}

/// A line of assembly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Line<'a> {
    /// The name of a function.
    Function,
    /// A place inside of one, by its name.
    Label(&'a str),
    /// An instruction and what it works on.
    Instruction(&'a str, &'a str),
    /// A directive, a comment, or nothing.
    Nothing,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Line<'a> {
        let text = line.split('#').next().unwrap_or("").trim_end();
        if let Some(label) = text.strip_suffix(':') {
            return if label.starts_with(".L") { Line::Label(label) } else { Line::Function };
        }
        let instruction = text.strip_prefix('\t').filter(|rest| !rest.starts_with('.') && !rest.is_empty());
        match instruction {
            Some(rest) => {
                let (name, on) = rest.split_once('\t').unwrap_or((rest, ""));
                Line::Instruction(name, on)
            }
            None => Line::Nothing,
        }
    }
}

/// The bodies of a function's loops that have no loop inside: what lies between a label and a
/// jump back to it.
fn innermost<'f, 'a>(function: &'f [Line<'a>]) -> Vec<&'f [Line<'a>]> {
    let place = |label: &str| function.iter().position(|line| *line == Line::Label(label));
    let loops: Vec<(usize, usize)> = function
        .iter()
        .enumerate()
        .filter_map(|(end, line)| match line {
            Line::Instruction(name, to) if name.starts_with('j') => {
                place(to).filter(|start| *start < end).map(|s| (s, end))
            }
            _ => None,
        })
        .collect();
    let within = |&(a, b): &(usize, usize), &(c, d): &(usize, usize)| c <= a && b <= d && (a, b) != (c, d);
    let inner = loops.iter().filter(|one| !loops.iter().any(|other| within(other, one)));
    inner.map(|&(start, end)| &function[start..=end]).collect()
}

#[test]
fn loops_are_told_apart() {
    let body = |instruction: &str| format!("\t{instruction}\n").repeat(WORTH);
    let looped = |body: &str| format!("f:\n.L1:\n.L2:\n{body}\tjne\t.L2\n\tjne\t.L1\n\tretq\n");
    let of = |body: &str| Loops::of(&looped(body));
    let tile = body("vfmadd231ps\t%zmm1, %zmm2, %zmm3");
    assert_eq!(of(&tile), Loops { avx512: 1, ..Loops::default() });
    assert_eq!(of(&body("vfmadd231ps\t64(%rax), %ymm2, %ymm3")), Loops { avx2: 1, ..Loops::default() });
    assert_eq!(of(&body("vfmadd231ss\t%xmm1, %xmm2, %xmm3")), Loops { scalar: 1, ..Loops::default() });
    assert_eq!(of(&(tile.clone() + "\tvmovups\t%zmm3, 64(%rax)\n")), Loops::default());
    assert_eq!(of(&(tile.clone() + "\tvmovups\t64(%rax), %zmm3\n")), Loops { avx512: 1, ..Loops::default() });
    assert_eq!(of(&(tile.clone() + "\tvaddss\t%xmm1, %xmm2, %xmm3\n")), Loops::default());
    // Without a loop it is nothing.
    assert_eq!(Loops::of(&format!("f:\n{tile}\tretq\n")), Loops::default());
}
