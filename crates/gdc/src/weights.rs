//! Saving and loading (feature `safetensors`): the tensors of a model, or with a trainer the
//! whole state of training, in the format that PyTorch, JAX and `gdc train` share.

use crate::rt::NamedTensors;
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

/// The bytes of a safetensors file of all tensors, each as `f32` under its name.
///
/// # Errors
///
/// The format cannot hold them (tensors beyond the address space).
pub fn to_safetensors(model: &impl NamedTensors) -> Result<Vec<u8>, WeightsError> {
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    model.tensors(&mut |name, shape, values| {
        tensors.push((name.to_owned(), shape.to_vec(), values.iter().flat_map(|v| v.to_le_bytes()).collect()));
    });
    let mut views = Vec::with_capacity(tensors.len());
    for (name, shape, bytes) in &tensors {
        views.push((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?));
    }
    Ok(safetensors::serialize(views, None)?)
}

/// Puts the tensors of a safetensors file, of type `F32` or `F64`, into `model`.
///
/// # Errors
///
/// The bytes are no such file; or names, shapes or types differ, and the error lists all
/// differences. The model is as before then.
pub fn from_safetensors(model: &mut impl NamedTensors, bytes: &[u8]) -> Result<(), WeightsError> {
    let file = SafeTensors::deserialize(bytes)?;
    let found: BTreeMap<String, TensorView<'_>> = file.tensors().into_iter().collect();
    let mut loaded: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    let mut wrong: Vec<String> = Vec::new();
    model.tensors(&mut |name, shape, _| match found.get(name) {
        None => wrong.push(format!("`{name}` {shape:?} is missing")),
        Some(view) if view.shape() != shape => {
            wrong.push(format!("`{name}` is {:?} in the file and {shape:?} in the model", view.shape()));
        }
        Some(view) => match numbers(view) {
            Some(values) => drop(loaded.insert(name.to_owned(), values)),
            None => wrong.push(format!("`{name}` holds elements of type {}, not F32 or F64", view.dtype())),
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

fn numbers(view: &TensorView<'_>) -> Option<Vec<f32>> {
    match view.dtype() {
        Dtype::F32 => Some(view.data().as_chunks::<4>().0.iter().map(|&c| f32::from_le_bytes(c)).collect()),
        Dtype::F64 => Some(view.data().as_chunks::<8>().0.iter().map(|&c| f64::from_le_bytes(c) as f32).collect()),
        _ => None,
    }
}
