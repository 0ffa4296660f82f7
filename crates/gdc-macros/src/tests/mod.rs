//! Tests of the whole way through the macro, outside of the compiler.

mod expand;
mod mutations;
mod roundtrip;
mod twin;

use gdc_driver::Source;
use std::fs;
use std::path::{Path, PathBuf};

/// All specs of this repository and the sources of its library, in a fixed order.
fn specs() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    let mut folders = vec![root.join("specs"), root.join("grammar"), root.join("crates/gdc-core")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "gd") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A text as the macro would give it, but for imports beside the file that it is from.
fn source(path: &Path, text: String) -> Source {
    let folder = path.parent().map(Path::to_path_buf);
    Source { name: "<network>".to_string(), text, folder }
}
