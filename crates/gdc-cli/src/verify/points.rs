//! What is predicted: outputs, entry points and the stream, as generated code computes them and
//! as the interpreter does, on the graph after all passes and on the graph as the spec states it.

use super::{Bounds, largest, mistake, tensor, within};
use crate::cli::VerifyArgs;
use crate::fault::Outcome;
use crate::runner::Runner;
use crate::text::table;
use crate::train::field::{Field, Values};
use crate::train::glue::{self, Point};
use crate::train::weights::Tensor as Weights;
use crate::train::worker::Job;
use gdc_driver::Output;
use gdc_interp::{Batch, Error, Session, Stream, Tensor};
use gdc_ir::graph::Model;
use std::collections::BTreeMap;

/// Of made-up inputs of entry points.
const ENTRIES: u64 = 1_000_000;

/// All that a model predicts.
pub fn all(output: &Output) -> Vec<Point<'_>> {
    let entries = output.model.entries.iter().map(|e| Point::Entry(&e.name));
    let stream = output.stream.as_ref().map(|_| Point::Stream);
    let outputs = (!output.model.outputs.is_empty()).then_some(Point::Outputs);
    outputs.into_iter().chain(entries).chain(stream).collect()
}

/// One thing that is predicted.
pub struct Row {
    pub name: String,
    kind: &'static str,
    /// How many numbers were compared.
    elements: usize,
    /// The generated code against the interpreter.
    generated: f64,
    /// The interpreter on the graph after all passes against that on the graph as lowered.
    passes: Option<f64>,
}

impl Row {
    pub fn is_wrong(&self, bounds: &Bounds) -> bool {
        !(within(self.generated, bounds.generated) && self.passes.is_none_or(|e| within(e, bounds.differences)))
    }
}

/// Samples of a model and where its parameters stand.
pub struct Given<'a> {
    /// Before any pass.
    pub lowered: &'a Model,
    pub fields: &'a [Field],
    pub columns: &'a [Values],
    pub samples: usize,
    pub point: &'a [Weights],
}

/// Values by name: of each output a list over samples.
type Named = BTreeMap<String, Vec<f64>>;

/// Compares everything.
pub fn rows(runner: &Runner, given: &Given, args: &VerifyArgs) -> Outcome<Vec<Row>> {
    let output = &runner.output;
    let mut rows = Vec::new();
    for (k, point) in all(output).into_iter().enumerate() {
        let job = Job { point: k, seed: args.seed, ..Job::default() };
        match point {
            Point::Outputs => {
                let expected = outputs(&output.model, given, args.seed).map_err(mistake)?;
                let stated = outputs(given.lowered, given, args.seed).ok();
                let found = runner.predict(&job, point, given.fields, given.columns, given.point)?;
                rows.extend(compare("output", output, point, given.samples, &found, &expected, stated.as_ref()));
            }
            Point::Stream => {
                let expected = streamed(output, given, args.seed).map_err(mistake)?;
                let whole = outputs(&output.model, given, args.seed).map_err(mistake)?;
                let found = runner.predict(&job, point, given.fields, given.columns, given.point)?;
                let mut own = compare("stream", output, point, given.samples, &found, &expected, None);
                for row in &mut own {
                    row.passes =
                        whole.get(&row.name).and_then(|w| against_whole(&expected[&row.name], w, given.samples));
                }
                rows.extend(own);
            }
            Point::Entry(name) => {
                let Some((entry, one)) = output.model.entries.iter().zip(&output.entries).find(|(e, _)| e.name == name)
                else {
                    continue;
                };
                let fields = Field::of_entry(&output.model, entry);
                let made = |(i, f): (usize, &Field)| f.made_up(given.samples, args.seed, ENTRIES + i as u64);
                let columns: Vec<Values> = fields.iter().enumerate().map(made).collect();
                let session = session(&output.model, given, args.seed).map_err(mistake)?;
                let expected = one_by_one(one, &session, &fields, &columns, given.samples).map_err(mistake)?;
                let found = runner.predict(&job, point, &fields, &columns, given.point)?;
                rows.extend(compare("entry", output, point, given.samples, &found, &expected, None));
            }
        }
    }
    Ok(rows)
}

/// A session with the parameters set.
fn session<'m>(model: &'m Model, given: &Given, seed: u64) -> Result<Session<'m>, Error> {
    let mut session = Session::new(model, seed)?;
    for weights in given.point {
        session.set(&weights.slot.name, Tensor::real(&weights.slot.shape, weights.values.clone())?)?;
    }
    Ok(session)
}

/// The outputs of a whole batch.
fn outputs(model: &Model, given: &Given, seed: u64) -> Result<Named, Error> {
    let mut batch = if given.fields.is_empty() { Batch::none() } else { Batch::of(given.samples) };
    for (field, values) in given.fields.iter().zip(given.columns) {
        batch = batch.with(field.name.clone(), tensor(field, values, given.samples)?);
    }
    let found = session(model, given, seed)?.predict(&batch)?;
    let one = |(name, value): (String, Tensor)| {
        let shared = model.outputs.iter().any(|o| o.name == name && !model.graph.node(o.node).per_sample);
        let list = value.to_vec();
        (name, if shared { list.repeat(given.samples) } else { list })
    };
    Ok(found.into_iter().map(one).collect())
}

