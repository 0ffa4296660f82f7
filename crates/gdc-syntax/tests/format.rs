//! The formatter over every `.gd` file of the repository: it keeps the syntax tree and every
//! comment, and formatting what it has formatted changes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

use gdc_syntax::dump::dump;
use gdc_syntax::format::format;
use gdc_syntax::parse::parse_file;
use gdc_syntax::{Diagnostics, SourceMap};
use std::path::{Path, PathBuf};

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            collect(&path, found);
        } else if path.extension().is_some_and(|e| e == "gd") {
            found.push(path);
        }
    }
}

fn all() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."), &mut found);
    assert!(found.len() > 40, "{}", found.len());
    found.into_iter().filter_map(|p| Some((p.clone(), std::fs::read_to_string(&p).ok()?))).collect()
}

/// The syntax tree as text, without places; none for what does not parse.
fn tree(text: &str) -> Option<String> {
    let mut sources = SourceMap::default();
    let file = sources.add("x.gd", text);
    parse_file(text, file, &mut Diagnostics::default()).ok().map(|file| dump(&file))
}

/// Everything but blanks.
fn signs(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[test]
fn every_file_keeps_its_tree_and_its_signs_and_is_a_fixed_point() {
    let mut parsed = 0;
    for (path, text) in all() {
        let once = format(&text);
        assert_eq!(format(&once), once, "{} is no fixed point", path.display());
        assert_eq!(signs(&once), signs(&text), "{}", path.display());
        let before = tree(&text);
        parsed += usize::from(before.is_some());
        assert_eq!(tree(&once), before, "{}", path.display());
    }
    assert!(parsed > 30, "{parsed}");
}

/// The text with all blanks that do not end a comment made one, or one line each.
fn squeezed(text: &str, by: &str) -> String {
    let code = |line: &str| line.find("//").is_none();
    let lines =
        text.lines().map(|l| if code(l) { l.split_whitespace().collect::<Vec<_>>().join(by) } else { l.into() });
    let mut out = String::new();
    for line in lines {
        out.push_str(&line);
        out.push(if code(&line) && by == " " { ' ' } else { '\n' });
    }
    out
}

#[test]
fn other_breaks_and_blanks_do_not_matter_to_the_tree() {
    for (path, text) in all() {
        let Some(before) = tree(&text) else { continue };
        for by in [" ", "\n", "  \n\n\t"] {
            let other = squeezed(&text, by);
            // A blank in a text literal is no blank.
            if tree(&other).as_ref() != Some(&before) {
                continue;
            }
            let once = format(&other);
            assert_eq!(tree(&once).as_ref(), Some(&before), "{}", path.display());
            assert_eq!(format(&once), once, "{} is no fixed point", path.display());
        }
    }
}

#[test]
fn the_models_that_people_see_first_are_in_the_regular_form() {
    for (path, text) in all().iter().filter(|(p, _)| p.to_string_lossy().contains("/specs/")) {
        assert_eq!(&format(text), text, "{}: gdc fmt {0}", path.display());
    }
}
