//! Compiling small models, and comparing numbers.

use gdc_core::{compile_model, library::Library};
use gdc_interp::{CheckOptions, Session, Tensor, gradient_check};
use gdc_ir::Model;
use gdc_syntax::{Diagnostics, SourceMap, ast, parse, render};
use serde_json::Value;

/// The graph of the model in a source, verified after each pass.
pub fn compile(text: &str) -> Model {
    let (mut sources, mut diagnostics) = (SourceMap::default(), Diagnostics::default());
    let id = sources.add("test.gd", text);
    let result = parse::parse_file(text, id, &mut diagnostics).and_then(|file| {
        let model = file.items.iter().find_map(|i| match &i.kind {
            ast::ItemKind::Model(m) => Some(m.clone()),
            _ => None,
        });
        let model = model.unwrap_or_else(|| panic!("no model in\n{text}"));
        let mut library = Library::new(file.items);
        compile_model(&model, &[], &mut library, &mut sources, &mut diagnostics, &mut |pass, graph| {
            let mut violations = gdc_ir::verify::verify(graph).err().unwrap_or_default();
            // The derivative of a slice reads under a condition that the verifier does not see.
            violations.retain(|v| !v.message.contains(") reads axis "));
            assert!(violations.is_empty(), "{text}\n{pass}: {violations:#?}");
        })
    });
    let messages: Vec<String> = diagnostics.as_slice().iter().map(|d| render::short(d, &sources)).collect();
    assert!(messages.is_empty(), "{text}\n{}", messages.join("\n"));
    result.unwrap_or_else(|_| panic!("{text}\nfailed without a message"))
}

/// One of the fixtures that PyTorch made.
pub fn fixture(name: &str) -> Value {
    let path = format!("{}/../../tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The numbers of a nested list, in row-major order.
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        Value::Number(x) => vec![x.as_f64().unwrap_or(f64::NAN)],
        other => panic!("not a number: {other}"),
    }
}

/// The extents of a nested list.
pub fn shape(value: &Value) -> Vec<usize> {
    match value {
        Value::Array(items) => [vec![items.len()], items.first().map(shape).unwrap_or_default()].concat(),
        _ => Vec::new(),
    }
}

/// A nested list as a tensor.
pub fn tensor(value: &Value) -> Tensor {
    Tensor::real(&shape(value), numbers(value)).unwrap()
}

/// A number, list or truth value as gdc writes it.
pub fn written(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(", ")),
        Value::Bool(b) => b.to_string(),
        Value::Number(x) if x.is_i64() => x.to_string(),
        other => format!("{:?}", numbers(other)[0]),
    }
}

/// `, name = value` for each setting.
pub fn settings(value: &Value) -> String {
    let map = value.as_object().unwrap_or_else(|| panic!("not settings: {value}"));
    map.iter().map(|(k, v)| format!(", {k} = {}", written(v))).collect()
}

/// Equal within 1e-10, relative to numbers larger than 1; nothing infinite.
#[track_caller]
pub fn assert_close(found: &[f64], wanted: &[f64], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (i, (&a, &b)) in found.iter().zip(wanted).enumerate() {
        let error = (a - b).abs() / b.abs().max(1.0);
        assert!(error <= 1e-10, "{what}: element {i} is {a:e}, and {b:e} is right");
    }
}

/// Holds the gradient at the session's place against finite differences.
#[track_caller]
pub fn assert_gradient(model: &Model, session: &Session<'_>, batch: &gdc_interp::Batch, what: &str) {
    let report = gradient_check(model, session, batch, CheckOptions::default()).unwrap();
    assert!(report.worst() < 1e-6, "{what}:\n{report}");
}
