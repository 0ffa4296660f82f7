//! Runs generated code and compares it with plain arithmetic.

use gdc::rt::{Error, FitOptions, NamedTensors, Stop};
use std::ops::ControlFlow;
use strict::{alone, classifier, double, quadratic, strange};

const BATCH: usize = 4;
const WIDTH: usize = 20;
const CLASSES: usize = 40;

/// Logistic regression in f64, the slow way.
struct Reference {
    w: Vec<Vec<f64>>,
    b: Vec<f64>,
    m: Vec<Vec<f64>>,
    t: i32,
}

impl Reference {
    fn new(model: &classifier::Classifier) -> Self {
        let w = model.z_dense_w.iter().map(|row| row.iter().map(|&x| x.into()).collect()).collect();
        Reference { w, b: vec![0.0; CLASSES], m: vec![vec![0.0; CLASSES]; WIDTH], t: 0 }
    }

    fn probs(&self, x: &[f32; WIDTH]) -> Vec<f64> {
        let z: Vec<f64> = (0..CLASSES)
            .map(|j| self.b[j] + (0..WIDTH).map(|k| x[k] as f64 * self.w[k][j]).sum::<f64>())
            .collect();
        let sum: f64 = z.iter().map(|z| z.exp()).sum();
        z.iter().map(|z| z.exp() / sum).collect()
    }

    fn loss(&self, x: &[[f32; WIDTH]], label: &[u32]) -> f64 {
        let each = x.iter().zip(label).map(|(x, &l)| -self.probs(x)[l as usize].ln());
        each.sum::<f64>() / x.len() as f64
    }

    /// The gradients by w and b.
    fn gradients(&self, x: &[[f32; WIDTH]], label: &[u32]) -> (Vec<Vec<f64>>, Vec<f64>) {
        let (mut dw, mut db) = (vec![vec![0.0; CLASSES]; WIDTH], vec![0.0; CLASSES]);
        for (x, &l) in x.iter().zip(label) {
            let probs = self.probs(x);
            for j in 0..CLASSES {
                let dz = (probs[j] - f64::from(u8::from(j == l as usize))) / label.len() as f64;
                db[j] += dz;
                for k in 0..WIDTH {
                    dw[k][j] += dz * x[k] as f64;
                }
            }
        }
        (dw, db)
    }

    fn step(&mut self, x: &[[f32; WIDTH]], label: &[u32]) -> f64 {
        let loss = self.loss(x, label);
        let (dw, db) = self.gradients(x, label);
        let rate = 0.1 * 0.99_f64.powi(self.t);
        for j in 0..CLASSES {
            self.b[j] -= rate * db[j];
            for k in 0..WIDTH {
                self.m[k][j] = 0.9 * self.m[k][j] + dw[k][j];
                self.w[k][j] -= rate * self.m[k][j];
            }
        }
        self.t += 1;
        loss
    }
}

fn close(a: f32, b: f64) {
    assert!((a as f64 - b).abs() < 1e-5 * (1.0 + b.abs()), "{a} is not {b}");
}

/// Samples that some labels can be learnt from.
fn data(n: usize) -> (Vec<[f32; WIDTH]>, Vec<u32>) {
    let x = (0..n).map(|i| std::array::from_fn(|k| ((i * 7 + k * 13) % 11) as f32 / 5.0 - 1.0));
    (x.collect(), (0..n).map(|i| (i * 3 % CLASSES) as u32).collect())
}

