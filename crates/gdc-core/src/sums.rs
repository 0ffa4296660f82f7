//! Sums: `sum(c * e) = c * sum(e)` for all factors that the sum does not run over, and
//! `sum(w * (e - mean(e))) = 0` for a mean with the same weights. Sums run only where their terms
//! are not zero, see `narrow`.

use crate::build::{Build, substitute};
use crate::narrow::narrowed;
use crate::product::Product;
use crate::rebuild::{Rebuild, Replacement};
use gdc_ir::{Expr, ExprId, Graph, Leaf, Model, Node, NodeKind, Op, Red, Reduce, Ty, Var};
use std::collections::{BTreeSet, HashMap};

/// Takes factors out of sums, and sums that vanish out of the graph.
pub fn simplify_sums(model: &mut Model) {
    let needed = model.graph.reachable(model.roots());
    let mut rebuild = Rebuild::new(model);
    for id in needed {
        let mut node = rebuild.old(id).clone();
        node.kind = rebuild.kind(&node.kind);
        if let NodeKind::Compute { axes, reduce: Some(Reduce { op: Red::Sum, over }), body } = &node.kind {
            let (axes, mut over, mut body) = (axes.clone(), over.clone(), *body);
            if let Some(shorter) = narrowed(&mut rebuild.graph.exprs, &over, body) {
                (over, body) = shorter;
            }
            let mut sum = Sum { graph: &mut rebuild.graph, over: &over };
            let body = sum.without_vanishing(body);
            node.kind = match sum.factored(body) {
                _ if over.is_empty() => NodeKind::Compute { axes, reduce: None, body },
                Some((outside, inside)) => {
                    let outside = sum.scaled(&node, &axes, outside, inside);
                    NodeKind::Compute { axes, reduce: None, body: outside }
                }
                None => NodeKind::Compute { axes, reduce: Some(Reduce { op: Red::Sum, over }), body },
            };
        }
        let new = rebuild.graph.add(node);
        rebuild.set(id, Replacement::Node(new));
    }
    rebuild.finish(model);
}

struct Sum<'g> {
    graph: &'g mut Graph,
    over: &'g [Var],
}

