//! Specs through the compiler to the interpreter.

use crate::compare::{Tensor, Tensors};
use crate::repository;
use gdc_driver::{Options, Output, Source};
use gdc_interp::Session;
use std::collections::BTreeMap;
use std::fs;

/// Compiles a text.
///
/// # Errors
/// The messages of its mistakes.
pub fn try_compile(text: &str) -> Result<Output, Vec<String>> {
    let source = Source { name: "spec.gd".to_owned(), text: text.to_owned(), folder: None };
    gdc_driver::compile(&source, &Options::default())
        .map_err(|failure| failure.diagnostics.iter().map(|d| d.message.clone()).collect())
}

/// Compiles a text that is right.
///
/// # Panics
/// It is not.
pub fn compile(text: &str) -> Output {
    try_compile(text).unwrap_or_else(|messages| panic!("{text}\n{}", messages.join("\n")))
}

/// The text of a file of the repository.
///
/// # Panics
/// It cannot be read.
pub fn text(path: &str) -> String {
    fs::read_to_string(repository(path)).expect(path)
}

/// Tensors of the interpreter.
pub fn tensors(found: &BTreeMap<String, gdc_interp::Tensor>) -> Tensors {
    Tensors(found.iter().map(|(name, t)| (name.clone(), tensor(t))).collect())
}

fn tensor(t: &gdc_interp::Tensor) -> Tensor {
    Tensor { shape: t.shape().to_vec(), values: t.to_vec() }
}

/// All parameters and states of a session.
pub fn kept(session: &Session<'_>) -> Tensors {
    let named = session.names().filter_map(|name| Some((name.to_owned(), tensor(session.get(name)?))));
    Tensors(named.collect())
}

/// Sets parameters of a session.
///
/// # Panics
/// The model has no such parameter.
pub fn set_all(session: &mut Session<'_>, values: &Tensors) {
    for (name, tensor) in &values.0 {
        let value = gdc_interp::Tensor::real(&tensor.shape, tensor.values.clone()).expect("as many as the shape says");
        session.set(name, value).unwrap_or_else(|e| panic!("{e}"));
    }
}
