//! `gdc check`: what is wrong with specs, and what the codes mean.

mod library;

use crate::cli::{CheckArgs, MessageFormat};
use crate::fault::{Fault, Outcome};
use crate::files::print;
use crate::report;
use crate::spec::Spec;
use gdc_driver::{Failure, Options};
use gdc_syntax::{Diagnostic, Severity, SourceMap, codes, examples};
use std::path::Path;

/// Checks all files, also after one with errors.
pub fn run(args: &CheckArgs) -> Outcome {
    if let Some(code) = &args.explain {
        return explain(code);
    }
    let options = Options { model: args.model.clone(), ..Options::default() };
    let (mut errors, mut warnings, mut wrong) = (0, 0, 0);
    for path in &args.files {
        match check(path, &options, args.message_format) {
            Ok((e, w)) => {
                (errors, warnings) = (errors + e, warnings + w);
                wrong += usize::from(e > 0);
            }
            Err(fault) => {
                wrong += 1;
                errors += 1;
                fault.show();
            }
        }
    }
    if args.message_format == MessageFormat::Human {
        eprintln!("{}", summary(args.files.len(), errors, warnings));
    }
    if wrong > 0 { Err(Fault::Shown) } else { Ok(()) }
}

/// The numbers of errors and warnings.
fn check(path: &Path, options: &Options, format: MessageFormat) -> Outcome<(usize, usize)> {
    let spec = Spec::read(path)?;
    let (diagnostics, sources): (Vec<Diagnostic>, SourceMap) = match spec.compile(options) {
        Ok(output) => (output.warnings, output.sources),
        // A file of definitions alone is no mistake.
        Err(failure) if failure.models.is_empty() && options.model.is_none() && lacks_model(&failure) => {
            return Ok(definitions(&spec, path, format));
        }
        Err(failure) => {
            let Failure { diagnostics, sources, .. } = *failure;
            (diagnostics, sources)
        }
    };
    show(&diagnostics, &sources, format);
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    Ok((errors, diagnostics.len() - errors))
}

fn show(diagnostics: &[Diagnostic], sources: &SourceMap, format: MessageFormat) {
    match format {
        MessageFormat::Human => report::human(diagnostics, sources),
        MessageFormat::Json => diagnostics.iter().for_each(|d| print(&format!("{}\n", report::json(d, sources)))),
    }
}

/// Whether that there is no model is all that is wrong.
pub fn lacks_model(failure: &Failure) -> bool {
    failure.diagnostics.iter().filter(|d| d.severity == Severity::Error).all(|d| d.code == codes::E0406)
}

/// Checks a file of definitions without a model.
fn definitions(spec: &Spec, path: &Path, format: MessageFormat) -> (usize, usize) {
    let checked = library::check(spec);
    checked.errors.iter().for_each(|(d, sources)| show(std::slice::from_ref(d), sources, format));
    if format == MessageFormat::Human && checked.errors.is_empty() {
        let names: Vec<String> = checked.untried.iter().map(|name| format!("`{name}`")).collect();
        let rest = match names.as_slice() {
            [] => String::new(),
            some => format!("; not called, for want of arguments that fit: {}", some.join(", ")),
        };
        let count = checked.tried;
        let of = if count == 1 { "definition" } else { "definitions" };
        eprintln!("note: {} holds no model: {count} {of} called and found well{rest}", path.display());
    }
    (checked.errors.len(), 0)
}

fn summary(files: usize, errors: usize, warnings: usize) -> String {
    let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    format!("{}: {}, {}", count(files, "file"), count(errors, "error"), count(warnings, "warning"))
}

fn explain(code: &str) -> Outcome {
    let code = code.to_ascii_uppercase();
    match codes::explain(&code) {
        Some(text) => {
            print(&format!("{code}: {text}\n{}", example(&code)));
            Ok(())
        }
        None => {
            let known: Vec<&str> = codes::ALL.iter().map(|(code, _)| code.0).collect();
            Err(Fault::call(format!("there is no code `{code}`; there are {}", known.join(", "))))
        }
    }
}

/// A source that gets a code and one that does not, empty where there is none.
fn example(code: &str) -> String {
    let Some(example) = examples::of(code) else { return String::new() };
    let indented = |part: &str| part.lines().map(|line| format!("    {line}\n")).collect::<String>();
    let around = match examples::whole(example.wrong) == example.wrong {
        true => "",
        false => ", in a model with `input x: [4]; target y: [4]; input image: [8, 8]; target label: in 0..10;`",
    };
    format!("\nwrong{around}:\n\n{}\nright:\n\n{}", indented(example.wrong), indented(example.right))
}
