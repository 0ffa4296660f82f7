//! From scatter to gather: the places of a read are solved for index variables, so that what
//! flows back is a sum for each element.

use super::{Contribution, Source, fresh_axes, read_axes, within};
use crate::build::{Build, rewrite, substitute};
use gdc_ir::ranges::int_interval;
use gdc_ir::{Affine, Expr, ExprId, Graph, Node, NodeId, NodeKind, Op, Red, Reduce, Ty, Var};
use std::collections::{BTreeSet, HashMap};

/// Scatter to gather: `x[at] += value` over `domain` as a sum for each element of `x`, by
/// solving each coordinate for one variable; a scatter where that cannot be done.
pub(super) fn gather(graph: &mut Graph, into: NodeId, domain: &[Var], at: &[ExprId], value: ExprId) -> Source {
    let affine: Vec<Option<Affine>> = at.iter().map(|&e| graph.exprs.as_affine(e).cloned()).collect();
    let mut solvable: BTreeSet<Var> = affine.iter().flatten().flat_map(|a| a.terms.iter().map(|(v, _)| *v)).collect();
    solvable.extend(at.iter().filter_map(|&place| block(graph, domain, place)).map(|block| block.var));
    let gathered = affine.iter().any(Option::is_none);
    // A gathered place becomes a guard only when nothing remains to sum (`k == label`).
    if gathered && domain.iter().any(|v| !solvable.contains(v)) {
        return Source::Scatter { domain: domain.to_vec(), at: at.to_vec(), body: value };
    }
    let axes = fresh_axes(graph, into);
    // Coordinates with fewer variables first: they leave less choice.
    let mut order: Vec<usize> = (0..at.len()).collect();
    order.sort_by_key(|&i| affine[i].as_ref().map_or(usize::MAX, |a| a.terms.len()));
    // Coordinates that are the same everywhere need no variable; what is summed for them is
    // summed once.
    let long = |i: usize| graph.exprs.extent(axes[i]) > 1;
    let constant = |i: &usize| long(*i) && affine[*i].as_ref().is_some_and(|a| a.as_constant().is_some());
    let (fixed, order): (Vec<usize>, Vec<usize>) = order.into_iter().partition(constant);
    let mut solver = Solver { graph, domain, solution: HashMap::new(), guard: Vec::new() };
    for &i in &order {
        solver.coordinate(axes[i], at[i]);
    }
    let (solution, guards) = (solver.solution, solver.guard);
    let reduce: Vec<Var> = domain.iter().copied().filter(|v| !solution.contains_key(v)).collect();
    let mut body = resolve(graph, value, &solution);
    let mut guard = graph.exprs.bool(true);
    for g in guards {
        let g = resolve(graph, g, &solution);
        guard = graph.exprs.and(guard, g);
    }
    body = pad_reads(graph, body);
    guard = pad_reads(graph, guard);
    let zero = graph.exprs.real(0.0);
    body = graph.exprs.select(guard, body, zero);
    let mut here = graph.exprs.bool(true);
    for &i in &fixed {
        let axis = graph.exprs.index(axes[i]);
        let equal = graph.exprs.op(Op::Eq, &[axis, at[i]]);
        here = graph.exprs.and(here, equal);
    }
    if !fixed.is_empty() && !reduce.is_empty() {
        let kept: Vec<Var> = (0..axes.len()).filter(|i| !fixed.contains(i)).map(|i| axes[i]).collect();
        let slice = slice_of(graph, into, &kept, reduce, body);
        let body = read_axes(graph, slice, &kept);
        let body = graph.exprs.select(here, body, zero);
        return Source::Statement(Contribution { axes, reduce: Vec::new(), body });
    }
    body = graph.exprs.select(here, body, zero);
    let (axes, reduce, body) = rename_solved(graph, axes, reduce, body, &solution);
    Source::Statement(Contribution { axes, reduce, body })
}

