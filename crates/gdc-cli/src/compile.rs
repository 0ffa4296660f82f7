//! `gdc compile`: writes the Rust of specs, compares it, or shows a stage on the way.

mod bake;
mod tests_file;

use crate::cli::{CompileArgs, Stage};
use crate::diff::short_diff;
use crate::fault::{Fault, Outcome};
use crate::files::{self, STDIN};
use crate::report;
use crate::spec::Spec;
use gdc_driver::{Options, Output, Runtime};
use gdc_syntax::{Diagnostics, SourceMap};
use std::path::{Path, PathBuf};

/// Compiles all files, also after one that fails; nothing is written for one that fails.
pub fn run(args: &CompileArgs) -> Outcome {
    let args = &CompileArgs { files: with_models(&args.files)?, ..args.clone() };
    let targets = targets(args)?;
    let mut failed = false;
    for (path, target) in args.files.iter().zip(&targets) {
        if let Err(fault) = one(args, path, target) {
            failed = true;
            fault.show();
        }
    }
    if failed { Err(Fault::Shown) } else { Ok(()) }
}

fn one(args: &CompileArgs, path: &Path, target: &Target) -> Outcome {
    let spec = Spec::read(path)?;
    if args.emit == Some(Stage::Ast) {
        return show_ast(&spec);
    }
    let runtime = if args.stand_alone { Runtime::StandAlone } else { Runtime::Crate };
    let output = spec.compile_or_show(&Options { runtime, model: args.model.clone(), ..Options::default() })?;
    let mut text = stage_text(&output, args.emit.unwrap_or(Stage::Rust), &spec.source.name)?;
    if let Some(weights) = &args.bake {
        text.push_str(&bake::items(&output, weights)?);
    }
    let Target::File(file) = target else {
        if args.emit_tests {
            return Err(Fault::call("--emit-tests writes beside a file: name it with --out"));
        }
        files::print(&text);
        return Ok(());
    };
    let mut written = vec![(file.clone(), text)];
    if args.emit_tests {
        let name = base_name(&spec.source.name);
        let (module, tests, body) = tests_file::tests(&output, &name, file, runtime)?;
        written[0].1.push_str(&module);
        written.push((file.with_file_name(tests), body));
    }
    for (file, text) in &written {
        if args.check {
            compare(args, path, file, text)?;
        } else {
            files::write_whole(file, text.as_bytes())?;
        }
    }
    Ok(())
}

/// The files named, with folders replaced by the specs in them that hold a model.
fn with_models(paths: &[PathBuf]) -> Outcome<Vec<PathBuf>> {
    let mut all = Vec::new();
    for path in paths {
        let found = files::specs(std::slice::from_ref(path))?;
        for spec in found {
            let holds_model = || -> Outcome<bool> {
                let text = files::read_text(&spec)?;
                Ok(gdc_syntax::scan::items(&text).iter().any(|(kind, _, _)| *kind == "model"))
            };
            // What was named itself is compiled, whatever it holds.
            if !path.is_dir() || holds_model()? {
                all.push(spec);
            }
        }
    }
    Ok(all)
}

/// Where a result goes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Target {
    Stdout,
    File(PathBuf),
}

/// One target per file; two files never share one.
fn targets(args: &CompileArgs) -> Outcome<Vec<Target>> {
    if args.out.is_some() && args.files.len() > 1 {
        return Err(Fault::call("--out names one file for several specs: use --out-dir DIR"));
    }
    if args.files.iter().filter(|f| *f == Path::new(STDIN)).count() > 1 {
        return Err(Fault::call("standard input (`-`) can be read once"));
    }
    let targets: Vec<Target> = args.files.iter().map(|file| target(args, file)).collect::<Outcome<_>>()?;
    for (i, target) in targets.iter().enumerate() {
        if let (Target::File(path), Some(k)) = (target, targets[..i].iter().position(|t| t == target)) {
            return Err(Fault::call(format!(
                "{} and {} would both be written to {}",
                args.files[k].display(),
                args.files[i].display(),
                path.display()
            )));
        }
        if let Target::File(path) = target
            && args.files.contains(path)
        {
            return Err(Fault::call(format!("the spec {} would be overwritten", path.display())));
        }
    }
    Ok(targets)
}

