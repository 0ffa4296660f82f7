//! Work that varies over fewer axes than its statement is done once, by a statement of its
//! own; that includes once-per-step scalars such as bias corrections, which are then
//! computed in f64.

use crate::build::Build;
use crate::rebuild::{Rebuild, Replacement};
use gdc_ir::{Expr, ExprId, Graph, Model, Node, NodeKind, Op, Ty, Var};
use std::collections::{BTreeMap, HashMap};

/// An expression cheaper than this (in additions) is computed where it stands.
const WORTH: u32 = 8;

/// Moves invariant work out of statements.
pub fn hoist(model: &mut Model) {
    let needed = model.graph.reachable(model.roots());
    let mut rebuild = Rebuild::new(model);
    let mut once: HashMap<ExprId, ExprId> = HashMap::new();
    for id in needed {
        let mut node = rebuild.old(id).clone();
        node.kind = rebuild.kind(&node.kind);
        if let NodeKind::Compute { axes, reduce, body } = &mut node.kind {
            let mut domain = axes.clone();
            domain.extend(reduce.iter().flat_map(|r| &r.over));
            let mut hoister = Hoister { graph: &mut rebuild.graph, once: &mut once, domain: &domain, origin: node.origin, name: node.name.clone(), facts: BTreeMap::new() };
            *body = hoister.expr(*body);
        }
        let new = rebuild.graph.add(node);
        rebuild.set(id, Replacement::Node(new));
    }
    rebuild.finish(model);
}

struct Hoister<'g> {
    graph: &'g mut Graph,
    /// What was hoisted before, and the read that replaces it.
    once: &'g mut HashMap<ExprId, ExprId>,
    domain: &'g [Var],
    origin: Option<gdc_ir::Loc>,
    name: String,
    /// Free variables and cost of expressions of this statement.
    facts: BTreeMap<ExprId, (Vec<Var>, u32)>,
}

impl Hoister<'_> {
    fn fact(&mut self, e: ExprId) -> (Vec<Var>, u32) {
        if let Some(fact) = self.facts.get(&e) {
            return fact.clone();
        }
        let mut vars = self.graph.exprs.free_vars(e);
        vars.retain(|v| self.domain.contains(v));
        let cost = crate::fuse::cost(&self.graph.exprs, e);
        self.facts.insert(e, (vars.clone(), cost));
        (vars, cost)
    }

    fn expr(&mut self, e: ExprId) -> ExprId {
        let Expr::Op(op, args) = self.graph.exprs.get(e).clone() else { return e };
        let (vars, cost) = self.fact(e);
        let constant = !vars.iter().any(|_| true) && self.graph.exprs.read_nodes(e).is_empty();
        if constant {
            return e;
        }
        if self.graph.exprs.ty(e) == Ty::Real && cost >= WORTH && vars.len() < self.domain.len() {
            return self.own_statement(e, vars);
        }
        // a / s = a * (1/s), where s varies over fewer axes than a
        if op == Op::Div {
            let (below, _) = self.fact(args[1]);
            let one = self.graph.exprs.real(1.0);
            if below.len() < vars.len() && args[0] != one && self.graph.exprs.as_real(args[1]).is_none() {
                let reciprocal = self.graph.exprs.div(one, args[1]);
                let reciprocal = self.expr(reciprocal);
                let numerator = self.expr(args[0]);
                return self.graph.exprs.mul(numerator, reciprocal);
            }
        }
        let args: Vec<ExprId> = args.iter().map(|&a| self.expr(a)).collect();
        self.graph.exprs.op(op, &args)
    }

    /// A statement that computes `e` over just the axes that it varies over.
    fn own_statement(&mut self, e: ExprId, vars: Vec<Var>) -> ExprId {
        if let Some(&read) = self.once.get(&e) {
            return read;
        }
        let axes: Vec<Var> = self.domain.iter().copied().filter(|v| vars.contains(v)).collect();
        let per_sample = axes.first().is_some_and(|&v| self.graph.exprs.var(v).batch);
        let every_step = axes.is_empty() && self.graph.exprs.read_nodes(e).iter().all(|&n| self.graph.is_step_scalar(n));
        let name = if every_step { "per_step".to_owned() } else { format!("{}.part", self.name) };
        let node = Node {
            name,
            shape: axes.iter().map(|&v| self.graph.exprs.extent(v)).collect(),
            kind: NodeKind::Compute { axes: axes.clone(), reduce: None, body: e },
            ty: Ty::Real,
            range: None,
            per_sample,
            origin: self.origin,
        };
        let node = self.graph.add(node);
        let at = axes.iter().map(|&v| self.graph.exprs.index(v)).collect();
        let read = self.graph.exprs.read(node, Ty::Real, at, None);
        self.once.insert(e, read);
        read
    }
}
