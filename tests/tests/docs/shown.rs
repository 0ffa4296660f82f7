//! What `<!-- shows: ... -->` can name:
//!
//! * `file PATH`: a file without the `//!` lines at its beginning;
//! * `rust SPEC struct NAME` and `rust SPEC fn NAME`: an item that the spec compiles to, as
//!   `gdc compile` writes it, without what stands around it;
//! * `graph SPEC` and `program SPEC ROUTINE`: what `gdc compile --emit` shows of a spec, of
//!   loop programs one routine of the training program;
//! * `messages SPEC`: what `gdc check` says of it;
//! * `library FILE`: the entries of a file of the standard library.

use super::{read, root};
use gdc_driver::{Options, Output, Source};
use gdc_syntax::render::render;

/// The text that something stands for, with a line break at its end.
pub fn text(what: &str) -> Result<String, String> {
    let words: Vec<&str> = what.split(' ').collect();
    let text = match words.as_slice() {
        ["file", path] => file(path),
        ["rust", spec, kind, name] => item(&rust(spec)?, kind, name)?,
        ["graph", spec] => gdc_ir::text::print_model(&compile(spec)?.model),
        ["program", spec, routine] => routine_text(spec, routine)?,
        ["messages", spec] => messages(spec),
        ["library", name] => library(name)?,
        _ => return Err("is nothing that can be shown".to_owned()),
    };
    Ok(format!("{}\n", text.trim_matches('\n')))
}

fn file(path: &str) -> String {
    read(path).lines().skip_while(|l| l.starts_with("//!") || l.is_empty()).map(|l| format!("{l}\n")).collect()
}

fn source(spec: &str) -> Source {
    let folder = root().join(spec).parent().map(std::path::Path::to_owned);
    Source { name: spec.to_owned(), text: read(spec), folder }
}

fn compile(spec: &str) -> Result<Output, String> {
    gdc_driver::compile(&source(spec), &Options::default())
        .map_err(|failure| render(&failure.diagnostics, &failure.sources, false))
}

fn rust(spec: &str) -> Result<String, String> {
    let output = compile(spec)?;
    let header = gdc_codegen::header(&output.programs, spec);
    gdc_codegen::print(output.tokens, &header)
}

/// An item with its documentation, moved to the left; of a struct its fields alone.
fn item(text: &str, kind: &str, name: &str) -> Result<String, String> {
    let lines: Vec<&str> = text.lines().collect();
    let begins = |line: &str| {
        let rest = line.trim_start().trim_start_matches("pub(super) ").trim_start_matches("pub ");
        let rest = rest.strip_prefix(kind).and_then(|r| r.strip_prefix(' ')).and_then(|r| r.strip_prefix(name));
        rest.is_some_and(|r| !r.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    let at = lines.iter().position(|l| begins(l)).ok_or_else(|| format!("there is no {kind} {name}"))?;
    let indent = lines[at].len() - lines[at].trim_start().len();
    let close = format!("{}}}", " ".repeat(indent));
    let length = lines[at..].iter().position(|l| *l == close).ok_or("it has no end")?;
    let mut first = at;
    while kind == "fn" && first > 0 && (lines[first - 1].contains("///") || lines[first - 1].contains("#[")) {
        first -= 1;
    }
    Ok(lines[first..=at + length].iter().map(|l| format!("{}\n", l.get(indent..).unwrap_or(""))).collect())
}

/// One routine of the training program.
fn routine_text(spec: &str, routine: &str) -> Result<String, String> {
    let mut programs = compile(spec)?.programs;
    programs.train.routines.retain(|r| r.name == routine);
    if programs.train.routines.is_empty() {
        return Err(format!("there is no routine {routine}"));
    }
    Ok(gdc_ir::program_text::print_program(&programs.train))
}

fn messages(spec: &str) -> String {
    match gdc_driver::compile(&source(spec), &Options::default()) {
        Ok(output) => render(&output.warnings, &output.sources, false),
        Err(failure) => render(&failure.diagnostics, &failure.sources, false),
    }
}

/// Each definition of a library file, what stands before its body, with the first sentence of
/// its comment.
fn library(name: &str) -> Result<String, String> {
    let path = format!("std/{name}.gd");
    let mut files = gdc_core::library::Library::std_files();
    let (_, text) = files.find(|(n, _)| *n == path).ok_or("there is no such file")?;
    let mut out = String::new();
    let mut about: Vec<&str> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if let Some(doc) = line.strip_prefix("///") {
            about.push(doc.trim());
        } else if line.starts_with(|c: char| c.is_alphabetic()) {
            out.push_str(&wrapped(signature(&text[at..]), "", "    "));
            out.push_str(&wrapped(&sentence(&about.join(" ")), "    ", "    "));
            about.clear();
        }
        at += line.len();
    }
    Ok(out)
}

/// What stands before the body: up to `=` or `{` outside of all brackets.
fn signature(text: &str) -> &str {
    let mut depth = 0;
    for (i, c) in text.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '=' | '{' if depth == 0 => return &text[..i],
            _ => {}
        }
    }
    text
}

/// Up to the first full stop that ends a sentence: what follows begins with a capital letter.
fn sentence(text: &str) -> String {
    let ends = |(i, _): &(usize, &str)| text[i + 2..].starts_with(|c: char| c.is_uppercase());
    text.match_indices(". ").find(ends).map_or(text, |(i, _)| &text[..=i]).to_owned()
}

/// Words in lines of at most 100 characters, the first after `first`, others after `rest`.
fn wrapped(text: &str, first: &str, rest: &str) -> String {
    let (mut out, mut line) = (String::new(), first.to_owned());
    for word in text.split_whitespace() {
        if line.trim().is_empty() {
            line.push_str(word);
        } else if line.len() + word.len() < 100 {
            line.push(' ');
            line.push_str(word);
        } else {
            out.push_str(&format!("{line}\n"));
            line = format!("{rest}{word}");
        }
    }
    format!("{out}{line}\n")
}
