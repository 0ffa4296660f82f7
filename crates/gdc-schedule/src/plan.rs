//! What is to be computed by which routine: the graph, the roots with the buffers that they
//! fill, and the routine of every node.

use crate::parts::Phases;
use gdc_ir::order::Loop;
use gdc_ir::program::BufferRole;
use gdc_ir::{Expr, Graph, Model, Node, NodeId, NodeKind, Ty};
use std::collections::{BTreeMap, BTreeSet};

/// How much better the batch in lanes must be, for what else it costs.
const WORTH_TURNING: f64 = 1.3;

/// The routines of a step in parts: what each part does, and what follows once.
const ROUTINES_OF_PARTS: [&str; 7] =
    ["forward", "forward_total", "metrics", "metrics_total", "backward", "backward_total", "update"];

/// The routine that computes loss and gradients at once.
pub(crate) const SWEEP: &str = "sweep";

/// How a training step is cut into routines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// Forward pass, backward pass, update.
    Whole,
    /// The same for parts of the batch, and what follows from their sums.
    InParts,
    /// Loss and gradients in one sweep over the samples, in place of the backward pass. It needs
    /// nothing of the forward pass, which is there for the loss alone.
    Swept,
}

/// Where a root's value goes.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A buffer of its own.
    Fresh(BufferRole),
    /// The derivative by a parameter.
    Gradient(NodeId),
    /// The buffer of a leaf.
    Leaf(NodeId),
}

/// A value that a program computes for the outside.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    pub node: NodeId,
    pub name: String,
    pub target: Target,
    /// The routine at whose end it must be there.
    pub routine: usize,
}

/// A graph with what is wanted of it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub graph: Graph,
    pub roots: Vec<Root>,
    pub routines: Vec<&'static str>,
    /// In which routine each needed node is computed; leaves and reshapes are absent.
    pub routine_of: BTreeMap<NodeId, usize>,
    /// Once-per-step scalars, computed in f64.
    pub step: BTreeSet<NodeId>,
    /// Nodes that must not be computed together with what they read.
    pub apart: BTreeSet<NodeId>,
    /// Nodes that must be stored although they could be computed where they are read.
    pub held: BTreeSet<NodeId>,
    /// Computed wherever they are read, never stored.
    pub inlined: BTreeSet<NodeId>,
    /// What each statement reads, known once it is decided what is inlined.
    facts: BTreeMap<NodeId, Vec<ReadFact>>,
    /// Whether leaves that a routine writes are read with their new values.
    pub reads_new: bool,
    /// What fills the buffers of recurrences.
    pub carried: BTreeMap<NodeId, Carried>,
    /// The loops over steps.
    pub loops: Vec<Loop>,
    /// The loop of each statement that is computed step by step, and its axis of steps.
    pub loop_of: BTreeMap<NodeId, (usize, usize)>,
    /// The statements in an order of evaluation, those of a loop together.
    pub order: Vec<NodeId>,
    /// What belongs to a part of a batch and what to all of it, where a step runs in parts.
    pub phases: Option<Phases>,
}

/// What a recurrence is made of. All of it lives in one buffer, with one place more along the
/// steps than there are: what enters a step stands at the place before what it leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carried {
    /// Fills the place of the first step.
    pub first: NodeId,
    /// Fills the others.
    pub next: NodeId,
    pub axis: usize,
    pub reverse: bool,
}

impl Plan {
    /// Initial values of parameters and states.
    pub fn init(model: &Model) -> Plan {
        let kept = model.params.iter().chain(&model.states);
        let roots = kept.map(|k| Root {
            node: k.init,
            name: model.graph.node(k.node).name.clone(),
            target: Target::Leaf(k.node),
            routine: 0,
        });
        Plan { reads_new: true, ..Plan::new(model, vec!["init"], roots.collect(), &BTreeSet::new()) }
    }

