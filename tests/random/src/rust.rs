//! Generated code of many specs, compiled at once by one rustc, against the interpreter.
//!
//! Generated code computes in f32. How far it may be off is not guessed: the interpreter runs again
//! with inputs and parameters moved by some units in the last place of an f32, and what that changes
//! is what rounding may change.

use crate::agree::{self, Fault};
use crate::random::Random;
use crate::spec::Spec;
use gdc_interp::{Batch, Session, Tensor};
use gdc_ir::{Model, Ty};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// The runtime's text, as generated files have it.
#[path = "../../../crates/gdc-codegen/runtime/sections.rs"]
#[allow(missing_docs)]
mod sections;

/// Steps that are compared, each with its number of samples.
fn steps(batch: usize) -> [usize; 3] {
    [batch, batch.div_ceil(2), batch]
}

/// A spec with what its generated code needs to run.
struct Case {
    model: Model,
    code: String,
    batch: Batch,
    values: BTreeMap<String, Vec<f64>>,
}

/// The lines that a run gives: `name: numbers`.
type Lines = Vec<(String, Vec<f64>)>;

/// Specs that one call of rustc compiles: more need more memory than time is saved.
const TOGETHER: usize = 75;

/// What is wrong with the generated code of each spec.
///
/// # Panics
/// rustc cannot be run, or refuses what belongs to no spec.
pub fn check(specs: &[Spec], folder: &Path) -> Vec<Option<Fault>> {
    let texts: Vec<String> = specs.iter().map(Spec::text).collect();
    check_texts(&texts, folder)
}

/// [`check`] of sources.
pub fn check_texts(texts: &[String], folder: &Path) -> Vec<Option<Fault>> {
    texts.chunks(TOGETHER).flat_map(|some| check_some(some, folder)).collect()
}

fn check_some(texts: &[String], folder: &Path) -> Vec<Option<Fault>> {
    let mut cases = Vec::new();
    let mut faults: Vec<Option<Fault>> = vec![None; texts.len()];
    for (k, text) in texts.iter().enumerate() {
        match case(text) {
            Ok(case) => cases.push((k, case)),
            Err(fault) => faults[k] = Some(fault),
        }
    }
    while let Err(complaints) = build(&cases, folder) {
        let refused: Vec<usize> = complaints.iter().map(|(k, _)| *k).collect();
        for (k, message) in complaints {
            faults[k] = Some(Fault { check: "rustc".to_owned(), message });
        }
        cases.retain(|(k, _)| !refused.contains(k));
    }
    let done = Command::new(folder.join("random")).output().expect("the program runs");
    let told = parse(&String::from_utf8_lossy(&done.stdout));
    for (k, case) in &cases {
        let found = told.get(k).cloned().unwrap_or_default();
        let fault = |message| Fault { check: "generated code".to_owned(), message };
        faults[*k] = compare(case, &found).err().map(fault);
    }
    faults
}

/// Compiles all cases; which of them rustc refuses, and its words.
fn build(cases: &[(usize, Case)], folder: &Path) -> Result<(), Vec<(usize, String)>> {
    let text = file(cases);
    let root = folder.join("random.rs");
    std::fs::write(&root, &text).expect("the file can be written");
    let done = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()))
        .args(["--edition=2021", "-Cdebuginfo=0", "-Ccodegen-units=4", "--crate-name=random"])
        .args(["-Copt-level=0", "-Coverflow-checks=on", "-Cdebug-assertions=on", "-o"])
        .arg(folder.join("random"))
        .arg(&root)
        .output()
        .expect("rustc runs");
    if done.status.success() {
        return Ok(());
    }
    // Each case is one line of the file.
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    let mut refused: BTreeMap<usize, String> = BTreeMap::new();
    for part in said.split("\n\n") {
        let place = part.split("random.rs:").nth(1).and_then(|rest| rest.split(':').next()?.parse::<usize>().ok());
        let line = place.and_then(|n| lines.get(n.checked_sub(1)?));
        let case = line.and_then(|l| l.strip_prefix("mod m")?.split(' ').next()?.parse::<usize>().ok());
        if let Some(k) = case.filter(|_| part.contains("error")) {
            // The line itself is very long.
            let words: String = part.lines().map(|l| format!("{l:.300}\n")).collect();
            refused.entry(k).or_insert(words);
        }
    }
    if refused.is_empty() {
        let _ = std::fs::write(std::env::temp_dir().join("gdc-random-refused.txt"), format!("{said}\n{text}"));
    }
    assert!(!refused.is_empty(), "{}\n{said:.3000}", root.display());
    Err(refused.into_iter().collect())
}

