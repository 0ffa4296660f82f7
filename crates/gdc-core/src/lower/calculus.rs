//! Derivatives as values: `grad(e, x)`, `leaf(e)`, and derivatives that a function states.

use super::value::{Binding, Bound, Tensor, Value};
use super::{Lowered, Lowerer};
use crate::build::Build;
use crate::codes;
use crate::differentiate::gradient;
use gdc_ir::{ExprId, Op, Red};
use gdc_syntax::{Diagnostic, Span, ast};

impl Lowerer<'_> {
    /// `grad(e, x)`: the derivative of a number, summed over the samples and whatever else it
    /// varies over, by an input, a parameter, a leaf or a named tensor.
    pub(super) fn grad(&mut self, args: &[Bound], span: Span) -> Lowered<Tensor> {
        let [of, by] = args else { return Err(gdc_syntax::Reported) };
        let e = self.tensor(of.value.clone(), of.span)?;
        if !e.axes.is_empty() {
            let shape = super::types::shape_text(&self.shape(&e));
            return Err(self.report(
                Diagnostic::error(codes::RANK, of.span, format!("`grad` differentiates a number, and this is {shape}"))
                    .help("take its `sum(...)` first"),
            ));
        }
        let x = self.tensor(by.value.clone(), by.span)?;
        let mut axes = self.lead(x.expr, &x.axes);
        axes.extend(&x.axes);
        let Some(node) = self.as_whole_node(x.expr, &axes) else {
            return Err(self.report(
                Diagnostic::error(codes::KIND, by.span, "`grad` differentiates by a tensor that has a name")
                    .help("by an input, a parameter, a `let`, or `leaf(e)`; for a part of one, differentiate by the whole and read the part"),
            ));
        };
        let over = self.lead(e.expr, &[]);
        let total = self.reduce(Red::Sum, false, over, e, of.span)?;
        let total = match self.as_whole_node(total.expr, &[]) {
            Some(node) => node,
            None => self.compute(Vec::new(), None, total.expr, None, span)?,
        };
        let found = gradient(self.graph(), total, &[node]).into_iter().flatten().next();
        let expr = match found {
            Some(g) => self.read_at(g, &axes),
            None => self.graph().exprs.real(0.0),
        };
        Ok(Tensor { axes: x.axes, expr, range: None })
    }

    /// `leaf(e)`: the same value as something to differentiate by, apart from all equal ones.
    pub(super) fn leaf(&mut self, arg: &Bound) -> Lowered<Tensor> {
        let t = self.tensor(arg.value.clone(), arg.span)?;
        let real = self.real(&t, arg.span)?;
        let t = self.refresh(&Tensor { expr: real, ..t });
        let mut axes = self.lead(t.expr, &t.axes);
        axes.extend(&t.axes);
        let node = self.compute(axes.clone(), None, t.expr, None, arg.span)?;
        Ok(Tensor { expr: self.read_at(node, &axes), ..t })
    }

    /// A function's value with the derivative that it states.
    ///
    /// For scalar arguments `a` and stated factors `k = d/dy` it is
    /// `detach(f) + sum of detach(k) * (a - detach(a))`, which is worth `f` and has
    /// derivative `k`; the differences vanish when `detach` is taken off at the end.
    pub(super) fn stated(
        &mut self,
        f: &ast::Function,
        value: Value,
        names: &[ast::Name],
        derivative: &ast::Expr,
    ) -> Lowered<Value> {
        let value = self.tensor(value, f.body.span)?;
        let [dy] = names else {
            return Err(self.error(
                codes::KIND,
                derivative.span,
                "a stated derivative has one cotangent: `derivative(dy) = ...;`",
            ));
        };
        let mut inputs: Vec<ExprId> = Vec::new();
        for param in &f.params {
            if param.kind.is_some() {
                return Err(self.unsupported(param.span, "a stated derivative of a function of tensors"));
            }
            if let Some(Binding { value: Value::Tensor(t), .. }) =
                param.pattern.names().first().and_then(|n| self.lookup(&n.text)).cloned()
            {
                inputs.push(self.real(&t, param.span)?);
            }
        }
        let one = self.graph().exprs.real(1.0);
        let stated = self.in_block(|this| {
            this.bind(dy, Value::Tensor(Tensor::scalar(one)));
            this.expr(derivative)
        })?;
        let factors = match stated {
            Value::Tuple(items) => items,
            one => vec![one],
        };
        if factors.len() > inputs.len() {
            return Err(self.error(
                codes::RANK,
                derivative.span,
                format!("{} derivatives are stated for {} arguments", factors.len(), inputs.len()),
            ));
        }
        let real = self.real(&value, f.body.span)?;
        let exprs = &mut self.model.graph.exprs;
        let mut result = exprs.op(Op::Detach, &[real]);
        for (factor, input) in factors.into_iter().zip(inputs) {
            let k = self.tensor(factor, derivative.span)?;
            let k = self.real(&k, derivative.span)?;
            let exprs = &mut self.model.graph.exprs;
            let (k, still) = (exprs.op(Op::Detach, &[k]), exprs.op(Op::Detach, &[input]));
            let difference = exprs.sub(input, still);
            let term = exprs.mul(k, difference);
            result = exprs.add(result, term);
        }
        Ok(Value::Tensor(Tensor { expr: result, ..value }))
    }
}