    /// A training step. The updates of `deferred` leaves go through a temporary.
    pub fn train(model: &Model, deferred: &BTreeSet<NodeId>, form: Form) -> Plan {
        let name = |n: NodeId| model.graph.node(n).name.clone();
        let mut roots = Vec::new();
        if let Some(node) = model.loss {
            roots.push(Root { node, name: name(node), target: Target::Fresh(BufferRole::Loss), routine: 0 });
        }
        if let Some(node) = model.evaluation {
            let target = Target::Fresh(BufferRole::Evaluation);
            roots.push(Root { node, name: "evaluation.loss".to_owned(), target, routine: 1 });
        }
        for metric in &model.metrics {
            let target = Target::Fresh(BufferRole::Metric);
            roots.push(Root { node: metric.node, name: metric.name.clone(), target, routine: 1 });
        }
        for gradient in &model.gradients {
            let target = Target::Gradient(gradient.target);
            let name = format!("d.{}", name(gradient.target));
            roots.push(Root { node: gradient.value, name, target, routine: 2 });
        }
        for update in &model.updates {
            let target = Target::Leaf(update.target);
            roots.push(Root { node: update.value, name: name(update.target), target, routine: 3 });
        }
        let mut routines = vec!["forward", "metrics", "backward", "update"];
        match form {
            Form::Whole => {}
            Form::InParts => {
                routines = ROUTINES_OF_PARTS.to_vec();
                roots.iter_mut().for_each(|r| r.routine *= 2);
            }
            Form::Swept => {
                routines[2] = SWEEP;
                let again = roots.iter().filter(|r| matches!(r.target, Target::Fresh(BufferRole::Loss)));
                let again: Vec<Root> = again.map(|r| Root { routine: 2, ..r.clone() }).collect();
                roots.extend(again);
            }
        }
        let metrics = routines.iter().position(|r| *r == "metrics");
        // A sweep needs nothing of the routines before it.
        let alone = |r: &Root| if form == Form::Swept { r.routine < 2 } else { Some(r.routine) == metrics };
        if model.evaluation.is_none() && form != Form::Swept {
            return Plan::new(model, routines, roots, deferred);
        }
        // What predicts otherwise than it trains is evaluated without the forward pass of training.
        let mut model = model.clone();
        let (mut inside, outside): (Vec<&mut Root>, Vec<&mut Root>) = roots.iter_mut().partition(|r| alone(r));
        let others: Vec<NodeId> = outside.iter().map(|r| r.node).collect();
        let own: Vec<NodeId> = inside.iter().map(|r| r.node).collect();
        for (root, node) in inside.iter_mut().zip(crate::apart::set_apart(&mut model.graph, &own, &others)) {
            root.node = node;
        }
        Plan::new(&model, routines, roots, deferred)
    }

    /// The outputs for one sample.
    pub fn predict(sample: &Model) -> Plan {
        let roots = sample.outputs.iter().map(|o| Root {
            node: o.node,
            name: o.name.clone(),
            target: Target::Fresh(BufferRole::Output),
            routine: 0,
        });
        Plan::new(sample, vec!["predict"], roots.collect(), &BTreeSet::new())
    }

    /// The outputs at one time, and what the next time needs. The updates of `deferred` states go
    /// through a temporary.
    pub fn stream(step: &Model, deferred: &BTreeSet<NodeId>) -> Plan {
        let outputs = step.outputs.iter().map(|o| Root {
            node: o.node,
            name: o.name.clone(),
            target: Target::Fresh(BufferRole::Output),
            routine: 0,
        });
        let updates = step.updates.iter().map(|u| Root {
            node: u.value,
            name: step.graph.node(u.target).name.clone(),
            target: Target::Leaf(u.target),
            routine: 0,
        });
        Plan::new(step, vec!["step"], outputs.chain(updates).collect(), deferred)
    }

