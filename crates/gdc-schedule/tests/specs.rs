//! The specs of the repository, scheduled, run and held against the interpreter.

mod support;

use gdc_driver::{Options, Source, compile};
use std::path::{Path, PathBuf};
use support::compare::{check_outputs, check_sample, check_stream, check_train, compare_train};

/// All `.gd` files of a folder.
fn specs(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> =
        entries.map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "gd")).collect();
    paths.sort();
    paths
}

/// Entry points and streams compute what the interpreter does.
fn check_entries(model: &gdc_ir::Model, programs: &gdc_ir::program::Programs) {
    assert_eq!(model.entries.len(), programs.entries.len());
    for (entry, (name, program)) in model.entries.iter().zip(&programs.entries) {
        assert_eq!(&entry.name, name);
        check_sample(&gdc_core::sample::one_sample_of(model, entry), program);
    }
    // What compiles has no obstacle.
    let step = gdc_core::stream::one_step(model).ok().flatten();
    assert_eq!(step.is_some(), programs.stream.is_some());
    if let (Some(step), Some(stream)) = (step, &programs.stream) {
        check_stream(&step, stream);
    }
}

/// Checks the specs of the folder that `GDC_SPECS` names, for trying things out: those that
/// do not compile are passed over.
#[test]
#[ignore = "needs GDC_SPECS"]
fn other_specs_run_like_the_interpreter() {
    let Ok(folder) = std::env::var("GDC_SPECS") else { return };
    let only = std::env::var("GDC_SPEC").ok();
    let mut failed = Vec::new();
    for path in specs(Path::new(&folder)) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if only.as_ref().is_some_and(|o| *o != name) {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("readable");
        let source = Source { name: name.clone(), text, folder: Some(PathBuf::from(&folder)) };
        match compile(&source, &Options::default()) {
            Ok(output) => {
                if only.is_some() {
                    println!("{}", gdc_ir::text::print_model(&output.model));
                    println!("{}", gdc_ir::program_text::print_programs(&output.programs));
                }
                let check = std::panic::catch_unwind(|| {
                    check_train(&output.model);
                    let sample = gdc_core::sample::one_sample(&output.model);
                    check_outputs(&sample, &output.programs);
                    check_entries(&output.model, &output.programs);
                });
                println!("{name}: {}", if check.is_ok() { "fine" } else { "FAILED" });
                failed.extend(check.is_err().then_some(name));
            }
            Err(failure) => println!("{name}: {}", failure.diagnostics.first().map_or("", |d| &d.message)),
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn specs_run_like_the_interpreter() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs");
    let only = std::env::var("GDC_SPEC").ok();
    let mut checked = 0;
    for folder in [root.clone(), root.join("optimizers"), root.join("../crates/gdc-core/tests/models")] {
        for path in specs(&folder) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if only.as_ref().is_some_and(|o| *o != name) {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("readable");
            let source = Source { name: name.clone(), text, folder: Some(folder.clone()) };
            match compile(&source, &Options::default()) {
                Ok(output) => {
                    if only.is_some() {
                        println!("{}", gdc_ir::text::print_model(&output.model));
                        println!("{}", gdc_ir::program_text::print_programs(&output.programs));
                    }
                    let programs = check_train(&output.model);
                    assert_eq!(programs.train, output.programs.train, "{name}: not the same twice");
                    let sample = gdc_core::sample::one_sample(&output.model);
                    check_outputs(&sample, &output.programs);
                    check_entries(&output.model, &output.programs);
                    checked += 1;
                }
                Err(failure) => {
                    for d in &failure.diagnostics {
                        println!("{name}: {}", d.message);
                    }
                    panic!("{name} does not compile");
                }
            }
        }
    }
    assert!(checked > 0);
}

/// Parameters and the states of an optimizer are asked for separately, so no kernel makes both,
/// not even where each is one number.
#[test]
fn initial_values_of_parameters_and_states_are_made_apart() {
    let text = "model One { param w = -3.0; loss w^2; optimizer adam(); }".to_owned();
    let source = Source { name: "one".to_owned(), text, folder: None };
    let output = compile(&source, &Options::default()).unwrap_or_else(|_| panic!("the source is right"));
    let program = gdc_ir::program_text::print_program(&output.programs.init);
    let kernels: Vec<&str> = program.split("    kernel ").skip(1).collect();
    assert_eq!(kernels.len(), 3, "{program}");
    for kernel in kernels {
        let written: Vec<&str> = kernel.lines().filter_map(|l| l.trim().split_once(" = ")).map(|(n, _)| n).collect();
        let stores = written.iter().filter(|n| ["w", "w.m", "w.v"].contains(n)).count();
        assert_eq!(stores, 1, "{kernel}");
    }
}

/// Models whose kernels are in pieces, wherever they can be, compute what the interpreter does,
/// whichever piece comes first, and nothing that a stage writes is seen by other pieces.
#[test]
fn models_in_pieces_run_like_the_interpreter() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gdc-core/tests/models");
    let only = std::env::var("GDC_SPEC").ok();
    let (mut cut, mut kernels) = (0, 0);
    for path in specs(&folder) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if only.as_ref().is_some_and(|o| *o != name) {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("readable");
        // A batch that can be cut into several numbers of pieces.
        let (before, after) = text.split_once("batch = ").unwrap_or((&text, ""));
        let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
        let texts = [format!("{before}batch = 12{rest}"), text.clone()];
        let compiled = texts.into_iter().find_map(|text| {
            let source = Source { name: name.clone(), text, folder: Some(folder.clone()) };
            compile(&source, &Options::default()).ok()
        });
        let Some(mut output) = compiled else { panic!("{name} does not compile") };
        for pieces in [2, 3] {
            output.programs.train = gdc_schedule::train_in_pieces(&output.model, pieces);
            if only.is_some() {
                println!("{}", gdc_ir::program_text::print_program(&output.programs.train));
            }
            gdc_ir::program_verify::verify_programs(&output.programs).unwrap_or_else(|v| panic!("{name}: {v:?}"));
            compare_train(&output.model, &output.programs).unwrap_or_else(|d| panic!("{name} in {pieces}: {d}"));
            let all = output.programs.train.routines.iter().flat_map(|r| &r.kernels);
            cut += all.clone().filter(|k| k.cut.is_some()).count();
            kernels += all.count();
        }
    }
    assert!(only.is_some() || cut * 3 > kernels, "{cut} of {kernels} kernels are cut");
}
