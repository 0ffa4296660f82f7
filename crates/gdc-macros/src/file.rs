//! Finding the file that `network!("path.gd")` names.

use crate::site;
use std::fs;
use std::path::{Path, PathBuf};

/// A file that was found.
pub struct Found {
    /// Where it is, absolute.
    pub path: PathBuf,
    /// Its text, or why it has none.
    pub text: Result<String, String>,
}

/// Reads the first file called `name` in `folders`; the error says where it was looked for.
pub fn find(name: &str, folders: &[PathBuf]) -> Result<Found, String> {
    let mut tried: Vec<PathBuf> = folders.iter().map(|folder| folder.join(name)).collect();
    tried.dedup();
    match tried.iter().find(|path| path.is_file()) {
        Some(path) => Ok(read(name, path)),
        None => Err(not_found(name, &tried)),
    }
}

fn read(name: &str, path: &Path) -> Found {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read `{name}`: {error}"));
    Found { path, text }
}

fn not_found(name: &str, tried: &[PathBuf]) -> String {
    let mut message = format!("there is no file `{name}`");
    for path in tried {
        message += &format!("\nlooked for: {}", site::shown(path));
    }
    message += "\nhelp: the path starts at the folder of the file that calls `network!`, \
                or else at the package's folder";
    message
}

#[cfg(test)]
mod tests {
    use super::find;
    use std::path::PathBuf;

    #[test]
    fn the_first_folder_wins() {
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let found = find("file.rs", &[here.clone(), here.join("src")]).unwrap();
        assert_eq!(found.path, here.join("src/file.rs"));
        assert!(found.text.unwrap().starts_with("//! Finding"));
    }

    #[test]
    fn a_missing_file_says_where_it_was_looked_for() {
        let folders = [PathBuf::from("/nowhere/a"), PathBuf::from("/nowhere/b")];
        let message = find("m.gd", &folders).err().unwrap();
        assert!(message.contains("no file `m.gd`"), "{message}");
        assert!(message.contains("/nowhere/a/m.gd\nlooked for: /nowhere/b/m.gd"), "{message}");
    }
}
