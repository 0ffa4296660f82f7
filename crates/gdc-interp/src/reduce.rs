//! What each reduction makes of its operands, given in row-major order.

use crate::scalar::Scalar;
use gdc_ir::Red;

/// A reduction; `None` where the operands' type does not fit.
///
/// Over nothing `sum` is 0, `prod` 1, `max` and `lse` are -inf, `min` is inf, `any` false,
/// `all` true and a place 0. `max` and `min` are NaN if an operand is. Places are the first
/// of equals; NaN is never chosen, and where nothing can be chosen the place is 0.
pub(crate) fn reduce(op: Red, values: &[Scalar]) -> Option<Scalar> {
    if values.iter().any(|v| matches!(v, Scalar::Outside)) {
        return Some(Scalar::Outside);
    }
    let reals = || {
        let real = |s: &Scalar| if let Scalar::Real(x) = *s { Some(x) } else { None };
        values.iter().map(real).collect::<Option<Vec<f64>>>()
    };
    let bools = || {
        let bool = |s: &Scalar| if let Scalar::Bool(x) = *s { Some(x) } else { None };
        values.iter().map(bool).collect::<Option<Vec<bool>>>()
    };
    Some(match op {
        Red::Sum => Scalar::Real(reals()?.iter().fold(0.0, |a, x| a + x)),
        Red::Prod => Scalar::Real(reals()?.iter().product()),
        Red::Max => Scalar::Real(greatest(&reals()?)),
        Red::Min => Scalar::Real(-greatest(&negated(reals()?))),
        Red::Argmax => Scalar::Int(place_of_greatest(&reals()?)),
        Red::Argmin => Scalar::Int(place_of_greatest(&negated(reals()?))),
        Red::Lse => Scalar::Real(log_sum_exp(&reals()?)),
        Red::Any => Scalar::Bool(bools()?.contains(&true)),
        Red::All => Scalar::Bool(!bools()?.contains(&false)),
    })
}

fn negated(values: Vec<f64>) -> Vec<f64> {
    values.into_iter().map(|x| -x).collect()
}

fn greatest(values: &[f64]) -> f64 {
    let worse = |a: f64, &x: &f64| if a.is_nan() || x.is_nan() { f64::NAN } else { a.max(x) };
    values.iter().fold(f64::NEG_INFINITY, worse)
}

fn place_of_greatest(values: &[f64]) -> i64 {
    let (mut best, mut place) = (f64::NEG_INFINITY, 0);
    for (k, &x) in values.iter().enumerate() {
        if x > best {
            (best, place) = (x, k);
        }
    }
    place as i64
}

/// `m + ln(sum(e^(x - m)))` with the greatest `m`, which is the result where it is infinite.
fn log_sum_exp(values: &[f64]) -> f64 {
    let m = greatest(values);
    if !m.is_finite() {
        return m;
    }
    m + values.iter().map(|x| (x - m).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(op: Red, values: &[f64]) -> Scalar {
        let values: Vec<Scalar> = values.iter().map(|&x| Scalar::Real(x)).collect();
        reduce(op, &values).unwrap()
    }

    #[test]
    fn over_nothing() {
        assert_eq!(of(Red::Sum, &[]), Scalar::Real(0.0));
        assert_eq!(of(Red::Prod, &[]), Scalar::Real(1.0));
        assert_eq!(of(Red::Max, &[]), Scalar::Real(f64::NEG_INFINITY));
        assert_eq!(of(Red::Min, &[]), Scalar::Real(f64::INFINITY));
        assert_eq!(of(Red::Lse, &[]), Scalar::Real(f64::NEG_INFINITY));
        assert_eq!(of(Red::Argmax, &[]), Scalar::Int(0));
        assert_eq!(of(Red::Any, &[]), Scalar::Bool(false));
        assert_eq!(of(Red::All, &[]), Scalar::Bool(true));
    }

    #[test]
    fn places_are_the_first_of_equals() {
        assert_eq!(of(Red::Argmax, &[1.0, 3.0, 2.0, 3.0]), Scalar::Int(1));
        assert_eq!(of(Red::Argmin, &[1.0, 0.0, 2.0, 0.0]), Scalar::Int(1));
        assert_eq!(of(Red::Argmax, &[f64::NAN, 3.0]), Scalar::Int(1));
    }

    #[test]
    fn lse_is_finite_wherever_its_value_is() {
        let ln2 = std::f64::consts::LN_2;
        assert_eq!(of(Red::Lse, &[1e4, 1e4]), Scalar::Real(1e4 + ln2));
        assert_eq!(of(Red::Lse, &[-1e4, -1e4]), Scalar::Real(-1e4 + ln2));
        assert_eq!(of(Red::Lse, &[1e4, -1e4]), Scalar::Real(1e4));
        assert_eq!(of(Red::Lse, &[f64::NEG_INFINITY, 2.0]), Scalar::Real(2.0));
        assert_eq!(of(Red::Lse, &[f64::INFINITY, 2.0]), Scalar::Real(f64::INFINITY));
    }

    #[test]
    fn nan_is_not_swallowed() {
        for op in [Red::Sum, Red::Prod, Red::Max, Red::Min, Red::Lse] {
            assert!(matches!(of(op, &[1.0, f64::NAN, 2.0]), Scalar::Real(x) if x.is_nan()), "{op:?}");
        }
    }
}
