//! The derivative table: one row per scalar operator.
//!
//! A row gives the partial derivative by each argument, with `y` for the operator's own
//! value, so that outputs are reused. `None` says that it is zero everywhere it exists.

use crate::build::Build;
use gdc_ir::{ExprId, Exprs, Op, Red};

/// A derivative table: for `y = op(args)`, `dy/da` for each argument.
pub type Table<'r> = dyn Fn(&mut Exprs, Op, ExprId, &[ExprId]) -> Vec<Option<ExprId>> + 'r;

/// From the places of a read to those where its cotangent is added.
pub type Places<'r> = dyn Fn(&mut Exprs, Vec<ExprId>) -> Vec<ExprId> + 'r;

/// What differentiation takes as given. Everything else follows from these, so that a test which
/// falsifies one of them tells whether anybody would notice.
pub struct Rules<'r> {
    /// `dy/da` for each argument, see [`partials`].
    pub partials: &'r Table<'r>,
    /// The factor with which a reduction passes its cotangent on to a term.
    pub factor: &'r dyn Fn(&mut Exprs, Red, ExprId) -> ExprId,
    /// The places of a read, where its cotangent is added.
    pub places: &'r Places<'r>,
}

impl Rules<'_> {
    /// The true ones.
    pub const TRUE: Rules<'static> =
        Rules { partials: &partials, factor: &|_, _, factor| factor, places: &|_, places| places };
}

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
        // v as it is, and k by x on top; k itself can be differentiated again.
        Op::Stated => vec![Some(one), Some(args[2]), None],
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

/// The rule of an operator's row as books state it; `None` where [`partials`] gives no
/// derivative at all.
pub fn rule(op: Op) -> Option<&'static str> {
    Some(match op {
        Op::Add | Op::Sub => "sum rule: (u ± v)′ = u′ ± v′",
        Op::Neg => "(−u)′ = −u′",
        Op::Mul => "product rule: (u v)′ = u′ v + u v′",
        Op::Div => "quotient rule: (u/v)′ = u′/v − (u/v) v′/v",
        Op::Pow => "power rule: (uᵃ)′ = a uᵃ⁻¹ u′",
        Op::Min | Op::Max => "min, max: the argument that is taken receives the derivative, of equals the first",
        Op::Abs => "|u|′ = sign(u)",
        Op::Sqrt => "(√u)′ = 1/(2√u)",
        Op::Exp => "exp′(u) = exp(u)",
        Op::Expm1 => "(exp(u) − 1)′ = exp(u)",
        Op::Log => "log′(u) = 1/u",
        Op::Log1p => "log(1 + u)′ = 1/(1 + u)",
        Op::Sin => "sin′(u) = cos(u)",
        Op::Cos => "cos′(u) = −sin(u)",
        Op::Tanh => "tanh′(u) = 1 − tanh(u)²",
        Op::Sigmoid => "σ′(u) = σ(u) (1 − σ(u))",
        Op::Softplus => "log(1 + exp(u))′ = σ(u)",
        Op::Erf => "erf′(u) = 2/√π exp(−u²)",
        Op::Stated => "the derivative that the function states",
        Op::Select => "by cases: each branch receives the derivative where it is taken",
        Op::Sign | Op::Floor | Op::Ceil | Op::Round | Op::Detach | Op::ToReal | Op::Not => return None,
        Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::And | Op::Or | Op::IntDiv | Op::IntMod => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_with_a_derivative_have_a_rule_to_name_it_by() {
        let mut x = Exprs::default();
        for &op in Op::ALL {
            let ty = match op.facts().signature {
                gdc_ir::ops::Signature::Logic | gdc_ir::ops::Signature::Choice => x.bool(true),
                gdc_ir::ops::Signature::Int => x.int(2),
                _ => x.real(2.0),
            };
            let two = x.real(2.0);
            let args: Vec<ExprId> = (0..op.facts().arity).map(|i| if i == 0 { ty } else { two }).collect();
            let y = x.real(3.0);
            let some = partials(&mut x, op, y, &args).iter().any(Option::is_some);
            assert_eq!(rule(op).is_some(), some, "{op:?}");
        }
    }
}
