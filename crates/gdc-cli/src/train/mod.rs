//! `gdc train`.

pub mod data;
pub mod field;
