//! Random specs: all ways to compute them agree.
//!
//! `GDC_RANDOM=5000 GDC_RANDOM_RUST=300 cargo test -p gdc-random --test random -- --nocapture` tries
//! more, and `GDC_RANDOM_FIRST=1000` others. A failure is shown as a small spec that fails alike.

use gdc_random::agree::{Verdict, check};
use gdc_random::generate::generate;
use gdc_random::rust;
use gdc_random::shrink::shrink;
use gdc_random::spec::Spec;
use std::sync::Mutex;

fn count(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// The first so many specs with what holding their passes and programs to the interpreter shows;
/// both tests want it.
fn checked(count: usize) -> impl Iterator<Item = (usize, Spec, Verdict)> {
    static KNOWN: Mutex<Vec<(usize, Spec, Verdict)>> = Mutex::new(Vec::new());
    let first = self::count("GDC_RANDOM_FIRST", 0);
    let mut known = KNOWN.lock().unwrap();
    for seed in first + known.len()..first + count {
        let spec = generate(seed as u64);
        let verdict = check(&spec);
        known.push((seed, spec, verdict));
    }
    let all: Vec<_> = known[..count].to_vec();
    all.into_iter()
}

#[test]
fn passes_programs_and_differences_agree() {
    std::panic::set_hook(Box::new(|_| {}));
    let all = count("GDC_RANDOM", 300);
    let (mut agreed, mut compared, mut faults) = (0, 0, Vec::new());
    for (seed, spec, verdict) in checked(all) {
        match verdict {
            Verdict::Agrees(n) => {
                agreed += 1;
                compared += n;
            }
            Verdict::TooLarge => {}
            Verdict::Wrong(fault) => faults.push((seed, spec, fault)),
        }
    }
    println!("{agreed} of {all} agree, on {compared} derivatives; {} wrong", faults.len());
    let mut kinds = std::collections::BTreeMap::new();
    for (seed, _, fault) in &faults {
        let line = fault.message.lines().next().unwrap_or_default().to_owned();
        kinds.entry(fault.check.clone()).or_insert_with(Vec::new).push((*seed, line));
    }
    for (check, seeds) in &kinds {
        println!("FAULT {check}: {} such as {:?}", seeds.len(), &seeds[..seeds.len().min(5)]);
    }
    if std::env::var_os("GDC_RANDOM_TEXT").is_some() {
        faults.iter().for_each(|(seed, spec, fault)| println!("seed {seed}, {}:\n{}", fault.check, spec.text()));
    }
    let most = count("GDC_RANDOM_SHOW", 3);
    for (seed, spec, fault) in faults.iter().take(most) {
        let fails = |s: &_| matches!(check(s), Verdict::Wrong(f) if f.check == fault.check);
        let small = shrink(spec, count("GDC_RANDOM_TRIES", 300), &mut { fails });
        let Verdict::Wrong(now) = check(&small) else { panic!("seed {seed} is not the same twice") };
        let message: String = now.message.lines().take(40).collect::<Vec<_>>().join("\n");
        println!("seed {seed}, {}:\n{}\n{message}\n", now.check, small.text());
    }
    assert!(faults.is_empty());
    assert!(agreed * 10 >= all * 8, "too many have numbers too large to compare");
}

/// The generated code of as many specs: a few calls of rustc for all of them.
#[test]
fn generated_code_agrees() {
    let all = checked(count("GDC_RANDOM_RUST", 300)).filter(|(_, _, verdict)| matches!(verdict, Verdict::Agrees(_)));
    let specs: Vec<Spec> = all.map(|(_, spec, _)| spec).collect();
    let folder = tempfile::tempdir().unwrap();
    let start = std::time::Instant::now();
    let faults = rust::check(&specs, folder.path());
    println!("{} specs compiled and run in {:?}", specs.len(), start.elapsed());
    let wrong: Vec<_> = specs.iter().zip(&faults).filter_map(|(s, f)| Some((s, f.as_ref()?))).collect();
    for (spec, fault) in &wrong {
        println!("{} FAULT {}: {}", spec.name, fault.check, fault.message);
    }
    if let Some((spec, fault)) = wrong.first() {
        let fails = |s: &_| {
            let found = rust::check(std::slice::from_ref(s), folder.path()).swap_remove(0);
            found.is_some_and(|f| f.check == fault.check)
        };
        let small = shrink(spec, count("GDC_RANDOM_TRIES", 60), &mut { fails });
        println!("{}", small.text());
    }
    assert!(wrong.is_empty(), "{} of {}", wrong.len(), specs.len());
}