fn steps_agree() {
    let mut trainer = classifier::ClassifierTrainer::new(3);
    let mut reference = Reference::new(&trainer.model);
    let mut alone = alone::ClassifierTrainer::new(3);
    let (x, label) = data(9);
    for range in [0..4, 4..8, 8..9, 1..4, 0..4] {
        let (x, label) = (&x[range.clone()], &label[range]);
        let (dw, db) = reference.gradients(x, label);
        let gradients = *trainer.gradients(x, label).unwrap();
        (0..CLASSES).for_each(|j| close(gradients.z_dense_b[j], db[j]));
        (0..CLASSES).for_each(|j| close(gradients.z_dense_w[5][j], dw[5][j]));
        close(trainer.loss(x, label).unwrap(), reference.loss(x, label));
        let expected = reference.step(x, label);
        close(trainer.step(x, label).unwrap(), expected);
        close(alone.step(x, label).unwrap(), expected);
        for (k, row) in reference.w.iter().enumerate() {
            (0..CLASSES).for_each(|j| close(trainer.model.z_dense_w[k][j], row[j]));
            (0..CLASSES).for_each(|j| close(alone.model.z_dense_w[k][j], row[j]));
        }
    }
    assert_eq!(trainer.steps(), 5);
    close(trainer.loss(&x, &label).unwrap(), reference.loss(&x, &label));
    let evaluation = trainer.evaluate(&x, &label).unwrap();
    close(evaluation.loss, reference.loss(&x, &label));
    let output = trainer.model.predict(&x[2]);
    let mut hits = 0;
    for (x, &l) in x.iter().zip(&label) {
        let probs = reference.probs(x);
        let best = (0..CLASSES).max_by(|&a, &b| probs[a].total_cmp(&probs[b])).unwrap();
        hits += u32::from(best == l as usize);
    }
    close(evaluation.accuracy, hits as f64 / 9.0);
    let probs = reference.probs(&x[2]);
    (0..CLASSES).for_each(|j| close(output.probs[j], probs[j]));
    let mut out = vec![output; 9];
    trainer.model.predict_batch(&x, &mut out).unwrap();
    assert_eq!(out[2], output);
    assert!(trainer.model.predict_batch(&x, &mut out[1..]).is_err());
}

fn errors_are_told() {
    let mut trainer = classifier::ClassifierTrainer::new(0);
    let before = trainer.model;
    let (x, mut label) = data(5);
    assert_eq!(trainer.step(&[], &[]), Err(Error::Empty));
    assert_eq!(trainer.step(&x, &label), Err(Error::TooManySamples { given: 5, batch: 4 }));
    let mismatch = Error::LengthMismatch { name: "label", expected: 3, found: 2 };
    assert_eq!(trainer.step(&x[..3], &label[..2]), Err(mismatch));
    label[2] = 40;
    let outside = Error::OutOfRange { name: "label", sample: 2, value: 40, low: 0, high: 40 };
    assert_eq!(trainer.step(&x[..3], &label[..3]), Err(outside));
    assert_eq!(trainer.fit(&x, &label, &FitOptions::default(), |_| ControlFlow::Continue(())), Err(outside));
    assert_eq!(trainer.model, before);
    assert_eq!(trainer.steps(), 0);
}

