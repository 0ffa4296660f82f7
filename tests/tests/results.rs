//! What every spec comes to when generated code trains it to its end, from the seed that it
//! states: the results that `specs/README.md` names.

use gdc::rt::{Epoch, Fit, FitOptions, Stop};
use gdc_tests::data::Data;
use gdc_tests::spec;
use gdc_tests::systems::{System, system};
use gdc_tests::trained::Trained;
use std::ops::RangeInclusive;

/// A trained model.
struct Outcome {
    system: System,
    trainer: Box<dyn Trained>,
    fit: Fit,
    history: Vec<Epoch>,
}

impl Outcome {
    /// Trains a spec on a data file, or on none.
    fn of(name: &str, data: Option<&str>) -> Outcome {
        let seed = system(name).settings.seed;
        Outcome::of_seed(name, data, seed)
    }

    /// Trains a spec from another seed than its own.
    fn of_seed(name: &str, data: Option<&str>, seed: u64) -> Outcome {
        let system = system(name);
        let model = spec::compile(&spec::text(&system.path)).model;
        let data = data.map_or_else(Default::default, |path| Data::read(path).flat(&model));
        let mut trainer = (system.new)(seed);
        let (fit, history) = trainer.fit(&data, &FitOptions { seed, ..system.settings }).unwrap();
        println!("{name}: {fit:?}");
        Outcome { system, trainer, fit, history }
    }

    /// The mean loss of the last epoch lies in a range, and began above it.
    fn loss(&self, range: RangeInclusive<f64>) {
        let (name, first, last) = (self.system.name(), self.history[0].mean_loss, self.fit.last.mean_loss);
        println!("{name}: loss {first} to {last}");
        assert!(range.contains(&last), "{name}: loss {last} is not in {range:?}");
        assert!(first > *range.end(), "{name}: began at {first}");
    }

    /// The first metric over a data file.
    fn metric(&mut self, path: &str) -> f64 {
        let model = spec::compile(&spec::text(&self.system.path)).model;
        let data = Data::read(path);
        let flat = data.flat(&model);
        let mut sum = 0.0;
        let batches = data.batches(self.trainer.batch()).take(data.samples.div_ceil(self.trainer.batch()));
        for samples in batches {
            let count = samples.len();
            self.trainer.load(&flat, samples).unwrap();
            sum += self.trainer.metrics(count)[0] * count as f64;
        }
        let metric = sum / data.samples as f64;
        println!("{}: metric {metric} on {path}", self.system.name());
        metric
    }
}

#[test]
fn the_quadratic_stops_near_its_minimum() {
    let outcome = Outcome::of("quadratic", None);
    assert_eq!((outcome.fit.stop, outcome.fit.last.steps), (Stop::Until, 36));
    outcome.loss(6e-7..=7e-7);
    let x = outcome.trainer.tensors().number("x");
    assert!((x - 2.9994).abs() < 1e-4, "{x}");
}

#[test]
fn the_line_is_the_least_squares_line() {
    let outcome = Outcome::of("linear_regression", Some("specs/data/linear_regression.csv"));
    let (w, b) = (outcome.trainer.tensors().number("w"), outcome.trainer.tensors().number("b"));
    println!("w = {w}, b = {b}");
    assert!((w - 2.98425).abs() < 1e-5 && (b - 2.00794).abs() < 1e-5, "{w} {b}");
    outcome.loss(0.003998..=0.003999);
}

#[test]
fn the_logistic_unit_separates() {
    let mut outcome = Outcome::of("logistic_unit", Some("specs/data/logistic_unit.csv"));
    outcome.loss(0.173..=0.175);
    assert_eq!((outcome.metric("specs/data/logistic_unit.csv") * 200.0).round(), 191.0);
}

#[test]
fn exclusive_or_is_learnt() {
    let mut outcome = Outcome::of("xor", Some("specs/data/xor.csv"));
    outcome.loss(0.0..=1e-3);
    assert_eq!(outcome.metric("specs/data/xor.csv"), 1.0);
}

