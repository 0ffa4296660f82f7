//! What can be wrong with a graph or with what is given to it.

use std::fmt;

/// Why nothing could be computed. Nodes are named by their dotted names.
#[derive(Clone, PartialEq, Debug)]
pub enum Error {
    /// A leaf that is needed has no value.
    Unbound(String),
    /// A tensor has another shape than it must.
    Shape {
        /// Of which.
        name: String,
        /// What it must be.
        expected: Vec<usize>,
        /// What it is.
        found: Vec<usize>,
    },
    /// A tensor holds another type of elements than it must.
    Type(String),
    /// An integer is outside of its stated range.
    Range {
        /// Of which tensor.
        name: String,
        /// The integer.
        value: i64,
    },
    /// A statement reads outside of a tensor, divides an integer by zero, or depends on such a
    /// value.
    Outside {
        /// The statement.
        name: String,
        /// Where its variables stood.
        point: Vec<usize>,
    },
    /// The graph breaks an invariant of the verifier.
    Malformed(String),
    /// No parameter, state, input, target, output or metric has this name.
    NoSuch(String),
    /// The model has no loss.
    NoLoss,
    /// More samples than the model's batch, or none.
    Samples {
        /// The batch.
        batch: usize,
        /// How many were given.
        given: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unbound(name) => write!(f, "{name} has no value"),
            Error::Shape { name, expected, found } => {
                write!(f, "{name} must have the shape {expected:?}, not {found:?}")
            }
            Error::Type(name) => write!(f, "{name} holds another type of elements than it must"),
            Error::Range { name, value } => write!(f, "{name} holds {value}, which is outside of its range"),
            Error::Outside { name, point } => {
                write!(f, "{name} has no value at {point:?}: it reads outside of a tensor or divides by zero")
            }
            Error::Malformed(what) => write!(f, "the graph is not valid: {what}"),
            Error::NoSuch(name) => write!(f, "nothing is called {name}"),
            Error::NoLoss => write!(f, "the model has no loss"),
            Error::Samples { batch, given } => write!(f, "{given} samples were given, 1 to {batch} fit"),
        }
    }
}

impl std::error::Error for Error {}
