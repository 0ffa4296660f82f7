//! Times steps in parts on one and two threads beside the step of one thread, in turn and by the
//! clock on the wall, and holds them to the same bits.

use gdc::rt::{NamedTensors, Trainer};
use gdc_bench::{fill, integers, numbers};
use std::time::Instant;

#[path = "../../generated/lenet.rs"]
mod lenet;
#[path = "../../generated/lenet_threads.rs"]
mod lenet_threads;
#[path = "../../generated/mlp_512x4_10.rs"]
mod mlp_512x4_10;
#[path = "../../generated/mlp_512x4_10_threads.rs"]
mod mlp_512x4_10_threads;
#[path = "../../generated/mlp_784_128_10.rs"]
mod mlp_784_128_10;
#[path = "../../generated/mlp_784_128_10_threads.rs"]
mod mlp_784_128_10_threads;
#[path = "../../generated/transformer.rs"]
mod transformer;
#[path = "../../generated/transformer_threads.rs"]
mod transformer_threads;

/// Turns of all runners.
const ROUNDS: usize = 15;
/// How long a turn takes at least, in seconds.
const TURN: f64 = 0.02;

/// Loads a batch.
fn load<T: Trainer<Real = f32>>(trainer: &mut T, bound: u32) {
    for slot in 0..T::BATCH {
        let reals = numbers(slot as u32, T::REALS);
        let integers = integers(1000 + slot as u32, T::INTEGERS, bound);
        if let Err(error) = trainer.load_flat(slot, &reals, &integers) {
            eprintln!("{error:?}");
        }
    }
}

/// Nanoseconds of a step over `turns` of them.
fn timed<T: Trainer>(trainer: &mut T, turns: usize) -> f64 {
    let from = Instant::now();
    for _ in 0..turns {
        std::hint::black_box(trainer.step_loaded(T::BATCH));
    }
    from.elapsed().as_secs_f64() * 1e9 / turns as f64
}

fn bits(trainer: &dyn NamedTensors<Real = f32>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    trainer.tensors(&mut |_, _, values| {
        for value in values {
            hash = (hash ^ u64::from(value.to_bits())).wrapping_mul(0x100_0000_01b3);
        }
    });
    hash
}

macro_rules! compare {
    ($name:ident, $threads:ident, $trainer:ident, $bound:expr) => {{
        let mut plain = $name::$trainer::boxed(0);
        let mut one = $threads::$trainer::boxed(0);
        let mut two = $threads::$trainer::boxed(0);
        fill(&mut plain.model);
        load(&mut *plain, $bound);
        for trainer in [&mut one, &mut two] {
            fill(&mut trainer.model);
            load(&mut **trainer, $bound);
        }
        one.set_threads(1);
        two.set_threads(2);
        let turns = ((TURN * 1e9 / timed(&mut *plain, 3)) as usize).max(1);
        timed(&mut *one, 3);
        timed(&mut *two, 3);
        let mut times = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            times[0].push(timed(&mut *plain, turns));
            times[1].push(timed(&mut *one, turns));
            times[2].push(timed(&mut *two, turns));
        }
        assert_eq!(bits(&*one), bits(&*two), "the bits depend on the threads");
        for (runner, mut times) in ["plain", "parts, 1 thread", "parts, 2 threads"].into_iter().zip(times) {
            times.sort_by(f64::total_cmp);
            println!(
                "{{\"work\": \"{}\", \"runner\": \"{runner}\", \"median_ns\": {:.0}, \"min_ns\": {:.0}, \"max_ns\": {:.0}}}",
                stringify!($name), times[ROUNDS / 2], times[0], times[ROUNDS - 1]
            );
        }
    }};
}

fn main() {
    let wanted = |name: &str| std::env::args().nth(1).is_none_or(|only| only == name);
    if wanted("lenet") {
        compare!(lenet, lenet_threads, LeNetTrainer, 10);
    }
    if wanted("mlp_784_128_10") {
        compare!(mlp_784_128_10, mlp_784_128_10_threads, MlpTrainer, 10);
    }
    if wanted("mlp_512x4_10") {
        compare!(mlp_512x4_10, mlp_512x4_10_threads, DeepTrainer, 10);
    }
    if wanted("transformer") {
        compare!(transformer, transformer_threads, DecoderTrainer, 64);
    }
}
