//! Work that varies over fewer axes than its statement is done once, by a statement of its
//! own; that includes once-per-step scalars such as bias corrections, which are then
//! computed in f64. For that, products are put in order: constants, what is known for a whole
//! step, then what varies over few axes before what varies over many.

use crate::build::Build;
use crate::product::Product;
use crate::rebuild::{Rebuild, Replacement};
use crate::unit::{is_unit, unit_axes};
use gdc_ir::{Expr, ExprId, Graph, Leaf, Model, Node, NodeKind, Op, Ty, Var};
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
        node.kind = unit_axes(&mut rebuild.graph.exprs, node.kind);
        if let NodeKind::Compute { axes, reduce, body } = &mut node.kind {
            let mut domain = axes.clone();
            domain.extend(reduce.iter().flat_map(|r| &r.over));
            let graph = &mut rebuild.graph;
            // An axis of extent 1 is none: what does not vary over it is not worth a statement.
            domain.retain(|&v| !is_unit(&graph.exprs, v));
            let step = domain.is_empty() && graph.exprs.read_nodes(*body).iter().all(|&n| graph.is_step_scalar(n));
            let (origin, name) = (node.origin, node.name.clone());
            let mut hoister = Hoister {
                graph,
                once: &mut once,
                domain: &domain,
                step,
                origin,
                name,
                facts: BTreeMap::new(),
                done: HashMap::new(),
            };
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
    /// Whether the statement is itself a once-per-step scalar.
    step: bool,
    origin: Option<gdc_ir::Loc>,
    name: String,
    /// Free variables and cost of expressions of this statement.
    facts: BTreeMap<ExprId, (Vec<Var>, u32)>,
    /// What expressions of this statement became: each is looked at once, however often it
    /// stands there.
    done: HashMap<ExprId, ExprId>,
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
        if let Some(&done) = self.done.get(&e) {
            return done;
        }
        let new = self.fresh(e);
        self.done.insert(e, new);
        new
    }

    fn fresh(&mut self, e: ExprId) -> ExprId {
        let Expr::Op(op, args) = self.graph.exprs.get(e).clone() else { return e };
        if !self.step && self.counts_steps(e) {
            return self.own_statement(e, Vec::new());
        }
        if matches!(op, Op::Mul | Op::Div)
            && let Some(ordered) = self.product(e)
        {
            return ordered;
        }
        let (vars, cost) = self.fact(e);
        let constant = !vars.iter().any(|_| true) && self.graph.exprs.read_nodes(e).is_empty();
        if constant {
            return e;
        }
        if self.graph.exprs.ty(e) == Ty::Real && cost >= WORTH && vars.len() < self.domain.len() {
            return self.own_statement(e, vars);
        }
        self.parts(op, &args)
    }

    /// A product with its factors in order, and with reciprocals of what varies over fewer axes
    /// in the place of quotients; `None` where that changes nothing.
    fn product(&mut self, e: ExprId) -> Option<ExprId> {
        let (all, _) = self.fact(e);
        let Product { mut coefficient, factors, mut simpler, .. } = Product::of(&self.graph.exprs, e)?;
        let (mut steps, mut above, mut below) = (Vec::new(), Vec::new(), Vec::new());
        for (atom, power) in factors {
            let (vars, _) = self.fact(atom);
            if !self.step && self.is_step_scalar(atom) {
                steps.push((atom, power));
            } else if power > 0 {
                above.push((atom, power));
            } else if vars.len() < all.len() || self.has_reciprocal(atom) {
                // a / s = a * (1/s)
                let one = self.graph.exprs.real(1.0);
                let reciprocal = self.graph.exprs.div(one, atom);
                simpler |= above.len() + below.len() > 0 || power < -1;
                above.push((self.own_statement(reciprocal, vars), -power));
            } else {
                below.push((atom, -power));
            }
        }
        // k * s / t of what is known for a whole step is one number of its own.
        let counts = steps.iter().any(|&(atom, _)| self.counts_steps(atom));
        if !steps.is_empty() {
            let one = self.graph.exprs.real(1.0);
            let mut number = self.graph.exprs.real(coefficient);
            let mut under = one;
            for &(atom, power) in &steps {
                for _ in 0..power.abs() {
                    let side = if power > 0 { &mut number } else { &mut under };
                    *side = self.graph.exprs.mul(*side, atom);
                }
            }
            let number = self.graph.exprs.div(number, under);
            let single = matches!(steps.as_slice(), [(_, 1)]) && !counts;
            if single && coefficient == 1.0 {
                above.insert(0, (steps[0].0, 1));
            } else {
                simpler = true;
                coefficient = 1.0;
                above.insert(0, (self.own_statement(number, Vec::new()), 1));
            }
        }
        let ordered = self.in_order(&above);
        if !simpler && (above.len() < 3 || ordered == above) {
            return None;
        }
        let (top, bottom) = (self.power_product(&ordered), self.power_product(&below));
        let exprs = &mut self.graph.exprs;
        let k = exprs.real(coefficient);
        let scaled = exprs.mul(k, top);
        Some(exprs.div(scaled, bottom))
    }

    /// Factors in the order in which their product varies over as few axes as long as possible.
    fn in_order(&mut self, atoms: &[(ExprId, i32)]) -> Vec<(ExprId, i32)> {
        let mut rest: Vec<(ExprId, i32, Vec<Var>)> = atoms.iter().map(|&(a, p)| (a, p, self.fact(a).0)).collect();
        let (mut ordered, mut seen) = (Vec::new(), Vec::new());
        while !rest.is_empty() {
            let new = |vars: &[Var]| vars.iter().filter(|v| !seen.contains(*v)).count();
            let next = (0..rest.len()).min_by_key(|&i| (new(&rest[i].2), i)).unwrap_or(0);
            let (atom, power, vars) = rest.remove(next);
            ordered.push((atom, power));
            seen.extend(vars);
        }
        ordered
    }

    /// The product of atoms, each with its power, from left to right.
    fn power_product(&mut self, atoms: &[(ExprId, i32)]) -> ExprId {
        let mut product = self.graph.exprs.real(1.0);
        for &(atom, power) in atoms {
            let atom = self.expr(atom);
            for _ in 0..power {
                product = self.graph.exprs.mul(product, atom);
            }
        }
        product
    }

    /// Whether `1/atom` is a statement already.
    fn has_reciprocal(&mut self, atom: ExprId) -> bool {
        let one = self.graph.exprs.real(1.0);
        let reciprocal = self.graph.exprs.div(one, atom);
        self.once.contains_key(&reciprocal)
    }

    /// Whether an expression depends on the counter of steps and constants alone.
    fn is_step_scalar(&self, e: ExprId) -> bool {
        let reads = self.graph.exprs.read_nodes(e);
        !reads.is_empty()
            && reads.iter().all(|&n| self.graph.is_step_scalar(n))
            && self.graph.exprs.free_vars(e).is_empty()
    }

    fn parts(&mut self, op: Op, args: &[ExprId]) -> ExprId {
        let args: Vec<ExprId> = args.iter().map(|&a| self.expr(a)).collect();
        self.graph.exprs.op(op, &args)
    }

    /// Whether an expression reads the counter and depends on nothing but steps: however cheap,
    /// it is a statement of its own, since only such statements read the counter.
    fn counts_steps(&self, e: ExprId) -> bool {
        let reads = self.graph.exprs.read_nodes(e);
        reads.iter().any(|&n| self.graph.node(n).leaf() == Some(Leaf::Counter))
            && reads.iter().all(|&n| self.graph.is_step_scalar(n))
            && self.graph.exprs.free_vars(e).is_empty()
    }

    /// A statement that computes `e` over just the axes that it varies over.
    fn own_statement(&mut self, e: ExprId, vars: Vec<Var>) -> ExprId {
        if let Some(&read) = self.once.get(&e) {
            return read;
        }
        let mut axes: Vec<Var> = self.domain.iter().copied().filter(|v| vars.contains(v)).collect();
        // The batch comes first, also where the statement sums over it.
        axes.sort_by_key(|&v| !self.graph.exprs.var(v).batch);
        let per_sample = axes.first().is_some_and(|&v| self.graph.exprs.var(v).batch);
        let every_step =
            axes.is_empty() && self.graph.exprs.read_nodes(e).iter().all(|&n| self.graph.is_step_scalar(n));
        let name = if every_step { "per_step".to_owned() } else { format!("{}.part", self.name) };
        let body = match self.graph.exprs.get(e).clone() {
            Expr::Op(op, args) if !every_step => {
                let (graph, once) = (&mut *self.graph, &mut *self.once);
                let (origin, name) = (self.origin, self.name.clone());
                let mut inner = Hoister {
                    graph,
                    once,
                    domain: &axes,
                    step: false,
                    origin,
                    name,
                    facts: BTreeMap::new(),
                    done: HashMap::new(),
                };
                inner.parts(op, &args)
            }
            _ => e,
        };
        let ty = self.graph.exprs.ty(e);
        let node = Node {
            name,
            shape: axes.iter().map(|&v| self.graph.exprs.extent(v)).collect(),
            kind: NodeKind::Compute { axes: axes.clone(), reduce: None, body },
            ty,
            range: None,
            per_sample,
            origin: self.origin,
        };
        let node = self.graph.add(node);
        let at = axes.iter().map(|&v| self.graph.exprs.index(v)).collect();
        let read = self.graph.exprs.read(node, ty, at, None);
        self.once.insert(e, read);
        read
    }
}