/// The sum for the one place of an axis at which a tensor was read, without that axis.
fn slice_of(graph: &mut Graph, into: NodeId, axes: &[Var], over: Vec<Var>, body: ExprId) -> NodeId {
    let node = graph.node(into);
    let (name, origin) = (format!("d.{}.part", node.name), node.origin);
    let per_sample = axes.first().is_some_and(|&v| graph.exprs.var(v).batch);
    let shape = axes.iter().map(|&v| graph.exprs.extent(v)).collect();
    let reduce = Some(Reduce { op: Red::Sum, over });
    let kind = NodeKind::Compute { axes: axes.to_vec(), reduce, body };
    graph.add(Node { name, kind, shape, ty: Ty::Real, range: None, per_sample, origin })
}

/// A solved place can lie outside where the guard does not hold: such reads give zero there.
/// A place can itself be read at such a place (the index of a maximum), so from outside in.
fn pad_reads(graph: &mut Graph, mut body: ExprId) -> ExprId {
    loop {
        let padded = pad_outermost(graph, body);
        if padded == body {
            return body;
        }
        body = padded;
    }
}

fn pad_outermost(graph: &mut Graph, body: ExprId) -> ExprId {
    let shapes: Vec<Vec<usize>> = graph.nodes().map(|(_, n)| n.shape.clone()).collect();
    let mut outside = BTreeSet::new();
    graph.exprs.walk(body, &mut |e| {
        if let Expr::Read { node, at, otherwise: None } = graph.exprs.get(e) {
            let inside = at
                .iter()
                .zip(&shapes[node.0 as usize])
                .all(|(&i, &n)| int_interval(graph, i).is_none_or(|(low, high)| low >= 0 && high < n as i64));
            if !inside {
                outside.insert(e);
            }
        }
    });
    if outside.is_empty() {
        return body;
    }
    rewrite(&mut graph.exprs, body, &mut HashMap::new(), &mut |x, e| {
        if !outside.contains(&e) {
            return None;
        }
        let ty = x.ty(e);
        let zero = if ty == Ty::Int { x.int(0) } else { x.real(0.0) };
        match x.get(e).clone() {
            Expr::Read { node, at, .. } => Some(x.read(node, ty, at.to_vec(), Some(zero))),
            _ => None,
        }
    })
}

/// Substitutes until no solved variable is left; solutions may name variables solved later.
fn resolve(graph: &mut Graph, mut e: ExprId, solution: &HashMap<Var, ExprId>) -> ExprId {
    for _ in 0..=solution.len() {
        let next = substitute(&mut graph.exprs, e, solution);
        if next == e {
            break;
        }
        e = next;
    }
    e
}

/// An axis that simply is a variable of the statement keeps that variable's name.
fn rename_solved(
    graph: &mut Graph,
    axes: Vec<Var>,
    reduce: Vec<Var>,
    body: ExprId,
    solution: &HashMap<Var, ExprId>,
) -> (Vec<Var>, Vec<Var>, ExprId) {
    let mut map = HashMap::new();
    let mut renamed = Vec::with_capacity(axes.len());
    for &axis in &axes {
        let index = graph.exprs.index(axis);
        let old = solution.iter().filter(|(_, e)| **e == index).map(|(v, _)| *v).min();
        let info = graph.exprs.var(axis).clone();
        match old {
            Some(v)
                if graph.exprs.extent(v) == info.extent
                    && graph.exprs.var(v).batch == info.batch
                    && !renamed.contains(&v) =>
            {
                map.insert(axis, graph.exprs.index(v));
                renamed.push(v);
            }
            _ => renamed.push(axis),
        }
    }
    let body = substitute(&mut graph.exprs, body, &map);
    (renamed, reduce, body)
}

struct Solver<'g> {
    graph: &'g mut Graph,
    domain: &'g [Var],
    solution: HashMap<Var, ExprId>,
    guard: Vec<ExprId>,
}

