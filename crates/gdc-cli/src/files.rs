//! Reading whole files, and writing them whole or not at all.

use crate::fault::{At, Fault, Outcome};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// The name of a path that stands for standard input.
pub const STDIN: &str = "-";

/// The text of a file, or of standard input for `-`.
pub fn read_text(path: &Path) -> Outcome<String> {
    let mut bytes = Vec::new();
    if path == Path::new(STDIN) {
        std::io::stdin().read_to_end(&mut bytes).at("read", Path::new("standard input"))?;
    } else {
        bytes = fs::read(path).at("read", path)?;
    }
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Fault::input(format!("{} is not UTF-8 text: byte {at} is the first that is not", display_name(path)))
    })
}

/// The files named, with folders replaced by the specs in them, in order of their names.
pub fn specs(paths: &[PathBuf]) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let before = found.len();
        collect(path, &mut found)?;
        if found.len() == before {
            return Err(Fault::input(format!("{} holds no .gd files", path.display())));
        }
    }
    Ok(found)
}

/// Adds the specs of a folder and its folders; those with a dot in front are passed over.
fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Outcome {
    let entries = fs::read_dir(folder).at("read", folder)?;
    let mut paths: Vec<PathBuf> = entries.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>().at("read", folder)?;
    paths.sort();
    for path in paths {
        let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        if path.is_dir() && !hidden && !path.is_symlink() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|e| e == "gd") && path.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

/// Writes to standard output. A reader that went away, as `head` does, is no error.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    drop(written);
}

/// How messages name a path.
pub fn display_name(path: &Path) -> String {
    if path == Path::new(STDIN) { "<stdin>".to_owned() } else { path.display().to_string() }
}

/// Writes a file through a temporary one beside it, so that a reader sees the old contents
/// or the new ones and a failure leaves the old. Makes the folders that are missing.
pub fn write_whole(path: &Path, contents: &[u8]) -> Outcome {
    let folder = folder_of(path);
    fs::create_dir_all(&folder).at("make the folder", &folder)?;
    if path.is_dir() {
        return Err(Fault::input(format!("cannot write {}: it is a folder", path.display())));
    }
    let mut file = tempfile::Builder::new().prefix(".gdc-").tempfile_in(&folder).at("write in", &folder)?;
    file.write_all(contents).at("write", path)?;
    // A temporary file is private; the result should have the rights of any new file, or
    // those of the file that it replaces.
    let rights = fs::metadata(path).map(|m| m.permissions()).or_else(|_| new_file_rights(&folder));
    if let Ok(rights) = rights {
        file.as_file().set_permissions(rights).at("write", path)?;
    }
    file.persist(path).at("write", path)?;
    Ok(())
}

/// The rights that the system gives to a new file of the folder.
fn new_file_rights(folder: &Path) -> std::io::Result<fs::Permissions> {
    let probe = folder.join(format!(".gdc-probe-{}", std::process::id()));
    let rights = fs::File::create(&probe)?.metadata()?.permissions();
    fs::remove_file(&probe)?;
    Ok(rights)
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_replaces_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/a.rs");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path().join("deep")).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let fault = write_whole(folder.path(), b"x").unwrap_err();
        assert!(matches!(fault, Fault::Input(m) if m.contains("it is a folder")));
    }

    #[test]
    fn text_that_is_not_utf8_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.gd");
        fs::write(&path, b"model \xff").unwrap();
        let fault = read_text(&path).unwrap_err();
        assert!(matches!(fault, Fault::Input(m) if m.contains("byte 6")));
    }
}
