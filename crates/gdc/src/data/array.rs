//! An array as a file holds it, and its samples in the types that a trainer takes.

use super::Error;
use crate::Sample;
use crate::rt::Float;
use std::format;
use std::prelude::rust_2024::*;
use std::sync::OnceLock;

/// Numbers with extents, row-major. They are kept as precisely as they were given, and can be
/// had as `f32` or as `f64`.
///
/// ```
/// use gdc::data::Array;
///
/// let array = Array::new(vec![2, 4], (0..8).map(|i| i as f32).collect())?;
/// let images = array.samples::<[[f32; 2]; 2]>()?;
/// assert_eq!(images, [[[0.0, 1.0], [2.0, 3.0]], [[4.0, 5.0], [6.0, 7.0]]]);
/// # Ok::<(), gdc::data::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Array {
    shape: Vec<usize>,
    /// The numbers; of the two at least the one that was given.
    narrow: OnceLock<Vec<f32>>,
    wide: OnceLock<Vec<f64>>,
}

impl PartialEq for Array {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape && self.values::<f64>() == other.values::<f64>()
    }
}

/// `f32` or `f64`: what the numbers of an [`Array`] can be had as.
pub trait Precision: Float {
    #[doc(hidden)]
    fn kept(array: &Array) -> &OnceLock<Vec<Self>>;
}

impl Precision for f32 {
    fn kept(array: &Array) -> &OnceLock<Vec<f32>> {
        &array.narrow
    }
}

impl Precision for f64 {
    fn kept(array: &Array) -> &OnceLock<Vec<f64>> {
        &array.wide
    }
}

impl Array {
    /// Numbers in row-major order under the extents `shape`.
    ///
    /// # Errors
    ///
    /// There are more or fewer numbers than the extents say.
    pub fn new<T: Precision>(shape: Vec<usize>, values: Vec<T>) -> Result<Self, Error> {
        let wanted = shape.iter().try_fold(1usize, |n, &extent| n.checked_mul(extent));
        match wanted == Some(values.len()) {
            true => {
                let array = Array { shape, narrow: OnceLock::new(), wide: OnceLock::new() };
                T::kept(&array).get_or_init(|| values);
                Ok(array)
            }
            false => Err(Error::plain(format!("{} numbers do not fill the extents {shape:?}", values.len()))),
        }
    }

    /// The extents, outermost first; the first counts the samples.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All numbers; those given as `f64` are rounded to the nearest `f32` where that is asked
    /// for, at the first time.
    pub fn values<T: Precision>(&self) -> &[T] {
        T::kept(self).get_or_init(|| match (self.wide.get(), self.narrow.get()) {
            (Some(wide), _) => wide.iter().map(|&v| T::from_f64(v)).collect(),
            (None, Some(narrow)) => narrow.iter().map(|v| T::from_f64(v.to_f64())).collect(),
            (None, None) => Vec::new(),
        })
    }

    /// The samples along the first axis. What is in a sample may be grouped otherwise than in
    /// `T`, as `[64]` for `[[f32; 8]; 8]`.
    ///
    /// # Errors
    ///
    /// A sample of the array does not have as many numbers as `T`; or the array is a number.
    pub fn samples<T: Sample<Number: Precision>>(&self) -> Result<&[T], Error> {
        let found: usize = self.shape.iter().skip(1).product();
        if self.shape.is_empty() || found != T::LEN {
            let mut wanted = Vec::new();
            T::extents(&mut |extent| wanted.push(extent));
            return Err(Error::plain(format!(
                "an array of extents {:?} does not hold samples of {wanted:?}: {} numbers each are needed",
                self.shape,
                T::LEN
            )));
        }
        T::cast(self.values()).map_err(|error| Error::plain(std::string::ToString::to_string(&error)))
    }

    /// The numbers as classes `0..classes`, one per sample.
    ///
    /// # Errors
    ///
    /// A number is no integer of that range; the first such is named.
    pub fn labels(&self, classes: u32) -> Result<Vec<u32>, Error> {
        let label =
            |(i, &value): (usize, &f64)| match value.fract() == 0.0 && value >= 0.0 && value < f64::from(classes) {
                true => Ok(value as u32),
                false => Err(Error::plain(format!("sample {i} is {value}, which is no class of 0..{classes}"))),
            };
        self.values::<f64>().iter().enumerate().map(label).collect()
    }
}
