//! Source texts and byte ranges in them.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Names one file of a [`SourceMap`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileId(pub u32);

/// A byte range of one file. Every node of the syntax tree carries one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file that holds the range.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end` of `file`.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Span { file, start: start as u32, end: end as u32 }
    }

    /// The smallest range that holds both; `self` where the files differ.
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}..{}", self.file.0, self.start, self.end)
    }
}

/// One source text and the name that messages show for it.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// A path as the user gave it, `std/NAME.gd`, or `<network>` in a macro.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
    /// Where the text was read from, absolute; a build that used it watches this file.
    pub path: Option<PathBuf>,
    /// The bytes with which its lines begin.
    lines: Vec<u32>,
}

/// All texts of one compilation.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// Adds a text that is in no file of its own and returns its id.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> FileId {
        self.push(name.into(), text.into(), None)
    }

    /// Adds a text that was read from the file at `path` and returns its id.
    pub fn add_file(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>, path: impl Into<PathBuf>) -> FileId {
        self.push(name.into(), text.into(), Some(path.into()))
    }

    fn push(&mut self, name: String, text: Arc<str>, path: Option<PathBuf>) -> FileId {
        let id = FileId(self.files.len() as u32);
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at as u32 + 1)).collect();
        self.files.push(SourceFile { name, text, path, lines });
        id
    }

    /// The file of an id that [`SourceMap::add`] returned.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// All files, in the order in which they were added.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(i, f)| (FileId(i as u32), f))
    }

    /// The text of a range; empty where the range does not lie on character boundaries.
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file).text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Line and column of a range's start, both from 1; the column counts characters.
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let file = self.file(span.file);
        let before = file.text.get(..span.start as usize).unwrap_or("");
        let line = file.lines.partition_point(|&start| start as usize <= before.len()).max(1);
        let start = file.lines.get(line - 1).map_or(0, |&start| start as usize);
        let column = before.get(start..).unwrap_or("").chars().count() + 1;
        (line, column)
    }
}
