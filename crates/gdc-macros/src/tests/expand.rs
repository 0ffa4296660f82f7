//! What the macro emits for results of the compiler, which simple stand-ins make here.

use crate::expand::network;
use gdc_driver::{Failure, Options, Output, Source};
use gdc_ir::{Model, program::Programs};
use gdc_syntax::{Code, Diagnostic, FileId, SourceMap, Span, scan};
use proc_macro2::TokenStream;
use quote::quote;
use std::path::Path;

type Outcome = Result<Output, Box<Failure>>;

/// A compiler that knows one mistake, the word `wrong`, and one oddity, the word `odd`.
fn compile(source: &Source, _: &Options) -> Outcome {
    let mut sources = SourceMap::default();
    let file = sources.add(source.name.clone(), source.text.clone());
    let warnings = all(file, &source.text, "odd", |span| Diagnostic::warning(Code("W0001"), span, "this is odd"));
    let mut diagnostics = all(file, &source.text, "wrong", |span| {
        Diagnostic::error(Code("E0001"), span, "this is wrong").help("write `right`")
    });
    if diagnostics.is_empty() {
        let (model, programs) = (Model::default(), Programs::default());
        let tokens = quote!(
            pub struct Made;
        );
        let (entries, stream) = (Vec::new(), None);
        return Ok(Output { tokens, model, entries, stream, programs, warnings, sources });
    }
    diagnostics.extend(warnings);
    Err(Box::new(Failure { diagnostics, sources, root: file, models: models(&source.text) }))
}

fn models(text: &str) -> Vec<String> {
    let items = scan::items(text).into_iter();
    items.filter(|item| item.0 == "model").map(|item| item.1.to_string()).collect()
}

fn all(file: FileId, text: &str, word: &str, make: impl Fn(Span) -> Diagnostic) -> Vec<Diagnostic> {
    let places = text.match_indices(word);
    places.map(|(at, _)| make(Span::new(file, at, at + word.len()))).collect()
}

fn expand(spec: &str) -> String {
    network(spec.parse().unwrap(), &compile).to_string()
}

#[test]
fn what_compiles_is_passed_on() {
    assert_eq!(expand("model M { }"), "pub struct Made ;");
}

#[test]
fn each_error_is_one_and_the_models_types_are_there() {
    let out = expand("model M { wrong; wrong } model N { odd }");
    assert_eq!(out.matches("compile_error").count(), 2, "{out}");
    assert_eq!(out.matches("this is wrong [E0001]\\nhelp: write `right`").count(), 2, "{out}");
    for name in ["r#M", "r#MTrainer", "r#N", "r#NTrainer"] {
        assert!(out.contains(&format!("pub type {name} =")), "{out}");
    }
    assert!(out.contains("deprecated (note = \"this is odd [W0001]\")"), "{out}");
    syn_like(&out);
}

#[test]
fn a_warning_comes_with_the_code() {
    let out = expand("model M { odd }");
    assert!(out.contains("const r#W0001 : () = ()"), "{out}");
    assert!(out.ends_with("pub struct Made ;"), "{out}");
    syn_like(&out);
}

#[test]
fn a_panic_is_an_error_too() {
    let panics = |_: &Source, _: &Options| -> Outcome { panic!("at the disco") };
    let out = network(quote!(model M { }), &panics).to_string();
    assert!(out.contains("this is a bug in gdc"), "{out}");
    assert!(out.contains("at the disco"), "{out}");
    assert!(out.contains("pub type r#MTrainer"), "{out}");
}

#[test]
fn a_failure_without_an_error_is_an_error_too() {
    let silent = |_: &Source, _: &Options| -> Outcome {
        let mut sources = SourceMap::default();
        let root = sources.add("<network>", "");
        Err(Box::new(Failure { diagnostics: Vec::new(), sources, root, models: Vec::new() }))
    };
    assert!(network(quote!(), &silent).to_string().contains("compile_error"));
}

#[test]
fn files_are_read_and_watched() {
    let folder = tempfile::tempdir().unwrap();
    let good = write(folder.path(), "good.gd", "model M { }");
    let out = expand(&format!("{good:?}"));
    assert!(out.starts_with("pub struct Made ;"), "{out}");
    assert!(out.contains(&format!("include_bytes ! ({good:?})")), "{out}");

    let bad = write(folder.path(), "bad.gd", "model M {\n    wrong\n}\n");
    let out = expand(&format!("r#{bad:?}#"));
    assert!(out.contains(&format!("{bad}:2:5\\n  |\\n2 |     wrong\\n  |     ^^^^^")), "{out}");
    assert!(out.contains(&format!("include_bytes ! ({bad:?})")), "{out}");
    syn_like(&out);

    let out = expand("\"nowhere.gd\"");
    assert!(out.contains("there is no file `nowhere.gd`"), "{out}");
    let out = expand(&format!("{:?}", folder.path()));
    assert!(out.contains("there is no file"), "{out}");

    std::fs::write(folder.path().join("bytes.gd"), [0xff, 0xfe]).unwrap();
    let bytes = folder.path().join("bytes.gd");
    let out = expand(&format!("{bytes:?}"));
    assert!(out.contains("cannot read") && out.contains("include_bytes"), "{out}");
}

#[test]
fn imported_files_are_watched() {
    let importing = |source: &Source, options: &Options| -> Outcome {
        let mut output = compile(source, options)?;
        output.sources.add_file("layers.gd", "", "/models/layers.gd");
        Ok(output)
    };
    let out = network(quote!(model M { }), &importing).to_string();
    assert!(out.contains("include_bytes ! (\"/models/layers.gd\")"), "{out}");
}

#[test]
fn names_of_models_cannot_break_the_output() {
    for spec in [
        "model match { wrong }",
        "model Self { wrong }",
        "model _ { wrong }",
        "model 9 { wrong }",
        "model é { wrong }",
        "remodel a { wrong }",
        "model M { wrong } model M { wrong }",
        "model \"a model x {\" wrong",
    ] {
        syn_like(&expand(spec));
    }
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_string()
}

/// The output is items: what a parser of Rust accepts as a file.
fn syn_like(out: &str) {
    let tokens: TokenStream = out.parse().unwrap();
    syn::parse2::<syn::File>(tokens).unwrap_or_else(|error| panic!("{error}: {out}"));
}