impl Sum<'_> {
    fn varies(&self, e: ExprId) -> bool {
        self.graph.exprs.free_vars(e).iter().any(|v| self.over.contains(v))
    }

    /// `c * e` as `(c, e)`, where only `e` varies over what the sum runs over; `None` where there
    /// is no such `c`.
    fn factored(&mut self, body: ExprId) -> Option<(ExprId, ExprId)> {
        if self.graph.exprs.as_real(body).is_some() {
            return Some((body, self.graph.exprs.real(1.0)));
        }
        let product = Product::of(&self.graph.exprs, body)?;
        let (mut outside, mut inside) = (self.graph.exprs.real(product.coefficient), self.graph.exprs.real(1.0));
        let mut moved = product.coefficient != 1.0;
        for &(atom, power) in &product.factors {
            let stays = self.varies(atom);
            moved |= !stays;
            let part = if stays { &mut inside } else { &mut outside };
            for _ in 0..power.abs() {
                let exprs = &mut self.graph.exprs;
                *part = if power > 0 { exprs.mul(*part, atom) } else { exprs.div(*part, atom) };
            }
        }
        moved.then_some((outside, inside))
    }

    /// `outside * sum(inside)`, the sum being a statement of its own.
    fn scaled(&mut self, node: &Node, axes: &[Var], outside: ExprId, inside: ExprId) -> ExprId {
        let sum = match self.known_sum(inside) {
            Some(k) => self.graph.exprs.real(k),
            None => {
                let reduce = Some(Reduce { op: Red::Sum, over: self.over.to_vec() });
                let kind = NodeKind::Compute { axes: axes.to_vec(), reduce, body: inside };
                let sum = self.graph.add(Node { name: format!("{}.sum", node.name), kind, ..node.clone() });
                let at = axes.iter().map(|&v| self.graph.exprs.index(v)).collect();
                self.graph.exprs.read(sum, Ty::Real, at, None)
            }
        };
        self.graph.exprs.mul(outside, sum)
    }

    /// `sum(1) = n`, and the weights of the samples add up to 1.
    fn known_sum(&self, inside: ExprId) -> Option<f64> {
        let weighs = self.weight_of(inside);
        if weighs.is_none() && self.graph.exprs.as_real(inside) != Some(1.0) {
            return None;
        }
        let others = self.over.iter().filter(|&&v| Some(v) != weighs);
        Some(others.map(|&v| self.graph.exprs.extent(v)).product::<usize>() as f64)
    }

    /// The variable over samples whose weight this is, if the sum runs over it.
    fn weight_of(&self, e: ExprId) -> Option<Var> {
        let Expr::Read { node, at, otherwise: None } = self.graph.exprs.get(e) else { return None };
        let leaf = self.graph.node(*node).leaf() == Some(Leaf::SampleWeight);
        let var = at.first().and_then(|&i| self.graph.exprs.as_var(i))?;
        (leaf && self.over.contains(&var)).then_some(var)
    }

    /// The body without those of its terms whose sum is zero.
    fn without_vanishing(&mut self, body: ExprId) -> ExprId {
        let terms = self.terms(body, 0);
        let kept: Vec<(bool, ExprId)> = terms.iter().copied().filter(|&(_, e)| !self.vanishes(e)).collect();
        if kept.len() == terms.len() {
            return body;
        }
        let mut sum = self.graph.exprs.real(0.0);
        for (positive, term) in kept {
            let exprs = &mut self.graph.exprs;
            sum = if positive { exprs.add(sum, term) } else { exprs.sub(sum, term) };
        }
        sum
    }

    /// The terms of a body with their signs, also of statements that it reads as a whole, which
    /// may be scaled.
    fn terms(&mut self, body: ExprId, depth: usize) -> Vec<(bool, ExprId)> {
        let signed = |terms: Vec<(bool, ExprId)>, sign: bool| terms.into_iter().map(move |(s, e)| (s == sign, e));
        match self.graph.exprs.get(body).clone() {
            Expr::Op(op @ (Op::Add | Op::Sub), args) => {
                let (left, right) = (self.terms(args[0], depth), self.terms(args[1], depth));
                left.into_iter().chain(signed(right, op == Op::Add)).collect()
            }
            Expr::Op(Op::Neg, args) => signed(self.terms(args[0], depth), false).collect(),
            Expr::Op(Op::Mul, args) if !self.varies(args[0]) => {
                let inner = self.terms(args[1], depth);
                inner.into_iter().map(|(s, e)| (s, self.graph.exprs.mul(args[0], e))).collect()
            }
            Expr::Read { otherwise: None, .. } if depth == 0 => match self.opened(body) {
                Some(sum) if matches!(self.graph.exprs.get(sum), Expr::Op(Op::Add | Op::Sub, _)) => {
                    let terms = self.terms(sum, 1);
                    // Only worth computing again where something vanishes.
                    if terms.iter().any(|&(_, e)| self.vanishes(e)) { terms } else { vec![(true, body)] }
                }
                _ => vec![(true, body)],
            },
            _ => vec![(true, body)],
        }
    }

    /// What a statement without a reduction computes at the place where it is read.
    fn opened(&mut self, read: ExprId) -> Option<ExprId> {
        let Expr::Read { node, at, otherwise: None } = self.graph.exprs.get(read).clone() else { return None };
        let NodeKind::Compute { axes, reduce: None, body } = self.graph.node(node).kind.clone() else { return None };
        let places = axes.iter().copied().zip(at.iter().copied()).collect();
        Some(substitute(&mut self.graph.exprs, body, &places))
    }

    /// Whether the sum of a term is zero: `c * w * (e - mean(e))`, `c` being what the sum does not
    /// run over.
    fn vanishes(&mut self, term: ExprId) -> bool {
        let Some(product) = Product::of(&self.graph.exprs, term) else { return false };
        let inside: Vec<(ExprId, i32)> = product.factors.into_iter().filter(|&(a, _)| self.varies(a)).collect();
        for (i, &(atom, power)) in inside.iter().enumerate() {
            let opened = self.opened(atom).unwrap_or(atom);
            let Expr::Op(Op::Sub, args) = self.graph.exprs.get(opened).clone() else { continue };
            let weights: Vec<(ExprId, i32)> =
                inside.iter().copied().enumerate().filter(|(j, _)| *j != i).map(|(_, f)| f).collect();
            if power == 1 && !self.varies(args[1]) && self.is_mean(args[1], args[0], &weights) {
                return true;
            }
        }
        false
    }

    /// Whether `mean` is the sum of `weights * e` over the variables here, with weights of which
    /// the sum is 1.
    fn is_mean(&mut self, mean: ExprId, e: ExprId, weights: &[(ExprId, i32)]) -> bool {
        let Some((scale, mean)) = self.scaled_read(mean) else { return false };
        let Expr::Read { node, at, otherwise: None } = self.graph.exprs.get(mean).clone() else { return false };
        let NodeKind::Compute { axes, reduce: Some(Reduce { op: Red::Sum, over }), body } =
            self.graph.node(node).kind.clone()
        else {
            return false;
        };
        let same_range = |a: Var, b: Var| self.graph.exprs.extent(a) == self.graph.exprs.extent(b);
        if over.len() != self.over.len() || !over.iter().zip(self.over).all(|(&a, &b)| same_range(a, b)) {
            return false;
        }
        let mut places: HashMap<Var, ExprId> = axes.iter().copied().zip(at.iter().copied()).collect();
        for (&v, &here) in over.iter().zip(self.over) {
            let index = self.graph.exprs.index(here);
            places.insert(v, index);
        }
        let body = substitute(&mut self.graph.exprs, body, &places);
        let (Some(body), Some(of)) = (Product::of(&self.graph.exprs, body), Product::of(&self.graph.exprs, e)) else {
            return false;
        };
        let mut expected: BTreeSet<(ExprId, i32)> = of.factors.iter().copied().collect();
        let count = of.factors.len() + weights.len();
        expected.extend(weights);
        let found: BTreeSet<(ExprId, i32)> = body.factors.iter().copied().collect();
        let total = match weights {
            [] => self.over.iter().map(|&v| self.graph.exprs.extent(v)).product::<usize>() as f64,
            &[(w, 1)] if self.weight_of(w).is_some() => self.known_sum(w).unwrap_or(f64::NAN),
            _ => return false,
        };
        let whole = scale * body.coefficient / of.coefficient * total;
        expected.len() == count && expected == found && (whole - 1.0).abs() < 1e-12
    }

    /// `k * read`, through statements that only scale.
    fn scaled_read(&mut self, e: ExprId) -> Option<(f64, ExprId)> {
        let (mut scale, mut e) = (1.0, e);
        for _ in 0..3 {
            let product = Product::of(&self.graph.exprs, e)?;
            let &[(atom, 1)] = product.factors.as_slice() else { return None };
            scale *= product.coefficient;
            e = atom;
            match self.opened(atom) {
                Some(inside) => e = inside,
                None => break,
            }
        }
        Some((scale, e))
    }
}
