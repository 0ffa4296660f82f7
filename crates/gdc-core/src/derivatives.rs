//! The derivative table: one row per scalar operator.
//!
//! A row gives the partial derivative by each argument, with `y` for the operator's own
//! value, so that outputs are reused. `None` says that it is zero everywhere it exists.

use crate::build::Build;
use gdc_ir::{ExprId, Exprs, Op};

/// `dy/da` for each argument `a` of `y = op(args)`.
pub fn partials(x: &mut Exprs, op: Op, y: ExprId, args: &[ExprId]) -> Vec<Option<ExprId>> {
    let a = args[0];
    let b = args.get(1).copied().unwrap_or(a);
    let one = x.real(1.0);
    match op {
        Op::Add => vec![Some(one), Some(one)],
        Op::Sub => vec![Some(one), Some(x.real(-1.0))],
        Op::Neg => vec![Some(x.real(-1.0))],
        Op::Mul => vec![Some(b), Some(a)],
        // (1/b, -y/b)
        Op::Div => {
            let first = x.div(one, b);
            let ratio = x.div(y, b);
            vec![Some(first), Some(x.neg(ratio))]
        }
        // (b a^(b-1), y log a)
        Op::Pow => {
            let less = x.sub(b, one);
            let power = x.op(Op::Pow, &[a, less]);
            let first = x.mul(b, power);
            let second = if x.as_real(b).is_some() {
                None
            } else {
                let log = x.op(Op::Log, &[a]);
                Some(x.mul(y, log))
            };
            vec![Some(first), second]
        }
        // The first of two equals is the one that counts.
        Op::Min => choice(x, Op::Le, a, b),
        Op::Max => choice(x, Op::Le, b, a),
        Op::Abs => vec![Some(x.op(Op::Sign, &[a]))],
        // 1/(2y)
        Op::Sqrt => {
            let half = x.real(0.5);
            vec![Some(x.div(half, y))]
        }
        Op::Exp => vec![Some(y)],
        Op::Expm1 => vec![Some(x.add(y, one))],
        Op::Log => vec![Some(x.div(one, a))],
        Op::Log1p => {
            let shifted = x.add(one, a);
            vec![Some(x.div(one, shifted))]
        }
        Op::Sin => vec![Some(x.op(Op::Cos, &[a]))],
        Op::Cos => {
            let sin = x.op(Op::Sin, &[a]);
            vec![Some(x.neg(sin))]
        }
        // 1 - y^2
        Op::Tanh => {
            let square = x.mul(y, y);
            vec![Some(x.sub(one, square))]
        }
        // y (1 - y)
        Op::Sigmoid => {
            let rest = x.sub(one, y);
            vec![Some(x.mul(y, rest))]
        }
        Op::Softplus => vec![Some(x.op(Op::Sigmoid, &[a]))],
        // 2/sqrt(pi) exp(-a^2)
        Op::Erf => {
            let square = x.mul(a, a);
            let power = x.neg(square);
            let bell = x.op(Op::Exp, &[power]);
            let scale = x.real(std::f64::consts::FRAC_2_SQRT_PI);
            vec![Some(x.mul(scale, bell))]
        }
        Op::Select => {
            let zero = x.real(0.0);
            vec![None, Some(x.select(a, one, zero)), Some(x.select(a, zero, one))]
        }
        Op::Sign | Op::Floor | Op::Ceil | Op::Round | Op::Detach | Op::ToReal | Op::Not => vec![None],
        Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::And | Op::Or | Op::IntDiv | Op::IntMod => vec![None, None],
    }
}

/// The first argument where the comparison holds, else the second.
fn choice(x: &mut Exprs, op: Op, a: ExprId, b: ExprId) -> Vec<Option<ExprId>> {
    let (one, zero) = (x.real(1.0), x.real(0.0));
    let first = x.op(op, &[a, b]);
    vec![Some(x.select(first, one, zero)), Some(x.select(first, zero, one))]
}