fn training_fits_and_saves() {
    let mut trainer = classifier::ClassifierTrainer::new(1);
    let (x, label) = data(10);
    let options = FitOptions { epochs: 20, ..classifier::ClassifierTrainer::SETTINGS };
    let before = trainer.loss(&x, &label).unwrap();
    let done = trainer.fit(&x, &label, &options, |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((done.last.steps, done.stop), (60, Stop::Epochs));
    assert!(trainer.loss(&x, &label).unwrap() < before * 0.9);

    // The same from rows of numbers.
    let mut flat = classifier::ClassifierTrainer::boxed(1);
    gdc::rt::fit_flat(&mut *flat, x.as_flattened(), &label, &options, |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(flat.model, trainer.model);

    // Going on from a copy by names is going on.
    let mut saved: Vec<(String, Vec<f32>)> = Vec::new();
    trainer.tensors(&mut |name, shape, values| {
        assert_eq!(shape.iter().product::<usize>(), values.len());
        saved.push((name.to_owned(), values.to_vec()));
    });
    assert_eq!(saved.iter().map(|s| s.0.as_str()).collect::<Vec<_>>(), ["z.dense.w", "z.dense.b", "z.dense.w.m"]);
    let mut copy = classifier::ClassifierTrainer::new(9);
    let mut place = saved.iter();
    copy.tensors_mut(&mut |_, _, values| values.copy_from_slice(&place.next().unwrap().1));
    copy.set_steps(trainer.steps());
    trainer.step(&x[..4], &label[..4]).unwrap();
    copy.step(&x[..4], &label[..4]).unwrap();
    assert_eq!(copy.model, trainer.model);
}

fn minimum_is_found() {
    let mut trainer = quadratic::QuadraticTrainer::new(0);
    assert_eq!(trainer.model.x, 1.0);
    assert_eq!(trainer.gradients().x, -4.0);
    assert_eq!(trainer.step(), 4.0);
    assert!((trainer.model.x - 1.4).abs() < 1e-6);
    let done = trainer.fit(&quadratic::QuadraticTrainer::SETTINGS, |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(done.stop, Stop::Until);
    assert!((trainer.model.x - 3.0).abs() < 2e-3);
    assert_eq!(strict::small::QuadraticTrainer::new(0).step(), 4.0);
    assert_eq!(strict::in_function(), 4.0);
    assert_eq!(strict::from_macro(), 4.0);
}

fn doubles_and_guards() {
    let mut trainer = double::DoubleTrainer::new(0);
    let x = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    // A convolution by [1, 1, 1], zeros outside: 3, 6, 5 and 9, 15, 11.
    assert_eq!(trainer.step(&x, &[-1, 1]).unwrap(), (3.0 * 6.0 * 5.0 - 1.0 + 9.0 * 15.0 * 11.0 + 1.0) / 2.0);
    assert_eq!(trainer.step(&x, &[-1, 2]).unwrap_err().to_string(), "`sign` is 2 in sample 1, outside its range -1..2");
    assert_eq!(trainer.model.predict(&x[0], 1).unwrap(), 91.0);
    assert!(trainer.model.predict(&x[0], -2).is_err());
    trainer.model.k[1] = 0.1;
    trainer.tensors_mut(&mut |name, shape, values| {
        assert_eq!((name, shape, values[1]), ("k", &[3][..], 0.1_f64));
        values[0] = 0.25;
    });
    assert_eq!(trainer.model.k[..2], [0.25, 0.1]);
}

fn strange_names_work() {
    let model = strange::Strange::new(0);
    assert_eq!(model.r#type, 1.0);
    assert_eq!((model.a_b_c, model.a_b_c_2, model.Größe), (2.0, 3.0, 4.0));
    assert_eq!(model.predict(10.0, 20.0), 40.0);
}

fn draws_depend_on_seed_and_counter() {
    let mut trainer = strict::single::SingleTrainer::new(11);
    for t in 0..3 {
        let noise = gdc::rt::uniform(11, 5, t);
        assert_eq!(trainer.loss(&[[0.0, 0.0, 3.0]]).unwrap(), 6.0 + noise);
        assert_eq!(trainer.step(&[[0.0, 0.0, 3.0]]).unwrap(), 6.0 + noise);
    }
    assert_eq!(trainer.evaluate(&[[0.0; 3]]).unwrap().noise, gdc::rt::uniform(11, 5, 3));
    assert_eq!(trainer.step(&[[0.0; 3]; 2]), Err(Error::TooManySamples { given: 2, batch: 1 }));
}

fn large_models_stay_off_the_stack() {
    let small = std::thread::Builder::new().stack_size(256 << 10);
    let done = small.spawn(|| strict::large::LargeTrainer::boxed(0).model.w[1023][1023]);
    assert_eq!(done.unwrap().join().unwrap(), 0.5);
}

fn main() {
    steps_agree();
    errors_are_told();
    training_fits_and_saves();
    minimum_is_found();
    doubles_and_guards();
    strange_names_work();
    draws_depend_on_seed_and_counter();
    large_models_stay_off_the_stack();
}
