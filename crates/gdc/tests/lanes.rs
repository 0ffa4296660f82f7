//! Loads, stores, comparisons and folds over lanes mean the same in both forms
//! of the runtime and at every level.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

#[path = "portable/mod.rs"]
mod portable;

/// Everything a kernel can do, written to one array, in one form.
macro_rules! form {
    ($form:ident, $rt:path) => {
        mod $form {
            use $rt as rt;
            use rt::Mask;

            #[inline(always)]
            fn body<S: rt::Simd>(simd: S, data: &[f32; 64], out: &mut [[f32; 16]; 40]) {
                let a = rt::F32x16::load_at(simd, data, 3);
                let b = rt::F32x16::load_at(simd, data, 40);
                let one = rt::F32x16::splat(simd, 1.0);
                let zero = rt::F32x16::splat(simd, 0.0);
                let mask = |m| rt::select(m, one, zero);
                let mut row = 0;
                let mut put = |x: rt::F32x16<S>| {
                    x.store(&mut out[row]);
                    row += 1;
                };
                put(a + b);
                put(a - b);
                put(a * b);
                put(a / b);
                put(-a);
                put(rt::min(a, b));
                put(rt::max(a, b));
                put(rt::abs(a));
                put(rt::copysign(a, b));
                put(rt::sign(a));
                put(rt::powi(b, -3));
                put(mask(rt::lt(a, b)));
                put(mask(rt::le(a, b)));
                put(mask(rt::gt(a, b)));
                put(mask(rt::ge(a, b)));
                put(mask(rt::eq(a, a)));
                put(mask(rt::ne(a, b)));
                put(mask(rt::lt(a, zero) & rt::lt(b, zero)));
                put(mask(rt::lt(a, zero) | rt::lt(b, zero)));
                put(mask(!rt::lt(a, zero)));
                put(mask(rt::Mask16::first(simd, 5)));
                put(mask(rt::Mask16::first(simd, 99)));
                put(rt::F32x16::iota(simd));
                put(rt::F32x16::from_fn(simd, |i| (i * i) as f32));
                put(rt::F32x16::from_u32(simd, &[u32::MAX; 16]));
                put(rt::F32x16::load_head(simd, &[1.0, 2.0, 3.0]));
                put(rt::F32x16::load_head_at::<5>(simd, data, 59));
                let (low, high) = a.interleave(b);
                put(low);
                put(high);
                let few = rt::F32x16::load_at(simd, data, 16);
                let folds = [few.sum(), few.product(), few.max(), few.min()];
                put(rt::F32x16::load_head(simd, &folds));
                put(rt::F32x16::splat(simd, a.max()));
                put(rt::at_least(a, one));
                put(rt::at_most(a, one));
                put(mask(rt::Mask16::first(simd, usize::from(rt::eq(a, b).any()))));
                put(mask(rt::Mask16::first(simd, usize::from(rt::eq(few, few).all()))));
                let mut sum = a;
                sum += b;
                sum *= b;
                sum -= a;
                sum /= b;
                put(sum);
                let mut head = [0.0; 3];
                b.store_head(&mut head);
                a.store_at(&mut out[38][..], 0);
                b.store_head_at::<7>(&mut out[38][..], 9);
                out[39][..3].copy_from_slice(&head);
            }

            pub fn run(level: rt::Level, data: &[f32; 64]) -> [[f32; 16]; 40] {
                let mut out = [[0.0; 16]; 40];
                rt::dispatch!(level, simd => body(simd, data, &mut out));
                out
            }

            #[inline(always)]
            fn turn<S: rt::Simd>(simd: S, rows: &mut [[f32; 16]; 16]) {
                let loaded = core::array::from_fn(|i| rt::F32x16::load(simd, &rows[i]));
                for (row, lanes) in rows.iter_mut().zip(rt::transpose(loaded)) {
                    lanes.store(row);
                }
            }

            pub fn transposed(level: rt::Level, rows: &mut [[f32; 16]; 16]) {
                rt::dispatch!(level, simd => turn(simd, rows))
            }
        }
    };
}

form!(crate_form, gdc::rt);
form!(text_form, crate::portable);

/// Numbers with NaN, infinities, zeros of both signs and equal places in the
/// first and last sixteen; positive ones between.
fn data() -> [f32; 64] {
    let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, 1.0, -1.0, 1e-40];
    core::array::from_fn(|i| match i {
        16..32 => 0.5 + i as f32 / 24.0,
        _ if i % 3 == 0 => special[i % 8],
        _ => gdc::rt::normal(1, 1, i as u64),
    })
}

fn bits(rows: &[[f32; 16]; 40]) -> Vec<[u32; 16]> {
    // Which NaN comes out may differ between instruction sets.
    let bits = |x: f32| {
        if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() }
    };
    rows.iter().map(|row| row.map(bits)).collect()
}

#[test]
fn all_forms_agree_to_the_bit() {
    let data = data();
    let text = bits(&text_form::run(portable::level(), &data));
    for level in gdc::rt::Level::available() {
        let ours = bits(&crate_form::run(level, &data));
        for (row, (ours, text)) in ours.iter().zip(&text).enumerate() {
            assert_eq!(ours, text, "result {row} on {}", level.name());
        }
    }
}

#[test]
fn results_are_the_expected_ones() {
    let data = data();
    let out = crate_form::run(gdc::rt::level(), &data);
    let (a, b) = (&data[3..19], &data[40..56]);
    for i in 0..16 {
        let larger = if a[i].is_nan() || b[i].is_nan() { f32::NAN } else { a[i].max(b[i]) };
        assert!(out[6][i] == larger || larger.is_nan() && out[6][i].is_nan());
        assert!(out[31][i] == a[i].max(1.0) && !a[i].is_nan() || out[31][i].is_nan() && a[i].is_nan());
        assert!(out[32][i] == a[i].min(1.0) && !a[i].is_nan() || out[32][i].is_nan() && a[i].is_nan());
        assert_eq!(out[11][i] == 1.0, a[i] < b[i]);
        assert_eq!(out[16][i] == 1.0, a[i] != b[i]);
        assert_eq!(out[20][i] == 1.0, i < 5);
        assert_eq!(out[22][i], i as f32);
    }
    assert_eq!(out[25][..4], [1.0, 2.0, 3.0, 0.0]);
    assert_eq!(out[26][4], data[63]);
    assert_eq!(out[26][5..], [0.0; 11]);
    assert_eq!(out[38][..9].map_nan(), data[3..12].map_nan());
    assert_eq!(out[39][..3].map_nan(), data[40..43].map_nan());
}

/// Slices as bits, so that NaN equals itself.
trait MapNan {
    fn map_nan(&self) -> Vec<u32>;
}

impl MapNan for [f32] {
    fn map_nan(&self) -> Vec<u32> {
        self.iter().map(|x| x.to_bits()).collect()
    }
}

#[test]
fn transposing_swaps_rows_and_lanes() {
    let rows: [[f32; 16]; 16] = core::array::from_fn(|i| core::array::from_fn(|j| (16 * i + j) as f32));
    let check = |turned: [[f32; 16]; 16]| {
        for i in 0..16 {
            for j in 0..16 {
                assert_eq!(turned[i][j], rows[j][i]);
            }
        }
    };
    let mut turned = rows;
    text_form::transposed(portable::level(), &mut turned);
    check(turned);
    for level in gdc::rt::Level::available() {
        let mut turned = rows;
        crate_form::transposed(level, &mut turned);
        check(turned);
    }
}
