//! The reference interpreter of the tensor graph, and the gradient check.
//!
//! Every node is computed element by element in f64, in the order of the graph, with nothing
//! fused, reordered or skipped: slow and obviously right. It shares no code with the
//! scheduler, the code generator or the runtime, so that agreement with them means something.
//!
//! - [`evaluate`] gives the values of nodes for given leaves;
//! - [`Session`] trains and predicts like the generated program of the same model;
//! - [`Stream`] does the same of its streaming form;
//! - [`gradient_check`] compares a model's own gradients with finite differences.

mod check;
mod error;
mod eval;
mod random;
mod reduce;
mod scalar;
mod session;
mod steps;
mod stream;
mod tape;
mod tensor;

pub use check::{CheckOptions, ParamReport, Report, gradient_check};
pub use error::Error;
pub use eval::{Bindings, Values, evaluate};
pub use random::{normal, uniform};
pub use scalar::{Scalar, apply};
pub use session::{Batch, Session};
pub use stream::Stream;
pub use tensor::Tensor;

#[cfg(test)]
mod testing;
