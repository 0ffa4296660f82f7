//! `--emit-tests`: a file of tests beside the code, so that nobody has to trust the compiler:
//! golden numbers that the reference interpreter computed, and derivatives by differences.

use crate::fault::{Fault, Outcome};
use crate::train::field::{Field, Values};
use crate::train::in_program_order;
use gdc_driver::{Output, Runtime};
use gdc_interp::{Batch, Session};
use gdc_ir::graph::Precision;
use std::path::Path;

/// The most samples that are written down.
const SAMPLES: usize = 4;
/// Of initial values and samples.
const SEED: u64 = 7;
/// Steps before the last loss is compared.
const STEPS: usize = 3;
/// Elements of each gradient that are written down.
const ELEMENTS: usize = 8;

const BODY: &str = include_str!("../../starter/tests_body.rs");

/// The line that the generated file ends with, and the name and text of the tests.
pub fn tests(output: &Output, spec: &str, file: &Path, runtime: Runtime) -> Outcome<(String, String, String)> {
    let stem = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    if output.model.loss.is_none() || output.model.updates.is_empty() {
        return Err(Fault::input(format!(
            "model `{}`: tests can be made for models with a loss and an optimizer",
            output.model.name
        )));
    }
    let name = format!("{stem}_tests");
    let module = format!("\n#[cfg(test)]\n#[path = \"{name}.rs\"]\nmod golden;\n");
    let text = text(output, spec, &stem, runtime).map_err(|e| Fault::input(format!("the interpreter stopped: {e}")))?;
    Ok((module, format!("{name}.rs"), text))
}

fn text(output: &Output, spec: &str, stem: &str, runtime: Runtime) -> Result<String, gdc_interp::Error> {
    let model = &output.model;
    let fields = Field::all(model);
    let samples = output.programs.train.samples().unwrap_or(1).clamp(1, SAMPLES);
    let columns: Vec<Values> = fields.iter().enumerate().map(|(k, f)| f.made_up(samples, SEED, 2 + k as u64)).collect();
    let mut batch = if fields.is_empty() { Batch::none() } else { Batch::of(samples) };
    for (field, values) in fields.iter().zip(&columns) {
        batch = batch.with(field.name.clone(), crate::verify::tensor(field, values, samples)?);
    }
    let mut session = Session::new(model, SEED)?;
    let loss = session.loss(&batch)?;
    let gradients = session.gradients(&batch)?;
    for _ in 0..STEPS {
        session.step(&batch)?;
    }
    let after = session.loss(&batch)?;
    let used = in_program_order(output, &fields);
    let (reals, integers) = flat(&fields, &columns, &used, samples);
    let runtime = match runtime {
        Runtime::Crate => "::gdc::rt",
        Runtime::StandAlone | Runtime::Hosted => "super::rt",
    };
    let mut out = format!(
        "//! Tests of `{stem}.rs`, made by gdc {} from {spec}; do not edit.\n//!\n\
         //! The numbers come from gdc's reference interpreter, which shares no code with its code generator and\n\
         //! computes in f64; derivatives are also held against differences of the loss.\n\n\
         extern crate std;\n\nuse super::{}Trainer as Trained;\nuse {runtime}::{{Float, NamedTensors, Trainer}};\n\
         use std::prelude::rust_2021::*;\nuse std::{{assert, format}};\n\n",
        env!("CARGO_PKG_VERSION"),
        gdc_codegen::trainer_name(&model.name).trim_end_matches("Trainer"),
    );
    let mut constant = |doc: &str, name: &str, ty: &str, value: &str| {
        out.push_str(&format!("/// {doc}\nconst {name}: {ty} = {value};\n"));
    };
    constant("Of initial values.", "SEED", "u64", &SEED.to_string());
    constant("How many samples there are.", "SAMPLES", "usize", &samples.to_string());
    let number = match model.precision {
        Precision::F32 => ("&[f32]", 1e-4, 1e-2, "[0.1, 0.03, 0.01, 0.003]"),
        Precision::F64 => ("&[f64]", 1e-10, 1e-6, "[1e-3, 1e-4, 1e-5, 1e-6]"),
    };
    constant("Real numbers, sample after sample.", "REALS", number.0, &list(&reals));
    constant("Integers, sample after sample.", "INTEGERS", "&[u32]", &list(&integers));
    constant("The mean loss before the first step.", "LOSS", "f64", &format!("{loss:?}"));
    constant("Steps before the last loss.", "STEPS", "usize", &STEPS.to_string());
    constant("The mean loss after them.", "LOSS_AFTER", "f64", &format!("{after:?}"));
    constant("By which part numbers may be off.", "ERROR", "f64", &format!("{:e}", number.1));
    constant("By which part slopes of the loss may be off.", "SLOPE_ERROR", "f64", &format!("{:e}", number.2));
    constant("The widths over which slopes are taken.", "WIDTHS", "[f64; 4]", number.3);
    let plain = model.evaluation.is_none();
    constant(
        "Whether `loss` is what is trained, as it is without dropout and the like.",
        "PLAIN",
        "bool",
        &plain.to_string(),
    );
    let mut golden = String::from("&[\n");
    for (name, gradient) in &gradients {
        let values = gradient.to_vec();
        let norm = values.iter().map(|v| v * v).sum::<f64>().sqrt();
        let step = values.len().div_ceil(ELEMENTS).max(1);
        let some: Vec<String> = values.iter().enumerate().step_by(step).map(|(i, v)| format!("({i}, {v:?})")).collect();
        golden.push_str(&format!("    ({name:?}, {norm:?}, &[{}]),\n", some.join(", ")));
    }
    golden.push(']');
    let ty = "&[(&str, f64, &[(usize, f64)])]";
    constant("For each parameter the norm of its gradient, and some of its elements.", "GRADIENTS", ty, &golden);
    // The first line says what the template is for.
    Ok(out + "\n" + BODY.split_once("\n\n").map_or(BODY, |(_, rest)| rest))
}

/// Sample after sample, as the trainer's `load_flat` takes them.
fn flat(fields: &[Field], columns: &[Values], used: &[usize], samples: usize) -> (Vec<String>, Vec<String>) {
    let (mut reals, mut integers) = (Vec::new(), Vec::new());
    for sample in 0..samples {
        for &k in used {
            let len = fields[k].len();
            let range = sample * len..(sample + 1) * len;
            match &columns[k] {
                Values::F32(list) => reals.extend(list[range].iter().map(|v| format!("{v:?}"))),
                Values::F64(list) => reals.extend(list[range].iter().map(|v| format!("{v:?}"))),
                Values::U32(list) => integers.extend(list[range].iter().map(u32::to_string)),
                Values::I32(list) => integers.extend(list[range].iter().map(|v| (*v as u32).to_string())),
                Values::Bool(list) => integers.extend(list[range].iter().map(|v| u32::from(*v).to_string())),
            }
        }
    }
    (reals, integers)
}

fn list(items: &[String]) -> String {
    let lines: Vec<String> = items.chunks(8).map(|line| format!("    {},\n", line.join(", "))).collect();
    if lines.is_empty() { "&[]".to_owned() } else { format!("&[\n{}]", lines.concat()) }
}
