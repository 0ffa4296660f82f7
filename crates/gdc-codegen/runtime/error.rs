//! What can be wrong with the data that a caller hands to generated code.

use ::core::prelude::rust_2021::*;

/// Data that a model cannot take. The step that met it did not take place.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// There are no samples.
    Empty,
    /// More samples than the model's `batch`.
    TooManySamples {
        /// Samples given.
        given: usize,
        /// Samples that fit.
        batch: usize,
    },
    /// Two lengths that must agree do not.
    LengthMismatch {
        /// The input, target or tensor.
        name: &'static str,
        /// The length it must have.
        expected: usize,
        /// The length it has.
        found: usize,
    },
    /// An integer input or target outside the range that the model declares.
    OutOfRange {
        /// The input or target.
        name: &'static str,
        /// The place of the sample among those given.
        sample: usize,
        /// What it says there.
        value: i64,
        /// The first value allowed.
        low: i64,
        /// The first value above those allowed.
        high: i64,
    },
}

impl ::core::fmt::Display for Error {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match *self {
            Error::Empty => f.write_str("no samples were given"),
            Error::TooManySamples { given, batch } => {
                ::core::write!(f, "{given} samples were given, but the model takes at most {batch} at a time")
            }
            Error::LengthMismatch { name, expected, found } => {
                ::core::write!(f, "`{name}` has length {found}, but {expected} is needed")
            }
            Error::OutOfRange { name, sample, value, low, high } => {
                ::core::write!(f, "`{name}` is {value} in sample {sample}, outside its range {low}..{high}")
            }
        }
    }
}

impl ::core::error::Error for Error {}
