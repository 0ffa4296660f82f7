//! What users of gdc depend on: the `network!` macro and the small `no_std`
//! runtime that generated code names.
//!
//! | feature | adds |
//! |---|---|
//! | `std` (default) | finding the machine's best instruction set at run time; threads that share a step; implies `alloc` |
//! | `alloc` | models on the heap, training histories |
//! | `data` | [`data`]: reading CSV, NPY, NPZ and IDX files |
//! | `safetensors` | [`weights`]: saving and loading |
//! | `serde` | [`serde`](mod@serde): models in any format of serde |
//! | `ndarray` | [`view`]: arrays of `ndarray` as samples |
//! | `macros` (default) | `network!`; files that `gdc compile` wrote do without, and build without the compiler |
//!
//! Without `std` and `alloc`, everything runs in `core` alone, at the instruction set
//! that the program is compiled for.

#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

#[cfg(feature = "std")]
extern crate std;

pub mod rt;

#[cfg(feature = "data")]
pub mod data;
mod samples;
#[cfg(feature = "serde")]
pub mod serde;
mod stopping;
#[cfg(feature = "ndarray")]
mod views;
#[cfg(feature = "safetensors")]
pub mod weights;

pub use samples::*;
pub use stopping::EarlyStopping;
#[cfg(feature = "ndarray")]
pub use views::view;

/// Turns a model spec into types that train and run the model.
///
/// ```
/// gdc::network! {
///     /// A straight line, by gradient descent on half the squared error.
///     model Line {
///         input  x: [];
///         target y: [];
///         param w = 0.0;
///         param b = 0.0;
///         output y_hat = w * x + b;
///         loss   (y_hat - y)^2 / 2;
///         optimizer sgd(lr = 0.5);
///         train { batch = 4; epochs = 500; }
///     }
/// }
///
/// # fn main() -> Result<(), gdc::rt::Error> {
/// let x = [-1.0, -0.5, 0.5, 1.0];
/// let y = x.map(|x| 3.0 * x + 2.0);
/// let mut trainer = LineTrainer::new(7);
/// for _ in 0..500 {
///     trainer.step(&x, &y)?;
/// }
/// assert!((trainer.model.w - 3.0).abs() < 1e-3);
/// assert!((trainer.model.predict(10.0) - 32.0).abs() < 1e-2);
/// # Ok(())
/// # }
/// ```
///
/// For `model Line` this defines `Line`, the parameters with `new` and `predict`; and
/// `LineTrainer`, which holds a `Line` as `model` together with the state of the optimizer, and
/// has `step`, `loss`, `evaluate`, `gradients` and `fit`. These are the very items that
/// `gdc compile` writes for the same text. Of several models in one spec the last is meant.
///
/// # In a file
///
/// `network!("line.gd");` reads the spec from a file, whose path starts at the folder of the file
/// that calls the macro, or else at the package's folder. Cargo builds again when that file
/// changes, or one that it imports. In the macro itself `import "layers.gd";` is possible too.
///
/// # Where it can stand
///
/// Wherever items can: in a module, in a function, in what a macro of your own expands to. There
/// `$x:expr` keeps together what was passed, as in Rust, and `$name:ident` can name a model. What
/// is generated needs no prelude, no standard library, no heap and no `unsafe`.
///
/// # Errors and warnings
///
/// Every mistake is an error at the token that is wrong; in a file, it is shown with its line. The
/// types of a wrong model stand for anything, so that code which uses them adds no errors.
///
/// A warning looks like the use of something deprecated, since Rust gives macros no other way to
/// warn: `#[allow(deprecated)]` on the surrounding module silences it.
///
/// # Speed
///
/// Without optimisation the generated code is hundreds of times slower. In `Cargo.toml`:
///
/// ```toml
/// [profile.dev]
/// opt-level = 3
/// ```
#[cfg(feature = "macros")]
pub use gdc_macros::network;
