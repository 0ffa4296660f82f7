//! `gdc train`.

pub mod data;
pub mod field;
pub mod build;
pub mod weights;
pub mod event;
pub mod history;
pub mod progress;
pub mod worker;