    fn new(model: &Model, routines: Vec<&'static str>, roots: Vec<Root>, deferred: &BTreeSet<NodeId>) -> Plan {
        let mut graph = model.graph.clone();
        crate::guards::guard_reads(&mut graph);
        crate::squeeze::squeeze(&mut graph, &roots.iter().map(|r| r.node).collect());
        let step = graph.nodes().map(|(id, _)| id);
        let step = step.filter(|&id| graph.node(id).leaf().is_none() && graph.is_step_scalar(id)).collect();
        let mut plan = Plan {
            graph,
            roots,
            routines,
            routine_of: BTreeMap::new(),
            step,
            apart: BTreeSet::new(),
            held: BTreeSet::new(),
            inlined: BTreeSet::new(),
            facts: BTreeMap::new(),
            reads_new: false,
            carried: BTreeMap::new(),
            loops: Vec::new(),
            loop_of: BTreeMap::new(),
            order: Vec::new(),
            phases: None,
        };
        plan.fill_recurrences();
        plan.assign_routines();
        plan.give_each_root_a_node(deferred);
        plan.assign_routines();
        plan.find_loops();
        plan
    }

    /// Each node goes to the earliest routine that needs it. Metrics run in evaluation only,
    /// so what both they and the backward pass need belongs to the forward pass.
    fn assign_routines(&mut self) {
        if self.routines == ROUTINES_OF_PARTS {
            self.set_phases();
        }
        let mut needed_by: BTreeMap<NodeId, BTreeSet<usize>> = BTreeMap::new();
        for routine in 0..self.routines.len() {
            let roots = self.roots.iter().filter(|r| r.routine == routine).map(|r| r.node);
            for id in self.graph.reachable(roots) {
                needed_by.entry(id).or_default().insert(routine);
                if let Some(carried) = self.carried.get(&id) {
                    needed_by.entry(carried.first).or_default().insert(routine);
                }
            }
        }
        let metrics = self.routines.iter().position(|&r| r == "metrics");
        self.routine_of.clear();
        for (id, by) in needed_by {
            let first = by.first().copied().unwrap_or(0);
            let shared = metrics == Some(first) && by.len() > 1;
            let kind = &self.graph.node(id).kind;
            let stored = !matches!(kind, NodeKind::Leaf(_) | NodeKind::Reshape(_) | NodeKind::Recurrence { .. });
            if stored {
                self.routine_of.insert(id, self.in_phase(id, if shared { 0 } else { first }));
            }
        }
        if self.phases.is_some() {
            self.before_their_readers();
        }
    }

    /// Where a step runs in parts: which nodes belong to all of it. A root that does is wanted
    /// after the parts.
    fn set_phases(&mut self) {
        let roots: Vec<NodeId> = self.roots.iter().map(|r| r.node).collect();
        let Ok(phases) = Phases::new(&self.graph, &roots) else {
            self.phases = None;
            return;
        };
        for k in 0..self.roots.len() {
            let source = self.source(self.roots[k].node);
            let root = &mut self.roots[k];
            if phases.after.contains(&source)
                && root.routine.is_multiple_of(2)
                && self.routines[root.routine] != "update"
            {
                root.routine += 1;
            }
        }
        self.phases = Some(phases);
    }

    /// The routine of a node in the phase that it belongs to.
    fn in_phase(&self, id: NodeId, routine: usize) -> usize {
        let Some(phases) = &self.phases else { return routine };
        let (total, update) = (routine % 2 == 1, self.routines[routine] == "update");
        if phases.after.contains(&id) {
            return if total || update { routine } else { routine + 1 };
        }
        let of_part = self.graph.node(id).per_sample || phases.sums.contains(&id);
        match of_part {
            true if total => routine - 1,
            true if update => routine - 2,
            _ => routine,
        }
    }

    /// Moves what is read by an earlier routine there.
    fn before_their_readers(&mut self) {
        loop {
            let mut earlier: BTreeMap<NodeId, usize> = BTreeMap::new();
            for (&id, &routine) in &self.routine_of {
                let mut inputs = self.graph.inputs(id);
                inputs.extend(self.carried.get(&id).map(|c| c.first));
                for input in inputs {
                    let input = self.source(input);
                    if self.routine_of.get(&input).is_some_and(|&r| r > routine) {
                        let at = earlier.entry(input).or_insert(routine);
                        *at = (*at).min(routine);
                    }
                }
            }
            if earlier.is_empty() {
                return;
            }
            self.routine_of.extend(earlier);
        }
    }

