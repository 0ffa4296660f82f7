//! What can be wrong with a data file, as a sentence that names the file.

use std::fmt;
use std::format;
use std::path::Path;
use std::prelude::rust_2024::*;

/// A data file that cannot be used. Its text names the file and what is wrong with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error(String);

impl Error {
    pub(super) fn new(path: &Path, what: impl fmt::Display) -> Self {
        Error(format!("{}: {what}", path.display()))
    }

    /// For what no file is to blame for.
    pub(super) fn plain(what: impl Into<String>) -> Self {
        Error(what.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
