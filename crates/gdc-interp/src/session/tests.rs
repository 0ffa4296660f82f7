//! Tests of training and predicting.

use super::*;
use crate::testing::{dense, quadratic};

fn batch(n: usize) -> Batch {
    let x = [1.0, 2.0, -1.0, 0.5, 0.0, 1.0, -2.0, 1.0, 1.0, 3.0, -1.0, 0.0];
    let y = [1.0, 0.0, 0.5, 0.5, -1.0, 2.0, 0.0, 1.0];
    Batch::of(n)
        .with("x", Tensor::real(&[n, 3], x[..3 * n].to_vec()).unwrap())
        .with("y", Tensor::real(&[n, 2], y[..2 * n].to_vec()).unwrap())
}

#[test]
fn the_models_of_these_tests_are_valid() {
    for model in [quadratic(), dense(), crate::testing::cross_entropy()] {
        assert_eq!(gdc_ir::verify::verify(&model), Ok(()), "{}", gdc_ir::text::print_model(&model));
    }
}

#[test]
fn gradient_descent_finds_the_minimum() {
    let model = quadratic();
    let mut session = Session::new(&model, 0).unwrap();
    assert_eq!(session.step(&Batch::none()).unwrap(), 4.0);
    // x <- 1 - 0.1 * 2 * (1 - 3)
    assert_eq!(session.get("x").unwrap().as_scalar(), Some(1.4));
    for _ in 0..100 {
        session.step(&Batch::none()).unwrap();
    }
    assert!((session.get("x").unwrap().as_scalar().unwrap() - 3.0).abs() < 1e-8);
    assert_eq!(session.counter, 101);
}

#[test]
fn a_step_is_computed_from_old_values() {
    let model = dense();
    let mut session = Session::new(&model, 0).unwrap();
    let batch = batch(4);
    let before = session.clone();
    let gradients = before.gradients(&batch).unwrap();
    let loss = session.step(&batch).unwrap();
    assert_eq!(loss, before.loss(&batch).unwrap());
    for name in ["w", "c"] {
        let (old, new) = (before.get(name).unwrap().to_vec(), session.get(name).unwrap().to_vec());
        let gradient = gradients[name].to_vec();
        for k in 0..old.len() {
            assert_eq!(new[k], old[k] - 0.1 * gradient[k]);
        }
    }
    assert_eq!(session.get("steps").unwrap().as_scalar(), Some(1.0));
    assert!(session.loss(&batch).unwrap() < loss);
    assert_eq!(session.names().collect::<Vec<_>>(), ["w", "c", "steps"]);
}

#[test]
fn a_partial_batch_is_the_mean_of_its_samples() {
    let model = dense();
    let session = Session::new(&model, 0).unwrap();
    let whole = batch(3);
    let mut sum = 0.0;
    for i in 0..3 {
        let row = |name: &str| match &whole.values[name] {
            Tensor::Real(a) => Tensor::Real(a.slice_axis(ndarray::Axis(0), (i..i + 1).into()).to_owned()),
            other => other.clone(),
        };
        let one = Batch::of(1).with("x", row("x")).with("y", row("y"));
        sum += session.loss(&one).unwrap();
    }
    assert!((session.loss(&whole).unwrap() - sum / 3.0).abs() < 1e-15);
    assert_eq!(session.predict(&whole).unwrap()["h"].shape(), [3, 2]);
    assert_eq!(session.metrics(&whole).unwrap()["mean_target"], 1.0);
}

#[test]
fn predicting_needs_no_targets() {
    let model = dense();
    let session = Session::new(&model, 0).unwrap();
    let mut batch = batch(2);
    batch.values.remove("y");
    // h = relu(x w + c) with w = [0.2 -0.3; 0.5 0; 0.8 0.3]
    let h = session.predict(&batch).unwrap()["h"].to_vec();
    for (found, expected) in h.iter().zip([0.5, 0.0, 1.0, 0.35]) {
        assert!((found - expected).abs() < 1e-15, "{h:?}");
    }
    assert_eq!(session.loss(&batch), Err(Error::Unbound("y".into())));
}

#[test]
fn mistakes_are_errors_and_change_nothing() {
    let model = dense();
    let mut session = Session::new(&model, 0).unwrap();
    let five = Batch::of(5).with("x", Tensor::real(&[5, 3], vec![0.0; 15]).unwrap());
    assert_eq!(session.predict(&five), Err(Error::Samples { batch: 4, given: 5 }));
    assert!(matches!(session.step(&Batch::none()), Err(Error::Samples { batch: 4, given: 0 })));
    let named = batch(2).with("z", Tensor::scalar(0.0));
    assert_eq!(session.loss(&named), Err(Error::NoSuch("z".into())));
    let short = Batch::of(3).with("x", Tensor::real(&[2, 3], vec![0.0; 6]).unwrap());
    assert!(matches!(session.predict(&short), Err(Error::Shape { .. })));
    assert!(matches!(session.set("c", Tensor::scalar(0.0)), Err(Error::Shape { .. })));
    assert_eq!(session.set("d", Tensor::scalar(0.0)), Err(Error::NoSuch("d".into())));
    assert_eq!(session.counter, 0);
    session.set("c", Tensor::real(&[2], vec![1.0, 2.0]).unwrap()).unwrap();
    assert_eq!(session.get("c").unwrap().to_vec(), [1.0, 2.0]);
}
