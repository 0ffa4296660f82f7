//! What the tests of this package share: every spec of `specs/` as generated code behind one
//! trait, their data, the values that PyTorch computed, and how to compare with them.

pub mod compare;
pub mod data;
pub mod fixtures;
pub mod spec;
pub mod systems;
pub mod trained;

use std::path::PathBuf;

/// A file of the repository, by its path from the root.
pub fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
