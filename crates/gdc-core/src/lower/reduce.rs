//! Reductions, bracketed (`sum[i](...)`) and over whole tensors (`sum(x)`), and `@`.

use super::types::shape_text;
use super::value::Tensor;
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

    /// `sum(x)`: over every axis that the language sees.
    pub(super) fn reduce_whole(&mut self, op: Red, mean: bool, x: Tensor, span: Span) -> Lowered<Tensor> {
        let x = self.refresh(&x);
        let over = x.axes.clone();
        self.reduce(op, mean, over, x, span)
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
