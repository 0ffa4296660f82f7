//! Named tensors, and how far some are from what they should be.

use std::collections::BTreeMap;
use std::fmt;

/// A tensor's extents and its elements in row-major order.
#[derive(Clone, PartialEq, Debug)]
pub struct Tensor {
    /// Outermost first; empty for one number.
    pub shape: Vec<usize>,
    /// As many as the extents say.
    pub values: Vec<f64>,
}

/// Tensors by their names.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Tensors(pub BTreeMap<String, Tensor>);

impl Tensors {
    /// Adds a tensor of either precision.
    pub fn add<R: gdc::rt::Float>(&mut self, name: &str, shape: &[usize], values: &[R]) {
        let values = values.iter().map(|v| v.to_f64()).collect();
        self.0.insert(name.to_owned(), Tensor { shape: shape.to_vec(), values });
    }

    /// The elements of one.
    ///
    /// # Panics
    /// There is no such tensor.
    pub fn values(&self, name: &str) -> &[f64] {
        &self.0.get(name).unwrap_or_else(|| panic!("there is no {name} among {:?}", self.0.keys())).values
    }

    /// The only element of one.
    ///
    /// # Panics
    /// There is no such tensor, or it has several elements.
    pub fn number(&self, name: &str) -> f64 {
        match self.values(name) {
            [only] => *only,
            other => panic!("{name} has {} elements", other.len()),
        }
    }

    /// All bits, to find any difference at all.
    pub fn bits(&self) -> Vec<u64> {
        self.0.values().flat_map(|t| &t.values).map(|v| v.to_bits()).collect()
    }
}

/// The largest error, and where it is.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Worst {
    /// Relative to the largest magnitude of the tensor.
    pub error: f64,
    /// The tensor and the element's number.
    pub place: String,
    /// Errors of tensors smaller than this are relative to this.
    pub floor: f64,
}

impl Worst {
    /// Takes in another error.
    pub fn see(&mut self, error: f64, place: impl FnOnce() -> String) {
        // What is not a number is as wrong as can be.
        let error = if error.is_nan() { f64::INFINITY } else { error };
        if error > self.error {
            (self.error, self.place) = (error, place());
        }
    }

    /// Takes in how far numbers are from what they should be, relative to the largest of them.
    ///
    /// # Panics
    /// There are more or fewer numbers than there should be.
    pub fn see_all(&mut self, name: &str, found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len(), "the elements of {name}");
        let largest = expected.iter().fold(self.floor, |a, b| a.max(b.abs())).max(f64::MIN_POSITIVE);
        for (i, (f, e)) in found.iter().zip(expected).enumerate() {
            let same = f == e || (f.is_nan() && e.is_nan());
            let error = if same { 0.0 } else { (f - e).abs() / largest };
            self.see(error, || format!("{name}[{i}] is {f:e} and not {e:e}"));
        }
    }

    /// Takes in all tensors that are expected.
    ///
    /// # Panics
    /// One is missing or has another shape.
    pub fn see_tensors(&mut self, found: &Tensors, expected: &Tensors) {
        for (name, tensor) in &expected.0 {
            let Some(other) = found.0.get(name) else { panic!("there is no {name}") };
            assert_eq!(other.shape, tensor.shape, "the shape of {name}");
            self.see_all(name, &other.values, &tensor.values);
        }
    }
}

impl fmt::Display for Worst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1e}", self.error)?;
        if self.error > 0.0 { write!(f, " ({})", self.place) } else { Ok(()) }
    }
}
