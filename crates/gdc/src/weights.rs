//! Saving and loading (feature `safetensors`): the tensors of a model, or with a trainer the
//! whole state of training, in the format that PyTorch, JAX and `gdc train` share.
//!
//! A model of `f32` is saved as `F32`, and one of `precision f64` as `F64`. Either can be loaded
//! into either: from `F32` to `f64` numbers stay what they are, from `F64` to `f32` they are
//! rounded to the nearest, and one that is too large for that is an error.

use crate::rt::{Float, NamedTensors};
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use std::collections::BTreeMap;
use std::fmt;
use std::format;
use std::path::Path;
use std::prelude::rust_2024::*;

/// Why tensors could not be saved or loaded. Nothing has been changed then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WeightsError(String);

impl fmt::Display for WeightsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WeightsError {}

impl From<SafeTensorError> for WeightsError {
    fn from(error: SafeTensorError) -> Self {
        WeightsError(error.to_string())
    }
}

/// The bytes of a safetensors file of all tensors, each under its name and in the model's own
/// precision.
///
/// # Errors
///
/// The format cannot hold them (tensors beyond the address space).
pub fn to_safetensors<M: NamedTensors>(model: &M) -> Result<Vec<u8>, WeightsError> {
    let double = size_of::<M::Real>() == 8;
    let bytes = |value: &M::Real| match double {
        true => value.to_f64().to_le_bytes().to_vec(),
        false => (value.to_f64() as f32).to_le_bytes().to_vec(),
    };
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    model.tensors(&mut |name, shape, values| {
        tensors.push((name.to_owned(), shape.to_vec(), values.iter().flat_map(bytes).collect()));
    });
    let mut views = Vec::with_capacity(tensors.len());
    let ty = if double { Dtype::F64 } else { Dtype::F32 };
    for (name, shape, bytes) in &tensors {
        views.push((name.as_str(), TensorView::new(ty, shape.clone(), bytes)?));
    }
    Ok(safetensors::serialize(views, None)?)
}

/// Puts the tensors of a safetensors file, of type `F32` or `F64`, into `model`.
///
/// # Errors
///
/// The bytes are no such file; or names or shapes differ, or numbers cannot be had in the model's
/// precision, and the error lists all differences. The model is as before then.
pub fn from_safetensors<M: NamedTensors>(model: &mut M, bytes: &[u8]) -> Result<(), WeightsError> {
    let file = SafeTensors::deserialize(bytes)?;
    let found: BTreeMap<String, TensorView<'_>> = file.tensors().into_iter().collect();
    let mut loaded: BTreeMap<String, Vec<M::Real>> = BTreeMap::new();
    let mut wrong: Vec<String> = Vec::new();
    model.tensors(&mut |name, shape, _| match found.get(name) {
        None => wrong.push(format!("`{name}` {shape:?} is missing")),
        Some(view) if view.shape() != shape => {
            wrong.push(format!("`{name}` is {:?} in the file and {shape:?} in the model", view.shape()));
        }
        Some(view) => match numbers(view) {
            Ok(values) => drop(loaded.insert(name.to_owned(), values)),
            Err(what) => wrong.push(format!("`{name}` holds {what}")),
        },
    });
    let mut unknown: Vec<&str> = found.keys().map(String::as_str).collect();
    model.tensors(&mut |name, _, _| unknown.retain(|n| *n != name));
    wrong.extend(unknown.iter().map(|name| format!("the model has no `{name}`")));
    if !wrong.is_empty() {
        return Err(WeightsError(format!("the tensors do not fit the model: {}", wrong.join("; "))));
    }
    model.tensors_mut(&mut |name, _, values| {
        if let Some(loaded) = loaded.get(name) {
            values.copy_from_slice(loaded);
        }
    });
    Ok(())
}

/// Writes [`to_safetensors`] to a file, which is whole or not there at all.
///
/// # Errors
///
/// As for [`to_safetensors`]; or the file cannot be written.
pub fn save(model: &impl NamedTensors, path: impl AsRef<Path>) -> Result<(), WeightsError> {
    let path = path.as_ref();
    let bytes = to_safetensors(model)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let written = std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|e| WeightsError(format!("{}: {e}", path.display())))
}

/// Loads [`from_safetensors`] from a file.
///
/// # Errors
///
/// As for [`from_safetensors`]; or the file cannot be read.
pub fn load(model: &mut impl NamedTensors, path: impl AsRef<Path>) -> Result<(), WeightsError> {
    let path = path.as_ref();
    let named = |what: String| WeightsError(format!("{}: {what}", path.display()));
    let bytes = std::fs::read(path).map_err(|e| named(e.to_string()))?;
    from_safetensors(model, &bytes).map_err(|e| named(e.0))
}

/// The numbers of a tensor, or what it holds instead.
fn numbers<R: Float>(view: &TensorView<'_>) -> Result<Vec<R>, String> {
    let wide: Vec<f64> = match view.dtype() {
        Dtype::F32 => view.data().as_chunks::<4>().0.iter().map(|&c| f32::from_le_bytes(c).to_f64()).collect(),
        Dtype::F64 => view.data().as_chunks::<8>().0.iter().map(|&c| f64::from_le_bytes(c)).collect(),
        other => return Err(format!("elements of type {other}, not F32 or F64")),
    };
    let fits = |&value: &f64| match R::from_f64(value) {
        rounded if value.is_finite() && !rounded.to_f64().is_finite() => {
            Err(format!("{value:e}, which is too large for the model's f32"))
        }
        rounded => Ok(rounded),
    };
    wide.iter().map(fits).collect()
}
