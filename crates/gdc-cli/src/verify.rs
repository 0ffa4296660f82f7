//! `gdc verify`: the generated code against the interpreter, and the interpreter's derivatives
//! against finite differences.

mod points;

use crate::cli::VerifyArgs;
use crate::fault::{Fault, Outcome};
use crate::files::{display_name, print};
use crate::runner::Runner;
use crate::spec::{Spec, shown};
use crate::text::table;
use crate::train::check_trainable;
use crate::train::data;
use crate::train::data::classes::Classes;
use crate::train::field::{Field, Values};
use crate::train::weights::Tensor as Weights;
use crate::train::worker::Job;
use gdc_driver::{Options, Output, Runtime};
use gdc_interp::{Batch, CheckOptions, Report, Session, Tensor, gradient_check, normal};
use gdc_ir::graph::{Model, Precision};
use std::collections::BTreeMap;

/// Steps after which parameters are compared.
const STEPS: u64 = 3;
/// Sites of random draws, one for each purpose.
const PARAMETERS: u64 = 1;
const DATA: u64 = 2;

/// Compares, prints the table, and fails where something is out of tolerance.
pub fn run(args: &VerifyArgs) -> Outcome {
    let spec = Spec::read(&args.spec.file)?;
    let options = Options { runtime: Runtime::Hosted, model: args.spec.model.clone(), ..Options::default() };
    let mut lowered = None;
    let compiled = gdc_driver::compile_observed(&spec.source, &options, &mut |pass, model| {
        if pass == "lower" {
            lowered = Some(model.clone());
        }
    });
    let output = shown(compiled)?;
    let name = display_name(&args.spec.file);
    let (samples, columns) = samples(args, &output)?;
    let fields = Field::all(&output.model);
    check_trainable(&output, &name)?;
    let model = output.model.clone();
    let point = starting_point(&model, args.seed)?;
    let interpreter = Interpreted::new(&model, &fields, &columns, samples, &point, args)?;
    let runner = Runner::of_points(output, points::all, &name, &args.build)?;
    let generated = Generated::new(&runner, &columns, &point, args.seed)?;
    let rows = compare(&interpreter, &generated);
    let bounds = Bounds::new(args, model.precision);
    let lowered = lowered.as_ref().unwrap_or(&model);
    let given = points::Given { lowered, fields: &fields, columns: &columns, samples, point: &point };
    let predicted = points::rows(&runner, &given, args)?;
    print(&report(&rows, &interpreter, &generated, samples, &bounds));
    print(&points::report(&predicted, &bounds));
    let mut wrong: Vec<&str> = rows.iter().filter(|r| r.is_wrong(&bounds)).map(|r| r.name.as_str()).collect();
    wrong.extend(predicted.iter().filter(|r| r.is_wrong(&bounds)).map(|r| r.name.as_str()));
    let loss = relative(generated.loss, interpreter.report.loss, 1e-30);
    if wrong.is_empty() && within(loss, bounds.generated) {
        return Ok(());
    }
    let what = if wrong.is_empty() { "the loss".to_owned() } else { wrong.join(", ") };
    Err(Fault::input(format!("out of tolerance: {what}")))
}

/// The relative errors that are borne.
struct Bounds {
    /// Of the generated code against the interpreter.
    generated: f64,
    /// Of the interpreter's derivatives against differences.
    differences: f64,
    precision: Precision,
}

impl Bounds {
    fn new(args: &VerifyArgs, precision: Precision) -> Bounds {
        let usual = match precision {
            Precision::F32 => 1e-3,
            Precision::F64 => 1e-9,
        };
        Bounds { generated: args.tolerance.unwrap_or(usual), differences: args.difference_tolerance, precision }
    }
}

/// The first batch of the data, or a made-up one.
fn samples(args: &VerifyArgs, output: &Output) -> Outcome<(usize, Vec<Values>)> {
    let fields = &Field::all(&output.model);
    let batch = output.programs.train.samples().unwrap_or(1).max(1);
    let samples = args.samples.map_or(batch, |n| n.min(batch)).max(1);
    if args.data.is_empty() {
        let columns = fields.iter().enumerate().map(|(k, f)| f.made_up(samples, args.seed, DATA + k as u64));
        return Ok((samples, columns.collect()));
    }
    let data = data::load("--data", &args.data, fields, &mut Classes::default())?;
    let samples = samples.min(data.samples);
    Ok((samples, fields.iter().zip(&data.columns).map(|(f, v)| v.head(samples * f.len())).collect()))
}

