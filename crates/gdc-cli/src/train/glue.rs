//! The root of a worker: the generated model and the lines that hand it to the worker.

use crate::compile::rust_text;
use crate::fault::Outcome;
use gdc_driver::Output;
use gdc_ir::graph::Precision;
use gdc_ir::program::{Buffer, BufferRole, Elem, Program};

/// The whole text. The generated types and the runtime `rt` stand in the root, where the
/// module of the worker sees them.
pub fn source(output: &Output, entry: Option<&str>, spec: &str) -> Outcome<String> {
    let trainer = gdc_codegen::trainer_name(&output.model.name);
    Ok(format!(
        "{}\nmod gdc_worker;\n\n{}\nfn main() -> ::std::process::ExitCode {{\n    \
         gdc_worker::main({trainer}::new)\n}}\n",
        rust_text(output, spec)?,
        model(output, entry, &trainer)
    ))
}

/// What predicts: the entry point of a name, or the model's outputs.
fn program<'o>(output: &'o Output, entry: Option<&str>) -> &'o Program {
    let programs = &output.programs;
    let own = entry.and_then(|entry| programs.entries.iter().find(|(name, _)| name == entry));
    own.map_or(&programs.predict, |(_, program)| program)
}

/// The inputs of a prediction, in the order of its arguments.
pub fn given<'o>(output: &'o Output, entry: Option<&str>) -> Vec<&'o Buffer> {
    program(output, entry).buffers.iter().filter(|b| b.role == BufferRole::Input).collect()
}

/// The outputs of a prediction, in its order.
pub fn outputs<'o>(output: &'o Output, entry: Option<&str>) -> Vec<&'o Buffer> {
    program(output, entry).buffers.iter().filter(|b| b.role == BufferRole::Output).collect()
}

fn len(buffer: &Buffer) -> usize {
    buffer.shape.iter().product()
}

fn is_real(buffer: &Buffer) -> bool {
    matches!(buffer.elem, Elem::F32 | Elem::F64)
}

/// What the worker asks of a model beyond the traits of the runtime.
fn model(output: &Output, entry: Option<&str>, trainer: &str) -> String {
    let (given, outputs) = (given(output, entry), outputs(output, entry));
    let width = |real: bool| given.iter().filter(|b| is_real(b) == real).map(|b| len(b)).sum::<usize>();
    let prediction = if outputs.is_empty() { String::new() } else { prediction(output, entry, &given, &outputs) };
    format!(
        "impl gdc_worker::Model for {trainer} {{\n\
         const GIVEN_REALS: usize = {};\nconst GIVEN_INTEGERS: usize = {};\nconst PREDICTED: usize = {};\n\
         fn set_updates(&mut self, updates: u64) {{ self.set_steps(updates) }}\n{prediction}}}\n",
        width(true),
        width(false),
        outputs.iter().map(|b| len(b)).sum::<usize>(),
    )
}

/// From flat numbers to arguments, and from outputs to flat numbers.
fn prediction(output: &Output, entry: Option<&str>, given: &[&Buffer], outputs: &[&Buffer]) -> String {
    let number = match output.model.precision {
        Precision::F32 => "f32",
        Precision::F64 => "f64",
    };
    let mut text = format!(
        "#[allow(unused_variables)]\n\
         fn predict_flat(&self, reals: &[{number}], integers: &[u32], out: &mut [{number}]) {{\n",
    );
    let (mut reals, mut integers) = (0, 0);
    let mut arguments = Vec::new();
    for (k, buffer) in given.iter().enumerate() {
        let (zero, value, place, list) = match buffer.elem {
            Elem::F32 => ("0.0_f32", "*v", &mut reals, "reals"),
            Elem::F64 => ("0.0_f64", "*v", &mut reals, "reals"),
            Elem::U32 => ("0_u32", "*v", &mut integers, "integers"),
            Elem::U64 => ("0_u64", "u64::from(*v)", &mut integers, "integers"),
            Elem::I32 => ("0_i32", "*v as i32", &mut integers, "integers"),
            Elem::Bool => ("false", "*v != 0", &mut integers, "integers"),
        };
        let range = format!("{list}[{}..{}]", *place, *place + len(buffer));
        *place += len(buffer);
        text.push_str(&format!(
            "let mut a{k} = {};\nfor (p, v) in {}.iter_mut().zip(&{range}) {{ *p = {value}; }}\n",
            array(zero, &buffer.shape),
            flat(&format!("a{k}"), &buffer.shape, "_mut")
        ));
        arguments.push(format!("{}a{k}", if buffer.shape.is_empty() { "" } else { "&" }));
    }
    let method = entry.map_or_else(|| "predict".to_owned(), gdc_codegen::entry_method);
    text.push_str(&format!("let got = self.model.{method}({});\n", arguments.join(", ")));
    if given.iter().any(|b| b.range.is_some()) {
        // The data were checked when they were read.
        text.push_str(&format!("let Ok(got) = got else {{ out.fill({number}::NAN); return }};\n"));
    }
    // An entry point has one output, which is returned as it is.
    let fields = entry.map_or_else(|| gdc_codegen::output_fields(&output.programs), |name| vec![name.to_owned()]);
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
    text + "}\n"
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