    /// Adds copies where two roots are one node, or where a root is a leaf or a constant, so
    /// that afterwards every root is a statement that can write into the root's buffer.
    fn give_each_root_a_node(&mut self, deferred: &BTreeSet<NodeId>) {
        // What fills a recurrence's buffer fills no other.
        let mut taken: BTreeSet<NodeId> = self.carried.values().flat_map(|c| [c.first, c.next]).collect();
        for k in 0..self.roots.len() {
            let root = self.roots[k].clone();
            let source = self.source(root.node);
            let statement = matches!(self.graph.node(source).kind, NodeKind::Compute { .. } | NodeKind::Scatter { .. });
            // A leaf is written only once nobody needs its old value.
            let leaf = matches!(root.target, Target::Leaf(_));
            let early = leaf && (source != root.node || self.routine_of.get(&source) != Some(&root.routine));
            let defer = matches!(root.target, Target::Leaf(l) if deferred.contains(&l));
            let direct = statement && !early && !defer && !self.step.contains(&source);
            // Initial values are made each by itself: those of parameters and those of an
            // optimizer's state are asked for separately, and a trained parameter is no
            // initial value for what began as it did.
            let init = self.routines == ["init"];
            if direct && taken.insert(source) {
                if init {
                    self.apart.insert(source);
                }
                continue;
            }
            if init && direct {
                let node = self.graph.node(source).clone();
                let again = self.graph.add(node);
                self.apart.insert(again);
                self.roots[k].node = again;
                taken.insert(again);
                continue;
            }
            let mut from = root.node;
            if defer {
                if !statement {
                    from = self.copy_of(from, &format!("{}.next", root.name));
                }
                self.held.insert(self.source(from));
            }
            let copy = self.copy_of(from, &root.name);
            if defer || init {
                self.apart.insert(copy);
            }
            self.roots[k].node = copy;
            taken.insert(copy);
        }
    }

    /// Behind reshapes.
    pub fn source(&self, mut id: NodeId) -> NodeId {
        while let NodeKind::Reshape(source) = self.graph.node(id).kind {
            id = source;
        }
        id
    }

    pub fn copy_of(&mut self, id: NodeId, name: &str) -> NodeId {
        let Node { shape, ty, range, per_sample, origin, .. } = self.graph.node(id).clone();
        let exprs = &mut self.graph.exprs;
        let names = ["i", "j", "k", "l", "m", "n"];
        let axis = |(k, &n): (usize, &usize)| exprs.fresh(names[k % names.len()], n, per_sample && k == 0);
        let axes: Vec<_> = shape.iter().enumerate().map(axis).collect();
        let at = axes.iter().map(|&v| self.graph.exprs.index(v)).collect();
        let body = self.graph.exprs.intern(Expr::Read { node: id, at, otherwise: None }, ty);
        let kind = NodeKind::Compute { axes, reduce: None, body };
        let name = if self.graph.find(name).is_none() { name.to_owned() } else { format!("{name}.copy") };
        self.graph.add(Node { name, kind, shape, ty, range, per_sample, origin })
    }

    /// Decides what is computed wherever it is read. `uses` of a node are its readers.
    pub fn inline_cheap(&mut self) {
        let roots: BTreeSet<NodeId> = self.roots.iter().map(|r| self.source(r.node)).collect();
        let mut uses: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
        for &id in self.routine_of.keys() {
            for input in self.graph.inputs(id) {
                uses.entry(input).or_default().push(id);
            }
        }
        // A reshape is a reader too: what it shows must be stored.
        let shown: BTreeSet<NodeId> = self
            .graph
            .nodes()
            .map(|(_, n)| n)
            .filter_map(|n| match n.kind {
                NodeKind::Reshape(source) => Some(source),
                _ => None,
            })
            .collect();
        for &id in self.routine_of.keys() {
            if !roots.contains(&id)
                && !shown.contains(&id)
                && !self.held.contains(&id)
                && self.worth_inlining(id, uses.get(&id))
            {
                self.inlined.insert(id);
            }
        }
        let ids: Vec<NodeId> = self.graph.nodes().map(|(id, _)| id).collect();
        for id in ids {
            let facts = self.through_inlined(id);
            self.facts.insert(id, facts);
        }
    }

