//! Reductions, bracketed (`sum[i](...)`) and over whole tensors (`sum(x)`), and `@`.

use super::types::shape_text;
use super::value::{Bound, Tensor, Value};
use super::{Lowered, Lowerer};
use crate::build::{Build, substitute};
use crate::codes;
use gdc_ir::{ExprId, Op, Red, Reduce, Ty, Var};
use gdc_syntax::{Diagnostic, Span, ast};
use std::collections::HashMap;

/// The reduction of a word; `true` where the sum is divided by the number of terms.
pub fn reduction(op: ast::ReduceOp) -> (Red, bool) {
    use ast::ReduceOp as R;
    match op {
        R::Sum => (Red::Sum, false),
        R::Mean => (Red::Sum, true),
        R::Prod => (Red::Prod, false),
        R::Max => (Red::Max, false),
        R::Min => (Red::Min, false),
        R::Argmax => (Red::Argmax, false),
        R::Argmin => (Red::Argmin, false),
        R::Any => (Red::Any, false),
        R::All => (Red::All, false),
        R::Lse => (Red::Lse, false),
    }
}

impl Lowerer<'_> {
    /// Reduces an element over `over`; what remains of the tensor's axes stays visible.
    pub(super) fn reduce(&mut self, op: Red, mean: bool, over: Vec<Var>, body: Tensor, span: Span) -> Lowered<Tensor> {
        let count: usize = over.iter().map(|&v| self.model.graph.exprs.extent(v)).product();
        let expr = match (op.operand(), self.ty(&body)) {
            (Ty::Bool, Ty::Bool) => body.expr,
            (Ty::Bool, _) => return Err(self.error(codes::TYPE, span, format!("`{}` takes truth values", op.name()))),
            _ => self.real(&body, span)?,
        };
        if over.is_empty() {
            return Ok(Tensor { expr, ..body });
        }
        let (expr, count) = self.without_missing(op, mean, &over, expr, count);
        let mut axes: Vec<Var> = self.lead(expr, &body.axes).into_iter().filter(|v| !over.contains(v)).collect();
        axes.extend(body.axes.iter().filter(|v| !over.contains(v)));
        let range = (op.result() == Ty::Int).then_some((0, count as i64));
        let node = self.compute(axes.clone(), Some(Reduce { op, over: over.clone() }), expr, range, span)?;
        let mut expr = self.read_at(node, &axes);
        if mean {
            let n = self.graph().exprs.real(count as f64);
            expr = self.graph().exprs.div(expr, n);
        }
        let axes = body.axes.into_iter().filter(|v| !over.contains(v)).collect();
        Ok(Tensor { axes, expr, range })
    }

    /// Over the samples of a batch, those that a partial one lacks count for nothing: the
    /// element, and the number by which a mean is still divided.
    fn without_missing(&mut self, op: Red, mean: bool, over: &[Var], e: ExprId, count: usize) -> (ExprId, usize) {
        let weights = self.sample_weights(over);
        if weights.is_empty() {
            return (e, count);
        }
        let samples: usize =
            over.iter().filter(|v| self.lanes.contains(v)).map(|&v| self.model.graph.exprs.extent(v)).product();
        let exprs = &mut self.model.graph.exprs;
        if mean {
            // A weight is 1/n for the n samples that there are.
            return (weights.into_iter().fold(e, |e, w| exprs.mul(w, e)), count / samples);
        }
        let unit = match op {
            Red::Sum => exprs.real(0.0),
            Red::Prod => exprs.real(1.0),
            Red::Min | Red::Argmin => exprs.real(f64::INFINITY),
            Red::Max | Red::Argmax | Red::Lse => exprs.real(f64::NEG_INFINITY),
            Red::Any | Red::All => exprs.bool(op == Red::All),
        };
        let zero = exprs.real(0.0);
        let given = weights.into_iter().fold(exprs.bool(true), |all, w| {
            let one = exprs.op(Op::Lt, &[zero, w]);
            exprs.and(all, one)
        });
        (exprs.select(given, e, unit), count)
    }

    /// `sum(x)`: over every axis that the language sees, or `sum(x, axis = 1)`: over these.
    pub(super) fn reduce_whole(
        &mut self,
        op: Red,
        mean: bool,
        x: Tensor,
        axis: Option<&Bound>,
        span: Span,
    ) -> Lowered<Tensor> {
        let x = self.refresh(&x);
        let over = match axis {
            Some(axis) => self.chosen_axes(&x, axis)?,
            None => x.axes.clone(),
        };
        self.reduce(op, mean, over, x, span)
    }

    /// `axis = 1`, `axis = (0, 2)`
    fn chosen_axes(&mut self, x: &Tensor, axis: &Bound) -> Lowered<Vec<Var>> {
        let items = match &axis.value {
            Value::Tuple(items) => items.clone(),
            one => vec![one.clone()],
        };
        let mut over = Vec::new();
        for item in items {
            let i = self.static_int(&item, axis.span, "an axis")?;
            let var = usize::try_from(i).ok().and_then(|i| x.axes.get(i).copied());
            let Some(var) = var else {
                let shape = shape_text(&self.shape(x));
                let last = x.axes.len().saturating_sub(1);
                let mut d = Diagnostic::error(codes::RANK, axis.span, format!("{shape} has no axis {i}"))
                    .note("axes count from 0, and the batch is not among them");
                if i < 0 && last as i64 + 1 + i >= 0 {
                    d = d.help(format!("axes are not counted from the end: write {}", last as i64 + 1 + i));
                }
                return Err(self.report(d));
            };
            if over.contains(&var) {
                return Err(self.error(codes::RANK, axis.span, format!("axis {i} is named twice")));
            }
            over.push(var);
        }
        Ok(over)
    }

    /// `a @ b`: the last axis of `a` against the first of the last two (or only one) of `b`.
    pub(super) fn matmul(&mut self, a: (Tensor, Span), b: (Tensor, Span), span: Span) -> Lowered<Tensor> {
        let (a, a_span) = (self.materialise(a.0, a.1)?, a.1);
        let (b, b_span) = (self.materialise(b.0, b.1)?, b.1);
        let (a, b) = (self.refresh(&a), self.refresh(&b));
        let (Some(&k), 1..=2) = (a.axes.last(), b.axes.len()) else {
            return Err(self.report(
                Diagnostic::error(codes::RANK, span, "`@` multiplies [.., k] by [k, n] or [k]")
                    .secondary(a_span, format!("this is {}", shape_text(&self.shape(&a))))
                    .secondary(b_span, format!("this is {}", shape_text(&self.shape(&b)))),
            ));
        };
        let (left, right) = (self.shape(&a), self.shape(&b));
        if left.last() != right.first() {
            let mut d = Diagnostic::error(
                codes::SHAPE,
                span,
                format!("cannot multiply {} by {}", shape_text(&left), shape_text(&right)),
            )
            .secondary(a_span, format!("last axis is {}", left[left.len() - 1]))
            .secondary(b_span, format!("first axis is {}", right[0]))
            .note("`@` sums over the last axis of the left side and the first axis of the right side");
            if right.len() == 2 && right[1] == left[left.len() - 1] {
                d = d.help("the right side seems transposed: weights are stored as [inputs, outputs]");
            }
            return Err(self.report(d));
        }
        self.same_lanes(b.axes[0], k);
        let k_index = self.graph().exprs.index(k);
        let map = HashMap::from([(b.axes[0], k_index)]);
        let b_expr = substitute(&mut self.graph().exprs, b.expr, &map);
        let a_expr = self.real(&a, a_span)?;
        let b_real = self.real(&Tensor { expr: b_expr, ..b.clone() }, b_span)?;
        let product: ExprId = self.graph().exprs.op(Op::Mul, &[a_expr, b_real]);
        let mut axes = a.axes.clone();
        axes.extend(&b.axes[1..]);
        self.reduce(Red::Sum, false, vec![k], Tensor { axes, expr: product, range: None }, span)
    }
}
