//! Times steps in parts on one and two threads beside the step of one thread, in turn and by the
//! clock on the wall, and holds them to the same bits.

use gdc::rt::{NamedTensors, Trainer};
use gdc_bench::{MEASURED, SHARED, fill, integers, numbers, thread_time};
use std::sync::atomic::Ordering;
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
const ROUNDS: usize = 21;
/// How long a turn takes at least, in nanoseconds.
const TURN: f64 = 2e7;

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

/// Nanoseconds of a step over `turns` of them: by the clock on the wall, and of this thread.
fn timed<T: Trainer>(trainer: &mut T, turns: usize) -> [f64; 2] {
    let (from, began) = (Instant::now(), thread_time());
    for _ in 0..turns {
        std::hint::black_box(trainer.step_loaded(T::BATCH));
    }
    [from.elapsed().as_secs_f64() * 1e9, thread_time() - began].map(|t| t / turns as f64)
}

/// How much of the processor's time of a step belongs to what threads can share.
fn share<T: Trainer<Real = f32>>(trainer: &mut T, turns: usize) -> f64 {
    MEASURED.store(true, Ordering::Relaxed);
    SHARED.store(0, Ordering::Relaxed);
    let [_, whole] = timed(trainer, turns);
    MEASURED.store(false, Ordering::Relaxed);
    SHARED.load(Ordering::Relaxed) as f64 / (whole * turns as f64)
}

fn least(times: &[f64]) -> f64 {
    times.iter().copied().fold(f64::INFINITY, f64::min)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The median of one list's numbers over another's, each by the one taken beside it.
fn ratio(of: &[f64], to: &[f64]) -> f64 {
    median(of.iter().zip(to).map(|(a, b)| a / b).collect())
}

/// What a step takes whole, in pieces on one thread and on two: each by the wall and the thread.
struct Times {
    whole: [Vec<f64>; 2],
    one: [Vec<f64>; 2],
    two: [Vec<f64>; 2],
}

impl Times {
    /// A line of JSON: times in nanoseconds, least and median by the wall; `cost`, what pieces cost on
    /// one thread, by the thread's time and beside each other; `speed_up` of two threads over the
    /// whole step on one, least by least and beside each other; the share of what is shared.
    fn print(&self, name: &str, share: f64) {
        let [whole, one, two] = [&self.whole, &self.one, &self.two].map(|t| least(&t[0]));
        let [whole_median, one_median, two_median] = [&self.whole, &self.one, &self.two].map(|t| median(t[0].clone()));
        println!(
            "{{\"work\": \"{name}\", \"runner\": \"threads\", \"whole_ns\": {whole:.0}, \"one_ns\": {one:.0}, \"two_ns\": {two:.0}, \
             \"whole_median_ns\": {whole_median:.0}, \"one_median_ns\": {one_median:.0}, \"two_median_ns\": {two_median:.0}, \
             \"cost\": {:.3}, \"cost_of_least\": {:.3}, \"speed_up\": {:.3}, \"speed_up_median\": {:.3}, \"share\": {share:.4}}}",
            ratio(&self.one[1], &self.whole[1]),
            least(&self.one[1]) / least(&self.whole[1]),
            whole / two,
            ratio(&self.whole[0], &self.two[0]),
        );
    }
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
        let turns = ((TURN / timed(&mut *plain, 3)[1]) as usize).max(1);
        timed(&mut *one, 3);
        timed(&mut *two, 3);
        let mut times = Times { whole: Default::default(), one: Default::default(), two: Default::default() };
        let mut shares = Vec::new();
        for _ in 0..ROUNDS {
            // From the beginning: where nothing is left to learn, the optimizer's state comes down
            // to numbers that are slow to compute with.
            plain.init(0);
            fill(&mut plain.model);
            for turn in 0..2 {
                for trainer in [&mut one, &mut two] {
                    trainer.init(0);
                    fill(&mut trainer.model);
                }
                if turn == 0 {
                    shares.push(share(&mut *one, turns));
                }
            }
            for (list, taken) in [
                (&mut times.whole, timed(&mut *plain, turns)),
                (&mut times.one, timed(&mut *one, turns)),
                (&mut times.two, timed(&mut *two, turns)),
            ] {
                list.iter_mut().zip(taken).for_each(|(list, t)| list.push(t));
            }
        }
        assert_eq!(bits(&*one), bits(&*two), "the bits depend on the threads");
        times.print(stringify!($name), median(shares));
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
