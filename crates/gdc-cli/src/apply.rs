//! `gdc predict` and `gdc eval`: a trained model on data.

mod scores;

use crate::cli::{EvalArgs, PredictArgs};
use crate::fault::{At, Fault, Outcome};
use crate::files::{print, write_whole};
use crate::runner::{Runner, compile, entry_fields, no_outputs, with_targets};
use crate::text::csv_cell;
use crate::train::data::classes::Classes;
use crate::train::data::{DataArg, Dataset, element_name};
use crate::train::field::{Field, Role};
use crate::train::glue::Point;
use crate::train::prepare::Normalisation;
use crate::train::weights::{self, Slot, Tensor};
use crate::train::worker::{Job, Mode};
use crate::train::{Weights, buffer_names, glue, load, load_init};
use gdc_ir::graph::Precision;
use gdc_ir::program::BufferRole;
use ndarray_npy::WriteNpyExt;
use scores::Prediction;
use std::path::Path;

/// Writes the outputs for all samples.
pub fn predict(args: &PredictArgs) -> Outcome {
    let given = &args.trained;
    let entry = args.entry.as_deref();
    let (output, spec) = compile(&given.spec)?;
    let fields = match entry {
        Some(name) => entry_fields(&output, name, &spec)?,
        None if glue::outputs(&output, Point::Outputs).is_empty() => return Err(no_outputs(&output, &spec)),
        None => Field::all(&output.model),
    };
    let Weights { mut tensors, mut classes } = load_init(&given.weights, &output, given.build.quiet)?;
    let normalised = Normalisation::take(&mut tensors);
    let inputs: Vec<Field> = fields.iter().filter(|f| f.role == Role::Input).cloned().collect();
    let data = read(&given.data, &inputs, &mut classes, given.build.quiet)?;
    let samples = data.samples;
    let runner = match entry {
        Some(name) => Runner::of_entry(output, name, &spec, &given.build)?,
        None => Runner::of(output, &spec, &given.build)?,
    };
    let mut columns = with_targets(&fields, data);
    if entry.is_none() {
        normalised.iter().for_each(|n| n.apply(&fields, &mut columns));
    }
    let job = Job { mode: Mode::Predict, ..Job::default() };
    let (ran, _) = runner.run(&job, &columns, Some(&tensors))?;
    let mut predictions = Prediction::all(&runner.output, entry, samples, &ran.predicted)?;
    predictions.iter_mut().for_each(|p| p.name_classes(&fields, &classes));
    let precision = runner.output.model.precision;
    match &args.out {
        None => {
            print(&csv(&predictions, samples, precision));
            Ok(())
        }
        Some(path) => write(path, &predictions, samples, precision),
    }
}

/// The data, or one sample made of nothing for a model without inputs.
fn read(args: &[DataArg], fields: &[Field], classes: &mut Classes, quiet: bool) -> Outcome<Dataset> {
    let mut data = load("--data", args, fields, classes, quiet)?;
    data.samples = data.samples.max(1);
    Ok(data)
}

fn write(path: &Path, predictions: &[Prediction], samples: usize, precision: Precision) -> Outcome {
    let kind = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    match (kind, predictions) {
        ("npz", all) => {
            let tensor = |p: &Prediction| Tensor {
                slot: Slot { name: p.name.clone(), shape: [&[samples], p.shape.as_slice()].concat() },
                values: p.values.clone(),
            };
            let all: Vec<Tensor> = all.iter().map(tensor).collect();
            write_whole(path, &weights::npz(path, precision, &all)?)
        }
        ("npy", [one]) => {
            let shape = [&[samples], one.shape.as_slice()].concat();
            let array = ndarray::ArrayView::from_shape(shape.as_slice(), &one.values).at("write", path)?;
            let mut bytes = Vec::new();
            match precision {
                Precision::F32 => array.mapv(|v| v as f32).write_npy(&mut bytes),
                Precision::F64 => array.write_npy(&mut bytes),
            }
            .at("write", path)?;
            write_whole(path, &bytes)
        }
        ("npy", _) => Err(Fault::call(format!(
            "{}: an NPY file holds one array, and the model has {} outputs: write a .npz or .csv file",
            path.display(),
            predictions.len()
        ))),
        ("csv", all) => write_whole(path, csv(all, samples, precision).as_bytes()),
        _ => Err(Fault::call(format!("{}: outputs can be written as .csv, .npy or .npz", path.display()))),
    }
}

/// A column for each element, a line for each sample.
fn csv(predictions: &[Prediction], samples: usize, precision: Precision) -> String {
    let heads = predictions.iter().flat_map(|p| {
        let field = p.as_field();
        let head = move |i: usize| match p.names.get(i).filter(|_| !p.whole) {
            Some(class) => format!("{}[{class}]", p.name),
            None => element_name(&field, i),
        };
        (0..p.len()).map(move |i| csv_cell(&head(i))).collect::<Vec<_>>()
    });
    let mut text = heads.collect::<Vec<_>>().join(",") + "\n";
    let cell = |p: &Prediction, v: f64| match (p.class_name(v), precision) {
        (Some(name), _) => csv_cell(name),
        (None, Precision::F32) => format!("{}", v as f32),
        (None, Precision::F64) => format!("{v}"),
    };
    for i in 0..samples {
        let cells = predictions.iter().flat_map(|p| p.sample(i).iter().map(move |&v| cell(p, v)));
        text.push_str(&(cells.collect::<Vec<_>>().join(",") + "\n"));
    }
    text
}

/// Prints the loss, the metrics, and what the outputs say about the targets.
pub fn eval(args: &EvalArgs) -> Outcome {
    let (output, spec) = compile(&args.trained.spec)?;
    let Weights { mut tensors, mut classes } = load_init(&args.trained.weights, &output, args.trained.build.quiet)?;
    let normalised = Normalisation::take(&mut tensors);
    let fields = Field::all(&output.model);
    let mut data = read(&args.trained.data, &fields, &mut classes, args.trained.build.quiet)?;
    normalised.iter().for_each(|n| n.apply(&fields, &mut data.columns));
    let runner = Runner::of(output, &spec, &args.trained.build)?;
    let job = Job { mode: Mode::Evaluate, ..Job::default() };
    let (ran, _) = runner.run(&job, &data.columns, Some(&tensors))?;
    let score = ran.score.ok_or_else(|| Fault::input("the program evaluated nothing: a mistake of gdc"))?;
    let names = buffer_names(&runner.output, |role| role == BufferRole::Metric);
    let metrics: Vec<(String, f64)> = names.into_iter().zip(score.metrics).collect();
    let predictions = match glue::outputs(&runner.output, Point::Outputs).is_empty() {
        true => Vec::new(),
        false => Prediction::all(&runner.output, None, data.samples, &ran.predicted)?,
    };
    let found = scores::find(&runner.fields, &data.columns, &predictions, &classes);
    let text = if args.json {
        scores::json(data.samples, score.loss, &metrics, &found)
    } else {
        scores::text(data.samples, score.loss, &metrics, &found)
    };
    print(&text);
    Ok(())
}
