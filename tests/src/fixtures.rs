//! The values of `tests/fixtures`, as its README describes them.

use crate::compare::{Tensor, Tensors};
use crate::repository;
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use serde_json::Value;
use std::fs;

/// One system of `classic/`.
pub struct Case {
    fields: Value,
}

/// What PyTorch computed in one precision.
pub struct Computed {
    /// The mean loss of the batch before each step.
    pub losses: Vec<f64>,
    /// Of the first step.
    pub gradients: Tensors,
    /// The parameters after the last step.
    pub after: Tensors,
}

impl Case {
    /// The case of a spec, by its path under `specs/` without the ending.
    ///
    /// # Panics
    /// There is none.
    pub fn read(name: &str) -> Case {
        Case { fields: json(&format!("classic/{name}/case.json")) }
    }

    /// The data file, if there is one.
    pub fn data(&self) -> Option<&str> {
        self.fields["data"].as_str()
    }

    /// The initial parameters.
    pub fn init(&self) -> Tensors {
        self.tensors(&self.fields["init"])
    }

    /// What was computed in `f32` or `f64`.
    pub fn computed(&self, precision: &str) -> Computed {
        let part = &self.fields[precision];
        Computed {
            losses: numbers(&part["losses"]),
            gradients: self.tensors(&part["gradients"]),
            after: self.tensors(&part["after"]),
        }
    }

    fn tensors(&self, path: &Value) -> Tensors {
        tensors(&format!("classic/{}", path.as_str().expect("a path")))
    }
}

/// A JSON file of the fixtures.
///
/// # Panics
/// It cannot be read.
pub fn json(path: &str) -> Value {
    let text = fs::read_to_string(repository("tests/fixtures").join(path)).expect(path);
    serde_json::from_str(&text).expect(path)
}

/// A number or the numbers of a list, in their order.
///
/// # Panics
/// There are none.
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(list) => list.iter().flat_map(numbers).collect(),
        one => vec![one.as_f64().unwrap_or_else(|| panic!("{one} is no number"))],
    }
}

fn tensors(path: &str) -> Tensors {
    let bytes = fs::read(repository("tests/fixtures").join(path)).expect(path);
    let file = SafeTensors::deserialize(&bytes).expect(path);
    let mut found = Tensors::default();
    for (name, view) in file.tensors() {
        let values = match view.dtype() {
            Dtype::F32 => {
                view.data().chunks_exact(4).map(|c| f64::from(f32::from_le_bytes(c.try_into().unwrap()))).collect()
            }
            Dtype::F64 => view.data().chunks_exact(8).map(|c| f64::from_le_bytes(c.try_into().unwrap())).collect(),
            other => panic!("{path}: {name} is of {other:?}"),
        };
        found.0.insert(name, Tensor { shape: view.shape().to_vec(), values });
    }
    found
}
