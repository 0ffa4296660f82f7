//! Sizes and types: evaluating them, matching arguments against them, and saying what differs.

use super::value::{Tensor, Value};
use super::{Lowered, Lowerer};
use crate::codes;
use gdc_ir::{Expr, ExprId, Op, Ty};
use gdc_syntax::{Diagnostic, Span, ast};

/// `[28, 28, 1]`
pub fn shape_text(shape: &[usize]) -> String {
    let parts: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("[{}]", parts.join(", "))
}

/// `1 axis`, `2 axes`
pub fn axes_text(rank: usize) -> String {
    if rank == 1 { "1 axis".to_owned() } else { format!("{rank} axes") }
}

impl Lowerer<'_> {
    /// An integer known at compile time.
    pub(super) fn static_int(&mut self, value: &Value, span: Span, what: &str) -> Lowered<i64> {
        let Value::Tensor(t) = value else {
            return match value {
                Value::Poison => Err(gdc_syntax::Reported),
                other => {
                    Err(self.error(codes::KIND, span, format!("{what} must be an integer, not {}", other.describe())))
                }
            };
        };
        if let Some(i) = self.model.graph.exprs.as_int(t.expr) {
            return Ok(i);
        }
        if let Some(r) = self.model.graph.exprs.as_real(t.expr) {
            return Err(self.report(
                Diagnostic::error(codes::NOT_EXACT, span, format!("{what} must be a whole number, but this is {r}"))
                    .label(format!("{r}"))
                    .help("`/` must divide exactly in sizes; `div(a, b)` rounds down"),
            ));
        }
        Err(self.report(
            Diagnostic::error(codes::NOT_CONSTANT, span, format!("{what} must be known when the model is compiled"))
                .label("depends on values that exist only when the model runs"),
        ))
    }

    /// A truth value known at compile time.
    pub(super) fn static_bool(&self, expr: ExprId) -> Option<bool> {
        match self.model.graph.exprs.get(expr) {
            Expr::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// A size of an axis: at least 1.
    pub(super) fn size(&mut self, expr: &ast::Expr) -> Lowered<usize> {
        let value = self.expr(expr)?;
        let size = self.static_int(&value, expr.span, "a size")?;
        match usize::try_from(size) {
            Ok(n) if (1..=super::MAX_ELEMENTS).contains(&n) => Ok(n),
            _ => Err(self.report(
                Diagnostic::error(codes::SIZE, expr.span, format!("an axis cannot have size {size}"))
                    .help("a size is 1 or more; the batch is no axis, and one number has the shape `[]`")
                    .label(format!("this is {size}"))
                    .note(format!("a size lies between 1 and {}", super::MAX_ELEMENTS)),
            )),
        }
    }

    /// The shape that a declaration states.
    pub(super) fn stated_shape(&mut self, dims: &[ast::Dim]) -> Lowered<Vec<usize>> {
        let mut shape = Vec::new();
        for dim in dims {
            match dim {
                ast::Dim::Size(e) => shape.push(self.size(e)?),
                ast::Dim::Rest(span) => {
                    return Err(self.error(
                        codes::RANK,
                        *span,
                        "`...` stands for axes of an argument; here every size must be stated",
                    ));
                }
            }
        }
        Ok(shape)
    }

    /// `a..b` of integers, as `low..high`.
    pub(super) fn stated_range(&mut self, range: &ast::Expr) -> Lowered<(i64, i64)> {
        let ast::ExprKind::Range { start, end, inclusive } = &range.kind else {
            return Err(self.report(
                Diagnostic::error(codes::INTEGER_RANGE, range.span, "a range of integers is written `0..n`")
                    .help("for example `target label: in 0..10;` or `for i in 0..4 { ... }`"),
            ));
        };
        let low = match start {
            Some(e) => {
                let v = self.expr(e)?;
                self.static_int(&v, e.span, "a bound")?
            }
            None => 0,
        };
        let Some(end) = end else {
            return Err(self.error(codes::INTEGER_RANGE, range.span, "this range has no upper bound"));
        };
        let value = self.expr(end)?;
        let high = self.static_int(&value, end.span, "a bound")? + i64::from(*inclusive);
        if high <= low || high - low > i64::from(u32::MAX) {
            return Err(self.error(
                codes::INTEGER_RANGE,
                range.span,
                format!("the range {low}..{high} holds no usable values"),
            ));
        }
        Ok((low, high))
    }

    /// The element as a real number.
    pub(super) fn real(&mut self, tensor: &Tensor, span: Span) -> Lowered<ExprId> {
        use crate::build::Build;
        match self.ty(tensor) {
            Ty::Real => Ok(tensor.expr),
            Ty::Int => Ok(self.model.graph.exprs.op(Op::ToReal, &[tensor.expr])),
            Ty::Bool => Err(self.report(
                Diagnostic::error(codes::TYPE, span, "a truth value stands where a number is wanted")
                    .label("this is true or false")
                    .help("write `if c { 1 } else { 0 }`"),
            )),
        }
    }

    /// A tensor value.
    pub(super) fn tensor(&mut self, value: Value, span: Span) -> Lowered<Tensor> {
        match value {
            Value::Tensor(t) => Ok(t),
            Value::Poison => Err(gdc_syntax::Reported),
            Value::Record(r) => {
                let value = self.only_output(&r, span)?;
                self.tensor(value, span)
            }
            Value::Func(f) => {
                let help = format!("call it: `{}(...)`", f.name);
                let message = format!("`{}` is {}, but a number or tensor is wanted", f.name, f.callee.describe());
                Err(self.report(Diagnostic::error(codes::KIND, span, message).help(help)))
            }
            other => Err(self.error(
                codes::KIND,
                span,
                format!("this is {}, but a number or tensor is wanted", other.describe()),
            )),
        }
    }
}