fn case(text: &str) -> Result<Case, Fault> {
    let (output, _) = agree::compile(text)?;
    let model = output.model;
    let batch = agree::batch(&model, model.settings.batch.unwrap_or(1), 3);
    let mut session =
        Session::new(&model, 5).map_err(|e| Fault { check: "interpreter".into(), message: e.to_string() })?;
    agree::disturb(&mut session, &model);
    let values = session.names().map(|n| (n.to_owned(), session.get(n).expect("named").to_vec())).collect();
    let code = output.tokens.to_string();
    Ok(Case { code, batch, values, model })
}

/// One module for each case, one runtime for all, and a program that runs them.
fn file(cases: &[(usize, Case)]) -> String {
    let mut out = String::from("#![allow(warnings)]\n");
    let all: Vec<&str> = sections::SECTIONS.iter().map(|s| s.name).collect();
    out.push_str(&not_inlined(&sections::module(&all)));
    out.push_str(HARNESS);
    let mut calls = String::new();
    for (k, case) in cases {
        // Each file alone has a runtime of its own; compiled once, it costs a fraction. What is
        // left of its item are attributes, which must stand before something.
        let code = case.code.split("pub mod rt {").next().unwrap_or_default().replace('\n', " ");
        let code = not_inlined(&code);
        let trainer = gdc_codegen::trainer_name(&case.model.name);
        let _ = writeln!(out, "mod m{k} {{ use super::rt; {code} mod none {{}} }}");
        let _ = write!(calls, "case::<m{k}::{trainer}>({k}, || m{k}::{trainer}::new(5), &[");
        for n in steps(case.batch.samples.max(1)) {
            let _ = write!(calls, "{n}, ");
        }
        let _ = write!(calls, "], &{:?}, &{:?}, &[{}]", reals(case), integers(case), values(case));
        let _ = writeln!(calls, ", |m| {});", predict(case));
    }
    let _ = writeln!(
        out,
        "fn main() {{ std::thread::Builder::new().stack_size(256 << 20).spawn(run).unwrap().join().unwrap(); }}\nfn run() {{\n{calls}}}"
    );
    out
}

/// Without optimisation, a copy of each function of lanes wherever it is used is nine tenths of what
/// rustc has to do. Called, they compute the same.
fn not_inlined(code: &str) -> String {
    let code =
        ["inline(always)", "inline (always)", "#[inline]", "# [inline]"].iter().fold(code.to_owned(), |code, words| {
            code.replace(words, &words.replace("inline]", "inline(never)]").replace("always", "never"))
        });
    assert!(!code.contains("inline(always)") && !code.contains("inline (always)"));
    code
}

