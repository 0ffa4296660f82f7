//! Lists: `[0.25, 0.5]`, a constant tensor, and `[speed, change]`, values side by side along a
//! new first axis.

use super::types::shape_text;
use super::value::{Tensor, Value};
use super::{Lowered, Lowerer};
use crate::build::{Build, substitute};
use crate::codes;
use gdc_ir::{ExprId, Node, NodeKind, Op, Ty, Var};
use gdc_syntax::{Diagnostic, Span, ast};
use std::collections::HashMap;

/// What a list, or an element of one, is worth.
enum Item {
    /// Constant numbers in row-major order, and their shape.
    Constant(Vec<f64>, Vec<usize>),
    /// What is known only when the model runs.
    Value(Tensor),
}

impl Lowerer<'_> {
    /// `[a, b]`, as one tensor.
    pub(super) fn list(&mut self, items: &[ast::Expr], span: Span) -> Lowered<Value> {
        let name = self.hint.take().unwrap_or_else(|| self.path_to("constant"));
        let item = self.list_item(items, span)?;
        self.item_tensor(item, name, span).map(Value::Tensor)
    }

    /// A list of constants stays one literal, however deeply lists stand in lists.
    fn list_item(&mut self, items: &[ast::Expr], span: Span) -> Lowered<Item> {
        let mut parts = Vec::with_capacity(items.len());
        for e in items {
            let item = match &e.kind {
                ast::ExprKind::List(inner) => self.list_item(inner, e.span)?,
                _ => {
                    let t = self.operand(e)?;
                    match self.constant_number(&t) {
                        Some(number) => Item::Constant(vec![number], Vec::new()),
                        None => Item::Value(t),
                    }
                }
            };
            self.same_shape_as_first(&item, e.span, parts.first())?;
            parts.push((item, e.span));
        }
        if parts.is_empty() {
            return Err(self.error(codes::SIZE, span, "an empty list has no elements"));
        }
        if parts.iter().all(|(item, _)| matches!(item, Item::Constant(..))) {
            let mut numbers = Vec::new();
            let mut shape = vec![parts.len()];
            for (k, (item, _)) in parts.into_iter().enumerate() {
                if let Item::Constant(mut own, inner) = item {
                    numbers.append(&mut own);
                    shape.extend(inner.into_iter().filter(|_| k == 0));
                }
            }
            return Ok(Item::Constant(numbers, shape));
        }
        self.side_by_side(parts).map(Item::Value)
    }

    fn constant_number(&self, t: &Tensor) -> Option<f64> {
        let exprs = &self.model.graph.exprs;
        if !t.axes.is_empty() {
            return None;
        }
        exprs.as_real(t.expr).or_else(|| exprs.as_int(t.expr).map(|i| i as f64))
    }

    fn same_shape_as_first(&mut self, item: &Item, span: Span, first: Option<&(Item, Span)>) -> Lowered<()> {
        let Some((first, first_span)) = first else { return Ok(()) };
        let (have, want) = (self.item_shape(item), self.item_shape(first));
        if have == want {
            return Ok(());
        }
        let text = |shape: &[usize]| match shape {
            [] => "this is one number".to_owned(),
            shape => format!("this is {}", shape_text(shape)),
        };
        Err(self.report(
            Diagnostic::error(codes::SHAPE, span, "the elements of a list must have one shape")
                .label(text(&have))
                .secondary(*first_span, text(&want)),
        ))
    }

    fn item_shape(&self, item: &Item) -> Vec<usize> {
        match item {
            Item::Constant(_, shape) => shape.clone(),
            Item::Value(t) => self.shape(t),
        }
    }

    fn item_tensor(&mut self, item: Item, name: String, span: Span) -> Lowered<Tensor> {
        let (numbers, shape) = match item {
            Item::Value(t) => return Ok(t),
            Item::Constant(numbers, shape) if shape.is_empty() => {
                let number = numbers.first().copied().unwrap_or_default();
                return Ok(Tensor::scalar(self.graph().exprs.real(number)));
            }
            Item::Constant(numbers, shape) => (numbers, shape),
        };
        let node = Node {
            name,
            kind: NodeKind::Literal(numbers),
            shape: shape.clone(),
            ty: Ty::Real,
            range: None,
            per_sample: false,
            origin: Some(Self::loc(span)),
        };
        let node = self.add_node(node, span)?;
        Ok(self.whole(node, &shape))
    }

    /// Elements of one shape, of which at least one is no constant: a tensor that chooses by the
    /// index of its new first axis.
    fn side_by_side(&mut self, parts: Vec<(Item, Span)>) -> Lowered<Tensor> {
        let whole = |x: f64| x.fract() == 0.0 && x.abs() < 9e15;
        let integers = parts.iter().all(|(item, _)| match item {
            Item::Constant(numbers, shape) => shape.is_empty() && numbers.iter().all(|&x| whole(x)),
            Item::Value(t) => self.ty(t) == Ty::Int,
        });
        let mut tensors = Vec::with_capacity(parts.len());
        for (item, span) in parts {
            let t = match item {
                Item::Constant(numbers, _) if integers => {
                    let number = numbers.first().copied().unwrap_or_default() as i64;
                    let expr = self.graph().exprs.int(number);
                    Tensor { range: Some((number, number + 1)), ..Tensor::scalar(expr) }
                }
                item => {
                    let name = self.path_to("constant");
                    self.item_tensor(item, name, span)?
                }
            };
            // Each element is computed once, not once for each place that is asked which it is;
            // but not where it is written for one element of a parameter.
            let t = match self.updating.is_some() || self.draw.is_some() {
                true => t,
                false => self.materialise(t, span)?,
            };
            tensors.push((t, span));
        }
        self.stacked(tensors, integers)
    }

    /// Tensors of one shape along a new first axis, as integers or as what they are.
    pub(super) fn stacked(&mut self, tensors: Vec<(Tensor, Span)>, integers: bool) -> Lowered<Tensor> {
        let Some((first, _)) = tensors.first().cloned() else { return Err(gdc_syntax::Reported) };
        let truths = tensors.iter().all(|(t, _)| self.ty(t) == Ty::Bool);
        let ranges: Option<Vec<(i64, i64)>> = tensors.iter().map(|(t, _)| t.range).collect();
        let range = ranges
            .filter(|_| integers)
            .and_then(|ranges| Some((ranges.iter().map(|r| r.0).min()?, ranges.iter().map(|r| r.1).max()?)));
        let first = self.refresh(&first);
        let mut exprs = Vec::with_capacity(tensors.len());
        for (t, span) in &tensors {
            let expr = if integers || truths { t.expr } else { self.real(t, *span)? };
            let mut map = HashMap::new();
            for (&from, &to) in t.axes.iter().zip(&first.axes) {
                self.same_lanes(from, to);
                map.insert(from, self.graph().exprs.index(to));
            }
            exprs.push(substitute(&mut self.graph().exprs, expr, &map));
        }
        let axis = self.graph().exprs.fresh("e", exprs.len(), false);
        let expr = self.chosen(axis, &exprs, 0);
        Ok(Tensor { axes: std::iter::once(axis).chain(first.axes).collect(), expr, range })
    }

    /// The element at a place of `axis`, of those that begin at the place `low`: by halves, so that
    /// long lists ask few questions.
    fn chosen(&mut self, axis: Var, items: &[ExprId], low: usize) -> ExprId {
        if let &[item] = items {
            return item;
        }
        let half = items.len().div_ceil(2);
        let (before, after) = items.split_at(half);
        let (a, b) = (self.chosen(axis, before, low), self.chosen(axis, after, low + half));
        let exprs = &mut self.model.graph.exprs;
        let (index, bound) = (exprs.index(axis), exprs.int((low + half) as i64));
        let is_before = exprs.op(Op::Lt, &[index, bound]);
        exprs.select(is_before, a, b)
    }
}
