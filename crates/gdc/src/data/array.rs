//! An array as a file holds it, and its samples in the types that a trainer takes.

use super::Error;
use crate::Sample;
use std::format;
use std::prelude::rust_2024::*;

/// Numbers with extents, row-major.
///
/// ```
/// use gdc::data::Array;
///
/// let array = Array::new(vec![2, 4], (0..8).map(|i| i as f32).collect())?;
/// let images = array.samples::<[[f32; 2]; 2]>()?;
/// assert_eq!(images, [[[0.0, 1.0], [2.0, 3.0]], [[4.0, 5.0], [6.0, 7.0]]]);
/// # Ok::<(), gdc::data::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Array {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Array {
    /// Numbers in row-major order under the extents `shape`.
    ///
    /// # Errors
    ///
    /// There are more or fewer numbers than the extents say.
    pub fn new(shape: Vec<usize>, values: Vec<f32>) -> Result<Self, Error> {
        let wanted = shape.iter().try_fold(1usize, |n, &extent| n.checked_mul(extent));
        match wanted == Some(values.len()) {
            true => Ok(Array { shape, values }),
            false => Err(Error::plain(format!("{} numbers do not fill the extents {shape:?}", values.len()))),
        }
    }

    /// The extents, outermost first; the first counts the samples.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All numbers.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The samples along the first axis. What is in a sample may be grouped otherwise than in
    /// `T`, as `[64]` for `[[f32; 8]; 8]`.
    ///
    /// # Errors
    ///
    /// A sample of the array does not have as many numbers as `T`; or the array is a number.
    pub fn samples<T: Sample<Number = f32>>(&self) -> Result<&[T], Error> {
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
        T::cast(&self.values).map_err(|error| Error::plain(std::string::ToString::to_string(&error)))
    }

    /// The numbers as classes `0..classes`, one per sample.
    ///
    /// # Errors
    ///
    /// A number is no integer of that range; the first such is named.
    pub fn labels(&self, classes: u32) -> Result<Vec<u32>, Error> {
        let label = |(i, &value): (usize, &f32)| match value.fract() == 0.0 && value >= 0.0 && value < classes as f32 {
            true => Ok(value as u32),
            false => Err(Error::plain(format!("sample {i} is {value}, which is no class of 0..{classes}"))),
        };
        self.values.iter().enumerate().map(label).collect()
    }
}
