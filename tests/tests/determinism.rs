//! The same text gives the same bytes, and the same seed the same numbers.

use gdc_codegen::{header, print};
use gdc_driver::{Options, Runtime, Source};
use gdc_interp::Session;
use gdc_tests::compare::Worst;
use gdc_tests::data::Data;
use gdc_tests::fixtures::Case;
use gdc_tests::spec;
use gdc_tests::systems::{System, functions, specs, training};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where a child of this test writes; in other processes it is not set.
const CHILD: &str = "GDC_TESTS_COMPILE_INTO";

/// All stages of all models as text, compiled as if the sources lay in a folder.
fn everything(folder: &Path) -> String {
    let mut text = String::new();
    for system in specs().into_iter().chain(functions()).chain(training()) {
        let file = Path::new(&system.path).file_name().unwrap().to_string_lossy().into_owned();
        let name = folder.join(&file).display().to_string();
        let source = Source { name, text: spec::text(&system.path), folder: Some(folder.to_owned()) };
        // What is pasted into stand-alone files is the same for many models.
        let runtime = if file.starts_with('d') { Runtime::StandAlone } else { Runtime::Crate };
        let output = gdc_driver::compile(&source, &Options { runtime, ..Options::default() });
        let output = output.unwrap_or_else(|_| panic!("{} compiles", system.path));
        text += &gdc_ir::text::print_model(&output.model);
        text += &gdc_ir::program_text::print_programs(&output.programs);
        text += &print(output.tokens, &header(&output.programs, &file)).unwrap();
    }
    text
}

/// The first line that differs, which says more than two long texts.
fn assert_same(a: &str, b: &str) {
    let different = a.lines().zip(b.lines()).find(|(a, b)| a != b);
    assert_eq!(different, None);
    assert_eq!(a.len(), b.len());
}

#[test]
fn the_same_text_gives_the_same_bytes() {
    let children = ["first", "second"].map(|folder| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("everything.txt");
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "a_child_compiles"]).env(CHILD, &file).current_dir(&folder);
        (child.stdout(Stdio::null()).spawn().unwrap(), file)
    });
    let here = everything(Path::new("specs"));
    for (mut child, file) in children {
        assert!(child.wait().unwrap().success());
        assert_same(&here, &std::fs::read_to_string(file).unwrap());
    }
}

/// Does nothing unless [`the_same_text_gives_the_same_bytes`] runs it as a process of its own.
#[test]
fn a_child_compiles() {
    if let Some(file) = std::env::var_os(CHILD) {
        let folder = std::env::current_dir().unwrap();
        std::fs::write(file, everything(&folder)).unwrap();
    }
}

/// All bits of a model and its optimizer after two epochs, and the loss in each.
fn bits(system: &System, seed: u64, shuffled_by: u64) -> Vec<u64> {
    let model = spec::compile(&spec::text(&system.path)).model;
    let case = Case::read(system.name());
    let flat = case.data().map_or_else(Default::default, |path| Data::read(path).flat(&model));
    let mut trainer = (system.new)(seed);
    let options = gdc::rt::FitOptions { epochs: 2, shuffle: true, seed: shuffled_by, ..system.settings };
    let (_, history) = trainer.fit(&flat, &options).unwrap();
    let mut bits = trainer.tensors().bits();
    bits.extend(history.iter().map(|epoch| epoch.mean_loss.to_bits()));
    bits
}

#[test]
fn the_same_seed_gives_the_same_numbers() {
    for system in specs() {
        let name = system.name();
        let first = bits(&system, 7, 7);
        assert!(first.iter().all(|&bits| f64::from_bits(bits).is_finite()), "{name}");
        assert_eq!(first, bits(&system, 7, 7), "{name}");
        let draws = !["linear_regression", "logistic_unit", "quadratic"].contains(&name);
        assert_eq!(first != bits(&system, 8, 7), draws, "{name}: another seed, another start");
        // A sum over one full batch depends on the order too, in its last bits.
        assert_eq!(first != bits(&system, 7, 8), name != "quadratic", "{name}: another seed, another order");
    }
}

#[test]
fn initial_values_are_the_interpreters() {
    for system in specs() {
        let model = spec::compile(&spec::text(&system.path)).model;
        for seed in [0, 1, u64::MAX] {
            let (trainer, session) = ((system.new)(seed), Session::new(&model, seed).unwrap());
            let mut worst = Worst::default();
            worst.see_tensors(&trainer.tensors(), &spec::kept(&session));
            assert!(worst.error < 1e-6, "{}: {worst}", system.name());
        }
    }
}

#[test]
fn a_layer_more_leaves_the_other_initial_values_alone() {
    let text = spec::text("specs/xor.gd");
    let more = text.replace("let z = h |>", "let more = h |> dense(8) |> tanh;\n    let z = more |>");
    let [first, second] = [&text, &more].map(|text| {
        let model = spec::compile(text).model;
        spec::kept(&Session::new(&model, 5).unwrap())
    });
    assert!(second.0.len() > first.0.len());
    for (name, values) in first.0 {
        assert_eq!(second.0.get(&name), Some(&values), "{name}");
    }
}
