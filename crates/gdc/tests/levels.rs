//! Every instruction set that the machine has computes the same: to the bit where both have
//! fused multiply-adds, nearly so where one has not.
#![cfg(feature = "macros")]
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use gdc::rt::{Level, NamedTensors};

gdc::network! {
    /// Tiles with whole and partial vectors, a softmax, and updates.
    model Levels {
        input  x: [37];
        target label: in 0..5;
        let h = x |> dense(40) |> tanh;
        let logits = h |> dense(5);
        output probs = softmax(logits);
        loss   cross_entropy(logits, label);
        optimizer adam(lr = 1e-2);
        train { batch = 19; }
    }
}

/// The weights after some steps, and a prediction.
fn trained(level: &str) -> Vec<f32> {
    assert!(Level::choose(Some(level)));
    assert_eq!(gdc::rt::level().name(), level);
    let mut trainer = LevelsTrainer::new(3);
    let number = |k: usize| ((k * 7919 + 13) % 1009) as f32 / 504.5 - 1.0;
    let x: Vec<[f32; 37]> = (0..19).map(|b| core::array::from_fn(|i| number(37 * b + i))).collect();
    let label: Vec<u32> = (0..19).map(|b| b % 5).collect();
    for _ in 0..10 {
        trainer.step(&x, &label).unwrap();
    }
    let mut all = Vec::new();
    trainer.model.tensors(&mut |_, _, values| all.extend_from_slice(values));
    all.extend(trainer.model.predict(&x[0]));
    assert!(Level::choose(None));
    all
}

#[test]
fn levels_agree() {
    let names: Vec<&str> = Level::available().map(Level::name).collect();
    assert!(!names.is_empty());
    assert!(!Level::choose(Some("none such")));
    let results: Vec<Vec<f32>> = names.iter().map(|name| trained(name)).collect();
    for (name, result) in names.iter().zip(&results) {
        let apart = result.iter().zip(&results[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("{name}: {apart:e} from {}", names[0]);
        assert!(result.iter().all(|x| x.is_finite()));
        match *name {
            "avx512" | "avx2" if names[0] == "avx512" => assert_eq!(apart, 0.0, "{name}"),
            _ => assert!(apart < 1e-4, "{name}: {apart}"),
        }
    }
}