fn target(args: &CompileArgs, file: &Path) -> Outcome<Target> {
    let is_stdin = file == Path::new(STDIN);
    match (&args.out, &args.out_dir) {
        (Some(out), _) if out == Path::new(STDIN) => {}
        (Some(out), _) => return Ok(Target::File(out.clone())),
        _ if args.emit.is_some() => {}
        (None, Some(_)) if is_stdin => return Err(Fault::call("standard input has no name for --out-dir: use --out")),
        (None, Some(folder)) => {
            let name = file.file_name().ok_or_else(|| Fault::call(format!("{} is no file", file.display())))?;
            return Ok(Target::File(folder.join(name).with_extension("rs")));
        }
        (None, None) if is_stdin => {}
        (None, None) => return Ok(Target::File(file.with_extension("rs"))),
    }
    if args.check {
        return Err(Fault::call("--check compares with a file: name it with --out"));
    }
    Ok(Target::Stdout)
}

/// The text of a stage after the syntax tree.
fn stage_text(output: &Output, stage: Stage, spec: &str) -> Outcome<String> {
    Ok(match stage {
        Stage::Graph => gdc_ir::text::print_model(&output.model),
        Stage::Program => gdc_ir::program_text::print_programs(&output.programs),
        Stage::Ast | Stage::Rust => rust_text(output, spec)?,
    })
}

/// A stale or missing file is an error that says how to mend it.
fn compare(args: &CompileArgs, spec: &Path, file: &Path, text: &str) -> Outcome {
    let fix = fix_command(args, spec, file);
    match std::fs::read_to_string(file) {
        Ok(old) if old == text => Ok(()),
        Ok(old) => Err(Fault::input(format!(
            "{} is not what {} compiles to\n{}  help: {fix}",
            file.display(),
            files::display_name(spec),
            short_diff(&old, text)
        ))),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Err(Fault::input(format!("{} is missing\n  help: {fix}", file.display())))
        }
        Err(e) => Err(Fault::input(format!("cannot read {}: {e}\n  help: {fix}", file.display()))),
    }
}

/// The command that would have written the file.
fn fix_command(args: &CompileArgs, spec: &Path, file: &Path) -> String {
    let mut words = vec!["gdc compile".to_owned(), quoted(&spec.display().to_string())];
    // Tests are written with the code that they are of.
    let is_tests = args.emit_tests && file.file_stem().is_some_and(|s| s.to_string_lossy().ends_with("_tests"));
    let code = match file.file_stem().map(|s| s.to_string_lossy().into_owned()) {
        Some(stem) if is_tests => file.with_file_name(format!("{}.rs", stem.trim_end_matches("_tests"))),
        _ => file.to_owned(),
    };
    if code != spec.with_extension("rs") {
        words.push(format!("--out {}", quoted(&code.display().to_string())));
    }
    if args.stand_alone {
        words.push("--stand-alone".to_owned());
    }
    if args.emit_tests {
        words.push("--emit-tests".to_owned());
    }
    words.extend(args.bake.iter().map(|path| format!("--bake {}", quoted(&path.display().to_string()))));
    words.extend(args.model.iter().map(|name| format!("--model {name}")));
    words.join(" ")
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:\\".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

fn show_ast(spec: &Spec) -> Outcome {
    let mut sources = SourceMap::default();
    let file = sources.add(spec.source.name.as_str(), spec.source.text.as_str());
    let mut diagnostics = Diagnostics::default();
    let tree = gdc_syntax::parse::parse_file(&spec.source.text, file, &mut diagnostics);
    report::human(&diagnostics.into_sorted(), &sources);
    files::print(&gdc_syntax::dump::dump(&tree.map_err(|_| Fault::Shown)?));
    Ok(())
}

/// The generated file. Its header names the spec without its folder, so that the same text
/// gives the same bytes wherever it lies.
pub fn rust_text(output: &Output, spec: &str) -> Outcome<String> {
    let name = base_name(spec);
    let header = gdc_codegen::header(&output.programs, &name);
    gdc_codegen::print(output.tokens.clone(), &header)
        .map_err(|e| Fault::input(format!("{spec}: the generated code is no Rust, which is a mistake of gdc: {e}")))
}

/// The name of a spec without its folder.
fn base_name(spec: &str) -> String {
    Path::new(spec).file_name().map_or_else(|| spec.to_owned(), |n| n.to_string_lossy().into_owned())
}
