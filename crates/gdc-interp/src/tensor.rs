//! A tensor of one of the three types of elements.

use crate::Error;
use crate::scalar::Scalar;
use gdc_ir::{Node, Ty};
use ndarray::{ArrayD, Axis, Slice};

/// Elements in row-major order under a shape; rank 0 is one number.
#[derive(Clone, PartialEq, Debug)]
pub enum Tensor {
    /// Real numbers.
    Real(ArrayD<f64>),
    /// Integers.
    Int(ArrayD<i64>),
    /// Truth values.
    Bool(ArrayD<bool>),
}

/// The elements of a tensor in row-major order.
pub(crate) enum Elements<'a> {
    Real(&'a [f64]),
    Int(&'a [i64]),
    Bool(&'a [bool]),
}

impl Elements<'_> {
    /// The element of this number.
    pub(crate) fn get(&self, offset: usize) -> Option<Scalar> {
        match self {
            Elements::Real(a) => a.get(offset).map(|&x| Scalar::Real(x)),
            Elements::Int(a) => a.get(offset).map(|&x| Scalar::Int(x)),
            Elements::Bool(a) => a.get(offset).map(|&x| Scalar::Bool(x)),
        }
    }
}

/// The elements of a tensor with its extents.
pub(crate) struct View<'a> {
    pub(crate) elements: Elements<'a>,
    pub(crate) shape: &'a [usize],
}

/// The same expression on the array of each type.
macro_rules! each {
    ($tensor:expr, $array:ident => $value:expr) => {
        match $tensor {
            Tensor::Real($array) => $value,
            Tensor::Int($array) => $value,
            Tensor::Bool($array) => $value,
        }
    };
}

/// The same transformation of the array of each type.
macro_rules! map_each {
    ($tensor:expr, $array:ident => $value:expr) => {
        match $tensor {
            Tensor::Real($array) => Tensor::Real($value),
            Tensor::Int($array) => Tensor::Int($value),
            Tensor::Bool($array) => Tensor::Bool($value),
        }
    };
}

impl Tensor {
    /// Real numbers in row-major order; an error unless there is one for each place.
    pub fn real(shape: &[usize], values: Vec<f64>) -> Result<Self, Error> {
        let found = vec![values.len()];
        ArrayD::from_shape_vec(shape, values).map(Tensor::Real).map_err(|_| mismatch(shape, found))
    }

    /// Integers in row-major order; an error unless there is one for each place.
    pub fn int(shape: &[usize], values: Vec<i64>) -> Result<Self, Error> {
        let found = vec![values.len()];
        ArrayD::from_shape_vec(shape, values).map(Tensor::Int).map_err(|_| mismatch(shape, found))
    }

    /// One real number.
    pub fn scalar(value: f64) -> Self {
        Tensor::Real(ArrayD::from_elem(vec![], value))
    }

    /// One integer.
    pub fn integer(value: i64) -> Self {
        Tensor::Int(ArrayD::from_elem(vec![], value))
    }

    /// The extents.
    pub fn shape(&self) -> &[usize] {
        each!(self, a => a.shape())
    }

    /// The type of the elements.
    pub fn ty(&self) -> Ty {
        match self {
            Tensor::Real(_) => Ty::Real,
            Tensor::Int(_) => Ty::Int,
            Tensor::Bool(_) => Ty::Bool,
        }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        each!(self, a => a.len())
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements in row-major order, for reading many of them. Empty for an array of
    /// another layout, see [`Tensor::standard`].
    pub(crate) fn view(&self) -> View<'_> {
        let elements = match self {
            Tensor::Real(a) => Elements::Real(a.as_slice().unwrap_or_default()),
            Tensor::Int(a) => Elements::Int(a.as_slice().unwrap_or_default()),
            Tensor::Bool(a) => Elements::Bool(a.as_slice().unwrap_or_default()),
        };
        View { elements, shape: self.shape() }
    }

    /// The same tensor, stored in row-major order, if it is not already.
    pub(crate) fn standard(&self) -> Option<Self> {
        if each!(self, a => a.is_standard_layout()) {
            return None;
        }
        Some(map_each!(self, a => a.as_standard_layout().into_owned()))
    }

    /// The array, if its elements are real.
    pub fn as_real(&self) -> Option<&ArrayD<f64>> {
        match self {
            Tensor::Real(a) => Some(a),
            Tensor::Int(_) | Tensor::Bool(_) => None,
        }
    }

    /// The array, if its elements are integers.
    pub fn as_int(&self) -> Option<&ArrayD<i64>> {
        match self {
            Tensor::Int(a) => Some(a),
            Tensor::Real(_) | Tensor::Bool(_) => None,
        }
    }

    /// The number, if it is a single real one.
    pub fn as_scalar(&self) -> Option<f64> {
        self.as_real().filter(|a| a.ndim() == 0).and_then(|a| a.first().copied())
    }

    /// All elements as real numbers in row-major order; false is 0 and true 1.
    pub fn to_vec(&self) -> Vec<f64> {
        match self {
            Tensor::Real(a) => a.iter().copied().collect(),
            Tensor::Int(a) => a.iter().map(|&x| x as f64).collect(),
            Tensor::Bool(a) => a.iter().map(|&x| f64::from(u8::from(x))).collect(),
        }
    }

