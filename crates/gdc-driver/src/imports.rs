//! `import "path.gd";`: looked for beside the file that imports it, then beside the source that
//! is compiled; every file once.

use crate::{Session, Source};
use gdc_syntax::{Diagnostic, Reported, Span, ast};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The most files that one source may lead to.
const MAX_FILES: usize = 256;

/// The items of a source and of everything that it imports, imported ones first.
pub fn load(file: ast::File, source: &Source, session: &mut Session) -> Result<Vec<ast::Item>, Reported> {
    let mut loader =
        Loader { root: source.folder.as_deref(), seen: BTreeSet::new(), open: Vec::new(), items: Vec::new() };
    if let Some(place) = source.folder.as_ref().and_then(|f| f.join(&source.name).canonicalize().ok()) {
        loader.open.push((place, source.name.clone()));
    }
    loader.collect(file, source.folder.as_deref(), session)?;
    check_names(&loader.items, session)?;
    Ok(loader.items)
}

struct Loader<'a> {
    /// The folder of the source that is compiled.
    root: Option<&'a Path>,
    /// Files that were read.
    seen: BTreeSet<PathBuf>,
    /// Files that are being read, outermost first, with the names that messages show.
    open: Vec<(PathBuf, String)>,
    items: Vec<ast::Item>,
}

impl Loader<'_> {
    fn collect(&mut self, file: ast::File, folder: Option<&Path>, session: &mut Session) -> Result<(), Reported> {
        for item in file.items {
            match &item.kind {
                ast::ItemKind::Import { path, span } => self.import(path, *span, folder, session)?,
                _ => self.items.push(item),
            }
        }
        Ok(())
    }

    fn import(&mut self, path: &str, span: Span, folder: Option<&Path>, session: &mut Session) -> Result<(), Reported> {
        let code = gdc_core::codes::IMPORT;
        let Some(folder) = folder else {
            return Err(session.error(code, span, "this source has no place from which it could import".to_owned()));
        };
        let real = self.find(path, span, folder, session)?;
        if let Some(first) = self.open.iter().position(|(place, _)| *place == real) {
            let mut chain: Vec<&str> = self.open[first..].iter().map(|(_, name)| name.as_str()).collect();
            chain.extend(chain.first().copied());
            let d = Diagnostic::error(code, span, "these files import each other without end")
                .note(chain.join(" imports "))
                .help("put what both need into a third file");
            return Err(session.diagnostics.push(d));
        }
        // A file that was read before adds nothing.
        if !self.seen.insert(real.clone()) {
            return Ok(());
        }
        if self.seen.len() > MAX_FILES {
            return Err(session.error(code, span, format!("more than {MAX_FILES} files are imported")));
        }
        let text = match std::fs::read_to_string(&real) {
            Ok(text) => text,
            Err(e) => return Err(session.error(code, span, format!("cannot read `{path}`: {e}"))),
        };
        let importer = &session.sources.file(span.file).name;
        let name = Path::new(importer).with_file_name(path).display().to_string();
        let id = session.sources.add_file(name.clone(), text.as_str(), &real);
        let imported = gdc_syntax::parse::parse_file(&text, id, &mut session.diagnostics)?;
        self.open.push((real.clone(), name));
        let result = self.collect(imported, real.parent(), session);
        self.open.pop();
        result
    }

    /// The file of a path: beside the importing file, else beside the source that is compiled.
    fn find(&self, path: &str, span: Span, folder: &Path, session: &mut Session) -> Result<PathBuf, Reported> {
        let mut reason = None;
        for place in std::iter::once(folder).chain(self.root.filter(|root| *root != folder)) {
            match place.join(path).canonicalize() {
                Ok(real) => return Ok(real),
                Err(e) => reason = reason.or(Some(e)),
            }
        }
        let reason = reason.map(|e| e.to_string()).unwrap_or_default();
        let mut d = Diagnostic::error(gdc_core::codes::IMPORT, span, format!("cannot read `{path}`: {reason}"))
            .note("looked for beside the file that imports it, and beside the source that is compiled");
        if let Some(close) = neighbour(path, folder) {
            d = d.help(format!("did you mean `{close}`?"));
        }
        Err(session.diagnostics.push(d))
    }
}

/// A file in the folder with almost this name.
fn neighbour(path: &str, folder: &Path) -> Option<String> {
    let names: BTreeSet<String> = std::fs::read_dir(folder)
        .ok()?
        .take(1000)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".gd"))
        .collect();
    let with_end = format!("{path}.gd");
    if names.contains(&with_end) {
        return Some(with_end);
    }
    gdc_syntax::similar::suggest(path, names.iter().map(String::as_str)).map(str::to_owned)
}

/// A name means one thing, whichever file it comes from. Optimizers and transforms have several
/// forms, one for each shape, but not of two files.
fn check_names(items: &[ast::Item], session: &mut Session) -> Result<(), Reported> {
    let mut seen: BTreeMap<&str, (&ast::Item, Span)> = BTreeMap::new();
    let mut failed = false;
    for item in items {
        for name in item.kind.names() {
            let Some(&(earlier, place)) = seen.get(name.text.as_str()) else {
                seen.insert(&name.text, (item, name.span));
                continue;
            };
            let arms = matches!(
                (&earlier.kind, &item.kind),
                (ast::ItemKind::Optimizer(_), ast::ItemKind::Optimizer(_))
                    | (ast::ItemKind::Transform(_), ast::ItemKind::Transform(_))
            );
            if arms && earlier.span.file == item.span.file {
                continue;
            }
            let d = Diagnostic::error(gdc_core::codes::SHADOWS, name.span, format!("`{}` is defined twice", name.text))
                .label("defined again")
                .secondary(place, "first defined here")
                .help("rename one of them: imported definitions and those of the source share one space of names");
            session.diagnostics.push(d);
            failed = true;
        }
    }
    if failed { Err(Reported) } else { Ok(()) }
}