    fn worth_inlining(&self, id: NodeId, uses: Option<&Vec<NodeId>>) -> bool {
        let node = self.graph.node(id);
        if let NodeKind::Literal(_) = node.kind {
            return node.len() == 1;
        }
        let NodeKind::Compute { reduce: None, body, .. } = node.kind else { return false };
        let exprs = &self.graph.exprs;
        let guarded = |reader: NodeId| self.reads(reader).iter().any(|r| r.node == id && r.guarded);
        let readers = uses.map(Vec::as_slice).unwrap_or_default();
        match exprs.get(body) {
            Expr::Real(_) | Expr::Bool(_) | Expr::Int(_) => return true,
            Expr::Read { node: read, otherwise: None, .. } if !self.step.contains(read) => {
                return !self.inlined.contains(read) || !readers.iter().any(|&r| guarded(r));
            }
            Expr::Read { .. } | Expr::Op(..) | Expr::Random { .. } => {}
        }
        if readers.iter().any(|&r| guarded(r)) || self.has_random(body) {
            return false;
        }
        let reals = exprs.read_nodes(body).iter().any(|&r| self.graph.node(r).ty == Ty::Real);
        if self.step.contains(&id) {
            return node.ty == Ty::Int || (node.ty == Ty::Bool && !reals);
        }
        if node.ty != Ty::Real && self.cost(body) <= 6 {
            // A chain of these would grow without bound.
            return !exprs.read_nodes(body).iter().any(|r| self.inlined.contains(r));
        }
        let [reader] = readers else { return false };
        let once = self.reads(*reader).iter().filter(|r| r.node == id).count() == 1;
        once && self.routine_of.get(reader) == self.routine_of.get(&id)
            && matches!(self.graph.node(*reader).kind, NodeKind::Compute { reduce: Some(_), .. })
            && self.turns(*reader) <= node.len()
    }

    /// Whether reductions run better with samples side by side than with the last axis in
    /// lanes, as convolutions of few channels and layers of few units do.
    pub fn prefers_batch_last(&self) -> bool {
        if !self.carried.is_empty() {
            return false;
        }
        let lanes = gdc_ir::program::LANES;
        let padded = |n: usize| n.div_ceil(lanes) * lanes;
        let (mut last, mut batch) = (0f64, 0f64);
        let labels = self.graph.nodes().any(|(_, n)| n.leaf().is_some() && n.per_sample && n.ty == Ty::Int);
        for &id in self.routine_of.keys() {
            let node = self.graph.node(id);
            let NodeKind::Compute { reduce: Some(_), .. } = node.kind else { continue };
            let (&[samples, .., width], true) = (node.shape.as_slice(), node.per_sample) else { continue };
            // What compares with a label of each sample would not run in lanes of samples; next
            // to a convolution that is little, next to a dense layer it is not.
            if samples < lanes || width == 0 || (labels && node.shape.len() < 3) {
                continue;
            }
            let turns = self.turns(id) as f64;
            last += turns * padded(width) as f64 / width as f64;
            batch += turns * padded(samples) as f64 / samples as f64;
        }
        batch * WORTH_TURNING < last
    }

    /// The cost of an expression, each shared part once.
    pub fn cost(&self, body: gdc_ir::ExprId) -> u32 {
        let mut cost = 0;
        self.graph.exprs.walk(body, &mut |e| {
            if let Expr::Op(op, _) = self.graph.exprs.get(e) {
                cost += op.facts().cost;
            }
        });
        cost
    }

    /// Whether an expression draws random numbers.
    pub fn has_random(&self, body: gdc_ir::ExprId) -> bool {
        let mut found = false;
        self.graph.exprs.walk(body, &mut |e| found |= matches!(self.graph.exprs.get(e), Expr::Random { .. }));
        found
    }

