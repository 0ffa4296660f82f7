//! Which tensors of a sequence have a value for each time, along which axis, and what of earlier
//! times they need. What needs later times is an obstacle.

use gdc_ir::{Affine, Bits, Expr, ExprId, Graph, Node, NodeId, NodeKind, Var};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// How a tensor depends on the time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum When {
    /// Not at all.
    Always,
    /// It has a place for each time along this axis, and needs nothing later there.
    Each(usize),
    /// It is made of what the last time gives: of the time at hand, as if the sequence ended there.
    Last,
}

/// Why a tensor cannot be computed one time at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Obstacle {
    /// A sum or the like runs over the times.
    AllTimes,
    /// It needs what comes later.
    Later,
    /// It looks at a time that is neither the one at hand nor a fixed number before it.
    OtherTime,
    /// It needs the time before, where the sequence says nothing of what stands before the first.
    NothingBefore,
    /// It begins with the last time.
    Backwards,
    /// A recurrence whose first value depends on the sequence.
    BeginsWithSequence,
    /// A recurrence whose first value depends on an input that is no part of the sequence.
    BeginsWithInput,
    /// The number of the time is needed, or a tensor with a place for each number.
    Number,
    /// The axis of times is merged with another one.
    Merged,
    /// There are more or fewer of these than of times.
    Rate,
}

/// The past that is needed of a tensor: what it yields before the first time, and how many times.
pub(super) type Pasts = BTreeMap<NodeId, BTreeMap<Before, usize>>;

/// What stands before the first time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Before {
    /// A real number.
    Real(Bits),
    /// An integer.
    Int(i64),
}

/// A read of a tensor that has a place for each time: which, that place, and what it yields outside.
type Reading = (NodeId, ExprId, Option<ExprId>);

/// The times of a graph without a batch.
pub(super) struct Times<'g> {
    graph: &'g Graph,
    /// How many there are.
    steps: usize,
    when: BTreeMap<NodeId, When>,
    /// The variable that runs over the times in each statement that has one.
    pub(super) var: BTreeMap<NodeId, Var>,
    pub(super) pasts: Pasts,
}

impl<'g> Times<'g> {
    /// Finds how `needed`, in order of evaluation, depend on the time; `streamed` are the inputs
    /// whose first axis runs over it.
    ///
    /// # Errors
    /// The first tensor that cannot be computed one time at a time, and why.
    pub(super) fn find(
        graph: &'g Graph,
        needed: &[NodeId],
        streamed: &BTreeSet<NodeId>,
        steps: usize,
    ) -> Result<Self, (NodeId, Obstacle)> {
        let mut times = Times { graph, steps, when: BTreeMap::new(), var: BTreeMap::new(), pasts: BTreeMap::new() };
        // A recurrence is read before it is known what its steps leave, so it counts as one that
        // depends on nothing until that is found.
        let mut obstacle = None;
        for _ in 0..=needed.len() {
            let mut changed = false;
            obstacle = None;
            times.pasts.clear();
            for &id in needed {
                let (when, why) = if streamed.contains(&id) { (When::Each(0), None) } else { times.of_node(id) };
                obstacle = obstacle.or(why.map(|why| (id, why)));
                changed |= times.when.insert(id, when) != Some(when);
            }
            if !changed {
                return obstacle.map_or(Ok(times), Err);
            }
        }
        Err(obstacle.unwrap_or((needed[0], Obstacle::OtherTime)))
    }

    /// How a tensor depends on the time.
    pub(super) fn when(&self, id: NodeId) -> When {
        self.when.get(&id).copied().unwrap_or(When::Always)
    }

