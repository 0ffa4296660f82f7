//! One side of a comparison: a file, or a file as it was in a revision of a git repository.

use crate::explain::Explained;
use crate::explain::layers::Kind;
use crate::fault::{At, Fault, Outcome};
use crate::spec::Spec;
use crate::text::{bytes, count, grouped, shape};
use gdc_driver::Source;
use gdc_ir::graph::{Precision, Until};
use gdc_syntax::ast::ItemKind;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A compiled spec with what is told about it.
pub struct Side {
    /// As it was named.
    pub name: String,
    /// All about it.
    pub explained: Explained,
}

impl Side {
    /// Reads `PATH`, or `REV:PATH` where no file has that name.
    pub fn read(name: &str, model: Option<String>) -> Outcome<Side> {
        let from_git = match name.split_once(':') {
            Some((rev, path)) if !Path::new(name).exists() && !rev.is_empty() => Some((rev, path)),
            _ => None,
        };
        let explained = match from_git {
            None => Explained::new(&Spec::read(Path::new(name))?, model)?,
            Some((rev, path)) => {
                let folder = tempfile::Builder::new().prefix("gdc-diff-").tempdir();
                let folder = folder.at("make a folder in", &std::env::temp_dir())?;
                let revision = Revision { rev, folder: folder.path() };
                let path = revision.find(path)?;
                let text = revision.check_out(&path, &mut Vec::new())?;
                let place = folder.path().join(path);
                let source = Source { name: name.to_owned(), text, folder: place.parent().map(Path::to_owned) };
                Explained::new(&Spec { source }, model)?
            }
        };
        Ok(Side { name: name.to_owned(), explained })
    }

    /// Rows of the table of layers, in a line each.
    pub fn layers(&self) -> Vec<(String, String)> {
        let layers = self.explained.table.layers.iter().filter(|l| l.kind != Kind::Loss && l.kind != Kind::Metric);
        let line = |l: &crate::explain::layers::Layer| {
            let params = match (l.params, l.frozen) {
                (0, _) => String::new(),
                (n, 0) => format!(", {} parameters", grouped(n)),
                (n, _) => format!(", {} parameters, frozen", grouped(n)),
            };
            (l.name.clone(), format!("{} {}{params}", l.kind.word(), shape(&l.shape)))
        };
        layers.map(line).collect()
    }

    /// Parameters, memory and cost.
    pub fn totals(&self) -> Vec<(String, String)> {
        let t = &self.explained.table;
        let fact = |name: &str, value: String| (name.to_owned(), value);
        vec![
            fact("parameters", grouped(t.params)),
            fact("weights", bytes(t.params * t.width)),
            fact("kept from step to step", bytes(t.state * t.width)),
            fact("workspace of training", bytes(t.workspace)),
            fact("operations of a step, per sample", count(t.step_operations)),
        ]
    }

    /// How it is trained.
    pub fn settings(&self) -> Vec<(String, String)> {
        let model = &self.explained.output.model;
        let s = &model.settings;
        let number = |n: Option<usize>| n.map_or("none".to_owned(), |n| n.to_string());
        let until = s.until.map(|Until::MeanLossBelow(x)| format!("mean_loss < {}", gdc_ir::text::number(x)));
        let precision = if model.precision == Precision::F64 { "f64" } else { "f32" };
        let facts = [
            ("batch", number(s.batch)),
            ("epochs", number(s.epochs)),
            ("steps", number(s.steps)),
            ("until", until.unwrap_or_else(|| "none".to_owned())),
            ("shuffle", s.shuffle.to_string()),
            ("drop_last", s.drop_last.to_string()),
            ("seed", s.seed.to_string()),
            ("threads", s.threads.map_or("1".to_owned(), |t| t.most.map_or("auto".to_owned(), |n| n.to_string()))),
            ("precision", precision.to_owned()),
        ];
        facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// A revision whose files are copied to a folder as they are needed.
struct Revision<'a> {
    rev: &'a str,
    folder: &'a Path,
}

impl Revision<'_> {
    /// Writes a file and everything that it imports into the folder; its text.
    fn check_out(&self, path: &Path, seen: &mut Vec<PathBuf>) -> Outcome<String> {
        let text = self.show(path)?;
        let place = self.folder.join(path);
        if let Some(parent) = place.parent() {
            std::fs::create_dir_all(parent).at("make the folder", parent)?;
        }
        std::fs::write(&place, &text).at("write", &place)?;
        seen.push(path.to_owned());
        let source = Source { name: path.display().to_string(), text: text.clone(), folder: None };
        // What is wrong with it is told when it is compiled.
        let items = gdc_driver::parse(&source).map(|file| file.items).unwrap_or_default();
        for item in items {
            if let ItemKind::Import { path: import, .. } = item.kind {
                let next = normal(&path.parent().unwrap_or(Path::new("")).join(&*import))?;
                if !seen.contains(&next) {
                    self.check_out(&next, seen)?;
                }
            }
        }
        Ok(text)
    }

    /// The path from the repository's root of a file that is named from the working folder or
    /// from the root.
    fn find(&self, path: &str) -> Outcome<PathBuf> {
        let prefix = git(&["rev-parse", "--show-prefix"])?;
        let prefix = String::from_utf8_lossy(&prefix.stdout).trim().to_owned();
        if let Ok(here) = normal(&Path::new(&prefix).join(path))
            && git(&["cat-file", "-e", &self.place(&here)])?.status.success()
        {
            return Ok(here);
        }
        normal(Path::new(path))
    }

    fn place(&self, path: &Path) -> String {
        format!("{}:{}", self.rev, path.display())
    }

    /// The text of a file, whose path starts at the repository's root.
    fn show(&self, path: &Path) -> Outcome<String> {
        let place = self.place(path);
        let answer = git(&["show", &place])?;
        if !answer.status.success() {
            let why = String::from_utf8_lossy(&answer.stderr);
            return Err(Fault::input(format!("cannot read {place}: {}", why.trim())));
        }
        String::from_utf8(answer.stdout).map_err(|_| Fault::input(format!("{place} is not UTF-8 text")))
    }
}

/// Asks git.
fn git(words: &[&str]) -> Outcome<std::process::Output> {
    Command::new("git").args(words).output().map_err(|e| Fault::input(format!("git does not run: {e}")))
}

/// A path without `..`; one that leads outside is refused.
fn normal(path: &Path) -> Outcome<PathBuf> {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::Normal(name) => out.push(name),
            std::path::Component::CurDir => {}
            _ if out.pop() => {}
            _ => return Err(Fault::input(format!("{} lies outside of the repository", path.display()))),
        }
    }
    Ok(out)
}
