//! Random models of library layers: all ways to compute them, and to write them, agree.
//!
//! `GDC_RANDOM_LAYERS=2000 GDC_RANDOM_LAYERS_RUST=300 cargo test -p gdc-random --test layers --
//! --nocapture` tries more, and `GDC_RANDOM_FIRST=1000` others; with `GDC_RANDOM_TEXT=1` their text is
//! shown. A failure is shown as a small model that fails alike.

use gdc_random::agree::{Fault, Verdict, check_text};
use gdc_random::layers::{Net, Style, make, pair, shrink};
use gdc_random::rust;
use std::collections::BTreeMap;

fn count(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

fn text(net: &Net) -> String {
    net.text(Style::Rolled).unwrap_or_default()
}

/// The models of the first so many seeds.
fn models(count: usize) -> impl Iterator<Item = Net> {
    let first = self::count("GDC_RANDOM_FIRST", 0);
    (first..first + count).map(|seed| make(seed as u64))
}

/// The interpreter, differences and loop programs; then the model written out.
fn check(net: &Net) -> Verdict {
    let verdict = check_text(&text(net));
    if !matches!(verdict, Verdict::Agrees(_)) {
        return verdict;
    }
    let both = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pair::check(net)));
    match (verdict, both) {
        (Verdict::Agrees(n), Ok(Ok(more))) => Verdict::Agrees(n + more),
        (_, Ok(Err(fault))) => Verdict::Wrong(fault),
        _ => Verdict::Wrong(Fault { check: "panic in a check".to_owned(), message: String::new() }),
    }
}

#[test]
fn passes_programs_differences_and_both_ways_to_write_agree() {
    std::panic::set_hook(Box::new(|_| {}));
    let all = count("GDC_RANDOM_LAYERS", 200);
    let (mut agreed, mut compared, mut faults) = (0, 0, Vec::new());
    let mut layers: BTreeMap<String, usize> = BTreeMap::new();
    for net in models(all) {
        let text = text(&net);
        if std::env::var_os("GDC_RANDOM_TEXT").is_some() {
            println!("{text}");
        }
        for call in text.split(['|', ' ', '(']).filter(|w| w.contains(|c: char| c.is_alphabetic())) {
            *layers.entry(call.trim_end_matches(';').to_owned()).or_default() += 1;
        }
        let start = std::time::Instant::now();
        let verdict = check(&net);
        if std::env::var_os("GDC_RANDOM_TIMES").is_some() {
            println!("M{}: {:?}", net.seed, start.elapsed());
        }
        match verdict {
            Verdict::Agrees(n) => (agreed, compared) = (agreed + 1, compared + n),
            Verdict::TooLarge => {}
            Verdict::Wrong(fault) => faults.push((net, fault)),
        }
    }
    println!("{agreed} of {all} agree, on {compared} derivatives; {} wrong", faults.len());
    show(&faults);
    assert!(faults.is_empty());
    assert!(agreed * 20 >= all * 19, "too many have numbers too large to compare");
    for layer in ["dense", "conv2d", "layer_norm", "tanh"] {
        assert!(all < 200 || layers.contains_key(layer), "no model has `{layer}`");
    }
}

/// Which faults there are, and some models that have them, made small.
fn show(faults: &[(Net, Fault)]) {
    let mut kinds: BTreeMap<&str, Vec<(u64, &str)>> = BTreeMap::new();
    for (net, fault) in faults {
        let line = fault.message.lines().next().unwrap_or_default();
        kinds.entry(&fault.check).or_default().push((net.seed, line));
    }
    for (check, seeds) in &kinds {
        println!("FAULT {check}: {} such as {:?}", seeds.len(), &seeds[..seeds.len().min(9)]);
    }
    for (net, fault) in faults.iter().take(count("GDC_RANDOM_SHOW", 3)) {
        let fails = |n: &Net| matches!(check(n), Verdict::Wrong(f) if f.check == fault.check);
        let small = shrink(net, count("GDC_RANDOM_TRIES", 300), &mut { fails });
        let Verdict::Wrong(now) = check(&small) else { panic!("seed {} is not the same twice", net.seed) };
        let message: String = now.message.lines().take(40).collect::<Vec<_>>().join("\n");
        println!("seed {}, {}:\n{}\n{message}\n", net.seed, now.check, text(&small));
    }
}

/// The generated code of as many models: a few calls of rustc for all of them.
#[test]
fn generated_code_agrees() {
    let nets: Vec<Net> = models(count("GDC_RANDOM_LAYERS_RUST", 50)).collect();
    let texts: Vec<String> = nets.iter().map(text).collect();
    let folder = tempfile::tempdir().unwrap();
    let start = std::time::Instant::now();
    let faults = rust::check_texts(&texts, folder.path());
    println!("{} models compiled and run in {:?}", nets.len(), start.elapsed());
    let wrong: Vec<_> = nets.iter().zip(&faults).filter_map(|(n, f)| Some((n, f.as_ref()?))).collect();
    for (net, fault) in &wrong {
        println!("M{} FAULT {}: {}", net.seed, fault.check, fault.message);
    }
    if let Some((net, fault)) = wrong.first() {
        let fails = |n: &Net| {
            let found = rust::check_texts(&[text(n)], folder.path()).swap_remove(0);
            found.is_some_and(|f| f.check == fault.check)
        };
        println!("{}", text(&shrink(net, count("GDC_RANDOM_TRIES", 60), &mut { fails })));
    }
    assert!(wrong.is_empty(), "{} of {}", wrong.len(), nets.len());
}