    /// The same elements under another shape.
    pub fn reshaped(&self, shape: &[usize]) -> Result<Self, Error> {
        let failed = |_| mismatch(shape, self.shape().to_vec());
        Ok(map_each!(self, a => a.clone().into_shape_with_order(shape).map_err(failed)?))
    }

    /// The first `n` of the first axis.
    pub(crate) fn head(&self, n: usize) -> Self {
        map_each!(self, a => a.slice_axis(Axis(0), Slice::from(..n)).to_owned())
    }

    /// The first axis made `n` long, with copies of its first element at the end.
    pub(crate) fn padded(&self, n: usize) -> Self {
        let given = self.shape().first().copied().unwrap_or(0);
        let rows: Vec<usize> = (0..n).map(|i| if i < given { i } else { 0 }).collect();
        map_each!(self, a => a.select(Axis(0), &rows))
    }

    /// Along an axis, what stands one place before (after, if `reverse`), and `first` where
    /// nothing does.
    pub(crate) fn delayed(&self, first: &Tensor, axis: usize, reverse: bool) -> Result<Self, Error> {
        let mut out = self.clone();
        let steps = self.shape().get(axis).copied().unwrap_or(0);
        for t in 0..steps {
            let from = if reverse { t + 1 } else { t.wrapping_sub(1) };
            if from < steps {
                out.put_step(axis, t, &self.step(axis, from))?;
            } else {
                out.put_step(axis, t, first)?;
            }
        }
        Ok(out)
    }

    /// What stands at one place of an axis.
    pub(crate) fn step(&self, axis: usize, at: usize) -> Self {
        map_each!(self, a => a.index_axis(Axis(axis), at).to_owned())
    }

    /// Replaces what stands at one place of an axis.
    pub(crate) fn put_step(&mut self, axis: usize, at: usize, step: &Tensor) -> Result<(), Error> {
        let (shape, found) = (self.shape().to_vec(), step.shape().to_vec());
        let mut expected = shape.clone();
        expected.remove(axis);
        match (self, step) {
            _ if expected != found => return Err(mismatch(&expected, found)),
            (Tensor::Real(a), Tensor::Real(s)) => a.index_axis_mut(Axis(axis), at).assign(s),
            (Tensor::Int(a), Tensor::Int(s)) => a.index_axis_mut(Axis(axis), at).assign(s),
            (Tensor::Bool(a), Tensor::Bool(s)) => a.index_axis_mut(Axis(axis), at).assign(s),
            _ => return Err(mismatch(&shape, found)),
        }
        Ok(())
    }

    /// Zeros, or what stands for them, of the shape and type of a node.
    pub(crate) fn blank(node: &Node) -> Self {
        let shape = node.shape.as_slice();
        match node.ty {
            Ty::Real => Tensor::Real(ArrayD::zeros(shape)),
            Ty::Int => Tensor::Int(ArrayD::zeros(shape)),
            Ty::Bool => Tensor::Bool(ArrayD::from_elem(shape, false)),
        }
    }

    /// A tensor of scalars that a node computed.
    pub(crate) fn of_scalars(node: &Node, values: &[Scalar]) -> Result<Self, Error> {
        let wrong = || Error::Type(node.name.clone());
        let shaped = |_| Error::Malformed(format!("{} has {} elements", node.name, values.len()));
        let shape = node.shape.as_slice();
        Ok(match node.ty {
            Ty::Real => {
                let real = |s: &Scalar| if let Scalar::Real(x) = *s { Some(x) } else { None };
                let values = values.iter().map(real).collect::<Option<_>>().ok_or_else(wrong)?;
                Tensor::Real(ArrayD::from_shape_vec(shape, values).map_err(shaped)?)
            }
            Ty::Int => {
                let int = |s: &Scalar| if let Scalar::Int(x) = *s { Some(x) } else { None };
                let values = values.iter().map(int).collect::<Option<_>>().ok_or_else(wrong)?;
                Tensor::Int(ArrayD::from_shape_vec(shape, values).map_err(shaped)?)
            }
            Ty::Bool => {
                let bool = |s: &Scalar| if let Scalar::Bool(x) = *s { Some(x) } else { None };
                let values = values.iter().map(bool).collect::<Option<_>>().ok_or_else(wrong)?;
                Tensor::Bool(ArrayD::from_shape_vec(shape, values).map_err(shaped)?)
            }
        })
    }

    /// Whether it can be the value of a leaf.
    pub(crate) fn fits(&self, node: &Node) -> Result<(), Error> {
        let name = || node.name.clone();
        if self.shape() != node.shape {
            let (expected, found) = (node.shape.clone(), self.shape().to_vec());
            return Err(Error::Shape { name: name(), expected, found });
        }
        if self.ty() != node.ty {
            return Err(Error::Type(name()));
        }
        if let (Tensor::Int(a), Some((low, high))) = (self, node.range)
            && let Some(&value) = a.iter().find(|&&x| x < low || high <= x)
        {
            return Err(Error::Range { name: name(), value });
        }
        Ok(())
    }
}

fn mismatch(shape: &[usize], found: Vec<usize>) -> Error {
    Error::Shape { name: "a tensor".to_owned(), expected: shape.to_vec(), found }
}

impl From<ArrayD<f64>> for Tensor {
    fn from(array: ArrayD<f64>) -> Self {
        Tensor::Real(array)
    }
}

impl From<ArrayD<i64>> for Tensor {
    fn from(array: ArrayD<i64>) -> Self {
        Tensor::Int(array)
    }
}
