//! What share of the machine's multiply-add peak a generated contraction
//! reaches, in both forms of the runtime:
//! `cargo run --release -p gdc --example contraction`.
//!
//! `C[128, 512] = A[128, 512] B[512, 512]` in tiles of 8 rows and 32 columns
//! on AVX-512, 6 x 16 on AVX2, 2 x 16 on SSE2, 4 x 16 on plain arrays, against a loop of multiply-adds that touches no memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a measurement may panic")]
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::time::Instant;

#[path = "../tests/portable/mod.rs"]
mod portable;

const M: usize = 128;
const K: usize = 512;
const N: usize = 512;

/// The kernels in one form of the runtime.
macro_rules! kernels {
    ($form:ident, $rt:path) => {
        mod $form {
            use super::{K, M, N};
            use $rt as rt;

            /// `R` rows and `V` vectors of C = A B, from `row` and `column` on.
            #[inline(always)]
            fn tile<const R: usize, const V: usize, S: rt::Simd>(
                simd: S,
                (a, b, c): (&[[f32; K]; M], &[[f32; N]; K], &mut [[f32; N]; M]),
                row: usize,
                column: usize,
            ) {
                let mut sum = [[rt::F32x16::splat(simd, 0.0); V]; R];
                for k in 0..K {
                    for r in 0..R {
                        let left = rt::F32x16::splat(simd, a[row + r][k]);
                        for v in 0..V {
                            let right = rt::F32x16::load_at(simd, &b[k], column + 16 * v);
                            sum[r][v] = rt::mul_add(left, right, sum[r][v]);
                        }
                    }
                }
                for r in 0..R {
                    for v in 0..V {
                        sum[r][v].store_at(&mut c[row + r], column + 16 * v);
                    }
                }
            }

            /// C = A B in such tiles; `M % R` rows are left to tiles of 2.
            #[inline(always)]
            fn tiles<const R: usize, const V: usize, S: rt::Simd>(
                simd: S,
                a: &[[f32; K]; M],
                b: &[[f32; N]; K],
                c: &mut [[f32; N]; M],
            ) {
                for row in (0..M - M % R).step_by(R) {
                    for column in (0..N).step_by(16 * V) {
                        tile::<R, V, S>(simd, (a, b, c), row, column);
                    }
                }
                for row in (M - M % R..M).step_by(2) {
                    for column in (0..N).step_by(16) {
                        tile::<2, 1, S>(simd, (a, b, c), row, column);
                    }
                }
            }

            /// C = A B, as generated code would have it.
            #[inline(always)]
            fn contract<S: rt::Simd>(
                simd: S,
                a: &[[f32; K]; M],
                b: &[[f32; N]; K],
                c: &mut [[f32; N]; M],
            ) {
                match rt::accumulators::<S>() {
                    16.. => tiles::<8, 2, S>(simd, a, b, c),
                    6.. => tiles::<6, 1, S>(simd, a, b, c),
                    4.. => tiles::<4, 1, S>(simd, a, b, c),
                    _ => tiles::<2, 1, S>(simd, a, b, c),
                }
            }

            pub fn run(
                level: rt::Level,
                a: &[[f32; K]; M],
                b: &[[f32; N]; K],
                c: &mut [[f32; N]; M],
            ) {
                rt::dispatch!(level, simd => contract(simd, a, b, c))
            }

            /// `turns` times `V` vectors of multiply-adds in registers.
            #[inline(always)]
            fn spin<const V: usize, S: rt::Simd>(simd: S, turns: usize, by: f32) -> f32 {
                let by = rt::F32x16::splat(simd, by);
                let mut sum = [by; V];
                for _ in 0..turns {
                    for s in &mut sum {
                        *s = rt::mul_add(*s, by, by);
                    }
                }
                let mut total = rt::F32x16::splat(simd, 0.0);
                for s in sum {
                    total += s;
                }
                total.sum()
            }

            #[allow(dead_code, reason = "arrays are held against the machine's peak")]
            pub fn peak<const V: usize>(level: rt::Level, turns: usize, by: f32) -> f32 {
                rt::dispatch!(level, simd => spin::<V, _>(simd, turns, by))
            }
        }
    };
}

kernels!(lanes, gdc::rt);
kernels!(arrays, crate::portable);

/// The best of several timings, in billions of operations per second.
fn rate(operations: f64, mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..300 {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed().as_secs_f64());
    }
    operations * 1e-9 / best
}

fn main() {
    let a: Box<[[f32; K]; M]> =
        (0..M).map(|i| [i as f32 * 1e-3; K]).collect::<Vec<_>>().into_boxed_slice().try_into().expect("M rows");
    let b: Box<[[f32; N]; K]> =
        (0..K).map(|k| [k as f32 * 1e-3; N]).collect::<Vec<_>>().into_boxed_slice().try_into().expect("K rows");
    let mut c: Box<[[f32; N]; M]> = vec![[0.0; N]; M].into_boxed_slice().try_into().expect("M rows");
    let work = (2 * M * N * K) as f64;
    let mut best = 0.0_f64;
    for level in gdc::rt::Level::available() {
        let peak = peak(|v, by| match v {
            3 => lanes::peak::<3>(level, TURNS, by),
            6 => lanes::peak::<6>(level, TURNS, by),
            _ => lanes::peak::<12>(level, TURNS, by),
        });
        let got = rate(work, || lanes::run(level, black_box(&a), black_box(&b), black_box(&mut c)));
        report(level.name(), got, peak);
        best = best.max(peak);
    }
    let level = portable::level();
    let got = rate(work, || {
        arrays::run(level, black_box(&a), black_box(&b), black_box(&mut c));
    });
    report("arrays", got, best);
}

const TURNS: usize = 10_000;

/// The best rate over as many vectors as different instruction sets hold.
fn peak(spin: impl Fn(usize, f32) -> f32) -> f64 {
    let rate = |v| {
        rate((TURNS * v * 16 * 2) as f64, || {
            black_box(spin(v, black_box(0.5)));
        })
    };
    rate(3).max(rate(6)).max(rate(12))
}

fn report(name: &str, got: f64, peak: f64) {
    println!("{name:8} {got:7.1} GFLOP/s of {peak:7.1}: {:.0} %", 100.0 * got / peak);
}
