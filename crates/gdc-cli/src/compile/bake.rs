//! `--bake`: trained weights as a `static` beside the code, for inference without a start-up.

use crate::fault::{Fault, Outcome};
use crate::train::field::Field;
use crate::train::prepare::Normalisation;
use crate::train::weights::Tensor;
use crate::train::{Weights, load_init};
use gdc_driver::Output;
use gdc_ir::graph::Precision;
use std::path::Path;

/// Numbers of a line.
const IN_LINE: usize = 8;

/// The items to append to the generated file.
pub fn items(output: &Output, weights: &Path) -> Outcome<String> {
    let Weights { mut tensors, classes } = load_init(weights, output, false)?;
    let normalised = Normalisation::take(&mut tensors);
    let (ty, fields) = gdc_codegen::model_fields(&output.programs);
    let number = match output.model.precision {
        Precision::F32 => "f32",
        Precision::F64 => "f64",
    };
    let name = screaming(&ty);
    let mut values = String::new();
    for (path, field) in fields {
        let tensor = tensors.iter().find(|t| t.slot.name == path).ok_or_else(|| {
            Fault::input(format!("{} has no `{path}`, which the model keeps to predict", weights.display()))
        })?;
        values.push_str(&format!("    {field}: {},\n", array(tensor, number)));
    }
    let note = if normalised.is_empty() {
        String::new()
    } else {
        let inputs: Vec<String> = normalised.iter().map(|n| format!("`{}`", n.name)).collect();
        format!(
            "///\n/// It was trained on normalised inputs: subtract the mean from {} and divide by the\n\
             /// deviation first.\n",
            inputs.join(", ")
        )
    };
    let allow = "#[allow(clippy::all, dead_code)]\n";
    let mut text = format!("\n/// The trained model.\n{note}{allow}pub static {name}: {ty} = {ty} {{\n{values}}};\n");
    let fields = Field::all(&output.model);
    for (field, names) in fields.iter().filter_map(|f| Some((f, classes.of(&f.name)?))) {
        let low = field.range.map_or(0, |(low, _)| low);
        text.push_str(&format!(
            "\n/// The names of `{}` in the training data, from {low} on.\n{allow}\
             pub static {name}_{}_NAMES: [&str; {}] = {names:?};\n",
            field.name,
            screaming(&field.name),
            names.len()
        ));
    }
    for normalisation in normalised {
        for tensor in normalisation.tensors() {
            let kind = tensor.slot.name.rsplit('/').next().unwrap_or_default().to_owned();
            let of = &normalisation.name;
            let ty = fields.iter().find(|f| f.name == *of).map_or(number.to_owned(), |f| array_type(number, &f.shape));
            text.push_str(&format!(
                "\n/// The {kind} of `{of}` in the training data.\n{allow}pub static {name}_{}_{}: {ty} = {};\n",
                screaming(of),
                kind.to_uppercase(),
                array(&tensor, number)
            ));
        }
    }
    Ok(text)
}

/// `DIGITS` for `Digits`.
fn screaming(name: &str) -> String {
    let mut text = String::new();
    let mut before = '_';
    for c in name.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            text.push('_');
        }
        text.extend(c.to_uppercase());
        before = c;
    }
    text
}

fn array_type(number: &str, shape: &[usize]) -> String {
    shape.iter().rev().fold(number.to_owned(), |inner, n| format!("[{inner}; {n}]"))
}

/// A tensor as nested arrays, every number with the fewest digits that give it back.
fn array(tensor: &Tensor, ty: &str) -> String {
    let mut text = String::new();
    nested(ty, &tensor.slot.shape, &tensor.values, 1, &mut text);
    text
}

fn nested(ty: &str, shape: &[usize], values: &[f64], depth: usize, text: &mut String) {
    let Some((&n, inner)) = shape.split_first() else {
        text.push_str(&number(ty, values.first().copied().unwrap_or(0.0)));
        return;
    };
    let gap = format!("\n{}", "    ".repeat(depth + 1));
    text.push('[');
    if inner.is_empty() {
        for (i, value) in values.iter().enumerate() {
            text.push_str(if i % IN_LINE == 0 { &gap } else { " " });
            text.push_str(&number(ty, *value));
            text.push(',');
        }
    } else {
        let len: usize = inner.iter().product();
        for row in 0..n {
            text.push_str(&gap);
            nested(ty, inner, &values[row * len..(row + 1) * len], depth + 1, text);
            text.push(',');
        }
    }
    text.push_str(&format!("\n{}]", "    ".repeat(depth)));
}

fn number(ty: &str, value: f64) -> String {
    if value.is_nan() {
        format!("{ty}::NAN")
    } else if value.is_infinite() {
        format!("{ty}::{}", if value > 0.0 { "INFINITY" } else { "NEG_INFINITY" })
    } else if ty == "f32" {
        format!("{:?}", value as f32)
    } else {
        format!("{value:?}")
    }
}