    /// How often a statement's body is evaluated.
    pub fn turns(&self, id: NodeId) -> usize {
        let extents = |vars: &[gdc_ir::Var]| vars.iter().map(|&v| self.graph.exprs.extent(v)).product::<usize>();
        match &self.graph.node(id).kind {
            NodeKind::Compute { axes, reduce, .. } => {
                extents(axes).saturating_mul(reduce.as_ref().map_or(1, |r| extents(&r.over)))
            }
            NodeKind::Scatter { domain, .. } => extents(domain),
            NodeKind::Leaf(_) | NodeKind::Literal(_) | NodeKind::Reshape(_) | NodeKind::Recurrence { .. } => 0,
        }
    }

    /// The reads of a statement, those of what is inlined in place of the read of it.
    pub fn effective_reads(&self, id: NodeId) -> &[ReadFact] {
        self.facts.get(&id).map(Vec::as_slice).unwrap_or_default()
    }

    fn through_inlined(&self, id: NodeId) -> Vec<ReadFact> {
        let mut all = Vec::new();
        for read in self.reads(id) {
            if self.inlined.contains(&read.node) {
                all.extend(self.effective_reads(read.node).iter().map(|r| ReadFact {
                    node: r.node,
                    identity: r.identity && read.identity,
                    guarded: r.guarded || read.guarded,
                    fixed: r.fixed && read.fixed,
                    own: r.own && read.own,
                }));
            } else if let NodeKind::Reshape(_) = self.graph.node(read.node).kind {
                all.push(ReadFact { node: self.source(read.node), identity: false, ..read });
            } else {
                all.push(read);
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The reads of a statement as they stand.
    fn reads(&self, id: NodeId) -> Vec<ReadFact> {
        let (axes, roots): (&[_], Vec<_>) = match &self.graph.node(id).kind {
            NodeKind::Compute { axes, body, .. } => (axes, vec![*body]),
            NodeKind::Scatter { at, body, .. } => (&[], at.iter().copied().chain([*body]).collect()),
            NodeKind::Reshape(source) => {
                return vec![ReadFact { node: *source, identity: false, guarded: false, fixed: true, own: true }];
            }
            NodeKind::Leaf(_) | NodeKind::Literal(_) | NodeKind::Recurrence { .. } => return Vec::new(),
        };
        let scatter = matches!(self.graph.node(id).kind, NodeKind::Scatter { .. });
        let reader_per_sample = self.graph.node(id).per_sample;
        let exprs = &self.graph.exprs;
        let mut facts = Vec::new();
        for root in roots {
            exprs.walk(root, &mut |e| {
                if let Expr::Read { node, at, otherwise } = exprs.get(e) {
                    let same = at.len() == axes.len() && at.iter().zip(axes).all(|(&i, &v)| exprs.as_var(i) == Some(v));
                    let identity = same && otherwise.is_none() && !scatter;
                    let per_sample = self.graph.node(*node).per_sample;
                    let is_sample = |e: gdc_ir::ExprId| exprs.as_var(e).is_some_and(|v| exprs.var(v).batch);
                    let fixed = at.iter().enumerate().all(|(k, &e)| match exprs.as_affine(e) {
                        Some(_) if per_sample && k == 0 => is_sample(e),
                        Some(a) => !a.terms.iter().any(|(v, _)| exprs.var(*v).batch),
                        None => false,
                    });
                    // An axis over all samples of what is not per sample itself is none at hand.
                    let at_hand = |v: gdc_ir::Var| exprs.var(v).batch && (reader_per_sample || !axes.contains(&v));
                    let own = !per_sample || at.first().and_then(|&e| exprs.as_var(e)).is_some_and(at_hand);
                    facts.push(ReadFact { node: *node, identity, guarded: otherwise.is_some(), fixed, own });
                }
            });
        }
        facts
    }
}

/// One read of a tensor by a statement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct ReadFact {
    pub node: NodeId,
    /// Whether it reads at the very place that the statement computes.
    pub identity: bool,
    /// Whether it may fall outside.
    pub guarded: bool,
    /// Whether it reads at places that are known once all loops but the batch's are unrolled,
    /// and at the sample at hand.
    pub fixed: bool,
    /// Whether what it reads belongs to the sample at hand, or to no sample.
    pub own: bool,
}
