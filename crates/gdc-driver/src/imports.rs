//! `import "path.gd";`: every file once, relative to the file that imports it.

use crate::{Session, Source};
use gdc_syntax::{Reported, ast};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The most files that one source may lead to.
const MAX_FILES: usize = 256;

/// The items of a source and of everything that it imports, imported ones first.
pub fn load(file: ast::File, source: &Source, session: &mut Session) -> Result<Vec<ast::Item>, Reported> {
    let mut seen = BTreeSet::new();
    let mut items = Vec::new();
    collect(file, source.folder.as_deref(), session, &mut seen, &mut items)?;
    Ok(items)
}

fn collect(
    file: ast::File,
    folder: Option<&Path>,
    session: &mut Session,
    seen: &mut BTreeSet<PathBuf>,
    items: &mut Vec<ast::Item>,
) -> Result<(), Reported> {
    for item in file.items {
        let ast::ItemKind::Import { path, span } = &item.kind else {
            items.push(item);
            continue;
        };
        let code = gdc_core::codes::IMPORT;
        let Some(folder) = folder else {
            return Err(session.error(code, *span, "this source has no place from which it could import".to_owned()));
        };
        let wanted = folder.join(path);
        let real = match wanted.canonicalize() {
            Ok(real) => real,
            Err(e) => return Err(session.error(code, *span, format!("cannot read `{path}`: {e}"))),
        };
        // A file that was read before, also one that is being read now, adds nothing.
        if !seen.insert(real.clone()) {
            continue;
        }
        if seen.len() > MAX_FILES {
            return Err(session.error(code, *span, format!("more than {MAX_FILES} files are imported")));
        }
        let text = match std::fs::read_to_string(&real) {
            Ok(text) => text,
            Err(e) => return Err(session.error(code, *span, format!("cannot read `{path}`: {e}"))),
        };
        let importer = &session.sources.file(span.file).name;
        let name = Path::new(importer).with_file_name(path).display().to_string();
        let id = session.sources.add_file(name, text.as_str(), &real);
        let imported = gdc_syntax::parse::parse_file(&text, id, &mut session.diagnostics)?;
        collect(imported, real.parent(), session, seen, items)?;
    }
    Ok(())
}
