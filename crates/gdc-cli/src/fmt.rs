//! `gdc fmt`: specs in their regular form.

use crate::cli::FmtArgs;
use crate::diff::short_diff;
use crate::fault::{Fault, Outcome};
use crate::files::{self, STDIN, display_name};
use crate::report;
use crate::spec::Spec;
use gdc_syntax::format::format;
use std::path::Path;

/// Formats all files, also after one that cannot be.
pub fn run(args: &FmtArgs) -> Outcome {
    let mut failed = false;
    for path in files::specs(&args.files)? {
        if let Err(fault) = one(&path, args.check) {
            failed = true;
            fault.show();
        }
    }
    if failed { Err(Fault::Shown) } else { Ok(()) }
}

fn one(path: &Path, check: bool) -> Outcome {
    let spec = Spec::read(path)?;
    // A text with a mistake in it stays as it is: what it means is not known.
    if let Err(failure) = gdc_driver::parse(&spec.source) {
        report::human(&failure.diagnostics, &failure.sources);
        return Err(Fault::Shown);
    }
    let old = &spec.source.text;
    let new = format(old);
    if check {
        return if *old == new {
            Ok(())
        } else {
            let name = display_name(path);
            Err(Fault::input(format!("{name} is not formatted\n{}  help: gdc fmt {name}", short_diff(old, &new))))
        };
    }
    if path == Path::new(STDIN) {
        files::print(&new);
        Ok(())
    } else if *old != new {
        files::write_whole(path, new.as_bytes())
    } else {
        Ok(())
    }
}
