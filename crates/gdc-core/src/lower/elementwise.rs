//! Operators on tensors: scalar functions mapped over axes aligned from the right.

use super::types::shape_text;
use super::value::Tensor;
use super::{Lowered, Lowerer};
use crate::build::{Build, substitute};
use crate::codes;
use gdc_ir::ranges::int_interval;
use gdc_ir::{ExprId, Op, Ty, Var};
use gdc_syntax::{Diagnostic, Span, ast};
use std::collections::HashMap;

impl Lowerer<'_> {
    /// The arguments over common axes: those of the one with the most, to which the axes of
    /// the others are aligned from the right.
    pub(super) fn align(&mut self, args: &[(Tensor, Span)]) -> Lowered<(Vec<Var>, Vec<ExprId>)> {
        let longest = args.iter().max_by_key(|(t, _)| t.axes.len());
        let Some((longest, longest_span)) = longest.cloned() else {
            return Ok((Vec::new(), Vec::new()));
        };
        let mut exprs = Vec::with_capacity(args.len());
        for (tensor, span) in args {
            let skip = longest.axes.len() - tensor.axes.len();
            let (theirs, ours) = (self.shape(tensor), self.shape(&longest));
            if theirs != ours[skip..] {
                return Err(self.shapes_differ(&theirs, *span, &ours, longest_span));
            }
            let mut map = HashMap::new();
            for (&from, &to) in tensor.axes.iter().zip(&longest.axes[skip..]) {
                if from != to {
                    map.insert(from, self.graph().exprs.index(to));
                    self.same_lanes(from, to);
                }
            }
            exprs.push(substitute(&mut self.graph().exprs, tensor.expr, &map));
        }
        Ok((longest.axes, exprs))
    }

    fn shapes_differ(&mut self, a: &[usize], a_span: Span, b: &[usize], b_span: Span) -> gdc_syntax::Reported {
        let mut diagnostic = Diagnostic::error(
            codes::SHAPE,
            a_span,
            format!("the shapes {} and {} do not go together", shape_text(a), shape_text(b)),
        )
        .label(format!("this is {}", shape_text(a)))
        .secondary(b_span, format!("this is {}", shape_text(b)))
        .note("axes are aligned from the right and must be equal; a size of 1 is not stretched");
        if b.len() == 1 && a.len() == 1 && (a[0] == 1 || b[0] == 1) {
            diagnostic = diagnostic.help("read the single element with `[0]` to get a number");
        }
        self.report(diagnostic)
    }

    /// Aligned elements as real numbers.
    fn as_reals(&mut self, exprs: &mut [ExprId], args: &[(Tensor, Span)]) -> Lowered<()> {
        for (e, (tensor, span)) in exprs.iter_mut().zip(args) {
            let t = Tensor { expr: *e, ..tensor.clone() };
            *e = self.real(&t, *span)?;
        }
        Ok(())
    }

    /// One operator, mapped.
    pub(super) fn apply(&mut self, op: Op, args: &[(Tensor, Span)]) -> Lowered<Tensor> {
        let (axes, mut exprs) = self.align(args)?;
        let all_int = exprs.iter().all(|&e| self.model.graph.exprs.ty(e) == Ty::Int);
        let needs_real = matches!(op.facts().signature, gdc_ir::ops::Signature::Real) || !all_int;
        if needs_real {
            self.as_reals(&mut exprs, args)?;
        }
        let expr = self.graph().exprs.op(op, &exprs);
        self.finite(op, &exprs, expr, args)?;
        self.exact(expr, args)?;
        Ok(Tensor { axes, expr, range: None })
    }

    /// Refuses a division by the constant 0, and finite constants of which an operator makes what
    /// is no number or too large for one.
    fn finite(&mut self, op: Op, exprs: &[ExprId], result: ExprId, args: &[(Tensor, Span)]) -> Lowered<()> {
        let constant = |e: &ExprId| self.model.graph.exprs.as_real(*e);
        if let (Op::Div, Some(0.0), Some((_, span))) = (op, exprs.get(1).and_then(constant), args.get(1)) {
            let d = Diagnostic::error(codes::NUMBER, *span, "this divides by 0").label("always 0");
            return Err(self.report(d.help("an infinite number is written `inf`")));
        }
        let values: Option<Vec<f64>> = exprs.iter().map(constant).collect();
        let (Some(values), Some(result), Some((_, span))) = (values, constant(&result), args.first()) else {
            return Ok(());
        };
        if result.is_finite() || !values.iter().all(|v| v.is_finite()) {
            return Ok(());
        }
        let values: Vec<String> = values.iter().map(|v| v.to_string()).collect();
        let what = match op.facts().notation {
            gdc_ir::ops::Notation::Infix(sign, _) => values.join(&format!(" {sign} ")),
            _ => format!("{}({})", op.facts().name, values.join(", ")),
        };
        let result = if result.is_nan() { "is no number".to_owned() } else { format!("is {result}") };
        let d = Diagnostic::error(codes::NUMBER, *span, format!("the constant `{what}` {result}"));
        Err(self.report(d.note("what follows from it would not be finite either")))
    }

    /// Refuses integers that can be too large to be exact. The number of updates is one that no
    /// training reaches.
    fn exact(&mut self, result: ExprId, args: &[(Tensor, Span)]) -> Lowered<()> {
        let graph = &self.model.graph;
        if graph.exprs.ty(result) != Ty::Int || graph.exprs.as_var(result).is_some() {
            return Ok(());
        }
        let counts = graph.exprs.read_nodes(result).iter().any(|&n| graph.is_step_scalar(n));
        let exact = -(1i64 << 53)..=1 << 53;
        let inside =
            int_interval(graph, result).is_none_or(|(low, high)| exact.contains(&low) && exact.contains(&high));
        let Some((_, span)) = args.first().filter(|_| !inside && !counts) else { return Ok(()) };
        let d = Diagnostic::error(codes::NUMBER, *span, "what becomes of this integer can be too large");
        Err(self.report(
            d.note("integers are exact up to 2^53").help("for real numbers, write one of them with a point: `2.0`"),
        ))
    }

    /// `a op b` as written.
    pub(super) fn binary(
        &mut self,
        op: ast::BinaryOp,
        a: (Tensor, Span),
        b: (Tensor, Span),
        span: Span,
    ) -> Lowered<Tensor> {
        use ast::BinaryOp as B;
        match op {
            B::Add => self.apply(Op::Add, &[a, b]),
            B::Sub => self.apply(Op::Sub, &[a, b]),
            B::Mul => self.apply(Op::Mul, &[a, b]),
            B::Div => self.quotient(a, b),
            B::Rem => self.integers(Op::IntMod, a, b, span),
            B::Pow => self.power(a, b),
            B::MatMul => self.matmul(a, b, span),
            B::Eq | B::Ne | B::Lt | B::Le => self.compare(op, a, b),
            B::Gt => self.compare(B::Lt, b, a),
            B::Ge => self.compare(B::Le, b, a),
            B::And | B::Or => {
                for (t, s) in [&a, &b] {
                    if self.ty(t) != Ty::Bool {
                        return Err(self.error(
                            codes::TYPE,
                            *s,
                            "`&&` and `||` join truth values, such as comparisons",
                        ));
                    }
                }
                let (axes, exprs) = self.align(&[a, b])?;
                let op = if op == B::And { Op::And } else { Op::Or };
                Ok(Tensor { axes, expr: self.graph().exprs.op(op, &exprs), range: None })
            }
        }
    }

    /// Two integers known at compile time, where both are.
    fn two_ints(&self, a: &Tensor, b: &Tensor) -> Option<(i64, i64)> {
        let exprs = &self.model.graph.exprs;
        Some((exprs.as_int(a.expr)?, exprs.as_int(b.expr)?))
    }

    /// Division: of sizes it stays an integer where it is exact, else it is real.
    fn quotient(&mut self, a: (Tensor, Span), b: (Tensor, Span)) -> Lowered<Tensor> {
        if let Some((x, y)) = self.two_ints(&a.0, &b.0)
            && y != 0
            && x % y == 0
        {
            return Ok(Tensor::scalar(self.graph().exprs.int(x / y)));
        }
        self.apply(Op::Div, &[a, b])
    }

    fn power(&mut self, a: (Tensor, Span), b: (Tensor, Span)) -> Lowered<Tensor> {
        if let Some((x, y)) = self.two_ints(&a.0, &b.0)
            && let Some(power) = u32::try_from(y).ok().and_then(|y| x.checked_pow(y))
        {
            return Ok(Tensor::scalar(self.graph().exprs.int(power)));
        }
        self.apply(Op::Pow, &[a, b])
    }

    /// `div` and `%`.
    pub(super) fn integers(&mut self, op: Op, a: (Tensor, Span), b: (Tensor, Span), span: Span) -> Lowered<Tensor> {
        for (t, s) in [&a, &b] {
            if self.ty(t) != Ty::Int {
                return Err(self.report(
                    Diagnostic::error(codes::TYPE, *s, "`div` and `%` take integers, and this is a real number")
                        .help("for real numbers write `a / b`, or `floor(a / b)`"),
                ));
            }
        }
        if let Some((x, y)) = self.two_ints(&a.0, &b.0) {
            if y <= 0 {
                return Err(self.error(
                    codes::NUMBER,
                    span,
                    format!("cannot divide by {y}: the divisor must be positive"),
                ));
            }
            let value = if op == Op::IntDiv { x.div_euclid(y) } else { x.rem_euclid(y) };
            return Ok(Tensor::scalar(self.graph().exprs.int(value)));
        }
        if self.model.graph.exprs.as_int(b.0.expr).is_none_or(|d| d <= 0) {
            return Err(self.error(
                codes::NOT_CONSTANT,
                b.1,
                "the divisor must be a positive integer known at compile time",
            ));
        }
        let (axes, exprs) = self.align(&[a, b])?;
        Ok(Tensor { axes, expr: self.graph().exprs.op(op, &exprs), range: None })
    }

    fn compare(&mut self, op: ast::BinaryOp, a: (Tensor, Span), b: (Tensor, Span)) -> Lowered<Tensor> {
        let op = match op {
            ast::BinaryOp::Eq => Op::Eq,
            ast::BinaryOp::Ne => Op::Ne,
            ast::BinaryOp::Lt => Op::Lt,
            _ => Op::Le,
        };
        let both_bool = self.ty(&a.0) == Ty::Bool && self.ty(&b.0) == Ty::Bool;
        let both_int = self.ty(&a.0) == Ty::Int && self.ty(&b.0) == Ty::Int;
        let args = [a, b];
        let (axes, mut exprs) = self.align(&args)?;
        if !both_bool && !both_int {
            self.as_reals(&mut exprs, &args)?;
        }
        Ok(Tensor { axes, expr: self.graph().exprs.op(op, &exprs), range: None })
    }

    /// `if c { a } else { b }` with a condition known only at run time.
    pub(super) fn choose(&mut self, c: (Tensor, Span), a: (Tensor, Span), b: (Tensor, Span)) -> Lowered<Tensor> {
        if self.ty(&c.0) != Ty::Bool {
            return Err(self.report(
                Diagnostic::error(codes::TYPE, c.1, "the condition of `if` must be true or false")
                    .label("this is a number")
                    .help("compare it, as in `x > 0`"),
            ));
        }
        let same = self.ty(&a.0) == self.ty(&b.0);
        let range = match (a.0.range, b.0.range) {
            (Some((l, h)), Some((m, k))) => Some((l.min(m), h.max(k))),
            _ => None,
        };
        let args = [c, a, b];
        let (axes, mut exprs) = self.align(&args)?;
        if !same {
            self.as_reals(&mut exprs[1..], &args[1..])?;
        }
        Ok(Tensor { axes, expr: self.graph().exprs.op(Op::Select, &exprs), range })
    }
}
