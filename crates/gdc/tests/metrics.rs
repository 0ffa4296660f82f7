//! Metrics over more samples than a batch holds.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use gdc::rt::{NamedTensors, Trainer};

gdc::network! {
    /// The logit is the input, so that every count is known.
    model Counts {
        input x: [];
        target y: [];
        param w = 1.0;
        let z = w * x;
        output p = sigmoid(z);
        loss binary_cross_entropy(logits = z, y);
        metric right = (z > 0) == (y > 0.5);
        metric precision = precision(y, z);
        metric recall = recall(y, z);
        metric f1 = f1(y, z);
        metric spread = sqrt(across_sum(x * x)) / (1 + across_sum(abs(x)));
        optimizer sgd(lr = 0.1);
        train { batch = 4; }
    }
}

/// True positives come first and false ones later, so that no batch is like the whole.
const X: [f32; 11] = [1.0, 2.0, 0.5, 3.0, 1.0, 1.5, -1.0, -2.0, -0.5, 2.0, 1.0];
const Y: [f32; 11] = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0];

#[test]
fn functions_of_sums_are_those_of_all_samples() {
    let mut trainer = CountsTrainer::new(0);
    let found = trainer.evaluate(&X, &Y).unwrap();
    // Of 8 positive logits 4 are right, of 6 samples with y = 1 these 4 are found.
    assert_eq!((found.precision, found.recall), (0.5, 4.0 / 6.0));
    assert!((found.f1 - 2.0 * 4.0 / 14.0).abs() < 1e-7, "{found:?}");
    assert!((found.right - 5.0 / 11.0).abs() < 1e-7, "{found:?}");
    let (squares, sizes) = (X.iter().map(|x| x * x).sum::<f32>(), X.iter().map(|x| x.abs()).sum::<f32>());
    assert!((found.spread - squares.sqrt() / (1.0 + sizes)).abs() < 1e-6, "{found:?}");
    // In one batch they are what they were.
    let first = trainer.evaluate(&X[..4], &Y[..4]).unwrap();
    assert_eq!((first.precision, first.recall, first.f1), (1.0, 1.0, 1.0));
}

/// The same by the traits, as generic loops have it.
#[test]
fn sums_add_up_over_batches_by_the_trait() {
    fn all<T: Trainer<Real = f32>>(trainer: &mut T) -> Vec<f64> {
        let (mut totals, mut metrics, mut seen) = (vec![0.0; T::TOTALS], vec![f64::NAN; T::METRICS], 0);
        while seen < X.len() {
            let size = (X.len() - seen).min(T::BATCH);
            for slot in 0..size {
                trainer.load_flat(slot, &[X[seen + slot], Y[seen + slot]], &[]).unwrap();
            }
            trainer.metrics_loaded(size, &mut vec![0.0; T::METRICS]);
            trainer.add_totals(&mut totals);
            seen += size;
        }
        T::metrics_of_totals(&totals, &mut metrics);
        metrics
    }
    let mut trainer = CountsTrainer::new(0);
    let metrics = all(&mut trainer);
    let whole = trainer.evaluate(&X, &Y).unwrap();
    assert!(metrics[0].is_nan(), "a mean is left alone");
    let told = [metrics[1] as f32, metrics[2] as f32, metrics[3] as f32, metrics[4] as f32];
    assert_eq!(told, [whole.precision, whole.recall, whole.f1, whole.spread]);
    trainer.tensors(&mut |name, _, _| assert_eq!(name, "w"));
}
