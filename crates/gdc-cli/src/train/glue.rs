//! The root of a worker: the generated model and the lines that hand it to the worker.

use crate::compile::rust_text;
use crate::fault::Outcome;
use gdc_driver::Output;
use gdc_ir::graph::Precision;
use gdc_ir::program::{Buffer, BufferRole, Elem, Program};

/// What of a model is predicted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Point<'a> {
    /// The outputs of a sample.
    Outputs,
    /// The entry point of a name.
    Entry(&'a str),
    /// The outputs at every time of a sample, one time after the other.
    Stream,
}

impl<'a> From<Option<&'a str>> for Point<'a> {
    fn from(entry: Option<&'a str>) -> Point<'a> {
        entry.map_or(Point::Outputs, Point::Entry)
    }
}

/// The whole text. The generated types and the runtime `rt` stand in the root, where the
/// module of the worker sees them.
pub fn source(output: &Output, points: &[Point], spec: &str) -> Outcome<String> {
    let trainer = gdc_codegen::trainer_name(&output.model.name);
    Ok(format!(
        "{}\nmod gdc_worker;\n\n{}\nfn main() -> ::std::process::ExitCode {{\n    \
         gdc_worker::main({trainer}::new)\n}}\n",
        rust_text(output, spec)?,
        model(output, points, &trainer)
    ))
}

/// What predicts.
fn program<'o>(output: &'o Output, point: Point) -> &'o Program {
    let programs = &output.programs;
    let own = match point {
        Point::Outputs => None,
        Point::Entry(entry) => programs.entries.iter().find(|(name, _)| name == entry).map(|(_, p)| p),
        Point::Stream => programs.stream.as_ref().map(|s| &s.step),
    };
    own.unwrap_or(&programs.predict)
}

/// The inputs of a prediction, in the order of its arguments; those of a stream at one time.
pub fn given<'o>(output: &'o Output, point: Point) -> Vec<&'o Buffer> {
    program(output, point).buffers.iter().filter(|b| b.role == BufferRole::Input).collect()
}

/// The outputs of a prediction, in its order; those of a stream at one time.
pub fn outputs<'o>(output: &'o Output, point: Point) -> Vec<&'o Buffer> {
    program(output, point).buffers.iter().filter(|b| b.role == BufferRole::Output).collect()
}

/// How many times a sample has that is streamed, and the inputs that have a place for each; 1 and
/// none for what is no stream.
pub fn times(output: &Output, point: Point) -> (usize, Vec<String>) {
    let model = &output.model;
    let streamed = model.stream.as_ref().filter(|_| point == Point::Stream);
    let inputs: Vec<_> = streamed.iter().flat_map(|s| &s.inputs).filter_map(|&i| model.inputs.get(i)).collect();
    let nodes = || inputs.iter().map(|&&id| model.graph.node(id));
    let count = nodes().next().and_then(|n| n.shape.get(usize::from(n.per_sample)));
    (count.copied().unwrap_or(1), nodes().map(|n| n.name.clone()).collect())
}

fn len(buffer: &Buffer) -> usize {
    buffer.shape.iter().product()
}

fn is_real(buffer: &Buffer) -> bool {
    matches!(buffer.elem, Elem::F32 | Elem::F64)
}

fn precision(output: &Output) -> &'static str {
    match output.model.precision {
        Precision::F32 => "f32",
        Precision::F64 => "f64",
    }
}

/// What the worker asks of a model beyond the traits of the runtime.
fn model(output: &Output, points: &[Point], trainer: &str) -> String {
    let (mut widths, mut arms) = (String::new(), String::new());
    for (k, &point) in points.iter().enumerate() {
        let (given, outputs) = (given(output, point), outputs(output, point));
        let (count, timed) = times(output, point);
        let turns = |b: &Buffer| if timed.contains(&b.name) { count } else { 1 };
        let width = |real: bool| given.iter().filter(|b| is_real(b) == real).map(|b| turns(b) * len(b)).sum::<usize>();
        let predicted = count * outputs.iter().map(|b| len(b)).sum::<usize>();
        widths.push_str(&format!("({}, {}, {predicted}), ", width(true), width(false)));
        if predicted > 0 {
            arms.push_str(&format!("{k} => {{\n{}}}\n", prediction(output, point, &given, &outputs)));
        }
    }
    let number = precision(output);
    format!(
        "impl gdc_worker::Model for {trainer} {{\n\
         const POINTS: &'static [(usize, usize, usize)] = &[{widths}];\n\
         fn set_updates(&mut self, updates: u64) {{ self.set_steps(updates) }}\n\
         #[allow(unused_variables)]\n\
         fn predict_flat(&self, point: usize, reals: &[{number}], integers: &[u32], out: &mut [{number}]) {{\n\
         match point {{\n{arms}_ => {{}}\n}}\n}}\n}}\n",
    )
}

