//! Named tensors: `.safetensors` and `.npz` files outside, and the plain format that the worker
//! reads and writes.

use super::data::npy;
use super::field::Shape;
use crate::fault::{At, Fault, Outcome};
use crate::files;
use gdc_ir::graph::{Leaf, Model, Precision};
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
    /// As many as the extents say; those of an f32 model are numbers that an f32 can hold.
    pub values: Vec<f64>,
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

/// Writes tensors in a precision: as an `.npz` file where the path ends so, else as `.safetensors`
/// with some notes in it.
pub fn save(path: &Path, about: &BTreeMap<String, String>, precision: Precision, tensors: &[Tensor]) -> Outcome {
    if is_npz(path) {
        return files::write_whole(path, &npz(path, precision, tensors)?);
    }
    let ty = match precision {
        Precision::F32 => Dtype::F32,
        Precision::F64 => Dtype::F64,
    };
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|t| to_bytes(&t.values, precision)).collect();
    let mut views = Vec::with_capacity(tensors.len());
    for (tensor, bytes) in tensors.iter().zip(&bytes) {
        let view = TensorView::new(ty, tensor.slot.shape.clone(), bytes).at("write", path)?;
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
pub fn npz(path: &Path, precision: Precision, tensors: &[Tensor]) -> Outcome<Vec<u8>> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut archive = ndarray_npy::NpzWriter::new(&mut bytes);
    for tensor in tensors {
        let array = ndarray::ArrayView::from_shape(tensor.slot.shape.as_slice(), &tensor.values).at("write", path)?;
        let name = tensor.slot.name.as_str();
        match precision {
            Precision::F32 => archive.add_array(name, &array.mapv(|v| v as f32)),
            Precision::F64 => archive.add_array(name, &array),
        }
        .at("write", path)?;
    }
    archive.finish().at("write", path)?;
    Ok(bytes.into_inner())
}

/// What a file holds under a name.
struct Held {
    shape: Vec<usize>,
    /// The numbers, or the name of the type that is none of reals.
    values: Result<Vec<f64>, String>,
}

/// All tensors of a file, known by its first bytes, and the notes in it.
fn read(path: &Path) -> Outcome<(BTreeMap<String, Held>, BTreeMap<String, String>)> {
    let bytes = std::fs::read(path).at("read", path)?;
    if bytes.starts_with(b"PK") {
        let arrays = npy::load_all(path)?.into_iter();
        let held = arrays.map(|(name, shape, values)| (name, Held { shape, values: Ok(values) }));
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

/// What a file held.
#[derive(Debug)]
pub struct Loaded {
    /// The tensors that were asked for and found, as numbers of the precision asked for.
    pub tensors: Vec<Tensor>,
    /// The notes in the file.
    pub about: BTreeMap<String, String>,
    /// Whether numbers of the file were rounded to that precision.
    pub rounded: bool,
}

/// Reads a file that must hold exactly the `required` tensors and may hold the `optional`
/// ones; the error lists all differences. Whatever precision the file has, its numbers become
/// those of the model: exactly from f32 to f64, and rounded the other way.
pub fn load(path: &Path, precision: Precision, required: &[Slot], optional: &[Slot]) -> Outcome<Loaded> {
    let (mut found, about) = read(path)?;
    let (mut wrong, mut rounded) = (Vec::new(), false);
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
            Some(Held { values: Ok(mut values), .. }) => {
                for value in values.iter_mut().filter(|_| precision == Precision::F32) {
                    let narrow = f64::from(*value as f32);
                    if value.is_finite() && !narrow.is_finite() {
                        wrong.push(format!("`{}` holds {value:e}, which is too large for f32", slot.name));
                        break;
                    }
                    rounded |= narrow != *value && !value.is_nan();
                    *value = narrow;
                }
                tensors.push(Tensor { slot: (*slot).clone(), values });
            }
            Some(Held { values: Err(ty), .. }) => {
                wrong.push(format!("`{}` holds elements of type {ty}; F32 and F64 can be read", slot.name));
            }
        }
    }
    for (name, held) in &found {
        wrong.push(format!("the model has no `{name}` (in the file {})", Shape(&held.shape)));
    }
    if wrong.is_empty() {
        return Ok(Loaded { tensors, about, rounded });
    }
    Err(Fault::input(format!("{} does not fit the model:\n  {}", path.display(), wrong.join("\n  "))))
}

fn numbers(view: &TensorView) -> Option<Vec<f64>> {
    match view.dtype() {
        Dtype::F32 => Some(from_bytes(view.data(), Precision::F32)),
        Dtype::F64 => Some(from_bytes(view.data(), Precision::F64)),
        _ => None,
    }
}

/// Bytes of a number.
pub fn width(precision: Precision) -> usize {
    match precision {
        Precision::F32 => 4,
        Precision::F64 => 8,
    }
}

/// Little-endian numbers of a precision.
pub fn from_bytes(bytes: &[u8], precision: Precision) -> Vec<f64> {
    let number = |c: &[u8]| match precision {
        Precision::F32 => f64::from(f32::from_le_bytes(c.try_into().unwrap_or_default())),
        Precision::F64 => f64::from_le_bytes(c.try_into().unwrap_or_default()),
    };
    bytes.chunks_exact(width(precision)).map(number).collect()
}

