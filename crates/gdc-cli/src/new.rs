//! `gdc new`: a starter project.

use crate::cli::NewArgs;
use crate::compile::rust_text;
use crate::fault::{Fault, Outcome};
use crate::files::{print, write_whole};
use crate::spec::Spec;
use gdc_driver::{Options, Runtime, Source};

const MODEL: &str = include_str!("../starter/model.gd");
const DATA: &str = include_str!("../starter/data.csv");
const MAIN: &str = include_str!("../starter/main.rs");
const README: &str = include_str!("../starter/README.md");

/// Makes the folder; one that is there already stays as it is.
pub fn run(args: &NewArgs) -> Outcome {
    let name = args.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let starts = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    if !starts || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return Err(Fault::call(format!(
            "`{name}` cannot name a package: a letter, then letters, digits, `_` and `-`"
        )));
    }
    if args.path.exists() {
        return Err(Fault::input(format!("{} exists already", args.path.display())));
    }
    let source = Source { name: "model.gd".to_owned(), text: MODEL.to_owned(), folder: None };
    let options = Options { runtime: Runtime::StandAlone, model: None, ..Options::default() };
    let output = Spec { source }.compile_or_show(&options)?;
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n# Generated code is slow without \
         optimisation.\n[profile.dev]\nopt-level = 3\n\n# Not a part of a workspace around this folder.\n[workspace]\n"
    );
    let code = rust_text(&output, "model.gd")?;
    let files = [
        ("Cargo.toml", manifest.as_str()),
        ("model.gd", MODEL),
        ("data.csv", DATA),
        ("README.md", README),
        (".gitignore", "/target\n"),
        ("src/model.rs", code.as_str()),
        ("src/main.rs", MAIN),
    ];
    for (file, text) in files {
        write_whole(&args.path.join(file), text.as_bytes())?;
    }
    print(&format!(
        "made {0}: a model (model.gd), data (data.csv), and a program (src/)\n\n  cd {0}\n  \
         gdc train model.gd --data data.csv    train with gdc\n  cargo run                             train in Rust\n",
        args.path.display()
    ));
    Ok(())
}
