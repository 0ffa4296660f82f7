//! The runtime of generated code.
//!
//! Everything here exists twice with the same names and meaning: in this crate,
//! on the lanes of `fearless_simd`, and as text over plain arrays that
//! stand-alone generated files carry along. All but the lanes and what needs a
//! heap is the same source, so the two cannot drift apart.
//!
//! # Surface
//!
//! In this list `T` is one `f32`, one `f64` or [`F32x16`]; operators
//! `+ - * /` and negation work on all of them, `& | !` on their masks.
//!
//! | names | what they do |
//! |---|---|
//! | [`level`], [`Level`], [`dispatch!`](dispatch) | the best instruction set; `dispatch!(level, simd => body(simd, ...))` |
//! | [`apart!`](apart) | a kernel that several callers share |
//! | [`Simd`], [`F32x16<S>`](F32x16), [`Mask16<S>`](Mask16) | lanes over a token `S: Simd` |
//! | [`accumulators::<S>()`](accumulators) | vectors per tile: 16 (8 x 32), 6 (6 x 16), 4 (4 x 16) or 2 (2 x 16); a constant |
//! | `F32x16::{splat, load, store, load_at, store_at, load_head, store_head, load_head_at, load_some_at, store_head_at, from_fn, from_u32, iota, to_array, interleave}` | values into lanes and out |
//! | `F32x16::{sum, product, max, min}` | over the lanes, by a fixed halving tree |
//! | [`transpose`], `Mask16::first` | 16 x 16 values; the first `n` lanes |
//! | [`mul_add`], [`abs`], [`sqrt`], [`min`], [`max`], [`floor`], [`ceil`], [`round`], [`sign`], [`copysign`] | of `T` |
//! | [`lt`], [`le`], [`gt`], [`ge`], [`eq`], [`ne`], [`select`], `Mask::{any, all}` | comparisons of `T` and their masks |
//! | [`exp`], [`expm1`], [`ln`], [`ln_1p`], [`tanh`], [`sigmoid`], [`softplus`], [`erf`], [`sin`], [`cos`], [`pow`], [`powi`] | functions of `T`; of `f64` also as `double::exp` and so on |
//! | [`fold`], [`uniform`], [`normal`], `*_of`, `*_f64` | counter-based random numbers |
//! | [`Order`] | the order of samples |
//! | [`Error`] | what can be wrong with data |
//! | [`Trainer`], [`fit`], [`fit_flat`], [`evaluate`], [`evaluate_flat`], [`FitOptions`], [`Epoch`], [`Fit`], [`Stop`], [`NamedTensors`], [`Float`] | the training loop |
//! | [`same_length`], [`in_range`], [`sample_in_range`], [`copy_samples`], [`repeat_first`], [`copy_sample`], [`take_numbers`], [`within`] | checking and moving the samples of a batch |
//! | [`each`], [`part`], [`add`], [`pieces_of`] | sharing a step between threads (feature `std`): the parts of a batch and their sums, the rows of a tensor |
//! | [`Tensor`], [`numbers`], [`fill`], [`named_tensors!`](named_tensors) | tensors as flat slices, and their names |
//! | [`with_alloc!`](with_alloc), `boxed`, `Box`, `fit_history` | only with a heap |
//!
//! A kernel is `#[inline(always)] fn body<S: Simd>(simd: S, ...)`, and all that
//! it calls on lanes is inlined into it: only then does it run with the
//! instruction set that [`dispatch!`](dispatch) chose.

mod lanes;
mod level;
pub use lanes::*;
pub use level::*;

