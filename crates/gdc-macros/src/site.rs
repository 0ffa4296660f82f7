//! What the compiler knows of the place where the macro was called. Outside of a macro, as in
//! tests, all of it is unknown.

use proc_macro2::Span;
use std::path::{Path, PathBuf};

/// The folder of the file that holds `span`, as an absolute path where rustc says enough for it.
pub fn folder(span: Span) -> Option<PathBuf> {
    if !proc_macro::is_available() {
        return None;
    }
    let file = span.unwrap().local_file()?;
    let folder = file.parent()?;
    if folder.is_absolute() {
        return Some(folder.to_path_buf());
    }
    // rustc names files relative to the folder that it runs in.
    Some(std::env::current_dir().ok()?.join(folder))
}

/// The folder of the package that calls the macro, known where cargo builds it.
pub fn manifest() -> Option<PathBuf> {
    std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from)
}

/// The line of `span` in its file, from 1.
pub fn line(span: Span) -> Option<usize> {
    proc_macro::is_available().then(|| span.unwrap().line())
}

/// A path as a message shows it: from the folder that rustc runs in, where it is in there.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let short = here.as_deref().and_then(|here| path.strip_prefix(here).ok());
    short.unwrap_or(path).display().to_string()
}