/// The same the other way.
pub fn to_bytes(values: &[f64], precision: Precision) -> Vec<u8> {
    match precision {
        Precision::F32 => values.iter().flat_map(|&v| (v as f32).to_le_bytes()).collect(),
        Precision::F64 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    }
}

/// The worker's format: for each tensor a line `NAME EXTENT EXTENT ...` and then its
/// little-endian numbers.
pub fn to_plain(tensors: &[Tensor], precision: Precision) -> Vec<u8> {
    let mut bytes = Vec::new();
    for tensor in tensors {
        bytes.extend(tensor.slot.name.as_bytes());
        for extent in &tensor.slot.shape {
            bytes.extend(format!(" {extent}").as_bytes());
        }
        bytes.push(b'\n');
        bytes.extend(to_bytes(&tensor.values, precision));
    }
    bytes
}

/// Reads [`to_plain`]'s format; `None` where it is cut off or is something else.
pub fn from_plain(mut bytes: &[u8], precision: Precision) -> Option<Vec<Tensor>> {
    let mut tensors = Vec::new();
    while !bytes.is_empty() {
        let end = bytes.iter().position(|&b| b == b'\n')?;
        let line = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut words = line.split(' ');
        let name = words.next()?.to_owned();
        let shape: Vec<usize> = words.map(|w| w.parse().ok()).collect::<Option<_>>()?;
        let len = shape.iter().try_fold(width(precision), |n, &extent| n.checked_mul(extent))?;
        let (data, rest) = bytes[end + 1..].split_at_checked(len)?;
        tensors.push(Tensor { slot: Slot { name, shape }, values: from_bytes(data, precision) });
        bytes = rest;
    }
    Some(tensors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, shape: &[usize], values: &[f64]) -> Tensor {
        Tensor { slot: Slot { name: name.into(), shape: shape.to_vec() }, values: values.to_vec() }
    }

    #[test]
    fn both_formats_give_back_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        for (precision, least) in [(Precision::F32, f64::from(f32::MIN_POSITIVE)), (Precision::F64, 1e-300)] {
            let tensors = [tensor("h.dense.b", &[2], &[1.0, -0.0]), tensor("x", &[], &[least])];
            assert_eq!(from_plain(&to_plain(&tensors, precision), precision).unwrap(), tensors);
            let slots = [tensors[0].slot.clone(), tensors[1].slot.clone()];
            for name in ["w.safetensors", "w.npz"] {
                let path = folder.path().join(name);
                save(&path, &BTreeMap::new(), precision, &tensors).unwrap();
                let loaded = load(&path, precision, &slots, &[]).unwrap();
                assert_eq!((loaded.tensors, loaded.rounded), (tensors.to_vec(), false));
                assert_eq!(load(&path, precision, &slots[..1], &slots[1..]).unwrap().tensors, tensors);
            }
        }
    }

    #[test]
    fn what_is_rounded_is_said_and_what_is_too_large_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        for (value, taken) in [(0.1, f64::from(0.1_f32)), (0.5, 0.5)] {
            let wide = [tensor("w", &[1], &[value])];
            save(&path, &BTreeMap::new(), Precision::F64, &wide).unwrap();
            let loaded = load(&path, Precision::F32, &[wide[0].slot.clone()], &[]).unwrap();
            assert_eq!((loaded.tensors[0].values[0], loaded.rounded), (taken, value != taken));
        }
        let huge = [tensor("w", &[1], &[1e300])];
        save(&path, &BTreeMap::new(), Precision::F64, &huge).unwrap();
        let fault = load(&path, Precision::F32, &[huge[0].slot.clone()], &[]).unwrap_err();
        assert!(matches!(fault, Fault::Input(m) if m.contains("`w` holds 1e300, which is too large for f32")));
    }

    #[test]
    fn plain_text_that_is_cut_off_is_refused() {
        let bytes = to_plain(&[tensor("w", &[2], &[1.0, 2.0])], Precision::F32);
        for n in 1..bytes.len() {
            assert_eq!(from_plain(&bytes[..n], Precision::F32), None, "{n}");
        }
        assert_eq!(from_plain(b"w 99999999999999999 99999999999\n", Precision::F32), None);
    }

    #[test]
    fn all_differences_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        save(&path, &BTreeMap::new(), Precision::F32, &[tensor("a", &[2], &[1.0, 2.0]), tensor("b", &[1], &[1.0])])
            .unwrap();
        let wanted = [tensor("a", &[3], &[]).slot, tensor("c", &[1, 1], &[]).slot];
        let Fault::Input(text) = load(&path, Precision::F32, &wanted, &[]).unwrap_err() else { panic!() };
        assert!(text.contains("`a` is [2] in the file and [3] in the model"), "{text}");
        assert!(text.contains("`c: [1, 1]` is missing"), "{text}");
        assert!(text.contains("the model has no `b` (in the file [1])"), "{text}");
        std::fs::write(&path, b"nonsense").unwrap();
        let Fault::Input(text) = load(&path, Precision::F32, &wanted, &[]).unwrap_err() else { panic!() };
        assert!(text.contains("not a whole safetensors file"), "{text}");
    }
}
