//! Random well-typed specs, and the ways to compute them that have to agree.
//!
//! [`generate`] makes a [`Spec`](spec::Spec) of a seed: a list of statements that can be left out
//! again one by one. [`agree`] compiles it and holds passes, loop programs and finite differences
//! against the interpreter; [`rust`] does so with generated code, for many specs at once, since
//! starting rustc is what costs. [`layers`] makes models of library layers, which it also writes
//! out by hand. [`shrink`] makes a spec that fails as small as it can.

pub mod agree;
pub mod generate;
pub mod layers;
pub mod random;
pub mod rust;
pub mod shrink;
pub mod spec;

/// The scheduler's own tests have an evaluator of loop programs.
#[path = "../../../crates/gdc-schedule/tests/support/mod.rs"]
mod support;
