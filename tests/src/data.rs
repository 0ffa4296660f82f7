//! The data of `specs/data`, in the forms that interpreter and generated code take.

use crate::repository;
use gdc_ir::{Model, NodeId, Ty};
use ndarray::{IxDyn, OwnedRepr};
use ndarray_npy::NpzReader;
use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;

/// Samples: for each input and target its numbers, sample after sample.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Data {
    /// How many samples.
    pub samples: usize,
    /// By name; each of `samples` times as many numbers as one sample has.
    pub columns: BTreeMap<String, Vec<f64>>,
}

/// Samples as [`gdc::rt::fit_flat`] takes them.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Flat {
    /// All real inputs, then all real targets, sample after sample.
    pub reals: Vec<f32>,
    /// All integer inputs, then all integer targets, sample after sample.
    pub integers: Vec<u32>,
}

impl Data {
    /// Reads a file of the repository. Numbers are rounded to single precision, so that all
    /// who compute with them begin alike.
    ///
    /// # Panics
    /// The file cannot be read.
    pub fn read(path: &str) -> Data {
        let mut data = if path.ends_with(".csv") { csv(path) } else { npz(path) };
        for values in data.columns.values_mut() {
            values.iter_mut().for_each(|v| *v = f64::from(*v as f32));
        }
        data
    }

    /// Adds the samples of other data with the same columns.
    pub fn append(&mut self, other: &Data) {
        self.samples += other.samples;
        for (name, values) in &other.columns {
            self.columns.entry(name.clone()).or_default().extend(values);
        }
    }

    /// The numbers of some samples of an input or target.
    fn rows(&self, model: &Model, id: NodeId, samples: Range<usize>) -> &[f64] {
        let node = model.graph.node(id);
        let width: usize = node.shape[1..].iter().product();
        &self.columns[&node.name][samples.start * width..samples.end * width]
    }

    /// All samples for generated code.
    pub fn flat(&self, model: &Model) -> Flat {
        let all: Vec<NodeId> = model.inputs.iter().chain(&model.targets).copied().collect();
        let mut flat = Flat::default();
        for sample in 0..self.samples {
            for &id in &all {
                let row = self.rows(model, id, sample..sample + 1);
                match model.graph.node(id).ty {
                    Ty::Int => flat.integers.extend(row.iter().map(|&v| v as u32)),
                    _ => flat.reals.extend(row.iter().map(|&v| v as f32)),
                }
            }
        }
        flat
    }

    /// Some samples for the interpreter.
    ///
    /// # Panics
    /// They do not fit the model.
    pub fn batch(&self, model: &Model, samples: Range<usize>) -> gdc_interp::Batch {
        let mut batch = gdc_interp::Batch::of(samples.len());
        for &id in model.inputs.iter().chain(&model.targets) {
            let node = model.graph.node(id);
            let mut shape = node.shape.clone();
            shape[0] = samples.len();
            let row = self.rows(model, id, samples.clone());
            let tensor = match node.ty {
                Ty::Int => gdc_interp::Tensor::int(&shape, row.iter().map(|&v| v as i64).collect()),
                _ => gdc_interp::Tensor::real(&shape, row.to_vec()),
            };
            batch = batch.with(node.name.as_str(), tensor.expect("numbers that fit"));
        }
        batch
    }

    /// Consecutive batches: the last of a pass may be smaller, then the file starts over.
    pub fn batches(&self, batch: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let samples = self.samples;
        (0..samples).step_by(batch.max(1)).map(move |start| start..(start + batch).min(samples)).cycle()
    }
}

/// The columns of a CSV file; `x[0]`, `x[1]` are the elements of `x`.
fn csv(path: &str) -> Data {
    let mut reader = csv::Reader::from_path(repository(path)).expect(path);
    let names: Vec<String> = reader.headers().expect(path).iter().map(str::to_owned).collect();
    let mut data = Data::default();
    for record in reader.records() {
        data.samples += 1;
        for (name, field) in names.iter().zip(&record.expect(path)) {
            // Elements stand in their order, so that they need no sorting.
            let name = name.split('[').next().unwrap_or(name);
            let value = field.parse().unwrap_or_else(|_| panic!("{path}: {field:?} is no number"));
            data.columns.entry(name.to_owned()).or_default().push(value);
        }
    }
    data
}

/// The arrays of an NPZ file.
fn npz(path: &str) -> Data {
    let mut reader = NpzReader::new(File::open(repository(path)).expect(path)).expect(path);
    let mut data = Data::default();
    for name in reader.names().expect(path) {
        let values: Vec<f64> = if let Ok(bytes) = reader.by_name::<OwnedRepr<u8>, IxDyn>(&name) {
            data.samples = bytes.shape()[0];
            bytes.iter().map(|&v| f64::from(v)).collect()
        } else {
            let reals = reader.by_name::<OwnedRepr<f32>, IxDyn>(&name).expect(path);
            data.samples = reals.shape()[0];
            reals.iter().map(|&v| f64::from(v)).collect()
        };
        data.columns.insert(name.trim_end_matches(".npy").to_owned(), values);
    }
    data
}