#[test]
fn the_disc_is_found() {
    let mut outcome = Outcome::of("two_layer_sigmoid", Some("specs/data/two_layer_sigmoid.csv"));
    outcome.loss(0.030..=0.045);
    assert!(outcome.metric("specs/data/two_layer_sigmoid.csv") >= 0.95);
}

#[test]
fn the_regression_fits() {
    Outcome::of("keras_mlp", Some("specs/data/keras_mlp.npz")).loss(0.010..=0.045);
}

#[test]
fn irises_are_told_apart() {
    let mut outcome = Outcome::of("iris", Some("specs/data/iris_train.csv"));
    outcome.loss(0.04..=0.07);
    assert!(outcome.metric("specs/data/iris_train.csv") >= 0.97);
    assert!(outcome.metric("specs/data/iris_validation.csv") >= 0.90);
}

#[test]
fn digits_are_read() {
    let mut outcome = Outcome::of("digits", Some("specs/data/digits_train.npz"));
    outcome.loss(0.004..=0.011);
    assert!(outcome.metric("specs/data/digits_test.npz") >= 0.97);
}

/// The forecast that next year is as this one errs by 1101 on the years that are held out.
#[test]
fn sunspots_are_foretold() {
    for name in ["sunspots_lstm", "sunspots_gru"] {
        let mut outcome = Outcome::of(name, Some("specs/data/sunspots_train.csv"));
        outcome.loss(0.008..=0.013);
        assert!(outcome.metric("specs/data/sunspots_test.csv") <= 400.0);
    }
}

#[test]
fn optimizers_differ_as_they_do_in_pytorch() {
    let ranges = [
        ("sgd", 0.165..=0.190, 0.935),
        ("momentum", 0.100..=0.120, 0.95),
        ("nesterov", 0.100..=0.120, 0.95),
        ("adagrad", 0.060..=0.090, 0.96),
        ("rmsprop", 0.165..=0.210, 0.94),
        ("adam", 0.085..=0.105, 0.96),
    ];
    for (name, loss, accuracy) in ranges {
        let mut outcome = Outcome::of(&format!("optimizers/{name}"), Some("specs/data/digits_train.npz"));
        outcome.loss(loss);
        assert!(outcome.metric("specs/data/digits_test.npz") >= accuracy);
    }
}

/// Prints what ten seeds come to, to be compared with the ten starts of PyTorch in
/// `specs/README.md`: `cargo test -p gdc-tests --test results -- --ignored --nocapture`
#[test]
#[ignore = "prints and takes a while"]
fn ten_seeds() {
    let digits = ("specs/data/digits_train.npz", "specs/data/digits_test.npz");
    let iris = ("specs/data/iris_train.csv", "specs/data/iris_validation.csv");
    let disc = "specs/data/two_layer_sigmoid.csv";
    let mut all = vec![("two_layer_sigmoid", (disc, disc)), ("iris", iris), ("digits", digits)];
    let optimizers = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam"].map(|o| format!("optimizers/{o}"));
    let sunspots = ("specs/data/sunspots_train.csv", "specs/data/sunspots_test.csv");
    all.extend([("sunspots_lstm", sunspots), ("sunspots_gru", sunspots)]);
    all.extend(optimizers.iter().map(|name| (name.as_str(), digits)));
    let mut lines = Vec::new();
    for (name, (train, test)) in all {
        let (mut losses, mut metrics) = (Vec::new(), Vec::new());
        for seed in 0..10 {
            let mut outcome = Outcome::of_seed(name, Some(train), seed);
            losses.push(outcome.fit.last.mean_loss);
            metrics.push(outcome.metric(test));
        }
        let range = |v: &[f64]| {
            let (low, high) = v.iter().fold((f64::MAX, f64::MIN), |(l, h), x| (l.min(*x), h.max(*x)));
            format!("{low:.4} to {high:.4}")
        };
        lines.push(format!("{name}: loss {}, metric {}", range(&losses), range(&metrics)));
    }
    println!("{}", lines.join("\n"));
}
