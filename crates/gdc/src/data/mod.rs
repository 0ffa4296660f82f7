//! Reading data files (feature `data`): CSV tables, and the arrays of NPY, NPZ and IDX.

mod array;
mod error;
mod idx;
mod npy;
mod table;

pub use array::{Array, Precision};
pub use error::Error;
pub use idx::read_idx;
pub use npy::{read_npy, read_npz};
pub use table::Table;