#[path = "../../../gdc-codegen/runtime/batch.rs"]
mod batch;
#[path = "../../../gdc-codegen/runtime/double.rs"]
pub mod double;
#[cfg(not(feature = "std"))]
#[path = "../../../gdc-codegen/runtime/each.rs"]
mod each;
#[path = "../../../gdc-codegen/runtime/error.rs"]
mod error;
#[path = "../../../gdc-codegen/runtime/lane.rs"]
mod lane;
#[path = "../../../gdc-codegen/runtime/math.rs"]
mod math;
#[path = "../../../gdc-codegen/runtime/order.rs"]
mod order;
#[path = "../../../gdc-codegen/runtime/parts.rs"]
mod parts;
#[path = "../../../gdc-codegen/runtime/places.rs"]
mod places;
#[path = "../../../gdc-codegen/runtime/polynomials.rs"]
mod polynomials;
#[path = "../../../gdc-codegen/runtime/random.rs"]
mod random;
#[path = "../../../gdc-codegen/runtime/real.rs"]
mod real;
// Both are correctly rounded, so results are the same; `core` alone has no square root.
#[cfg_attr(not(feature = "std"), path = "../../../gdc-codegen/runtime/root.rs")]
#[cfg_attr(feature = "std", path = "../../../gdc-codegen/runtime/hosted_root.rs")]
mod root;
#[path = "../../../gdc-codegen/runtime/train.rs"]
mod train;

#[cfg(feature = "std")]
#[path = "../../../gdc-codegen/runtime/pool.rs"]
mod pool;
pub use batch::*;
#[cfg(not(feature = "std"))]
pub use each::*;
pub use error::*;
pub use lane::*;
pub use math::*;
pub use order::*;
pub use parts::*;
pub use places::*;
#[cfg(feature = "std")]
pub use pool::each;
pub use random::*;
pub use real::*;
pub use root::*;
pub use train::*;

#[cfg(feature = "alloc")]
mod heap;
#[cfg(feature = "alloc")]
pub use heap::*;

/// Expands to its content where the runtime has a heap (feature `alloc`), else
/// to nothing.
#[cfg(feature = "alloc")]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_alloc {
    ($($item:tt)*) => { $($item)* };
}

/// Expands to its content where the runtime has a heap (feature `alloc`), else
/// to nothing.
#[cfg(not(feature = "alloc"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_alloc {
    ($($item:tt)*) => {};
}

pub use crate::__with_alloc as with_alloc;

/// `named_tensors! { Model of f32 { w: "h.w" [64, 10], } }` lists the tensors of a type that has a
/// `ZERO`: its [`NamedTensors`]. With `struct` before it, it makes the type as well.
#[doc(hidden)]
#[macro_export]
macro_rules! __named_tensors {
    (
        $(#[$about:meta])*
        struct $of:ident of $real:ident { $($field:ident: $name:literal [$($extent:literal),*],)* }
    ) => {
        $(#[$about])*
        #[allow(dead_code)]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        struct $of { $($field: $crate::rt::array!($real $($extent)*),)* }
        impl $of {
            const ZERO: Self = Self { $($field: $crate::rt::Tensor::ZERO,)* };
        }
        $crate::rt::named_tensors! { $of of $real { $($field: $name [$($extent),*],)* } }
    };
    ($of:ident of $real:ident { $($field:ident: $name:literal [$($extent:literal),*],)* }) => {
        impl $crate::rt::NamedTensors for $of {
            type Real = $real;
            fn zero() -> Self {
                Self::ZERO
            }
            fn tensors(&self, _visit: &mut $crate::rt::Visit<'_, $real>) {
                $(_visit($name, &[$($extent),*], $crate::rt::numbers(&self.$field));)*
            }
            fn tensors_mut(&mut self, _visit: &mut $crate::rt::VisitMut<'_, $real>) {
                $(_visit($name, &[$($extent),*], $crate::rt::numbers_mut(&mut self.$field));)*
            }
        }
    };
}

/// `array!(f32 64 10)` is the type `[[f32; 10]; 64]`.
#[doc(hidden)]
#[macro_export]
macro_rules! __array {
    ($real:ident) => { $real };
    ($real:ident $extent:literal $($inner:literal)*) => { [$crate::rt::array!($real $($inner)*); $extent] };
}

pub use crate::__array as array;
pub use crate::__named_tensors as named_tensors;
