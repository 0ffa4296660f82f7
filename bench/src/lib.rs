//! The clock of the benchmarks: data that every runner makes alike, repeats, the machine's
//! peak, and one line of JSON for each piece of work.

use gdc::rt::{self, F32x16, NamedTensors, Simd};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How often a piece of work is timed.
const REPEATS: usize = 11;
/// How long one repeat takes at least, in nanoseconds.
const REPEAT: f64 = 20e6;
/// After how many steps the loss is reported, so that runners can be compared.
pub const STEPS: usize = 20;

/// A number in -1..1 for each stream and place: the upper bits of a product of odd constants,
/// mixed once. The runners in Python compute the same.
pub fn number(stream: u32, place: u32) -> f32 {
    let mut x = place.wrapping_add(1).wrapping_mul(0x9E37_79B1) ^ stream.wrapping_add(1).wrapping_mul(0x85EB_CA77);
    x ^= x >> 15;
    x = x.wrapping_mul(0xC2B2_AE3D);
    x ^= x >> 13;
    x = x.wrapping_mul(0x27D4_EB2F);
    x ^= x >> 16;
    (x >> 8) as f32 / (1 << 23) as f32 - 1.0
}

/// `count` numbers of a stream.
pub fn numbers(stream: u32, count: usize) -> Vec<f32> {
    (0..count as u32).map(|i| number(stream, i)).collect()
}

/// Numbers in rows of `N`.
pub fn rows<const N: usize>(stream: u32, count: usize) -> Vec<[f32; N]> {
    let flat = numbers(stream, count * N);
    flat.as_chunks::<N>().0.to_vec()
}

/// Integers below `bound`.
pub fn integers(stream: u32, count: usize, bound: u32) -> Vec<u32> {
    numbers(stream, count).into_iter().map(|x| ((x + 1.0) * 0.5 * bound as f32) as u32 % bound).collect()
}

/// Initial weights: numbers of stream 100 and on, one stream for each tensor, divided by the
/// root of how many inputs an output has; zeros for what has one axis (ones for a gain).
pub fn fill(model: &mut dyn NamedTensors<Real = f32>) {
    let mut stream = 100;
    model.tensors_mut(&mut |name, shape, values| {
        let outputs = shape.last().copied().unwrap_or(1);
        let inputs = (values.len() / outputs.max(1)).max(1);
        let scale = 1.0 / (inputs as f32).sqrt();
        for (i, value) in values.iter_mut().enumerate() {
            *value = match shape.len() {
                0 | 1 => f32::from(u8::from(name.ends_with("gain"))),
                _ => number(stream, i as u32) * scale,
            };
        }
        stream += 1;
    });
}

/// What is known of a piece of work besides its time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Work {
    /// Its name: that of the spec, with `.predict` for one sample.
    pub name: &'static str,
    /// The runner.
    pub runner: &'static str,
    /// Multiply-adds that the mathematics asks for, or 0 where it is not what matters.
    pub multiply_adds: f64,
    /// Bytes that a step works on besides the model.
    pub workspace: usize,
}

/// Times `step`, which returns a loss (or any number that depends on its work), and prints a
/// line of JSON. The loss is reported after [`STEPS`] steps. With an argument, only the work of
/// that name is run.
pub fn run(work: Work, step: impl FnMut() -> f32) {
    run_many(work, 1, step);
}

/// The same for a function that takes so many steps in each call; times are of one step.
pub fn run_many(work: Work, steps: u32, mut step: impl FnMut() -> f32) {
    if std::env::args().nth(1).is_some_and(|only| only != work.name) {
        return;
    }
    let mut loss = 0.0;
    for _ in 0..STEPS {
        loss = step();
    }
    let turns = calibrate(&mut step);
    let mut times: Vec<f64> = (0..REPEATS).map(|_| timed(turns, &mut step) / f64::from(steps)).collect();
    let peak = peak();
    times.sort_by(f64::total_cmp);
    let (min, median, max) = (times[0], times[REPEATS / 2], times[REPEATS - 1]);
    let share = work.multiply_adds * 2.0 / median / peak;
    println!(
        "{{\"work\": \"{}\", \"runner\": \"{}\", \"median_ns\": {median:.3}, \"min_ns\": {min:.3}, \"max_ns\": {max:.3}, \
         \"repeats\": {REPEATS}, \"turns\": {turns}, \"loss\": {loss}, \"peak_gflops\": {peak:.1}, \"share\": {share:.3}, \
         \"workspace\": {}, \"level\": \"{}\"}}",
        work.name,
        work.runner,
        work.workspace,
        rt::level().name()
    );
}

/// Nanoseconds that this process has been running for on any processor: what others do on the
/// machine meanwhile does not count.
fn now() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// How many turns one repeat takes, after warming up.
fn calibrate(step: &mut impl FnMut() -> f32) -> usize {
    let mut turns = 1;
    loop {
        let took = timed(turns, step) * turns as f64;
        if took >= REPEAT {
            return turns;
        }
        let more = REPEAT / took.max(1.0) * 1.1;
        turns = ((turns as f64 * more.min(100.0)) as usize).max(turns + 1);
    }
}

/// Nanoseconds of a step.
fn timed(turns: usize, step: &mut impl FnMut() -> f32) -> f64 {
    let began = now();
    for _ in 0..turns {
        black_box(step());
    }
    (now() - began) / turns as f64
}

/// The most `f32` operations in a nanosecond: independent chains of fused multiply-adds in
/// registers. The best of several tries.
pub fn peak() -> f64 {
    const TURNS: usize = 200_000;
    let mut best = f64::INFINITY;
    for _ in 0..12 {
        let began = now();
        black_box(rt::dispatch!(rt::level(), simd => chains(simd, TURNS)));
        best = best.min(now() - began);
    }
    (TURNS * CHAINS * 16 * 2) as f64 / best
}

const CHAINS: usize = 12;

#[inline(always)]
fn chains<S: Simd>(simd: S, turns: usize) -> f32 {
    let a = F32x16::splat(simd, black_box(0.999));
    let b = F32x16::splat(simd, black_box(0.001));
    let mut all = [F32x16::splat(simd, 0.5); CHAINS];
    for _ in 0..turns {
        for chain in &mut all {
            *chain = rt::mul_add(*chain, a, b);
        }
    }
    let mut total = F32x16::splat(simd, 0.0);
    for chain in all {
        total += chain;
    }
    total.sum()
}

/// Whether [`each`] takes the time of what is shared, in nanoseconds of the processor.
pub static MEASURED: AtomicBool = AtomicBool::new(false);
/// That time, of all threads together.
pub static SHARED: AtomicU64 = AtomicU64::new(0);

/// `gdc::rt::each`, which the generated code that `threads` times calls through here.
pub fn each<T: Send>(items: &mut [T], threads: usize, work: impl Fn(usize, &mut T) + Sync) {
    if !MEASURED.load(Ordering::Relaxed) {
        return rt::each(items, threads, work);
    }
    rt::each(items, threads, |index, item| {
        let began = thread_time();
        work(index, item);
        SHARED.fetch_add((thread_time() - began) as u64, Ordering::Relaxed);
    });
}

/// Nanoseconds that this thread has been running for.
pub fn thread_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
