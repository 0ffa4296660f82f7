//! Ten steps of every spec against PyTorch: by the interpreter in double precision, and by
//! generated code in single precision.

use gdc_interp::{Batch, Session};
use gdc_tests::compare::Worst;
use gdc_tests::data::{Data, Flat};
use gdc_tests::fixtures::Case;
use gdc_tests::systems::{System, specs};
use gdc_tests::{repository, spec};

/// The largest errors of a run.
#[derive(Default)]
struct Errors {
    losses: Worst,
    gradients: Worst,
    after: Worst,
}

impl Errors {
    /// Fails if one is above the limit, after showing all.
    fn hold(run: fn(&System) -> Errors, limit: f64) {
        let mut wrong = Vec::new();
        for system in specs() {
            let (name, errors) = (system.name(), run(&system));
            for (what, worst) in
                [("losses", &errors.losses), ("gradients", &errors.gradients), ("after", &errors.after)]
            {
                println!("{name:22} {what:9} {worst}");
                if worst.error > limit {
                    wrong.push(format!("{name}: {what}: {worst}"));
                }
            }
        }
        assert!(wrong.is_empty(), "above {limit:e}:\n{}", wrong.join("\n"));
    }
}

fn interpreted(system: &System) -> Errors {
    let case = Case::read(system.name());
    let expected = case.computed("f64");
    let output = spec::compile(&spec::text(&system.path));
    let model = &output.model;
    let data = case.data().map(Data::read);
    let mut session = Session::new(model, 0).unwrap();
    spec::set_all(&mut session, &case.init());

    let mut batches = data.as_ref().map(|d| d.batches(model.settings.batch.unwrap()));
    let mut errors = Errors::default();
    for (step, loss) in expected.losses.iter().enumerate() {
        let batch = match (&data, &mut batches) {
            (Some(data), Some(batches)) => data.batch(model, batches.next().unwrap()),
            _ => Batch::none(),
        };
        if step == 0 {
            let gradients = spec::tensors(&session.gradients(&batch).unwrap());
            errors.gradients.see_tensors(&gradients, &expected.gradients);
        }
        let found = session.step(&batch).unwrap();
        errors.losses.see_all(&format!("step {step}"), &[found], &[*loss]);
    }
    errors.after.see_tensors(&spec::kept(&session), &expected.after);
    errors
}

fn generated(system: &System) -> Errors {
    let case = Case::read(system.name());
    let expected = case.computed("f64");
    let model = spec::compile(&spec::text(&system.path)).model;
    let data = case.data().map(Data::read);
    let flat = data.as_ref().map_or(Flat::default(), |d| d.flat(&model));
    let mut trainer = system.from_spec();
    for (name, tensor) in &case.init().0 {
        trainer.set(name, &tensor.values);
    }

    let mut batches = data.as_ref().map(|d| d.batches(trainer.batch()));
    let mut errors = Errors::default();
    for (step, loss) in expected.losses.iter().enumerate() {
        // A model without data is stepped as if it had one sample, made of nothing.
        let samples = batches.as_mut().map_or(0..1, |b| b.next().unwrap());
        let count = samples.len();
        trainer.load(&flat, samples).unwrap();
        if step == 0 {
            errors.gradients.see_tensors(&trainer.gradients(count), &expected.gradients);
        }
        errors.losses.see_all(&format!("step {step}"), &[trainer.step(count)], &[*loss]);
    }
    errors.after.see_tensors(&trainer.tensors(), &expected.after);
    errors
}

#[test]
fn the_interpreter_does_what_pytorch_does() {
    Errors::hold(interpreted, 1e-12);
}

#[test]
fn generated_code_does_what_pytorch_does() {
    Errors::hold(generated, 1e-5);
}

#[test]
fn every_spec_and_every_fixture_is_here() {
    let mut files = Vec::new();
    for folder in ["", "optimizers/"] {
        for entry in std::fs::read_dir(repository("specs").join(folder)).unwrap() {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            files.extend(name.strip_suffix(".gd").map(|name| format!("{folder}{name}")));
        }
    }
    files.sort();
    let mut here: Vec<String> = specs().iter().map(|s| s.name().to_owned()).collect();
    here.sort();
    assert_eq!(here, files);
    for name in here {
        assert!(repository(&format!("tests/fixtures/classic/{name}/case.json")).is_file(), "{name}");
    }
}
