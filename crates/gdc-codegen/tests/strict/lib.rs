//! Generated code where least is forgiven.
#![no_std]
#![no_implicit_prelude]
#![deny(warnings, missing_docs)]
#![forbid(unsafe_code)]

/// On the runtime of crate `gdc`.
pub mod classifier;

/// On a runtime of its own.
pub mod alone;

/// Little of a runtime.
pub mod small;

/// Without samples.
pub mod quadratic;

/// In `f64`.
pub mod double;

/// Names that need care.
pub mod strange;

/// One sample at a time.
pub mod single;

/// Megabytes of weights.
pub mod large;

/// Two models in one module.
pub mod two {
    ::core::include!("quadratic.rs");
    ::core::include!("classifier.rs");
}

/// A model inside a function.
pub fn in_function() -> f32 {
    //@quadratic
    QuadraticTrainer::new(0).step()
}

/// A model out of a macro.
pub fn from_macro() -> f32 {
    macro_rules! model {
        ($($item:tt)*) => { $($item)* };
    }
    model! {
        //@quadratic
    }
    QuadraticTrainer::new(0).step()
}