/// Initial values moved a little, so that no bias is exactly zero and no unit at its corner.
fn starting_point(model: &Model, seed: u64) -> Outcome<Vec<Weights>> {
    let session = Session::new(model, seed).map_err(mistake)?;
    let names: Vec<String> = model.params.iter().map(|p| model.graph.node(p.node).name.clone()).collect();
    let mut point = Vec::new();
    for (k, name) in names.into_iter().enumerate() {
        let Some(value) = session.get(&name) else { continue };
        let draws = (0..).map(|i| 0.1 * normal(Precision::F64, seed, PARAMETERS + 1000 * k as u64, i));
        let values = value.to_vec().into_iter().zip(draws).map(|(v, d)| match model.precision {
            Precision::F32 => f64::from((v + d) as f32),
            Precision::F64 => v + d,
        });
        let values = values.collect();
        point.push(Weights { slot: crate::train::weights::Slot { name, shape: value.shape().to_vec() }, values });
    }
    Ok(point)
}

fn mistake(error: gdc_interp::Error) -> Fault {
    Fault::input(format!("the interpreter stopped: {error}"))
}

/// What the interpreter finds, in f64.
struct Interpreted {
    /// The largest derivative of all.
    largest: f64,
    gradients: BTreeMap<String, Vec<f64>>,
    after: BTreeMap<String, Vec<f64>>,
    report: Report,
}

impl Interpreted {
    fn new(
        model: &Model,
        fields: &[Field],
        columns: &[Values],
        samples: usize,
        point: &[Weights],
        args: &VerifyArgs,
    ) -> Outcome<Interpreted> {
        let mut session = Session::new(model, args.seed).map_err(mistake)?;
        for tensor in point {
            let value = Tensor::real(&tensor.slot.shape, tensor.values.clone()).map_err(mistake)?;
            session.set(&tensor.slot.name, value).map_err(mistake)?;
        }
        let mut batch = if fields.is_empty() { Batch::none() } else { Batch::of(samples) };
        for (field, values) in fields.iter().zip(columns) {
            batch = batch.with(field.name.clone(), tensor(field, values, samples).map_err(mistake)?);
        }
        let options = CheckOptions { limit: args.elements, ..CheckOptions::default() };
        let report = gradient_check(model, &session, &batch, options).map_err(mistake)?;
        let gradients = session.gradients(&batch).map_err(mistake)?;
        for _ in 0..STEPS {
            session.step(&batch).map_err(mistake)?;
        }
        let after = session.names().filter_map(|n| Some((n.to_owned(), session.get(n)?.to_vec()))).collect();
        let largest = gradients.values().flat_map(Tensor::to_vec).fold(0.0, |m: f64, v| m.max(v.abs()));
        Ok(Interpreted {
            largest,
            gradients: gradients.into_iter().map(|(n, t)| (n, t.to_vec())).collect(),
            after,
            report,
        })
    }
}

/// A field's numbers for the interpreter, `[samples, ...]`.
pub fn tensor(field: &Field, values: &Values, samples: usize) -> Result<Tensor, gdc_interp::Error> {
    let shape: Vec<usize> = std::iter::once(samples).chain(field.shape.iter().copied()).collect();
    match values {
        Values::F32(list) => Tensor::real(&shape, list.iter().map(|&v| f64::from(v)).collect()),
        Values::F64(list) => Tensor::real(&shape, list.clone()),
        Values::U32(list) => Tensor::int(&shape, list.iter().map(|&v| i64::from(v)).collect()),
        Values::I32(list) => Tensor::int(&shape, list.iter().map(|&v| i64::from(v)).collect()),
        Values::Bool(list) => {
            let array = ndarray::ArrayD::from_shape_vec(shape.as_slice(), list.clone());
            array.map(Tensor::Bool).or_else(|_| Tensor::real(&shape, Vec::new()))
        }
    }
}

/// What the generated program finds.
struct Generated {
    loss: f64,
    gradients: BTreeMap<String, Vec<f64>>,
    after: BTreeMap<String, Vec<f64>>,
}

impl Generated {
    fn new(runner: &Runner, columns: &[Values], point: &[Weights], seed: u64) -> Outcome<Generated> {
        let job =
            Job { epochs: u64::MAX, steps: Some(STEPS), seed, all_steps: true, gradients: true, ..Job::default() };
        let (trained, history) = runner.run(&job, columns, Some(point))?;
        let named = |list: Vec<Weights>| list.into_iter().map(|t: Weights| (t.slot.name, t.values)).collect();
        Ok(Generated {
            loss: history.steps.first().copied().unwrap_or(f64::NAN),
            gradients: named(trained.gradients.unwrap_or_default()),
            after: named(trained.tensors),
        })
    }
}

