//! Named tensors: `.safetensors` and `.npz` files outside, and the plain format that the worker
//! reads and writes.

use super::data::npy;
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

/// What a model must keep to predict: its parameters, and the states that outputs and entry
/// points read, such as the running statistics of a batch normalisation.
pub fn kept_for_prediction(model: &Model) -> Vec<Slot> {
    let entries = model.entries.iter().map(|e| e.output);
    let needed = model.graph.reachable(model.outputs.iter().map(|o| o.node).chain(entries));
    let states = needed.into_iter().filter(|&n| model.graph.node(n).leaf() == Some(Leaf::State));
    parameters(model).into_iter().chain(states.map(|n| slot(model, n))).collect()
}

/// All that a training keeps from step to step: parameters and states.
pub fn all_state(model: &Model) -> Vec<Slot> {
    model.params.iter().chain(&model.states).map(|k| slot(model, k.node)).collect()
}

fn slot(model: &Model, id: gdc_ir::NodeId) -> Slot {
    let node = model.graph.node(id);
    Slot { name: node.name.clone(), shape: node.shape.clone() }
}

/// Writes f32 tensors: as an `.npz` file where the path ends so, else as `.safetensors`.
pub fn save(path: &Path, model: &str, tensors: &[Tensor]) -> Outcome {
    if is_npz(path) {
        return files::write_whole(path, &npz(path, tensors)?);
    }
    let about = BTreeMap::from([("model".to_owned(), model.to_owned())]);
    save_with(path, &about, tensors)
}

/// Writes a `.safetensors` file with some notes in it.
pub fn save_with(path: &Path, about: &BTreeMap<String, String>, tensors: &[Tensor]) -> Outcome {
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|t| t.values.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let mut views = Vec::with_capacity(tensors.len());
    for (tensor, bytes) in tensors.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F32, tensor.slot.shape.clone(), bytes).at("write", path)?;
        views.push((tensor.slot.name.clone(), view));
    }
    let about = about.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    let file = safetensors::serialize(views, Some(about)).at("write", path)?;
    files::write_whole(path, &file)
}

/// Whether a path says that the file is one of NumPy's archives.
pub fn is_npz(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npz"))
}

/// The bytes of an NPZ file.
pub fn npz(path: &Path, tensors: &[Tensor]) -> Outcome<Vec<u8>> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut archive = ndarray_npy::NpzWriter::new(&mut bytes);
    for tensor in tensors {
        let array = ndarray::ArrayView::from_shape(tensor.slot.shape.as_slice(), &tensor.values).at("write", path)?;
        archive.add_array(tensor.slot.name.as_str(), &array).at("write", path)?;
    }
    archive.finish().at("write", path)?;
    Ok(bytes.into_inner())
}

/// What a file holds under a name.
struct Held {
    shape: Vec<usize>,
    /// The numbers, or the name of the type that is none of reals.
    values: Result<Vec<f32>, String>,
}

/// All tensors of a file, known by its first bytes, and the notes in it.
fn read(path: &Path) -> Outcome<(BTreeMap<String, Held>, BTreeMap<String, String>)> {
    let bytes = std::fs::read(path).at("read", path)?;
    if bytes.starts_with(b"PK") {
        let arrays = npy::load_all(path)?.into_iter();
        let held = arrays.map(|(name, shape, values)| {
            (name, Held { shape, values: Ok(values.into_iter().map(|v| v as f32).collect()) })
        });
        return Ok((held.collect(), BTreeMap::new()));
    }
    let broken = |e| Fault::input(format!("{} is not a whole safetensors file: {e}", path.display()));
    let file = SafeTensors::deserialize(&bytes).map_err(broken)?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(broken)?;
    let about = header.metadata().iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
    let tensors = file.tensors().into_iter();
    let held = tensors.map(|(name, view)| {
        let values = numbers(&view).ok_or_else(|| view.dtype().to_string());
        (name, Held { shape: view.shape().to_vec(), values })
    });
    Ok((held.collect(), about))
}

/// Reads a file that must hold exactly the `required` tensors and may hold the `optional`
/// ones; the error lists all differences.
pub fn load(path: &Path, required: &[Slot], optional: &[Slot]) -> Outcome<Vec<Tensor>> {
    load_with(path, required, optional).map(|(tensors, _)| tensors)
}

/// The same, with the notes in the file.
pub fn load_with(
    path: &Path,
    required: &[Slot],
    optional: &[Slot],
) -> Outcome<(Vec<Tensor>, BTreeMap<String, String>)> {
    let (mut found, about) = read(path)?;
    let mut wrong = Vec::new();
    let mut tensors = Vec::new();
    let wanted: Vec<&Slot> = required.iter().chain(optional.iter().filter(|s| found.contains_key(&s.name))).collect();
    for slot in &wanted {
        match found.remove(&slot.name) {
            None => wrong.push(format!("`{}: {}` is missing", slot.name, Shape(&slot.shape))),
            Some(held) if held.shape != slot.shape => wrong.push(format!(
                "`{}` is {} in the file and {} in the model",
                slot.name,
                Shape(&held.shape),
                Shape(&slot.shape)
            )),
            Some(Held { values: Ok(values), .. }) => tensors.push(Tensor { slot: (*slot).clone(), values }),
            Some(Held { values: Err(ty), .. }) => {
                wrong.push(format!("`{}` holds elements of type {ty}; F32 and F64 can be read", slot.name));
            }
        }
    }
    for (name, held) in &found {
        wrong.push(format!("the model has no `{name}` (in the file {})", Shape(&held.shape)));
    }
    if wrong.is_empty() {
        return Ok((tensors, about));
    }
    Err(Fault::input(format!("{} does not fit the model:\n  {}", path.display(), wrong.join("\n  "))))
}

fn numbers(view: &TensorView) -> Option<Vec<f32>> {
    let bytes = view.data();
    match view.dtype() {
        Dtype::F32 => Some(reals(bytes)),
        Dtype::F64 => {
            Some(bytes.chunks_exact(8).map(|c| f64::from_le_bytes(c.try_into().unwrap_or_default()) as f32).collect())
        }
        _ => None,
    }
}

/// Little-endian f32.
pub fn reals(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|c| f32::from_le_bytes(c.try_into().unwrap_or_default())).collect()
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
        let slots = [tensors[0].slot.clone(), tensors[1].slot.clone()];
        for name in ["w.safetensors", "w.npz"] {
            let path = folder.path().join(name);
            save(&path, "M", &tensors).unwrap();
            assert_eq!(load(&path, &slots, &[]).unwrap(), tensors);
            assert_eq!(load(&path, &slots[..1], &slots[1..]).unwrap(), tensors);
        }
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