/// From flat numbers to arguments, and from outputs to flat numbers.
fn prediction(output: &Output, point: Point, given: &[&Buffer], outputs: &[&Buffer]) -> String {
    let (_, timed) = times(output, point);
    let width: usize = outputs.iter().map(|b| len(b)).sum();
    let (mut text, call) = match point {
        Point::Outputs => (String::new(), "self.model.predict(".to_owned()),
        Point::Entry(name) => (String::new(), format!("self.model.{}(", gdc_codegen::entry_method(name))),
        Point::Stream => {
            let name = gdc_codegen::stream_name(&output.model.name);
            let each = format!("for (t, out) in out.chunks_exact_mut({width}).enumerate() {{\n");
            (format!("let mut stream = {name}::start(&self.model);\n{each}"), "stream.step(&self.model, ".to_owned())
        }
    };
    text.push_str(&arguments(given, &timed, output));
    let list: Vec<String> =
        given.iter().enumerate().map(|(k, b)| format!("{}a{k}", if b.shape.is_empty() { "" } else { "&" })).collect();
    text.push_str(&format!("let got = {call}{});\n", list.join(", ")));
    let number = precision(output);
    if given.iter().any(|b| b.range.is_some()) {
        // The data were checked when they were read.
        text.push_str(&format!("let Ok(got) = got else {{ out.fill({number}::NAN); return }};\n"));
    }
    // An entry point has one output, which is returned as it is.
    let fields = gdc_codegen::output_fields(program(output, point));
    let mut start = 0;
    for (buffer, field) in outputs.iter().zip(fields) {
        let value = match buffer.elem {
            Elem::Bool => format!("{number}::from(u8::from(*v))"),
            Elem::F32 | Elem::F64 | Elem::U32 | Elem::U64 | Elem::I32 => format!("*v as {number}"),
        };
        let place = if outputs.len() == 1 { "got".to_owned() } else { format!("got.{field}") };
        text.push_str(&format!(
            "for (p, v) in out[{start}..{}].iter_mut().zip({}.iter()) {{ *p = {value}; }}\n",
            start + len(buffer),
            flat(&place, &buffer.shape, "")
        ));
        start += len(buffer);
    }
    text + if point == Point::Stream { "}\n" } else { "" }
}

/// `a0`, `a1`, ...: the arguments, of those that are `timed` what they are at the time `t`.
fn arguments(given: &[&Buffer], timed: &[String], output: &Output) -> String {
    let (mut reals, mut integers) = (0, 0);
    let mut text = String::new();
    let (count, _) = times(output, Point::Stream);
    for (k, buffer) in given.iter().enumerate() {
        let (zero, value, place, list) = match buffer.elem {
            Elem::F32 => ("0.0_f32", "*v", &mut reals, "reals"),
            Elem::F64 => ("0.0_f64", "*v", &mut reals, "reals"),
            Elem::U32 => ("0_u32", "*v", &mut integers, "integers"),
            Elem::U64 => ("0_u64", "u64::from(*v)", &mut integers, "integers"),
            Elem::I32 => ("0_i32", "*v as i32", &mut integers, "integers"),
            Elem::Bool => ("false", "*v != 0", &mut integers, "integers"),
        };
        let (start, n, is_timed) = (*place, len(buffer), timed.contains(&buffer.name));
        let range = match is_timed {
            true => format!("{list}[{start} + t * {n}..][..{n}]"),
            false => format!("{list}[{start}..{}]", start + n),
        };
        *place += n * if is_timed { count } else { 1 };
        text.push_str(&format!(
            "let mut a{k} = {};\nfor (p, v) in {}.iter_mut().zip(&{range}) {{ *p = {value}; }}\n",
            array(zero, &buffer.shape),
            flat(&format!("a{k}"), &buffer.shape, "_mut")
        ));
    }
    text
}

/// `[[0.0; 8]; 8]`
fn array(zero: &str, shape: &[usize]) -> String {
    shape.iter().rev().fold(zero.to_owned(), |inner, n| format!("[{inner}; {n}]"))
}

/// The elements of an array of arrays as one slice, those of a number as an array of it.
fn flat(place: &str, shape: &[usize], ending: &str) -> String {
    match shape.len() {
        0 => format!(
            "std::slice::from_{}(&{}{place})",
            if ending.is_empty() { "ref" } else { "mut" },
            ending.trim_start_matches('_').to_owned() + if ending.is_empty() { "" } else { " " }
        ),
        n => (1..n).fold(place.to_owned(), |inner, _| format!("{inner}.as_flattened{ending}()")),
    }
}
