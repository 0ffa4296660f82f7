//! One number, and what each operator does to it. This is the definition of the operators:
//! whatever else computes them is compared with this.

use gdc_ir::{Op, Ty};

/// A value of one of the three types, or none.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Scalar {
    /// A real number.
    Real(f64),
    /// An integer.
    Int(i64),
    /// A truth value.
    Bool(bool),
    /// No value: a read outside of a tensor or an integer divided by zero. Any operator on it
    /// gives it back, except a choice of the other branch.
    Outside,
}

impl Scalar {
    /// The type of a value.
    pub fn ty(self) -> Option<Ty> {
        match self {
            Scalar::Real(_) => Some(Ty::Real),
            Scalar::Int(_) => Some(Ty::Int),
            Scalar::Bool(_) => Some(Ty::Bool),
            Scalar::Outside => None,
        }
    }
}

/// An operator on its arguments; `None` where their number or types do not fit.
///
/// - `sign` is 0 at 0, `round` takes ties to the even side, `min` and `max` are NaN if an
///   argument is; false is less than true.
/// - Integers wrap at 64 bits. `div` rounds down and `%` has the sign of the divisor, so that
///   `a == b * div(a, b) + a % b`; by zero they have no value.
/// - `sigmoid`, `softplus`, `expm1` and `log1p` lose no digits and never overflow.
pub fn apply(op: Op, args: &[Scalar]) -> Option<Scalar> {
    use Scalar::{Bool, Int, Outside, Real};
    if let (Op::Select, &[condition, a, b]) = (op, args) {
        return match condition {
            Bool(true) => Some(a),
            Bool(false) => Some(b),
            Outside => Some(Outside),
            Real(_) | Int(_) => None,
        };
    }
    if args.iter().any(|a| matches!(a, Outside)) {
        return Some(Outside);
    }
    match *args {
        [Real(a)] => real_unary(op, a),
        [Int(a)] => int_unary(op, a),
        [Bool(a)] => match op {
            Op::Not => Some(Bool(!a)),
            Op::ToReal => Some(Real(f64::from(u8::from(a)))),
            _ => None,
        },
        // Worth its first argument; what else it holds are derivatives.
        [Real(v), Real(_), Real(_)] if op == Op::Stated => Some(Real(v)),
        [Real(a), Real(b)] => real_binary(op, a, b),
        [Int(a), Int(b)] => int_binary(op, a, b),
        [Bool(a), Bool(b)] => match op {
            Op::And => Some(Bool(a && b)),
            Op::Or => Some(Bool(a || b)),
            _ => compare(op, &a, &b),
        },
        _ => None,
    }
}

fn compare<T: PartialOrd>(op: Op, a: &T, b: &T) -> Option<Scalar> {
    let holds = match op {
        Op::Eq => a == b,
        Op::Ne => a != b,
        Op::Lt => a < b,
        Op::Le => a <= b,
        _ => return None,
    };
    Some(Scalar::Bool(holds))
}

/// Every operator is named here, so that a new one must be learnt; the types of those that
/// take no single real number do not fit.
fn real_unary(op: Op, x: f64) -> Option<Scalar> {
    let value = match op {
        Op::Neg => -x,
        Op::Abs => x.abs(),
        Op::Sign => {
            if x == 0.0 {
                0.0
            } else if x.is_nan() {
                x
            } else {
                x.signum()
            }
        }
        Op::Floor => x.floor(),
        Op::Ceil => x.ceil(),
        Op::Round => x.round_ties_even(),
        Op::Sqrt => x.sqrt(),
        Op::Exp => x.exp(),
        Op::Expm1 => x.exp_m1(),
        Op::Log => x.ln(),
        Op::Log1p => x.ln_1p(),
        Op::Sin => x.sin(),
        Op::Cos => x.cos(),
        Op::Tanh => x.tanh(),
        Op::Sigmoid => sigmoid(x),
        Op::Softplus => softplus(x),
        Op::Erf => erf(x),
        Op::Detach => x,
        Op::Add
        | Op::Sub
        | Op::Mul
        | Op::Div
        | Op::Pow
        | Op::Min
        | Op::Max
        | Op::Eq
        | Op::Ne
        | Op::Lt
        | Op::Le
        | Op::And
        | Op::Or
        | Op::Not
        | Op::Select
        | Op::ToReal
        | Op::IntDiv
        | Op::IntMod
        | Op::Stated => {
            return None;
        }
    };
    Some(Scalar::Real(value))
}

fn real_binary(op: Op, a: f64, b: f64) -> Option<Scalar> {
    let value = match op {
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mul => a * b,
        Op::Div => a / b,
        Op::Pow => a.powf(b),
        Op::Min | Op::Max if a.is_nan() || b.is_nan() => f64::NAN,
        Op::Min => a.min(b),
        Op::Max => a.max(b),
        _ => return compare(op, &a, &b),
    };
    Some(Scalar::Real(value))
}

fn int_unary(op: Op, a: i64) -> Option<Scalar> {
    match op {
        Op::Neg => Some(Scalar::Int(a.wrapping_neg())),
        Op::Abs => Some(Scalar::Int(a.wrapping_abs())),
        Op::Detach => Some(Scalar::Int(a)),
        Op::ToReal => Some(Scalar::Real(a as f64)),
        _ => None,
    }
}