    /// How a node depends on the time, and what stands in its way.
    fn of_node(&mut self, id: NodeId) -> (When, Option<Obstacle>) {
        let graph = self.graph;
        let node = graph.node(id);
        let or_last = |when: Result<When, Obstacle>| when.map_or_else(|why| (When::Last, Some(why)), |w| (w, None));
        match &node.kind {
            NodeKind::Leaf(_) | NodeKind::Literal(_) => (When::Always, None),
            NodeKind::Reshape(source) => or_last(self.of_reshape(node, *source)),
            NodeKind::Recurrence { init, next, axis, reverse } => {
                or_last(self.of_recurrence(*init, *next, *axis, *reverse))
            }
            NodeKind::Compute { axes, body, .. } => {
                let own: Vec<Option<Var>> = axes.iter().map(|&v| Some(v)).collect();
                self.of_statement(id, &own, &[*body])
            }
            NodeKind::Scatter { at, body, .. } => {
                let own: Vec<Option<Var>> = at.iter().map(|&e| graph.exprs.as_var(e)).collect();
                let roots: Vec<ExprId> = at.iter().copied().chain([*body]).collect();
                self.of_statement(id, &own, &roots)
            }
        }
    }

    fn of_reshape(&self, node: &Node, source: NodeId) -> Result<When, Obstacle> {
        let When::Each(axis) = self.when(source) else { return Ok(self.when(source)) };
        let before: usize = self.graph.node(source).shape[..axis].iter().product();
        let shape = &node.shape;
        let same = |&k: &usize| shape[k] == self.steps && shape[..k].iter().product::<usize>() == before;
        (0..shape.len()).find(same).map(When::Each).ok_or(Obstacle::Merged)
    }

    fn of_recurrence(&self, init: NodeId, next: NodeId, axis: usize, reverse: bool) -> Result<When, Obstacle> {
        let first = match self.when(init) {
            // The axis of steps comes in.
            When::Each(k) => When::Each(k + usize::from(k >= axis)),
            other => other,
        };
        match (self.when(next), first) {
            (When::Each(k), _) if k == axis && reverse => Err(Obstacle::Backwards),
            (When::Each(k), When::Always) if k == axis || self.is_even(init, k - usize::from(k > axis)) => {
                Ok(When::Each(k))
            }
            (When::Each(_), When::Always) => Err(Obstacle::Number),
            (When::Each(k), When::Each(f)) if f == k && k != axis => Ok(When::Each(k)),
            (When::Each(_), _) => Err(Obstacle::BeginsWithSequence),
            (When::Always, first) => Ok(first),
            (When::Last, When::Each(_)) => Err(Obstacle::Later),
            (When::Last, _) => Ok(When::Last),
        }
    }

    /// Whether a tensor is the same everywhere along an axis.
    pub(super) fn is_even(&self, id: NodeId, axis: usize) -> bool {
        match &self.graph.node(id).kind {
            NodeKind::Compute { axes, body, .. } => !self.graph.exprs.free_vars(*body).contains(&axes[axis]),
            NodeKind::Literal(_)
            | NodeKind::Leaf(_)
            | NodeKind::Scatter { .. }
            | NodeKind::Reshape(_)
            | NodeKind::Recurrence { .. } => false,
        }
    }

    /// A statement with these variables as its axes.
    fn of_statement(&mut self, id: NodeId, axes: &[Option<Var>], roots: &[ExprId]) -> (When, Option<Obstacle>) {
        let graph = self.graph;
        let mut reads: Vec<Reading> = Vec::new();
        let mut last = false;
        for &root in roots {
            graph.exprs.walk(root, &mut |e| {
                let Expr::Read { node, at, otherwise } = graph.exprs.get(e) else { return };
                match self.when(*node) {
                    When::Each(axis) => reads.push((*node, at[axis], *otherwise)),
                    When::Last => last = true,
                    When::Always => {}
                }
            });
        }
        // The variable is that of the first read that has one: what does not fit is an obstacle,
        // but how the statement depends on the time is known, which recurrences wait for.
        self.var.remove(&id);
        let places = reads.iter().filter_map(|&(_, place, _)| self.time_of(graph.exprs.as_affine(place)?, axes).ok());
        let var = places.into_iter().next();
        let obstacle = self.obstacle(&reads, var, last, axes, roots).err();
        match var.and_then(|v| axes.iter().position(|&a| a == Some(v))) {
            Some(axis) => {
                self.var.extend(var.map(|v| (id, v)));
                (When::Each(axis), obstacle)
            }
            None if reads.is_empty() && !last => (When::Always, obstacle),
            None => (When::Last, obstacle),
        }
    }

