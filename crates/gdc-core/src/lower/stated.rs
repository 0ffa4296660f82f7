//! Derivatives that a function states: `derivative(dy) = ...;` is what a cotangent `dy` of its
//! value adds to those of its arguments.
//!
//! Of numbers, a stated derivative is a factor of `dy`, and the operator `stated(v, x, k)` is
//! worth `v` with the derivative `k` by `x`. Of tensors it is a linear map `dy -> V(dy)`, see
//! [`transpose`](super::transpose).

use super::types::shape_text;
use super::value::{Binding, Tensor, Value};
use super::{Lowered, Lowerer};
use crate::build::Build;
use crate::codes;
use gdc_ir::{ExprId, Node, NodeId, NodeKind, Op, Ty};
use gdc_syntax::{Diagnostic, Span, ast};
use std::collections::HashMap;

/// An argument of a function that states its derivative.
struct Argument {
    name: String,
    value: Tensor,
    span: Span,
}

impl Lowerer<'_> {
    /// A function's value with the derivative that it states. What is stated is an expression
    /// like any other, and can be differentiated again.
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
        let arguments = self.differentiable(f)?;
        let real = self.real(&value, f.body.span)?;
        let value = Tensor { expr: real, ..value };
        let numbers = value.axes.is_empty() && arguments.iter().all(|a| a.value.axes.is_empty());
        let expr = if numbers {
            self.stated_of_numbers(value.expr, &arguments, dy, derivative)?
        } else {
            self.stated_of_tensors(&value, &arguments, dy, derivative)?
        };
        Ok(Value::Tensor(Tensor { expr, range: None, ..value }))
    }

    /// The arguments that can have a derivative: numbers and tensors, but no integers that state
    /// their range, sizes, truth values or functions.
    fn differentiable(&mut self, f: &ast::Function) -> Lowered<Vec<Argument>> {
        let mut arguments = Vec::new();
        for param in &f.params {
            let real = match &param.kind {
                None => true,
                Some(ast::ParamKind::Type(ty)) => !matches!(ty.kind, ast::TypeKind::Tensor { range: Some(_), .. }),
                Some(_) => false,
            };
            let ast::Pattern::Name(name) = &param.pattern else { continue };
            if let (true, Some(Binding { value: Value::Tensor(t), .. })) = (real, self.lookup(&name.text).cloned()) {
                let expr = self.real(&t, param.span)?;
                let value = Tensor { expr, ..t };
                arguments.push(Argument { name: name.text.clone(), value, span: param.span });
            }
        }
        Ok(arguments)
    }

    /// What is stated, for a cotangent: one value for each argument.
    fn stated_items(
        &mut self,
        dy: &ast::Name,
        cotangent: Tensor,
        derivative: &ast::Expr,
        arguments: usize,
    ) -> Lowered<Vec<Value>> {
        let stated = self.in_block(|this| {
            this.bind(dy, Value::Tensor(cotangent));
            this.expr(derivative)
        })?;
        let items = match stated {
            Value::Tuple(items) => items,
            one => vec![one],
        };
        if items.len() > arguments {
            let message = format!("{} derivatives are stated for {arguments} arguments", items.len());
            return Err(self.error(codes::RANK, derivative.span, message));
        }
        Ok(items)
    }

    /// `stated(detach(v), a, k)` for each argument, with the factors `k` of the cotangent.
    fn stated_of_numbers(
        &mut self,
        value: ExprId,
        arguments: &[Argument],
        dy: &ast::Name,
        derivative: &ast::Expr,
    ) -> Lowered<ExprId> {
        // A number of its own stands for the cotangent, so that no rule sees through it.
        let node = self.stand_in(&dy.text, NodeKind::Literal(vec![1.0]), Vec::new(), dy.span)?;
        let symbol = self.read_at(node, &[]);
        let items = self.stated_items(dy, Tensor::scalar(symbol), derivative, arguments.len())?;
        let one = self.graph().exprs.real(1.0);
        let mut result = self.graph().exprs.op(Op::Detach, &[value]);
        for (item, argument) in items.into_iter().zip(arguments) {
            let t = self.tensor(item, derivative.span)?;
            let k = self.real(&t, derivative.span)?;
            let mut is_symbol = |e: ExprId| e == symbol;
            if !t.axes.is_empty() || degree(&self.model.graph.exprs, k, &mut is_symbol) != Some(1) {
                return Err(self.no_multiple(dy, derivative));
            }
            let exprs = &mut self.model.graph.exprs;
            let k = crate::build::rewrite(exprs, k, &mut HashMap::new(), &mut |_, e| (e == symbol).then_some(one));
            result = exprs.op(Op::Stated, &[result, argument.value.expr, k]);
        }
        Ok(result)
    }

    /// A value with the derivatives of its arguments hung on, as sums of what is worth 0.
    fn stated_of_tensors(
        &mut self,
        value: &Tensor,
        arguments: &[Argument],
        dy: &ast::Name,
        derivative: &ast::Expr,
    ) -> Lowered<ExprId> {
        let span = derivative.span;
        let mut axes = self.lead(value.expr, &value.axes);
        axes.extend(&value.axes);
        let zero = self.graph().exprs.real(0.0);
        let kind = NodeKind::Compute { axes: axes.clone(), reduce: None, body: zero };
        let cotangent = self.stand_in(&dy.text, kind, axes.clone(), dy.span)?;
        let read = self.read_at(cotangent, &axes);
        let whole = self.refresh(&Tensor { expr: read, ..value.clone() });
        let items = self.stated_items(dy, whole, derivative, arguments.len())?;
        let mut result = self.graph().exprs.op(Op::Detach, &[value.expr]);
        let one = self.graph().exprs.real(1.0);
        for (item, argument) in items.into_iter().zip(arguments) {
            let t = self.tensor(item, span)?;
            let expr = self.real(&t, span)?;
            if t.axes.is_empty() && self.graph().exprs.as_real(expr) == Some(0.0) {
                continue;
            }
            let (have, want) = (self.shape(&t), self.shape(&argument.value));
            if have != want {
                return Err(self.report(
                    Diagnostic::error(
                        codes::SHAPE,
                        span,
                        format!("the derivative by `{}` has its shape", argument.name),
                    )
                    .label(format!("this is {}", shape_text(&have)))
                    .secondary(argument.span, format!("`{}` is {} here", argument.name, shape_text(&want))),
                ));
            }
            let (node, places) = self.node_of(&argument.value, argument.span)?;
            let t = Tensor { expr, ..t };
            let transposed = self.transposed(cotangent, &t, (node, &places), &argument.value.axes, span)?;
            match transposed {
                Ok(Some(sum)) => {
                    let read = self.read_at(sum, &axes);
                    result = self.graph().exprs.op(Op::Stated, &[result, read, one]);
                }
                Ok(None) => {}
                Err(super::transpose::NotLinear) => return Err(self.no_multiple(dy, derivative)),
            }
        }
        Ok(result)
    }

    /// A node that stands for what is not known yet, and that nothing reads in the end.
    pub(super) fn stand_in(
        &mut self,
        name: &str,
        kind: NodeKind,
        axes: Vec<gdc_ir::Var>,
        span: Span,
    ) -> Lowered<NodeId> {
        let exprs = &self.model.graph.exprs;
        let shape = axes.iter().map(|&v| exprs.extent(v)).collect();
        let per_sample = axes.first().is_some_and(|&v| exprs.var(v).batch);
        let name = self.path_to(name);
        self.add_node(Node { name, kind, shape, ty: Ty::Real, range: None, per_sample, origin: None }, span)
    }

    fn no_multiple(&mut self, dy: &ast::Name, derivative: &ast::Expr) -> gdc_syntax::Reported {
        self.report(
            Diagnostic::error(codes::KIND, derivative.span, "a stated derivative is a multiple of its cotangent")
                .note(format!(
                    "`{0}` is what comes from outside; by the chain rule it is a factor of each term",
                    dy.text
                ))
                .help(format!("for example `derivative({0}) = {0} * 2 * z;`", dy.text)),
        )
    }
}

/// The power in which an expression holds symbols as factors: 0 where it does not hold them, none
/// where it holds them otherwise. A constant 0 has any power.
pub(super) fn degree(exprs: &gdc_ir::Exprs, e: ExprId, symbol: &mut impl FnMut(ExprId) -> bool) -> Option<u32> {
    use gdc_ir::Expr;
    if exprs.as_real(e) == Some(0.0) || symbol(e) {
        return Some(1);
    }
    let mut holds = false;
    exprs.walk(e, &mut |part| holds |= symbol(part));
    if !holds {
        return Some(0);
    }
    let Expr::Op(op, args) = exprs.get(e) else { return None };
    let mut of = |i: usize| degree(exprs, args[i], symbol);
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
