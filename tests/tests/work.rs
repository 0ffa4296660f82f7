//! The smaller specs of `specs/real`, trained to their end from the seed that they state: what
//! `specs/README.md` says of them.

use gdc_tests::data::Data;
use gdc_tests::spec;
use gdc_tests::trained::Trained;

gdc::network!("../../specs/real/oscillator.gd");
gdc::network!("../../specs/real/autoencoder.gd");
gdc::network!("../../specs/real/kinship.gd");

/// Trains a model on a data file; its loss and metrics on another.
fn outcome(mut trainer: Box<dyn Trained>, spec: &str, files: [&str; 2]) -> (f64, Vec<f64>) {
    let model = spec::compile(&spec::text(&format!("specs/real/{spec}.gd"))).model;
    let read = |file: &str| Data::read(&format!("specs/data/{file}"));
    let settings = match spec {
        "oscillator" => OscillatorTrainer::SETTINGS,
        "autoencoder" => AutoencoderTrainer::SETTINGS,
        _ => KinshipTrainer::SETTINGS,
    };
    trainer.fit(&read(files[0]).flat(&model), &settings).unwrap();
    let other = read(files[1]);
    let flat = other.flat(&model);
    let (mut loss, mut metrics) = (0.0, vec![0.0; model.metrics.len()]);
    for samples in other.batches(trainer.batch()).take(other.samples.div_ceil(trainer.batch())) {
        let (count, share) = (samples.len(), samples.len() as f64 / other.samples as f64);
        trainer.load(&flat, samples).unwrap();
        loss += share * trainer.loss(count);
        metrics.iter_mut().zip(trainer.metrics(count)).for_each(|(m, v)| *m += share * v);
    }
    println!("{spec}: loss {loss}, metrics {metrics:?}");
    (loss, metrics)
}

#[test]
#[ignore = "20,000 steps, a minute and a half in a build for tests"]
fn the_oscillator_is_solved_within_a_thousandth() {
    let (_, metrics) = outcome(OscillatorTrainer::boxed(0), "oscillator", ["points.csv", "points.csv"]);
    assert!(metrics[0] < 1e-3, "{metrics:?}");
}

/// Eight principal components leave 0.0245 of the test digits.
#[test]
fn digits_come_back_better_than_by_principal_components() {
    let (loss, _) = outcome(AutoencoderTrainer::boxed(0), "autoencoder", ["digits_train.npz", "digits_test.npz"]);
    assert!(loss < 0.016, "{loss}");
}

#[test]
fn families_are_learnt_and_questions_answered_that_nobody_asked() {
    let (_, metrics) = outcome(KinshipTrainer::boxed(0), "kinship", ["kinship_train.csv", "kinship_train.csv"]);
    assert!(metrics[0] > 0.999, "{metrics:?}");
    let (_, metrics) = outcome(KinshipTrainer::boxed(0), "kinship", ["kinship_train.csv", "kinship_test.csv"]);
    assert!(metrics[0] >= 0.25, "{metrics:?}");
}