impl Solver<'_> {
    /// Makes `axis == place` true: by solving it for one variable, or as a guard.
    fn coordinate(&mut self, axis: Var, place: ExprId) {
        let place = resolve(self.graph, place, &self.solution);
        let target = self.graph.exprs.index(axis);
        let affine = self.graph.exprs.as_affine(place).cloned();
        let choice = affine.as_ref().and_then(|a| self.choose(a));
        let (Some(affine), Some((var, coefficient))) = (affine, choice) else {
            let open: Vec<Var> = self.domain.iter().copied().filter(|v| !self.solution.contains_key(v)).collect();
            if let Some(found) = block(self.graph, &open, place) {
                return self.block(target, found);
            }
            let equal = self.graph.exprs.op(Op::Eq, &[target, place]);
            self.guard.push(equal);
            return;
        };
        // axis = coefficient * var + rest, so var = (axis - rest) / coefficient
        let rest = Affine {
            terms: affine.terms.iter().copied().filter(|(v, _)| *v != var).collect(),
            constant: affine.constant,
        };
        let rest = self.graph.exprs.affine(rest);
        let mut number = self.graph.exprs.op(Op::Sub, &[target, rest]);
        if coefficient < 0 {
            number = self.graph.exprs.op(Op::Neg, &[number]);
        }
        let step = coefficient.abs();
        if step != 1 {
            let (divisor, zero) = (self.graph.exprs.int(step), self.graph.exprs.int(0));
            let remainder = self.graph.exprs.op(Op::IntMod, &[number, divisor]);
            let exact = self.graph.exprs.op(Op::Eq, &[remainder, zero]);
            self.guard.push(exact);
            number = self.graph.exprs.op(Op::IntDiv, &[number, divisor]);
        }
        let extent = self.graph.exprs.extent(var) as i64;
        let inside = within(self.graph, number, extent);
        self.guard.push(inside);
        self.solution.insert(var, number);
    }

    /// The one solution that [`block`] found: `v = (axis - low) div c`, where
    /// `(axis - low) % c == d - low`.
    fn block(&mut self, target: ExprId, Block { var, step, offset, low }: Block) {
        let x = &mut self.graph.exprs;
        let (divisor, less) = (x.int(step), x.int(low));
        let number = x.op(Op::Sub, &[target, less]);
        let offset = if low == 0 { offset } else { x.op(Op::Sub, &[offset, less]) };
        let quotient = x.op(Op::IntDiv, &[number, divisor]);
        let remainder = x.op(Op::IntMod, &[number, divisor]);
        let here = x.op(Op::Eq, &[remainder, offset]);
        let extent = x.extent(var) as i64;
        if int_interval(self.graph, quotient).is_none_or(|(low, high)| low < 0 || high >= extent) {
            let inside = within(self.graph, quotient, extent);
            self.guard.push(inside);
        }
        self.guard.push(here);
        self.solution.insert(var, quotient);
    }

    /// The variable to solve for: the one of the largest extent leaves the smallest sum; of
    /// equals, one with coefficient 1 needs no divisibility guard.
    fn choose(&self, affine: &Affine) -> Option<(Var, i64)> {
        affine
            .terms
            .iter()
            .copied()
            .filter(|(v, _)| self.domain.contains(v) && !self.solution.contains_key(v))
            .max_by_key(|&(v, c)| (self.graph.exprs.extent(v), c.abs() == 1, std::cmp::Reverse(v)))
    }
}

/// A place `c * v + d` with `low <= d < low + c`, such as that of the maximum of a window beside
/// which the next one begins.
struct Block {
    var: Var,
    step: i64,
    offset: ExprId,
    low: i64,
}

/// Takes a place apart that is not affine; none if the values for different `v` may meet.
fn block(graph: &mut Graph, domain: &[Var], place: ExprId) -> Option<Block> {
    let (mut affine, mut rest) = (Affine::constant(0), Vec::new());
    let mut parts = vec![place];
    while let Some(part) = parts.pop() {
        match graph.exprs.get(part) {
            Expr::Int(a) => affine = affine.add_scaled(a, 1)?,
            Expr::Op(Op::Add, args) => parts.extend(args.iter().rev()),
            _ => rest.push(part),
        }
    }
    let &(var, step) = affine.terms.iter().filter(|(v, c)| domain.contains(v) && *c > 0).max_by_key(|(_, c)| *c)?;
    affine.terms.retain(|(v, _)| *v != var);
    if affine != Affine::constant(0) || rest.is_empty() {
        rest.push(graph.exprs.affine(affine));
    }
    let offset = rest.into_iter().reduce(|a, b| graph.exprs.op(Op::Add, &[a, b]))?;
    let (low, high) = int_interval(graph, offset)?;
    (high.checked_sub(low)? < step).then_some(Block { var, step, offset, low })
}