fn int_binary(op: Op, a: i64, b: i64) -> Option<Scalar> {
    let value = match op {
        Op::Add => a.wrapping_add(b),
        Op::Sub => a.wrapping_sub(b),
        Op::Mul => a.wrapping_mul(b),
        Op::Min => a.min(b),
        Op::Max => a.max(b),
        Op::IntDiv | Op::IntMod if b == 0 => return Some(Scalar::Outside),
        Op::IntDiv => {
            let (quotient, rest) = (a.wrapping_div(b), a.wrapping_rem(b));
            if rest != 0 && (rest < 0) != (b < 0) { quotient - 1 } else { quotient }
        }
        Op::IntMod => {
            let rest = a.wrapping_rem(b);
            if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
        }
        _ => return compare(op, &a, &b),
    };
    Some(Scalar::Int(value))
}

/// `1 / (1 + e^-x)` with an exponent that is never positive.
fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// `ln(1 + e^x)` as `max(x, 0) + ln(1 + e^-|x|)`.
fn softplus(x: f64) -> f64 {
    if x.is_nan() { x } else { x.max(0.0) + (-x.abs()).exp().ln_1p() }
}

/// `2 / sqrt(pi) * x * e^(-x^2) * sum over n of (2 x^2)^n / (1 * 3 * ... * (2n + 1))`
/// (Abramowitz and Stegun 7.1.6): all terms have one sign, so nothing cancels. Beyond 6 it
/// is 1 in f64.
fn erf(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum, mut odd) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        odd += 2.0;
        term *= 2.0 * x * x / odd;
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * x * (-x * x).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use Scalar::{Bool, Int, Outside, Real};

    fn real(op: Op, x: f64) -> f64 {
        match apply(op, &[Real(x)]) {
            Some(Real(y)) => y,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn functions_hold_at_the_ends() {
        assert_eq!(real(Op::Sigmoid, 1e4), 1.0);
        assert_eq!(real(Op::Sigmoid, -1e4), 0.0);
        assert_eq!(real(Op::Sigmoid, 0.0), 0.5);
        assert_eq!(real(Op::Softplus, 1e4), 1e4);
        assert_eq!(real(Op::Softplus, -1e4), 0.0);
        assert!((real(Op::Softplus, -40.0) / (-40.0f64).exp() - 1.0).abs() < 1e-15);
        assert!(real(Op::Softplus, f64::NAN).is_nan());
        assert_eq!(real(Op::Sign, 0.0), 0.0);
        assert_eq!(real(Op::Sign, -3.0), -1.0);
        assert_eq!(real(Op::Round, 2.5), 2.0);
    }

    #[test]
    fn erf_has_its_tabled_values() {
        // Abramowitz and Stegun, table 7.1.
        for (x, y) in [(0.5, 0.520_499_877_8), (1.0, 0.842_700_792_9), (2.0, 0.995_322_265_0)] {
            assert!((real(Op::Erf, x) - y).abs() < 1e-10);
            assert_eq!(real(Op::Erf, -x), -real(Op::Erf, x));
        }
        assert_eq!(real(Op::Erf, 7.0), 1.0);
        assert!((real(Op::Erf, 5.9) - 1.0).abs() < 1e-15);
        assert_eq!(real(Op::Erf, f64::NEG_INFINITY), -1.0);
    }

    #[test]
    fn integers_divide_downwards() {
        for a in -7..=7 {
            for b in [-3, -2, -1, 1, 2, 3] {
                let floor = (a as f64 / b as f64).floor() as i64;
                assert_eq!(apply(Op::IntDiv, &[Int(a), Int(b)]), Some(Int(floor)));
                assert_eq!(apply(Op::IntMod, &[Int(a), Int(b)]), Some(Int(a - b * floor)));
            }
        }
        assert_eq!(apply(Op::IntDiv, &[Int(1), Int(0)]), Some(Outside));
        assert_eq!(apply(Op::IntDiv, &[Int(i64::MIN), Int(-1)]), Some(Int(i64::MIN)));
    }

    #[test]
    fn a_choice_leaks_nothing_of_the_other_branch() {
        let (nan, one) = (Real(f64::NAN), Real(1.0));
        assert_eq!(apply(Op::Select, &[Bool(true), one, nan]), Some(one));
        assert_eq!(apply(Op::Select, &[Bool(false), Outside, one]), Some(one));
        assert_eq!(apply(Op::Select, &[Outside, one, one]), Some(Outside));
        assert_eq!(apply(Op::Add, &[Outside, one]), Some(Outside));
    }

    #[test]
    fn every_operator_works_on_what_its_row_says() {
        for &op in Op::ALL {
            for tys in [[Ty::Real; 3], [Ty::Int; 3], [Ty::Bool; 3], [Ty::Bool, Ty::Real, Ty::Real]] {
                let tys = &tys[..op.facts().arity];
                let value = |t: &Ty| match t {
                    Ty::Real => Real(0.5),
                    Ty::Int => Int(2),
                    Ty::Bool => Bool(true),
                };
                let args: Vec<Scalar> = tys.iter().map(value).collect();
                let found = apply(op, &args).and_then(Scalar::ty);
                // A choice takes its branches as they come.
                if op != Op::Select || op.result(tys).is_some() {
                    assert_eq!(found, op.result(tys), "{op:?} {tys:?}");
                }
            }
        }
    }

    #[test]
    fn the_extremes_of_nan_are_nan() {
        for op in [Op::Min, Op::Max] {
            for args in [[f64::NAN, 1.0], [1.0, f64::NAN]] {
                let found = apply(op, &args.map(Real));
                assert!(matches!(found, Some(Real(x)) if x.is_nan()));
            }
        }
    }
}