const HARNESS: &str = "
fn case<T: rt::Trainer + rt::NamedTensors>(
    k: usize,
    new: impl FnOnce() -> T,
    steps: &[usize],
    reals: &[f32],
    integers: &[u32],
    values: &[(&str, &[f32])],
    predict: impl Fn(&T),
) {
    println!(\"case {k}\");
    let mut t = new();
    t.tensors_mut(&mut |name, _, places| {
        if let Some((_, v)) = values.iter().find(|(n, _)| *n == name) { places.iter_mut().zip(*v).for_each(|(p, x)| *p = wide(x)); }
    });
    for (s, &n) in steps.iter().enumerate() {
        for slot in 0..n.min(T::BATCH) {
            let r: Vec<T::Real> = reals[slot * T::REALS..(slot + 1) * T::REALS].iter().map(wide).collect();
            t.load_flat(slot, &r, &integers[slot * T::INTEGERS..(slot + 1) * T::INTEGERS]).unwrap();
        }
        if s == 0 {
            println!(\"loss: {}\", list(&[t.loss_loaded(n)]));
            let mut metrics = vec![T::Real::default(); T::METRICS];
            t.metrics_loaded(n, &mut metrics);
            println!(\"metrics: {}\", list(&metrics));
            t.gradients_loaded(n, &mut |name, _, v| println!(\"d {name}: {}\", list(v)));
            predict(&t);
        }
        println!(\"step {s}: {}\", list(&[t.step_loaded(n)]));
        t.tensors(&mut |name, _, v| println!(\"{s} {name}: {}\", list(v)));
    }
}
fn wide<R: rt::Float>(x: &f32) -> R { R::from_f64(f64::from(*x)) }
fn list<R: rt::Float>(v: &[R]) -> String { v.iter().map(|x| format!(\"{:e}\", x.to_f64())).collect::<Vec<_>>().join(\" \") }
fn numbers(text: &str) -> String {
    text.split(|c: char| !(c.is_alphanumeric() || \".-+\".contains(c)))
        .filter(|w| w.parse::<f64>().is_ok() || *w == \"true\" || *w == \"false\").collect::<Vec<_>>().join(\" \")
}
";

/// Inputs, then targets, in the order of their declaration.
fn fields(model: &Model) -> impl Iterator<Item = &gdc_ir::Node> {
    model.inputs.iter().chain(&model.targets).map(|&id| model.graph.node(id))
}

/// The numbers of one kind, sample after sample.
fn interleaved(case: &Case, int: bool) -> Vec<f64> {
    let samples = case.batch.samples;
    let mut all = Vec::new();
    for sample in 0..samples {
        for node in fields(&case.model).filter(|n| (n.ty == Ty::Int) == int) {
            let values = case.batch.values[&node.name].to_vec();
            let width = values.len() / samples;
            all.extend_from_slice(&values[sample * width..(sample + 1) * width]);
        }
    }
    all
}

fn reals(case: &Case) -> Vec<f32> {
    interleaved(case, false).into_iter().map(|x| x as f32).collect()
}

fn integers(case: &Case) -> Vec<u32> {
    interleaved(case, true).into_iter().map(|x| x as u32).collect()
}

/// `("name", &[...])` for each parameter and state.
fn values(case: &Case) -> String {
    let mut out = String::new();
    for (name, values) in &case.values {
        let values: Vec<f32> = values.iter().map(|&x| x as f32).collect();
        let _ = write!(out, "({name:?}, &{values:?}[..]), ");
    }
    out
}

/// The prediction of the first sample, printed.
fn predict(case: &Case) -> String {
    if case.model.outputs.is_empty() {
        return "{ let _ = m; }".to_owned();
    }
    let mut arguments = Vec::new();
    for &id in &case.model.inputs {
        let node = case.model.graph.node(id);
        let values = case.batch.values[&node.name].to_vec();
        let mut values = values.into_iter();
        let shape = &node.shape[1..];
        let text = nested(shape, &mut values, node.ty == Ty::Int, case.model.precision);
        arguments.push(if shape.is_empty() { text } else { format!("&{text}") });
    }
    format!("println!(\"predict: {{}}\", numbers(&format!(\"{{:?}}\", m.model.predict({}))))", arguments.join(", "))
}

/// A number, or arrays of arrays of them.
fn nested(shape: &[usize], values: &mut impl Iterator<Item = f64>, int: bool, precision: gdc_ir::Precision) -> String {
    let Some((&n, rest)) = shape.split_first() else {
        let x = values.next().unwrap_or_default();
        return match (int, precision) {
            (true, _) => format!("{}", x as u32),
            (_, gdc_ir::Precision::F32) => format!("{:?}", x as f32),
            (_, gdc_ir::Precision::F64) => format!("{x:?}"),
        };
    };
    let parts: Vec<String> = (0..n).map(|_| nested(rest, values, int, precision)).collect();
    format!("[{}]", parts.join(", "))
}

/// The lines of each case.
fn parse(text: &str) -> BTreeMap<usize, BTreeMap<String, Vec<f64>>> {
    let mut all: BTreeMap<usize, BTreeMap<String, Vec<f64>>> = BTreeMap::new();
    let mut current = 0;
    for line in text.lines() {
        if let Some(k) = line.strip_prefix("case ") {
            current = k.parse().unwrap_or(usize::MAX);
        } else if let Some((name, numbers)) = line.rsplit_once(": ") {
            let number = |w: &str| match w {
                "true" => 1.0,
                "false" => 0.0,
                w => w.parse().unwrap_or(f64::NAN),
            };
            let numbers = numbers.split_whitespace().map(number).collect();
            all.entry(current).or_default().insert(name.to_owned(), numbers);
        }
    }
    all
}

/// The same lines from the interpreter, with all that is given moved by up to `jitter`.
fn reference(case: &Case, jitter: f64, seed: u64) -> Result<Lines, gdc_interp::Error> {
    let model = &case.model;
    let mut random = Random::new(seed);
    let mut moved = |values: Vec<f64>| -> Vec<f64> {
        values.into_iter().map(|x| x + jitter * random.real() * (0.3 + x.abs())).collect()
    };
    let mut given = BTreeMap::new();
    for node in fields(model) {
        let value = case.batch.values[&node.name].clone();
        let value = match node.ty {
            Ty::Real => Tensor::real(value.shape(), moved(value.to_vec()))?,
            _ => value,
        };
        given.insert(node.name.clone(), value);
    }
    let mut session = Session::new(model, 5)?;
    for (k, kept) in model.params.iter().chain(&model.states).enumerate() {
        let node = model.graph.node(kept.node);
        let values = case.values[&node.name].clone();
        // Moments are not negative and stay so.
        let values = if k < model.params.len() { moved(values) } else { values };
        session.set(&node.name, Tensor::real(&node.shape, values)?)?;
    }
    let mut lines: Lines = Vec::new();
    for (s, n) in steps(case.batch.samples.max(1)).into_iter().enumerate() {
        let mut batch = Batch::of(n);
        for (name, value) in &given {
            batch = batch.with(name.clone(), first_samples(value, n)?);
        }
        if s == 0 {
            let loss = model.evaluation.or(model.loss).ok_or(gdc_interp::Error::NoLoss)?;
            let value = session.evaluate(&batch, &[loss])?;
            lines.push(("loss".to_owned(), value.get(loss).map(Tensor::to_vec).unwrap_or_default()));
            let metrics = session.metrics(&batch)?;
            lines.push(("metrics".to_owned(), model.metrics.iter().map(|m| metrics[&m.name]).collect()));
            for (name, value) in session.gradients(&batch)? {
                lines.push((format!("d {name}"), value.to_vec()));
            }
            // A prediction sees one sample, also where the model looks at the whole batch.
            let mut one = Batch::of(1);
            for &id in &model.inputs {
                let name = &model.graph.node(id).name;
                one = one.with(name.clone(), first_samples(&given[name], 1)?);
            }
            let outputs = session.predict(&one)?;
            let all = model.outputs.iter().flat_map(|o| outputs[&o.name].to_vec()).collect();
            if !model.outputs.is_empty() {
                lines.push(("predict".to_owned(), all));
            }
        }
        lines.push((format!("step {s}"), vec![session.step(&batch)?]));
        for name in session.names() {
            lines.push((format!("{s} {name}"), session.get(name).map(Tensor::to_vec).unwrap_or_default()));
        }
    }
    Ok(lines)
}

/// Those of the first `n` samples.
fn first_samples(value: &Tensor, n: usize) -> Result<Tensor, gdc_interp::Error> {
    let mut shape = value.shape().to_vec();
    let width: usize = shape[1..].iter().product();
    shape[0] = n;
    let first = value.to_vec()[..n * width].to_vec();
    match value.ty() {
        Ty::Int => Tensor::int(&shape, first.iter().map(|&x| x as i64).collect()),
        _ => Tensor::real(&shape, first),
    }
}

/// How what was computed differs from what should have been.
fn compare(case: &Case, found: &BTreeMap<String, Vec<f64>>) -> Result<(), String> {
    let of = |jitter, seed| reference(case, jitter, seed).map_err(|e| e.to_string());
    let wanted = of(0.0, 0)?;
    let moved = [of(6e-7, 1)?, of(6e-7, 2)?, of(6e-7, 3)?];
    for (line, (name, values)) in wanted.iter().enumerate() {
        let Some(found) = found.get(name) else { return Err(format!("the program does not tell `{name}`")) };
        if found.len() != values.len() {
            return Err(format!("{name}: {} numbers, not {}", found.len(), values.len()));
        }
        let size = values.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        let spread = |k: usize| moved.iter().map(move |m| (m[line].1[k] - values[k]).abs()).fold(0.0, f64::max);
        let widest = (0..values.len()).map(spread).fold(0.0, f64::max);
        for (k, (a, b)) in found.iter().zip(values).enumerate() {
            let allowed = 4e-6 * (1e-1 + size) + 4.0 * widest;
            let apart = (a - b).abs();
            if apart.is_nan() || apart > allowed {
                return Err(format!("{name}[{k}] is {a:e}, not {b:e} (give or take {allowed:.0e})"));
            }
        }
    }
    Ok(())
}
