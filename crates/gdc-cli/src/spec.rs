//! A spec from the command line: its text, its compilation, and what is shown of it.

use crate::fault::{Fault, Outcome};
use crate::files::{STDIN, display_name, read_text};
use crate::report;
use gdc_driver::{Failure, Options, Output, Source};
use std::path::Path;

/// A spec that was read.
pub struct Spec {
    /// The text, with the names that the compiler shows.
    pub source: Source,
}

impl Spec {
    /// Reads a file, or standard input for `-`.
    pub fn read(path: &Path) -> Outcome<Spec> {
        let text = read_text(path)?;
        let folder = if path == Path::new(STDIN) {
            Some(".".into())
        } else {
            path.parent().map(|p| if p == Path::new("") { ".".into() } else { p.to_owned() })
        };
        Ok(Spec { source: Source { name: display_name(path), text, folder } })
    }

    /// Compiles; what is wrong is in the failure, and nothing was shown.
    pub fn compile(&self, options: &Options) -> Result<Output, Box<Failure>> {
        gdc_driver::compile(&self.source, options)
    }

    /// Compiles and shows errors and warnings on standard error.
    pub fn compile_or_show(&self, options: &Options) -> Outcome<Output> {
        shown(self.compile(options))
    }
}

/// A compiled model whose warnings are shown; what was wrong is shown instead of it.
pub fn shown(compiled: Result<Output, Box<Failure>>) -> Outcome<Output> {
    match compiled {
        Ok(output) => {
            report::human(&output.warnings, &output.sources);
            Ok(output)
        }
        Err(failure) => {
            report::human(&failure.diagnostics, &failure.sources);
            Err(Fault::Shown)
        }
    }
}
