//! Finding definitions by name: those of the source and its imports first, then the standard
//! library. Only the library entries that a model uses are ever parsed.

use gdc_syntax::{Diagnostics, FileId, Reported, SourceMap, ast, parse, scan};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The standard library, written in the language itself.
const STD: &[(&str, &str)] = &[
    ("std/activations.gd", include_str!("../std/activations.gd")),
    ("std/shapes.gd", include_str!("../std/shapes.gd")),
    ("std/layers.gd", include_str!("../std/layers.gd")),
    ("std/normalisation.gd", include_str!("../std/normalisation.gd")),
    ("std/convolution.gd", include_str!("../std/convolution.gd")),
    ("std/pooling.gd", include_str!("../std/pooling.gd")),
    ("std/attention.gd", include_str!("../std/attention.gd")),
    ("std/recurrent.gd", include_str!("../std/recurrent.gd")),
    ("std/losses.gd", include_str!("../std/losses.gd")),
    ("std/metrics.gd", include_str!("../std/metrics.gd")),
    ("std/optimizers.gd", include_str!("../std/optimizers.gd")),
    ("std/transforms.gd", include_str!("../std/transforms.gd")),
    ("std/schedules.gd", include_str!("../std/schedules.gd")),
    ("std/initializers.gd", include_str!("../std/initializers.gd")),
];

struct StdFile {
    name: &'static str,
    text: &'static str,
    id: Option<FileId>,
    items: Vec<(String, std::ops::Range<usize>)>,
}

/// All definitions that a model can name.
pub struct Library {
    user: BTreeMap<String, Vec<Rc<ast::ItemKind>>>,
    std: Vec<StdFile>,
    parsed: BTreeMap<String, Vec<Rc<ast::ItemKind>>>,
}

impl Library {
    /// The definitions of the source's items, over those of the standard library.
    pub fn new(items: Vec<ast::Item>) -> Self {
        let mut user: BTreeMap<String, Vec<Rc<ast::ItemKind>>> = BTreeMap::new();
        for item in items {
            let names: Vec<String> = item.kind.names().iter().map(|n| n.text.clone()).collect();
            let kind = Rc::new(item.kind);
            for name in names {
                user.entry(name).or_default().push(kind.clone());
            }
        }
        let std = STD
            .iter()
            .map(|&(name, text)| StdFile {
                name,
                text,
                id: None,
                items: scan::items(text).into_iter().map(|(_, n, r)| (n.to_owned(), r)).collect(),
            })
            .collect();
        Library { user, std, parsed: BTreeMap::new() }
    }

    /// The definitions of a name; empty where there is none. A name that stands in the standard
    /// library means the library's: what a source defines does not change what is built on it.
    pub fn find(
        &mut self,
        name: &str,
        in_std: bool,
        sources: &mut SourceMap,
        diagnostics: &mut Diagnostics,
    ) -> Result<Vec<Rc<ast::ItemKind>>, Reported> {
        if let (false, Some(items)) = (in_std, self.user.get(name)) {
            return Ok(items.clone());
        }
        if let Some(items) = self.parsed.get(name) {
            return Ok(items.clone());
        }
        let mut found = Vec::new();
        for file in &mut self.std {
            for (_, range) in file.items.iter().filter(|(n, _)| n == name) {
                let id = *file.id.get_or_insert_with(|| sources.add(file.name, file.text));
                let item = parse::parse_item(&file.text[range.clone()], range.start, id, diagnostics)?;
                found.push(Rc::new(item.kind));
            }
        }
        self.parsed.insert(name.to_owned(), found.clone());
        Ok(found)
    }

    /// Every name, for suggestions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let std = self.std.iter().flat_map(|f| f.items.iter().map(|(n, _)| n.as_str()));
        self.user.keys().map(String::as_str).chain(std)
    }

    /// The names and texts of the standard library's files.
    pub fn std_files() -> impl Iterator<Item = (&'static str, &'static str)> {
        STD.iter().copied()
    }
}
