//! What `gdc compile --emit-tests` writes after the numbers; this line is left out.

/// A trainer with the samples in its places.
fn trainer() -> Box<Trained> {
    let mut trainer = Box::new(Trained::new(SEED));
    let (reals, integers) = (REALS.len() / SAMPLES, INTEGERS.len() / SAMPLES);
    for i in 0..SAMPLES {
        let sample = trainer.load_flat(
            i,
            &REALS[i * reals..(i + 1) * reals],
            &INTEGERS[i * integers..(i + 1) * integers],
        );
        assert!(sample.is_ok());
    }
    trainer
}

/// Gradients of the samples by the names of their parameters.
fn gradients(trainer: &mut Trained) -> Vec<(String, Vec<f64>)> {
    let mut found = Vec::new();
    trainer.gradients_loaded(SAMPLES, &mut |name, _, values| {
        found.push((name.to_owned(), values.iter().map(|v| v.to_f64()).collect()));
    });
    found
}

/// Large models pass over the stack.
fn with_room(test: fn()) {
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(test);
    if let Err(panic) = thread.expect("a thread").join() {
        std::panic::resume_unwind(panic);
    }
}

fn near(what: &str, found: f64, expected: f64, error: f64) {
    assert!((found - expected).abs() <= error, "{what}: {found}, and not {expected}");
}

#[test]
fn losses_and_gradients_are_those_of_the_interpreter() {
    with_room(|| {
        let mut trainer = trainer();
        for ((name, norm, elements), (found, values)) in GRADIENTS.iter().zip(by_name(gradients(&mut trainer))) {
            assert!(*name == found, "{name} and {found}");
            let length = values.iter().map(|v| v * v).sum::<f64>().sqrt();
            near(name, length, *norm, ERROR * (norm + 1e-3));
            for (place, expected) in *elements {
                near(&format!("{name} at {place}"), values[*place], *expected, ERROR * (norm + 1e-3));
            }
        }
        near("the loss", trainer.step_loaded(SAMPLES).to_f64(), LOSS, ERROR * (LOSS.abs() + 1e-2));
        for _ in 1..STEPS {
            trainer.step_loaded(SAMPLES);
        }
        let after = trainer.step_loaded(SAMPLES).to_f64();
        near("the loss after some steps", after, LOSS_AFTER, 10.0 * ERROR * (LOSS_AFTER.abs() + 1e-2));
    });
}

/// In the order of the names, as the golden numbers are.
fn by_name(mut list: Vec<(String, Vec<f64>)>) -> Vec<(String, Vec<f64>)> {
    list.sort_by(|a, b| a.0.cmp(&b.0));
    list
}

#[test]
fn gradients_are_slopes_of_the_loss() {
    // With dropout and the like, `loss` is not the function whose gradients are taken.
    if PLAIN {
        with_room(slopes);
    }
}

fn slopes() {
    let mut trainer = trainer();
    for (name, gradient) in gradients(&mut trainer) {
        let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        if norm < 1e-6 {
            continue;
        }
        let along: Vec<f64> = gradient.iter().map(|g| g / norm).collect();
        let mut state = 1_u64;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1_u64 << 30) as f64 - 1.0
        };
        let some: Vec<f64> = gradient.iter().map(|_| draw()).collect();
        let length = some.iter().map(|v| v * v).sum::<f64>().sqrt();
        let across: Vec<f64> = some.iter().map(|v| v / length).collect();
        for direction in [along, across] {
            let expected: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
            // Rounding leaves few digits of a difference: of some widths the best one counts.
            let slope = |h: f64, t: &mut Trained| (at(t, &name, &direction, h) - at(t, &name, &direction, -h)) / (2.0 * h);
            let errors = WIDTHS.map(|h| (slope(h, &mut trainer) - expected).abs() / norm);
            let best = errors.into_iter().fold(f64::INFINITY, f64::min);
            assert!(best < SLOPE_ERROR, "{name}: the slope is off by {best} of the gradient");
        }
    }
}

/// The loss with one parameter moved.
fn at(trainer: &mut Trained, name: &str, direction: &[f64], by: f64) -> f64 {
    let mut kept = Vec::new();
    trainer.tensors_mut(&mut |tensor, _, values| {
        if tensor == name {
            kept = values.to_vec();
            values.iter_mut().zip(direction).for_each(|(v, d)| *v = Float::from_f64(v.to_f64() + by * d));
        }
    });
    let loss = trainer.loss_loaded(SAMPLES).to_f64();
    trainer.tensors_mut(&mut |tensor, _, values| {
        if tensor == name {
            values.copy_from_slice(&kept);
        }
    });
    loss
}