/// One parameter.
struct Row {
    name: String,
    elements: usize,
    compared: usize,
    kinks: usize,
    /// The interpreter's derivative against differences.
    difference: f64,
    /// The generated derivative against the interpreter's.
    gradient: f64,
    /// The parameter after some steps, where its gradient moves it.
    after: Option<f64>,
}

impl Row {
    fn is_wrong(&self, bounds: &Bounds) -> bool {
        // A parameter without a single smooth element cannot be held against differences.
        !(within(self.difference, bounds.differences)
            && within(self.gradient, bounds.generated)
            && self.after.is_none_or(|e| within(e, bounds.generated)))
    }
}

fn within(error: f64, tolerance: f64) -> bool {
    error <= tolerance
}

fn relative(a: f64, b: f64, floor: f64) -> f64 {
    (a - b).abs() / a.abs().max(b.abs()).max(floor)
}

/// A gradient below this part of the largest one is rounding, and so is its relative error.
const ROUNDING: f64 = 1e-4;
/// A parameter of this size has been led astray by its steps.
const FAR: f64 = 1e4;
/// A gradient below this part, in f64, is zero.
const ZERO: f64 = 1e-10;

/// The largest difference of two lists, relative to the largest element of the second, or to
/// `floor` where that is smaller.
fn largest(found: Option<&Vec<f64>>, expected: Option<&Vec<f64>>, floor: f64) -> f64 {
    let (Some(found), Some(expected)) = (found, expected) else { return f64::INFINITY };
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let size = expected.iter().fold(floor.max(1e-12), |m, v| m.max(v.abs()));
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs() / size);
    worst.fold(0.0, |m, e| if e.is_nan() { f64::INFINITY } else { m.max(e) })
}

fn compare(interpreter: &Interpreted, generated: &Generated) -> Vec<Row> {
    let row = |p: &gdc_interp::ParamReport| {
        let gradient = interpreter.gradients.get(&p.name);
        let size = gradient.into_iter().flatten().fold(0.0, |m: f64, v| m.max(v.abs()));
        // An optimizer that normalises, such as Adam, makes steps of rounding where there is no
        // gradient: where they lead says nothing.
        let after = interpreter.after.get(&p.name);
        // Nor does it where the steps are too long and lead away without end.
        let stays = after.into_iter().flatten().all(|v| v.abs() < FAR);
        let moves = size > ZERO * interpreter.largest && stays;
        let floor = ROUNDING * interpreter.largest;
        Row {
            name: p.name.clone(),
            elements: p.elements,
            compared: p.compared,
            kinks: p.kinks.len(),
            difference: p.worst,
            gradient: largest(generated.gradients.get(&p.name), gradient, floor),
            after: moves.then(|| largest(generated.after.get(&p.name), after, 0.0)),
        }
    };
    interpreter.report.params.iter().map(row).collect()
}

fn report(rows: &[Row], interpreter: &Interpreted, generated: &Generated, samples: usize, bounds: &Bounds) -> String {
    let after = format!("after {STEPS} steps");
    let head =
        ["parameter", "elements", "compared", "interpreter/differences", "generated/interpreter", after.as_str(), ""];
    let number = |x: f64| format!("{x:.1e}");
    let maybe = |x: Option<f64>| x.map_or("-".to_owned(), number);
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|r| {
            let kinks = if r.kinks > 0 { format!(" ({} at kinks)", r.kinks) } else { String::new() };
            vec![
                r.name.clone(),
                r.elements.to_string(),
                format!("{}{kinks}", r.compared),
                number(r.difference),
                number(r.gradient),
                maybe(r.after),
                if r.is_wrong(bounds) { "WRONG" } else { "ok" }.to_owned(),
            ]
        })
        .collect();
    let expected = interpreter.report.loss;
    let shown = |loss: f64| match bounds.precision {
        Precision::F32 => (loss as f32).to_string(),
        Precision::F64 => loss.to_string(),
    };
    let loss = format!(
        "loss of {samples} samples: generated {}, interpreter {}, relative error {}",
        shown(generated.loss),
        shown(expected),
        number(relative(generated.loss, expected, 1e-30))
    );
    let rest = match rows.iter().any(|r| r.after.is_none()) {
        true => {
            "Not compared after steps: parameters whose gradient is zero, which rounding moves, and those that diverge.\n"
        }
        false => "",
    };
    format!(
        "{}\n{loss}\nLargest errors: of derivatives in f64 against finite differences, relative to each (tolerance \
         {:.0e}); of\nthe generated code against the interpreter, relative to the largest element (tolerance \
         {:.0e}).\n{rest}",
        table(&head, &lines, &[false, true, true, true, true, true, false]),
        bounds.differences,
        bounds.generated,
    )
}
