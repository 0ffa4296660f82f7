//! The stand-alone form of the runtime as a module, so that tests can hold it
//! beside `gdc::rt`. `gdc-codegen/runtime/sections.rs` lists the same files.
#![allow(dead_code, unused_imports, unused_macros, missing_docs)]

#[path = "../../../gdc-codegen/runtime/batch.rs"]
mod batch;
#[path = "../../../gdc-codegen/runtime/double.rs"]
pub mod double;
#[path = "../../../gdc-codegen/runtime/error.rs"]
mod error;
#[path = "../../../gdc-codegen/runtime/lane.rs"]
mod lane;
#[path = "../../../gdc-codegen/runtime/lanes.rs"]
mod lanes;
#[path = "../../../gdc-codegen/runtime/math.rs"]
mod math;
#[path = "../../../gdc-codegen/runtime/order.rs"]
mod order;
#[path = "../../../gdc-codegen/runtime/places.rs"]
mod places;
#[path = "../../../gdc-codegen/runtime/polynomials.rs"]
mod polynomials;
#[path = "../../../gdc-codegen/runtime/random.rs"]
mod random;
#[path = "../../../gdc-codegen/runtime/real.rs"]
mod real;
#[path = "../../../gdc-codegen/runtime/root.rs"]
mod root;
#[path = "../../../gdc-codegen/runtime/train.rs"]
mod train;

pub use batch::*;
pub use error::*;
pub use lane::*;
pub use lanes::*;
pub use math::*;
pub use order::*;
pub use places::*;
pub use random::*;
pub use real::*;
pub use root::*;
pub use train::*;
