//! The functions of `f32` against `f64`, at every level of this machine, in
//! both forms of the runtime, and of single numbers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

#[path = "portable/mod.rs"]
mod portable;

/// A function by name, its bound in units in the last place, and the truth.
type Row = (&'static str, f64, fn(f64) -> f64);

const FUNCTIONS: &[Row] = &[
    ("exp", 1.1, f64::exp),
    ("expm1", 1.6, f64::exp_m1),
    ("ln", 1.0, f64::ln),
    ("ln_1p", 1.1, f64::ln_1p),
    ("tanh", 1.5, f64::tanh),
    ("sigmoid", 2.5, |x| 1.0 / (1.0 + (-x).exp())),
    ("softplus", 2.5, |x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
    ("erf", 1.5, gdc::rt::double::erf),
    ("sin", 1.6, f64::sin),
    ("cos", 1.6, f64::cos),
    ("sqrt", 0.5, f64::sqrt),
    ("floor", 0.0, f64::floor),
    ("ceil", 0.0, f64::ceil),
    ("round", 0.0, f64::round_ties_even),
    ("sign", 0.0, |x| if x == 0.0 || x.is_nan() { x } else { x.signum() }),
    ("abs", 0.0, f64::abs),
];

/// Applies the functions above, and some of two numbers, in one form.
macro_rules! form {
    ($form:ident, $rt:path) => {
        mod $form {
            use $rt as rt;

            /// The named function of `x`.
            #[inline(always)]
            fn of<T: rt::Function>(name: &str, x: T) -> T {
                match name {
                    "exp" => rt::exp(x),
                    "expm1" => rt::expm1(x),
                    "ln" => rt::ln(x),
                    "ln_1p" => rt::ln_1p(x),
                    "tanh" => rt::tanh(x),
                    "sigmoid" => rt::sigmoid(x),
                    "softplus" => rt::softplus(x),
                    "erf" => rt::erf(x),
                    "sin" => rt::sin(x),
                    "cos" => rt::cos(x),
                    "sqrt" => rt::sqrt(x),
                    "floor" => rt::floor(x),
                    "ceil" => rt::ceil(x),
                    "round" => rt::round(x),
                    "sign" => rt::sign(x),
                    "abs" => rt::abs(x),
                    other => unreachable!("{other}"),
                }
            }

            #[allow(dead_code)]
            pub fn scalar(name: &str, x: f32) -> f32 {
                of(name, x)
            }

            #[inline(always)]
            fn body<S: rt::Simd>(simd: S, name: &str, x: &mut [f32; 16]) {
                of(name, rt::F32x16::load(simd, x)).store(x);
            }

            pub fn lanes(level: rt::Level, name: &str, x: &mut [f32; 16]) {
                rt::dispatch!(level, simd => body(simd, name, x))
            }
        }
    };
}

form!(crate_form, gdc::rt);
form!(text_form, crate::portable);

/// How far `got` is from `exact`, in units in the last place of `exact`.
fn ulps(got: f32, exact: f64) -> f64 {
    let rounded = exact as f32;
    if got.is_nan() || rounded.is_nan() || rounded.is_infinite() || got.is_infinite() {
        let same = got == rounded || (got.is_nan() && rounded.is_nan());
        // Just below infinity, infinity is one unit away.
        let edge = got.is_infinite() && exact.abs() > f64::from(f32::MAX) * 0.999_999_9
            || rounded.is_infinite() && got.abs() > f32::MAX * 0.999_999_9;
        return if same {
            0.0
        } else if edge {
            1.0
        } else {
            f64::INFINITY
        };
    }
    if got == 0.0 && exact == 0.0 {
        let same_sign = got.is_sign_negative() == exact.is_sign_negative();
        return if same_sign { 0.0 } else { f64::INFINITY };
    }
    let bits = rounded.abs().max(f32::MIN_POSITIVE).to_bits();
    let unit = f64::from(f32::from_bits(bits + 1)) - f64::from(f32::from_bits(bits));
    (f64::from(got) - exact).abs() / unit
}

/// Applies one function to sixteen numbers in place, in one form.
type Form<'a> = (&'static str, Box<dyn Fn(&mut [f32; 16]) + Sync + 'a>);
/// The largest error met, with its place and what came out there.
type Worst = (f64, f32, f32);

/// The worst of every `step`th of the bit patterns `from..to`, of each form.
fn worst(from: u64, to: u64, step: u64, exact: fn(f64) -> f64, forms: &[Form]) -> Vec<Worst> {
    let mut worst = vec![(-1.0, 0.0, 0.0); forms.len()];
    let mut start = from;
    while start < to {
        let x: [f32; 16] = std::array::from_fn(|i| f32::from_bits((start + i as u64 * step) as u32));
        let truth = x.map(|x| exact(f64::from(x)));
        for ((_, apply), worst) in forms.iter().zip(&mut worst) {
            let mut y = x;
            apply(&mut y);
            for i in 0..16 {
                let error = ulps(y[i], truth[i]);
                if error > worst.0 {
                    *worst = (error, x[i], y[i]);
                }
            }
        }
        start += 16 * step;
    }
    worst
}

/// The same over all bit patterns, on all processors.
fn worst_anywhere(step: u64, exact: fn(f64) -> f64, forms: &[Form]) -> Vec<Worst> {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get()) as u64;
    let share = (1_u64 << 32).div_ceil(threads * 16 * step) * 16 * step;
    std::thread::scope(|scope| {
        let parts: Vec<_> =
            (0..threads).map(|t| scope.spawn(move || worst(t * share, (t + 1) * share, step, exact, forms))).collect();
        let parts = parts.into_iter().map(|part| part.join().unwrap());
        let larger = |a: Worst, b: Worst| if b.0 > a.0 { b } else { a };
        parts.reduce(|a, b| a.into_iter().zip(b).map(|(a, b)| larger(a, b)).collect()).unwrap()
    })
}

fn check(step: u64) {
    let mut failures = Vec::new();
    for &(name, bound, exact) in FUNCTIONS {
        let mut forms: Vec<Form> = Vec::new();
        for level in gdc::rt::Level::available() {
            forms.push((level.name(), Box::new(move |x| crate_form::lanes(level, name, x))));
        }
        let text = portable::level();
        forms.push(("arrays", Box::new(move |x| text_form::lanes(text, name, x))));
        forms.push(("scalar", Box::new(move |x| *x = x.map(|x| crate_form::scalar(name, x)))));
        let found = worst_anywhere(step, exact, &forms);
        for ((form, _), (error, x, y)) in forms.iter().zip(found) {
            println!("{name:9} {form:8} {error:6.3} at {x:e} ({:08x}): {y:e}", x.to_bits());
            if error > bound {
                failures.push(format!("{name} {form}: {error} ULP at {x:e}: {y:e}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn sampled() {
    check(997);
}

#[test]
#[ignore = "minutes on many processors: all 2^32 numbers, every function and form"]
fn exhaustive() {
    check(1);
}
