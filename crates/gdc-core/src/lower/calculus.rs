//! Derivatives as values: `grad(e, x)`, `leaf(e)`, and derivatives that a function states.

use super::value::{Binding, Bound, Tensor, Value};
use super::{Lowered, Lowerer};
use crate::build::Build;
use crate::codes;
use crate::differentiate::gradient;
use gdc_ir::{Expr, ExprId, Node, NodeKind, Op, Red, Ty};
use gdc_syntax::{Diagnostic, Span, ast};
use std::collections::HashMap;

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

    /// A function's value with the derivative that it states: worth `f`, with the stated factors
    /// `k` by its arguments. These are expressions like others, and can be differentiated again.
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
                return Err(self.report(
                    Diagnostic::error(codes::KIND, param.span, "a derivative is stated by functions of numbers alone")
                        .help("write it for one element: of a tensor, such a function is one of each element"),
                ));
            }
            if let Some(Binding { value: Value::Tensor(t), .. }) =
                param.pattern.names().first().and_then(|n| self.lookup(&n.text)).cloned()
            {
                inputs.push(self.real(&t, param.span)?);
            }
        }
        let factors = self.stated_factors(dy, derivative)?;
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
        for (k, input) in factors.into_iter().zip(inputs) {
            result = exprs.op(Op::Stated, &[result, input, k]);
        }
        Ok(Value::Tensor(Tensor { expr: result, ..value }))
    }

    /// What is stated, as factors of the cotangent: that, and nothing else, it must be.
    fn stated_factors(&mut self, dy: &ast::Name, derivative: &ast::Expr) -> Lowered<Vec<ExprId>> {
        // A number of its own stands for the cotangent, so that no rule sees through it.
        let node = self.add_node(
            Node {
                name: self.path_to(&dy.text),
                kind: NodeKind::Literal(vec![1.0]),
                shape: Vec::new(),
                ty: Ty::Real,
                range: None,
                per_sample: false,
                origin: None,
            },
            dy.span,
        )?;
        let symbol = self.read_at(node, &[]);
        let stated = self.in_block(|this| {
            this.bind(dy, Value::Tensor(Tensor::scalar(symbol)));
            this.expr(derivative)
        })?;
        let items = match stated {
            Value::Tuple(items) => items,
            one => vec![one],
        };
        let one = self.graph().exprs.real(1.0);
        let mut factors = Vec::new();
        for item in items {
            let t = self.tensor(item, derivative.span)?;
            let k = self.real(&t, derivative.span)?;
            if !t.axes.is_empty() || self.degree(k, symbol) != Some(1) {
                return Err(self.report(
                    Diagnostic::error(
                        codes::KIND,
                        derivative.span,
                        "a stated derivative is a multiple of its cotangent",
                    )
                    .note(format!("`{0}` is what comes from outside; by the chain rule it is a factor", dy.text))
                    .help(format!("for example `derivative({0}) = {0} * 2 * z;`", dy.text)),
                ));
            }
            let exprs = &mut self.model.graph.exprs;
            let replaced =
                crate::build::rewrite(exprs, k, &mut HashMap::new(), &mut |_, e| (e == symbol).then_some(one));
            factors.push(replaced);
        }
        Ok(factors)
    }

    /// The power in which an expression holds a symbol as a factor: 0 where it does not hold it,
    /// none where it holds it otherwise. A constant 0 has any power.
    fn degree(&self, e: ExprId, symbol: ExprId) -> Option<u32> {
        let exprs = &self.model.graph.exprs;
        if e == symbol || exprs.as_real(e) == Some(0.0) {
            return Some(1);
        }
        let mut holds = false;
        exprs.walk(e, &mut |part| holds |= part == symbol);
        if !holds {
            return Some(0);
        }
        let Expr::Op(op, args) = exprs.get(e) else { return None };
        let of = |i: usize| self.degree(args[i], symbol);
        match op {
            Op::Neg => of(0),
            Op::Mul => match (of(0)?, of(1)?) {
                (a, b) if a + b == 1 => Some(1),
                _ => None,
            },
            Op::Div => (of(0) == Some(1) && of(1) == Some(0)).then_some(1),
            Op::Add | Op::Sub => (of(0) == Some(1) && of(1) == Some(1)).then_some(1),
            Op::Select => (of(0) == Some(0) && of(1) == Some(1) && of(2) == Some(1)).then_some(1),
            _ => None,
        }
    }
}