/// One sample of a field, or its part at one of some times.
fn sample(field: &Field, values: &Values, i: usize, time: Option<(usize, usize)>) -> Result<Tensor, Error> {
    let len = field.len();
    let (shape, values) = match time {
        None => (field.shape.clone(), values.select(&[i], len)),
        Some((t, times)) => (field.shape[1..].to_vec(), values.select(&[i * times + t], len / times.max(1))),
    };
    tensor(&Field { shape: shape.clone(), ..field.clone() }, &values, 1)?.reshaped(&shape)
}

/// What a model of one sample gives for each of some.
fn one_by_one(one: &Model, whole: &Session, fields: &[Field], columns: &[Values], n: usize) -> Result<Named, Error> {
    let mut found = Named::new();
    for i in 0..n {
        let inputs = fields.iter().zip(columns).map(|(f, v)| Ok((f.name.clone(), sample(f, v, i, None)?)));
        let inputs: BTreeMap<String, Tensor> = inputs.collect::<Result<_, Error>>()?;
        // A stream that carries nothing is a function.
        for (name, value) in Stream::start(one, whole)?.step(&inputs)? {
            found.entry(name).or_default().extend(value.to_vec());
        }
    }
    Ok(found)
}

/// What a stream gives for each sample, one time after the other.
fn streamed(output: &Output, given: &Given, seed: u64) -> Result<Named, Error> {
    let mut found = Named::new();
    let Some(step) = &output.stream else { return Ok(found) };
    let whole = session(&output.model, given, seed)?;
    let (times, timed) = glue::times(output, Point::Stream);
    for i in 0..given.samples {
        let mut stream = Stream::start(step, &whole)?;
        for t in 0..times {
            let time = |f: &Field| timed.contains(&f.name).then_some((t, times));
            let inputs = given.fields.iter().zip(given.columns);
            let inputs = inputs.map(|(f, v)| Ok((f.name.clone(), sample(f, v, i, time(f))?)));
            for (name, value) in stream.step(&inputs.collect::<Result<_, Error>>()?)? {
                found.entry(name).or_default().extend(value.to_vec());
            }
        }
    }
    Ok(found)
}

/// Takes apart what generated code wrote, sample after sample, and for a stream time after time.
fn compare(
    kind: &'static str,
    output: &Output,
    point: Point,
    samples: usize,
    found: &[f64],
    expected: &Named,
    stated: Option<&Named>,
) -> Vec<Row> {
    let buffers = glue::outputs(output, point);
    let lens: Vec<usize> = buffers.iter().map(|b| b.shape.iter().product()).collect();
    let width: usize = lens.iter().sum();
    let turns = samples * glue::times(output, point).0;
    let mut start = 0;
    let mut rows = Vec::new();
    for (buffer, len) in buffers.into_iter().zip(lens) {
        let own = found.chunks_exact(width.max(1)).flat_map(|row| row[start..start + len].iter().copied());
        let own: Vec<f64> = own.collect();
        start += len;
        let right = expected.get(&buffer.name);
        let passes = stated.and_then(|s| s.get(&buffer.name)).map(|s| largest(right, Some(s), 0.0));
        let generated = largest(Some(&own), right, 0.0);
        rows.push(Row { name: buffer.name.clone(), kind, elements: turns * len, generated, passes });
    }
    rows
}

/// A stream of whole samples against these samples: at each time where the output has a place for
/// each, and else at the last one, of which the output is.
fn against_whole(streamed: &[f64], whole: &[f64], samples: usize) -> Option<f64> {
    if streamed.len() == whole.len() {
        return Some(largest(Some(&streamed.to_vec()), Some(&whole.to_vec()), 0.0));
    }
    let (each, last) = (streamed.len() / samples.max(1), whole.len() / samples.max(1));
    let ends: Vec<f64> = streamed.chunks_exact(each.max(1)).flat_map(|s| s[each - last..].iter().copied()).collect();
    Some(largest(Some(&ends), Some(&whole.to_vec()), 0.0))
}

/// The table of what is predicted; nothing for a model that predicts nothing.
pub fn report(rows: &[Row], bounds: &Bounds) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let head = ["predicted", "", "elements", "after/before passes", "generated/interpreter", ""];
    let number = |x: f64| format!("{x:.1e}");
    let lines = rows.iter().map(|r| {
        vec![
            r.name.clone(),
            r.kind.to_owned(),
            r.elements.to_string(),
            r.passes.map_or("-".to_owned(), number),
            number(r.generated),
            if r.is_wrong(bounds) { "WRONG" } else { "ok" }.to_owned(),
        ]
    });
    let lines: Vec<Vec<String>> = lines.collect();
    format!(
        "\n{}\nBefore passes: of outputs, the interpreter on the graph as the spec states it; of a stream, on whole samples.\n",
        table(&head, &lines, &[false, false, true, true, true, false])
    )
}
