//! A step gives the same bits on any number of threads. One whose kernels are in pieces gives the
//! bits of a step that is not cut; one whose batch is in parts gives its numbers but for the order
//! of sums.
#![cfg(feature = "macros")]
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use gdc::rt::Trainer;

/// The models, with what a step says of threads.
macro_rules! models {
    ($($threads:tt)*) => {
        gdc::network! {
            /// Dense layers, a penalty that is no sum over the samples, a limit over all gradients, and
            /// a state that training keeps.
            model Mlp {
                input  x: [9];
                target label: in 0..4;
                let h = x |> dense(21) |> tanh;
                param scale: [4] = ones;
                let z = h |> dense(4);
                let logits = z * scale;
                output probs = softmax(logits);
                loss   cross_entropy(logits, label);
                loss   0.3 * sum(scale^2);
                metric accuracy = argmax(logits) == label;
                optimizer adam(lr = 1e-2) with clip_global_norm(0.5);
                train { batch = 64; $($threads)* }
            }
        }
        gdc::network! {
            /// What depends on the place of a sample, and what on all samples: in pieces all the same.
            model Drawn {
                input  x: [24];
                target label: in 0..4;
                let h = x |> dense(48) |> tanh |> dropout(0.3);
                let n = h |> batch_norm |> dense(32) |> relu;
                let logits = n |> layer_norm |> dense(4);
                output probs = softmax(logits);
                loss   cross_entropy(logits, label);
                metric accuracy = argmax(logits) == label;
                optimizer adamw(lr = 1e-2) with clip_global_norm(0.5);
                train { batch = 64; $($threads)* }
            }
        }
        gdc::network! {
            /// Convolutions, with samples in lanes.
            model Net {
                input  image: [12, 12, 1];
                target label: in 0..3;
                let logits = image
                    |> conv2d(4, kernel = 3) as c1 |> relu |> max_pool2d(2)
                    |> conv2d(6, kernel = 2) as c2 |> relu |> max_pool2d(2)
                    |> flatten |> dense(3);
                output probs = softmax(logits);
                loss   cross_entropy(logits, label);
                optimizer adam(lr = 1e-2);
                train { batch = 64; $($threads)* }
            }
        }
        gdc::network! {
            /// A table, whose gradient is a scatter, and steps.
            model Words {
                input  tokens: [5] in 0..7;
                target y: [2];
                let e = embedding(tokens, width = 6);
                let p = e |> lstm(8, last = true) |> dense(2);
                output guess = p;
                loss   mse(p, y);
                optimizer sgd(lr = 0.1);
                train { batch = 12; $($threads)* }
            }
        }
    };
}

/// As they are.
mod whole {
    models!();
}

/// In parts.
mod parts {
    models!(threads = 4;);
}

/// The weights and the state after some steps, some of them on fewer samples than a batch, with
/// what was asked on the way.
fn trained<T: Trainer<Real = f32>>(trainer: &mut T) -> Vec<f32> {
    let mut all = Vec::new();
    for slot in 0..T::BATCH {
        let reals: Vec<f32> =
            (0..T::REALS).map(|k| ((slot * 31 + k * 7919 + 13) % 1009) as f32 / 504.5 - 1.0).collect();
        let integers: Vec<u32> = (0..T::INTEGERS).map(|k| ((slot * 5 + k * 3) % 3) as u32).collect();
        trainer.load_flat(slot, &reals, &integers).unwrap();
    }
    for samples in [T::BATCH, T::BATCH - 1, 1, T::BATCH, T::BATCH / 2, T::BATCH] {
        all.push(trainer.loss_loaded(samples));
        trainer.gradients_loaded(samples, &mut |_, _, values| all.extend_from_slice(values));
        let mut metrics = vec![0.0; T::METRICS];
        trainer.metrics_loaded(samples, &mut metrics);
        all.extend(metrics);
        all.push(trainer.step_loaded(samples));
    }
    trainer.tensors(&mut |_, _, values| all.extend_from_slice(values));
    all
}

fn bits(all: &[f32]) -> Vec<u32> {
    all.iter().map(|x| x.to_bits()).collect()
}

/// Holds a model to the same bits on any number of threads, and to the step that is not cut.
macro_rules! hold {
    ($trainer:ident, $same:expr) => {{
        let whole = trained(&mut *whole::$trainer::boxed(5));
        let on = |threads: usize| {
            let mut trainer = parts::$trainer::boxed(5);
            trainer.set_threads(threads);
            trained(&mut *trainer)
        };
        let one = on(1);
        assert_eq!(whole.len(), one.len());
        assert!(!$same || bits(&whole) == bits(&one), "pieces change bits");
        for (k, (a, b)) in whole.iter().zip(&one).enumerate() {
            assert!((a - b).abs() <= 2e-4 * (1.0 + a.abs()), "number {k}: {a} and {b}");
        }
        for threads in [2, 3, 4, 0] {
            assert_eq!(bits(&on(threads)), bits(&one), "{threads} threads");
        }
    }};
}

#[test]
fn dense_layers_have_the_same_bits_on_any_number_of_threads() {
    hold!(MlpTrainer, false);
}

#[test]
fn draws_and_statistics_of_a_batch_have_the_same_bits_on_any_number_of_threads() {
    hold!(DrawnTrainer, true);
}

#[test]
fn convolutions_have_the_same_bits_on_any_number_of_threads() {
    hold!(NetTrainer, false);
}

#[test]
fn steps_and_tables_have_the_same_bits_on_any_number_of_threads() {
    hold!(WordsTrainer, false);
}
