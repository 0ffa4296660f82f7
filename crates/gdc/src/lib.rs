//! What users of gdc depend on: the `network!` macro and the small `no_std`
//! runtime that generated code names.
//!
//! | feature | adds |
//! |---|---|
//! | `std` (default) | finding the machine's best instruction set at run time; implies `alloc` |
//! | `alloc` | models on the heap, training histories |
//!
//! Without either, everything runs in `core` alone, at the instruction set
//! that the program is compiled for.

#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod rt;
