//! Markdown files and their fenced blocks.

use super::root;
use std::fs;

/// A Markdown file.
#[derive(Clone)]
pub struct Document {
    /// Its path from the root.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// A fenced block.
#[derive(Clone)]
pub struct Block {
    /// What stands after the opening fence, such as `gd,fails=E0201`.
    pub info: String,
    /// The lines between the fences.
    pub text: String,
    /// The line of the opening fence, from 1.
    pub line: usize,
    /// What the comment before it says that it shows.
    pub shows: Option<String>,
}

impl Block {
    /// The first word of its info.
    pub fn language(&self) -> &str {
        self.info.split(',').next().unwrap_or("")
    }

    /// The value of `name=value` in its info.
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.info.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
    }
}

/// `README.md` and all of `docs/`.
pub fn documents() -> Vec<Document> {
    let mut paths = vec!["README.md".to_owned()];
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") {
            paths.push(format!("docs/{name}"));
        }
    }
    paths.sort();
    paths.into_iter().map(|path| Document { text: super::read(&path), path }).collect()
}

impl Document {
    /// Its fenced blocks, in order.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut shows = None;
        let mut open: Option<Block> = None;
        for (i, line) in self.text.lines().enumerate() {
            match &mut open {
                Some(block) if line == "```" => {
                    blocks.push(block.clone());
                    open = None;
                }
                Some(block) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                None => {
                    if let Some(info) = line.strip_prefix("```") {
                        let (info, shows) = (info.to_owned(), shows.take());
                        open = Some(Block { info, text: String::new(), line: i + 1, shows });
                    } else {
                        let comment = line.strip_prefix("<!-- shows: ").and_then(|l| l.strip_suffix(" -->"));
                        shows = comment.map(str::to_owned);
                    }
                }
            }
        }
        assert!(open.is_none(), "{}: a fence is not closed", self.path);
        blocks
    }

    /// Puts another text between the fences of a block. Blocks after it move: go backwards.
    pub fn replace(&mut self, block: &Block, text: &str) {
        let mut lines: Vec<&str> = self.text.lines().collect();
        let count = block.text.lines().count();
        lines.splice(block.line..block.line + count, text.lines());
        self.text = lines.join("\n") + "\n";
    }
}