    /// What stands in the way of a statement, given the variable that runs over its times.
    fn obstacle(
        &mut self,
        reads: &[Reading],
        var: Option<Var>,
        mut last: bool,
        axes: &[Option<Var>],
        roots: &[ExprId],
    ) -> Result<(), Obstacle> {
        let exprs = &self.graph.exprs;
        for &(_, place, _) in reads {
            let affine = exprs.as_affine(place).ok_or(Obstacle::OtherTime)?;
            match affine.as_constant() {
                Some(constant) if constant != self.steps as i64 - 1 => return Err(Obstacle::OtherTime),
                Some(_) => last = true,
                None if Some(self.time_of(affine, axes)?) != var => return Err(Obstacle::OtherTime),
                None => {}
            }
        }
        let Some(var) = var else { return Ok(()) };
        if last {
            return Err(Obstacle::Later);
        }
        for &(node, place, otherwise) in reads {
            self.note_past(node, place, otherwise, var)?;
        }
        let twice = axes.iter().filter(|&&v| v == Some(var)).count() > 1;
        if twice || self.number_is_used(roots, var, axes) {
            return Err(Obstacle::Number);
        }
        Ok(())
    }

    /// The variable of a place that runs over the times.
    fn time_of(&self, place: &Affine, axes: &[Option<Var>]) -> Result<Var, Obstacle> {
        let exprs = &self.graph.exprs;
        let mut own = place.terms.iter().filter(|(v, _)| axes.contains(&Some(*v)));
        match (own.next(), own.next()) {
            (None, _) => Err(Obstacle::AllTimes),
            (Some(_), Some(_)) => Err(Obstacle::OtherTime),
            (Some(&(v, 1)), None) if exprs.extent(v) == self.steps => Ok(v),
            (Some(&(_, 1)), None) => Err(Obstacle::Rate),
            (Some(&(_, -1)), None) => Err(Obstacle::Backwards),
            (Some(_), None) => Err(Obstacle::Rate),
        }
    }

    /// Notes what a read needs of earlier times.
    fn note_past(&mut self, node: NodeId, place: ExprId, otherwise: Option<ExprId>, var: Var) -> Result<(), Obstacle> {
        let exprs = &self.graph.exprs;
        let away = exprs.as_affine(place).and_then(|a| a.add_scaled(&Affine::var(var), -1));
        let (low, high) = exprs.interval(&away.ok_or(Obstacle::OtherTime)?);
        if high > 0 {
            return Err(Obstacle::Later);
        }
        if low == 0 {
            return Ok(());
        }
        let before = otherwise.and_then(|e| match exprs.get(e) {
            Expr::Real(x) => Some(Before::Real(*x)),
            _ => exprs.as_int(e).map(Before::Int),
        });
        let before = before.ok_or(Obstacle::NothingBefore)?;
        let most = self.pasts.entry(node).or_default().entry(before).or_default();
        *most = (*most).max(low.unsigned_abs() as usize);
        Ok(())
    }

    /// Whether the number of the time is used otherwise than as a place along times.
    fn number_is_used(&self, roots: &[ExprId], var: Var, axes: &[Option<Var>]) -> bool {
        let exprs = &self.graph.exprs;
        // The places of a scatter name their variables; those of its axes are looked at alone.
        let places = axes.len().min(roots.len() - 1);
        let mut open: Vec<ExprId> = roots.to_vec();
        open.drain(..places);
        open.extend(roots[..places].iter().filter(|&&e| exprs.as_var(e) != Some(var)));
        let mut seen = HashSet::new();
        while let Some(e) = open.pop() {
            if !seen.insert(e) {
                continue;
            }
            match exprs.get(e) {
                Expr::Int(a) if a.coefficient(var) != 0 => return true,
                Expr::Read { node, at, otherwise } => {
                    let skip = |k: usize, e: ExprId| match self.when(*node) {
                        When::Each(axis) => k == axis,
                        When::Always => exprs.as_var(e) == Some(var) && self.is_even(*node, k),
                        When::Last => false,
                    };
                    open.extend(at.iter().enumerate().filter(|&(k, &e)| !skip(k, e)).map(|(_, &e)| e));
                    open.extend(otherwise);
                }
                _ => open.extend(exprs.children(e)),
            }
        }
        false
    }
}
