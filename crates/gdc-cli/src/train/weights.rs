//! Named tensors: `.safetensors` files outside, and the plain format that the worker reads
//! and writes.

use super::field::Shape;
use crate::fault::{At, Fault, Outcome};
use crate::files;
use gdc_ir::graph::{Leaf, Model};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::BTreeMap;
use std::path::Path;

/// A tensor's name and extents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slot {
    /// A dotted path such as `h.dense.w`.
    pub name: String,
    /// Outermost first; empty for one number.
    pub shape: Vec<usize>,
}

/// A tensor with its numbers in row-major order.
#[derive(Clone, PartialEq, Debug)]
pub struct Tensor {
    /// Name and extents.
    pub slot: Slot,
    /// As many as the extents say.
    pub values: Vec<f32>,
}

/// The parameters in order of creation.
pub fn parameters(model: &Model) -> Vec<Slot> {
    model.params.iter().map(|p| slot(model, p.node)).collect()
}

/// What a model must keep to predict: its parameters, and the states that outputs read, such
/// as the running statistics of a batch normalisation.
pub fn kept_for_prediction(model: &Model) -> Vec<Slot> {
    let needed = model.graph.reachable(model.outputs.iter().map(|o| o.node));
    let states = needed.into_iter().filter(|&n| model.graph.node(n).leaf() == Some(Leaf::State));
    parameters(model).into_iter().chain(states.map(|n| slot(model, n))).collect()
}

fn slot(model: &Model, id: gdc_ir::NodeId) -> Slot {
    let node = model.graph.node(id);
    Slot { name: node.name.clone(), shape: node.shape.clone() }
}

/// Writes a `.safetensors` file of f32 tensors.
pub fn save(path: &Path, model: &str, tensors: &[Tensor]) -> Outcome {
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|t| t.values.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let mut views = Vec::with_capacity(tensors.len());
    for (tensor, bytes) in tensors.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F32, tensor.slot.shape.clone(), bytes).at("write", path)?;
        views.push((tensor.slot.name.clone(), view));
    }
    let about = [("model".to_owned(), model.to_owned())].into_iter().collect();
    let file = safetensors::serialize(views, Some(about)).at("write", path)?;
    files::write_whole(path, &file)
}

/// Reads a `.safetensors` file that must hold exactly the `required` tensors and may hold the
/// `optional` ones; the error lists all differences.
pub fn load(path: &Path, required: &[Slot], optional: &[Slot]) -> Outcome<Vec<Tensor>> {
    let bytes = std::fs::read(path).at("read", path)?;
    let file = SafeTensors::deserialize(&bytes)
        .map_err(|e| Fault::input(format!("{} is not a whole safetensors file: {e}", path.display())))?;
    let found: BTreeMap<String, TensorView> = file.tensors().into_iter().collect();
    let mut wrong = Vec::new();
    let mut tensors = Vec::new();
    for slot in required.iter().chain(optional.iter().filter(|s| found.contains_key(&s.name))) {
        match found.get(&slot.name) {
            None => wrong.push(format!("`{}: {}` is missing", slot.name, Shape(&slot.shape))),
            Some(view) if view.shape() != slot.shape => wrong.push(format!(
                "`{}` is {} in the file and {} in the model",
                slot.name,
                Shape(view.shape()),
                Shape(&slot.shape)
            )),
            Some(view) => match numbers(view) {
                Some(values) => tensors.push(Tensor { slot: slot.clone(), values }),
                None => wrong.push(format!(
                    "`{}` holds elements of type {}; F32 and F64 can be read",
                    slot.name,
                    view.dtype()
                )),
            },
        }
    }
    for (name, view) in &found {
        if !required.iter().chain(optional).any(|s| s.name == *name) {
            wrong.push(format!("the model has no `{name}` (in the file {})", Shape(view.shape())));
        }
    }
    if wrong.is_empty() {
        return Ok(tensors);
    }
    Err(Fault::input(format!("{} does not fit the model:\n  {}", path.display(), wrong.join("\n  "))))
}

