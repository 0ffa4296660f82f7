//! Specs damaged at random end in success or in a diagnostic: never in a panic or a hang.
//!
//! `GDC_MUTANTS=100000 cargo test --release -p gdc-driver --test mutants` tries more, and
//! `GDC_MUTANTS_SEED=8` others. The horrors that have names are in `horrors.rs`.

#![allow(clippy::expect_used, clippy::panic)] // a test that fails says so by panicking

use gdc_driver::{Options, Source, compile};
use std::time::{Duration, Instant};

const SPECS: &[&str] = &[
    include_str!("../../../specs/quadratic.gd"),
    include_str!("../../../specs/xor.gd"),
    include_str!("../../../specs/digits.gd"),
    include_str!("../../gdc-core/tests/models/attention.gd"),
    include_str!("../../gdc-core/tests/models/composed.gd"),
    include_str!("../../gdc-core/tests/models/contrastive.gd"),
    include_str!("../../gdc-core/tests/models/convolution.gd"),
    include_str!("../../gdc-core/tests/models/oscillator.gd"),
    include_str!("../../gdc-core/tests/models/residual.gd"),
    include_str!("../../gdc-core/tests/models/updates.gd"),
    include_str!("../../gdc-core/tests/models/quantised.gd"),
];

/// What is put in place of words: sizes that are absurd, names that mean something else.
const WORDS: &[&str] = &[
    "0",
    "1",
    "2",
    "-1",
    "4000000000",
    "99999999999999999999",
    "1e400",
    "0.5",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ";",
    ",",
    "<-",
    "|>",
    "..",
    "...",
    "else",
    "if",
    "for",
    "in",
    "x",
    "w",
    "b",
    "t",
    "step",
    "inf",
    "pi",
    "batch",
    "self",
    "fn",
    "relu",
    "dense",
    "softmax",
    "dense(3)",
    "[3]",
    "[]",
    "[0]",
    "@",
    "^",
    "%",
    "/",
    "div",
    "max",
    "sum",
    "argmax",
    "@",
    "true",
    "grad",
    "leaf",
    "reshape",
    "size",
    "λ",
    "−",
    "\"",
    "//",
    "r#type",
    "total",
    "state",
    "param",
    "freeze *;",
];

struct Random(u64);

impl Random {
    /// SplitMix64, by Steele, Lea and Flood.
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

/// The words of a text: names, numbers, and single characters of everything else.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut joins = false;
    for c in text.chars() {
        let wordy = c.is_alphanumeric() || c == '_';
        match words.last_mut() {
            Some(last) if wordy && joins => last.push(c),
            _ => words.push(c.to_string()),
        }
        joins = wordy;
    }
    words
}

fn damage(text: &str, random: &mut Random) -> String {
    let mut words = words(text);
    for _ in 0..=random.below(3) {
        if words.is_empty() {
            break;
        }
        let at = random.below(words.len());
        let other = random.below(words.len());
        match random.below(6) {
            0 => drop(words.remove(at)),
            1 => words.swap(at, other),
            2 => words.insert(at, words[other].clone()),
            3 => words.truncate(at.max(1)),
            _ => words[at] = WORDS[random.below(WORDS.len())].to_owned(),
        }
    }
    words.concat()
}

/// The most memory that this process has had, in MiB, where the system tells.
fn peak_memory() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<usize>().ok()? / 1024)
}

#[test]
fn damaged_specs_end_in_success_or_a_diagnostic() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<usize>().ok());
    let count = number("GDC_MUTANTS").unwrap_or(600);
    let mut random = Random(number("GDC_MUTANTS_SEED").unwrap_or(7) as u64);
    let (mut good, mut slowest) = (0, (Duration::ZERO, String::new()));
    for i in 0..count {
        let text = damage(SPECS[i % SPECS.len()], &mut random);
        let source = Source { name: "mutant.gd".to_owned(), text: text.clone(), folder: None };
        let start = Instant::now();
        let result = std::panic::catch_unwind(|| match compile(&source, &Options::default()) {
            Ok(_) => true,
            Err(failure) => {
                assert!(failure.diagnostics.iter().any(|d| d.severity == gdc_syntax::Severity::Error));
                false
            }
        });
        let time = start.elapsed();
        match result {
            Ok(compiled) => good += usize::from(compiled),
            Err(_) => panic!("this spec makes the compiler panic:\n{text}"),
        }
        if time > slowest.0 {
            slowest = (time, text);
        }
    }
    assert!(good > 0 && good < count, "{good} of {count} compiled");
    println!("{good} of {count} compiled; the slowest took {:?}; {:?} MiB at most", slowest.0, peak_memory());
    assert!(slowest.0 < Duration::from_secs(20), "this spec takes {:?}:\n{}", slowest.0, slowest.1);
    assert!(peak_memory().is_none_or(|mib| mib < 2048), "more than 2 GiB were needed at some time");
}