fn numbers(view: &TensorView) -> Option<Vec<f32>> {
    let bytes = view.data();
    match view.dtype() {
        Dtype::F32 => {
            Some(bytes.chunks_exact(4).map(|c| f32::from_le_bytes(c.try_into().unwrap_or_default())).collect())
        }
        Dtype::F64 => {
            Some(bytes.chunks_exact(8).map(|c| f64::from_le_bytes(c.try_into().unwrap_or_default()) as f32).collect())
        }
        _ => None,
    }
}

/// The worker's format: for each tensor a line `NAME EXTENT EXTENT ...` and then its numbers
/// as little-endian f32.
pub fn to_plain(tensors: &[Tensor]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for tensor in tensors {
        bytes.extend(tensor.slot.name.as_bytes());
        for extent in &tensor.slot.shape {
            bytes.extend(format!(" {extent}").as_bytes());
        }
        bytes.push(b'\n');
        bytes.extend(tensor.values.iter().flat_map(|v| v.to_le_bytes()));
    }
    bytes
}

/// Reads [`to_plain`]'s format; `None` where it is cut off or is something else.
pub fn from_plain(mut bytes: &[u8]) -> Option<Vec<Tensor>> {
    let mut tensors = Vec::new();
    while !bytes.is_empty() {
        let end = bytes.iter().position(|&b| b == b'\n')?;
        let line = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut words = line.split(' ');
        let name = words.next()?.to_owned();
        let shape: Vec<usize> = words.map(|w| w.parse().ok()).collect::<Option<_>>()?;
        let len = shape.iter().try_fold(4usize, |n, &extent| n.checked_mul(extent))?;
        let (data, rest) = bytes[end + 1..].split_at_checked(len)?;
        let values = data.chunks_exact(4).map(|c| f32::from_le_bytes(c.try_into().unwrap_or_default())).collect();
        tensors.push(Tensor { slot: Slot { name, shape }, values });
        bytes = rest;
    }
    Some(tensors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, shape: &[usize], values: &[f32]) -> Tensor {
        Tensor { slot: Slot { name: name.into(), shape: shape.to_vec() }, values: values.to_vec() }
    }

    #[test]
    fn both_formats_give_back_what_was_written() {
        let tensors = [tensor("h.dense.b", &[2], &[1.0, -0.0]), tensor("x", &[], &[f32::MIN_POSITIVE])];
        assert_eq!(from_plain(&to_plain(&tensors)).unwrap(), tensors);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        save(&path, "M", &tensors).unwrap();
        let slots = [tensors[0].slot.clone(), tensors[1].slot.clone()];
        assert_eq!(load(&path, &slots, &[]).unwrap(), tensors);
        assert_eq!(load(&path, &slots[..1], &slots[1..]).unwrap(), tensors);
    }

    #[test]
    fn plain_text_that_is_cut_off_is_refused() {
        let bytes = to_plain(&[tensor("w", &[2], &[1.0, 2.0])]);
        for n in 1..bytes.len() {
            assert_eq!(from_plain(&bytes[..n]), None, "{n}");
        }
        assert_eq!(from_plain(b"w 99999999999999999 99999999999\n"), None);
    }

    #[test]
    fn all_differences_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        save(&path, "M", &[tensor("a", &[2], &[1.0, 2.0]), tensor("b", &[1], &[1.0])]).unwrap();
        let wanted = [tensor("a", &[3], &[]).slot, tensor("c", &[1, 1], &[]).slot];
        let Fault::Input(text) = load(&path, &wanted, &[]).unwrap_err() else { panic!() };
        assert!(text.contains("`a` is [2] in the file and [3] in the model"), "{text}");
        assert!(text.contains("`c: [1, 1]` is missing"), "{text}");
        assert!(text.contains("the model has no `b` (in the file [1])"), "{text}");
        std::fs::write(&path, b"nonsense").unwrap();
        let Fault::Input(text) = load(&path, &wanted, &[]).unwrap_err() else { panic!() };
        assert!(text.contains("not a whole safetensors file"), "{text}");
    }
}
