//! The model one time at a time: outputs from the inputs at that time and what is carried.
//!
//! What has a place for each time loses that axis. A recurrence along it becomes a state, whose
//! next value is what the step leaves; where earlier times of a tensor are read, as a causal
//! convolution does, these become a state as well.

mod times;

use crate::build::Build;
use crate::sample::one_sample;
use gdc_ir::{Affine, Expr, ExprId, Graph, Kept, Leaf, Model, Named, Node, NodeId, NodeKind, Update, Var};
use gdc_syntax::{Diagnostic, FileId, SourceMap, Span, ast};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use times::{Before, Obstacle, Times, When};

/// What cannot be computed one time at a time.
#[derive(Clone, Debug)]
pub struct Blocked {
    /// The name of the tensor.
    name: String,
    obstacle: Obstacle,
    /// The tensor, if it is known where it comes from.
    origin: Option<gdc_ir::Loc>,
    /// The statement that asks for it.
    stream: gdc_ir::Loc,
    steps: usize,
}

/// The streaming form of a model that asks for one: its inputs and outputs are those of one time
/// of one sample, its states what is carried, with the values before the first time and the next
/// ones as updates.
///
/// # Errors
/// Something needs more of the sequence than the times so far.
pub fn one_step(model: &Model) -> Result<Option<Model>, Box<Blocked>> {
    let Some(stream) = &model.stream else { return Ok(None) };
    let sample = one_sample(model);
    let streamed: BTreeSet<NodeId> = stream.inputs.iter().filter_map(|&k| sample.inputs.get(k).copied()).collect();
    let steps = streamed.first().and_then(|&i| sample.graph.node(i).shape.first().copied()).unwrap_or(0);
    let roots = sample.outputs.iter().map(|o| o.node);
    let others = sample.inputs.iter().copied().chain(sample.params.iter().map(|p| p.node));
    let needed = sample.graph.reachable(roots.chain(others));
    let blocked = |(id, obstacle): (NodeId, Obstacle)| {
        let node = sample.graph.node(id);
        let (name, origin) = (node.name.clone(), node.origin);
        Box::new(Blocked { name, obstacle, origin, stream: stream.origin, steps })
    };
    let times = Times::find(&sample.graph, &needed, &streamed, steps).map_err(blocked)?;
    let mut graph = Graph::default();
    graph.exprs = sample.graph.exprs.clone();
    let mut step = Step { old: &sample, times, graph, map: BTreeMap::new(), windows: BTreeMap::new(), carried: vec![] };
    for &id in &needed {
        step.node(id);
    }
    // What is carried begins before there is any input.
    let given =
        |c: &&Carried| step.graph.reachable([c.init]).iter().any(|n| step.graph.node(*n).leaf() == Some(Leaf::Input));
    if let Some(carried) = step.carried.iter().find(given) {
        let id = step.map.iter().find(|(_, new)| **new == carried.state).map_or(needed[0], |(old, _)| *old);
        return Err(blocked((id, Obstacle::BeginsWithInput)));
    }
    Ok(Some(step.finish(&needed)))
}

/// Something that is carried: its state, its first value, and the old node that it becomes.
struct Carried {
    state: NodeId,
    init: NodeId,
    next: Next,
}

/// The next value of something carried.
enum Next {
    /// What an old node becomes.
    Of(NodeId),
    /// A new node.
    New(NodeId),
}

/// The streaming form in the making.
struct Step<'m> {
    old: &'m Model,
    times: Times<'m>,
    graph: Graph,
    map: BTreeMap<NodeId, NodeId>,
    /// The last times of a tensor, the one at hand included, by what stands before the first.
    windows: BTreeMap<(NodeId, Before), NodeId>,
    carried: Vec<Carried>,
}

impl Step<'_> {
    fn node(&mut self, id: NodeId) {
        let node = self.old.graph.node(id);
        let axis = match self.times.when(id) {
            When::Each(axis) => Some(axis),
            When::Always | When::Last => None,
        };
        let kind = match &node.kind {
            NodeKind::Leaf(_) | NodeKind::Literal(_) => node.kind.clone(),
            NodeKind::Reshape(source) => NodeKind::Reshape(self.map[source]),
            NodeKind::Recurrence { init, axis: own, .. } if axis == Some(*own) => {
                self.carry(id, *init);
                return self.window(id);
            }
            NodeKind::Recurrence { init, axis: own, reverse, .. } => {
                let init = self.first_value(*init, axis.map(|a| a - usize::from(a > *own)));
                let next = NodeId(self.graph.len() as u32);
                let axis = own - usize::from(axis.is_some_and(|a| a < *own));
                NodeKind::Recurrence { init, next, axis, reverse: *reverse }
            }
            NodeKind::Compute { axes, reduce, body } => {
                let mut axes = axes.clone();
                axis.map(|a| axes.remove(a));
                NodeKind::Compute { axes, reduce: reduce.clone(), body: self.expr(id, *body) }
            }
            NodeKind::Scatter { domain, at, body } => {
                let time = self.times.var.get(&id).copied();
                let domain = domain.iter().copied().filter(|&v| Some(v) != time).collect();
                let mut places: Vec<ExprId> = at.clone();
                axis.map(|a| places.remove(a));
                let at = places.into_iter().map(|e| self.expr(id, e)).collect();
                NodeKind::Scatter { domain, at, body: self.expr(id, *body) }
            }
        };
        let mut shape = node.shape.clone();
        axis.map(|a| shape.remove(a));
        let new = self.graph.add(Node { kind, shape, ..node.clone() });
        self.map.insert(id, new);
        self.window(id);
    }

    /// What a recurrence within each time begins with. One that is the same at all times, and was
    /// written out for each along `axis`, is taken once.
    fn first_value(&mut self, init: NodeId, axis: Option<usize>) -> NodeId {
        let (Some(axis), When::Always) = (axis, self.times.when(init)) else { return self.map[&init] };
        let old = self.old.graph.node(init).clone();
        let mut shape = old.shape.clone();
        shape.remove(axis);
        let axes = self.axes(&shape);
        let mut at = self.places(&axes, None, 0);
        at.insert(axis, self.graph.exprs.int(0));
        let body = self.graph.exprs.read(self.map[&init], old.ty, at, None);
        self.graph.add(Node { kind: NodeKind::Compute { axes, reduce: None, body }, shape, ..old })
    }

    /// A recurrence along the times becomes a state.
    fn carry(&mut self, id: NodeId, init: NodeId) {
        let node = self.old.graph.node(id);
        let NodeKind::Recurrence { next, axis, .. } = node.kind else { return };
        let mut shape = node.shape.clone();
        shape.remove(axis);
        let name = node.name.strip_suffix(".before").unwrap_or(&node.name).to_owned();
        let state = self.graph.add(Node { name, kind: NodeKind::Leaf(Leaf::State), shape, ..node.clone() });
        self.map.insert(id, state);
        self.carried.push(Carried { state, init: self.map[&init], next: Next::Of(next) });
    }

    /// For a tensor of which `most` earlier times are read: a state `past` of these, and what they
    /// are together with the time at hand, `window[k] = past[k] else now`.
    fn window(&mut self, id: NodeId) {
        let Some(pasts) = self.times.pasts.get(&id).cloned() else { return };
        let When::Each(axis) = self.times.when(id) else { return };
        let old = self.old.graph.node(id).clone();
        for (before, most) in pasts {
            let with = |n: usize| {
                let mut shape = old.shape.clone();
                shape[axis] = n;
                shape
            };
            let outside = match before {
                Before::Real(x) => self.graph.exprs.real(x.get()),
                Before::Int(x) => self.graph.exprs.int(x),
            };
            // What stands before the first time is a value as well.
            let range = match (old.range, before) {
                (Some((low, high)), Before::Int(x)) => Some((low.min(x), high.max(x + 1))),
                (range, _) => range,
            };
            let named = |suffix: &str| format!("{}.{suffix}", old.name);
            let like =
                |name: String, kind: NodeKind, shape: Vec<usize>| Node { name, kind, shape, range, ..old.clone() };
            let axes = self.axes(&with(most));
            let kind = NodeKind::Compute { axes, reduce: None, body: outside };
            let init = self.graph.add(like(named("past.start"), kind, with(most)));
            let past = self.graph.add(like(named("past"), NodeKind::Leaf(Leaf::State), with(most)));
            let axes = self.axes(&with(most + 1));
            let now = self.places(&axes, Some(axis), 0);
            let now = self.graph.exprs.read(self.map[&id], old.ty, now, None);
            let at = self.places(&axes, None, 0);
            let body = self.graph.exprs.read(past, old.ty, at, Some(now));
            let kind = NodeKind::Compute { axes, reduce: None, body };
            let window = self.graph.add(like(named("window"), kind, with(most + 1)));
            let axes = self.axes(&with(most));
            let mut at = self.places(&axes, None, 0);
            at[axis] = self.graph.exprs.affine(Affine { terms: vec![(axes[axis], 1)], constant: 1 });
            let body = self.graph.exprs.read(window, old.ty, at, None);
            let kind = NodeKind::Compute { axes, reduce: None, body };
            let next = self.graph.add(like(named("past.next"), kind, with(most)));
            self.carried.push(Carried { state: past, init, next: Next::New(next) });
            self.windows.insert((id, before), window);
        }
    }

    /// Variables for the axes of a shape.
    fn axes(&mut self, shape: &[usize]) -> Vec<Var> {
        let names = ["i", "j", "k", "l", "m", "n"];
        let fresh = |(k, &n): (usize, &usize)| self.graph.exprs.fresh(names[k % names.len()], n, false);
        shape.iter().enumerate().map(fresh).collect()
    }

    /// The places that variables stand for, without that of one axis, moved by a constant.
    fn places(&mut self, axes: &[Var], without: Option<usize>, by: i64) -> Vec<ExprId> {
        let kept = axes.iter().enumerate().filter(|(k, _)| Some(*k) != without);
        kept.map(|(_, &v)| self.graph.exprs.affine(Affine { terms: vec![(v, 1)], constant: by })).collect()
    }

    /// An expression of an old statement at one time.
    fn expr(&mut self, reader: NodeId, e: ExprId) -> ExprId {
        let var = self.times.var.get(&reader).copied();
        self.expr_in(var, e, &mut HashMap::new())
    }

    fn expr_in(&mut self, time: Option<Var>, e: ExprId, memo: &mut HashMap<ExprId, ExprId>) -> ExprId {
        if let Some(&done) = memo.get(&e) {
            return done;
        }
        let result = match self.graph.exprs.get(e).clone() {
            Expr::Read { node, at, otherwise } => self.read(time, node, &at, otherwise, memo),
            Expr::Op(op, args) => {
                let args: Vec<ExprId> = args.iter().map(|&a| self.expr_in(time, a, memo)).collect();
                self.graph.exprs.op(op, &args)
            }
            Expr::Random { dist, site, element } => {
                let element = self.expr_in(time, element, memo);
                self.graph.exprs.intern(Expr::Random { dist, site, element }, gdc_ir::Ty::Real)
            }
            Expr::Real(_) | Expr::Bool(_) | Expr::Int(_) => e,
        };
        memo.insert(e, result);
        result
    }

    fn read(
        &mut self,
        time: Option<Var>,
        node: NodeId,
        at: &[ExprId],
        otherwise: Option<ExprId>,
        memo: &mut HashMap<ExprId, ExprId>,
    ) -> ExprId {
        let ty = self.old.graph.node(node).ty;
        let mut places: Vec<ExprId> = at.iter().map(|&i| self.expr_in(time, i, memo)).collect();
        if self.times.when(node) == When::Always {
            // What is the same at all times is read at any.
            let along = |&e: &ExprId| time.is_some() && self.graph.exprs.as_var(e) == time;
            let which: Vec<usize> = (0..places.len()).filter(|&k| along(&places[k])).collect();
            which.into_iter().for_each(|k| places[k] = self.graph.exprs.int(0));
        }
        let outside = otherwise.map(|o| self.expr_in(time, o, memo));
        let When::Each(axis) = self.times.when(node) else {
            return self.graph.exprs.read(self.map[&node], ty, places, outside);
        };
        // How far from the time at hand; nothing for the last time, which is the one at hand.
        let away = time.and_then(|t| self.graph.exprs.as_affine(at[axis])?.add_scaled(&Affine::var(t), -1));
        let past = away.filter(|a| *a != Affine::default()).and_then(|away| {
            let before = before(&self.graph, otherwise)?;
            let most = *self.times.pasts.get(&node)?.get(&before)?;
            Some((away.add_scaled(&Affine::constant(most as i64), 1)?, *self.windows.get(&(node, before))?))
        });
        match past {
            Some((place, window)) => {
                places[axis] = self.graph.exprs.affine(place);
                self.graph.exprs.read(window, ty, places, outside)
            }
            None => {
                places.remove(axis);
                self.graph.exprs.read(self.map[&node], ty, places, outside)
            }
        }
    }

    /// Closes what runs inside of a step, and lists what is kept.
    fn finish(mut self, needed: &[NodeId]) -> Model {
        for &id in needed {
            let inside = |n: NodeId| matches!(self.graph.node(n).kind, NodeKind::Recurrence { .. });
            if let NodeKind::Recurrence { next, .. } = self.old.graph.node(id).kind
                && inside(self.map[&id])
            {
                self.graph.close(self.map[&id], self.map[&next]);
            }
        }
        let value = |c: &Carried| match c.next {
            Next::Of(old) => self.map[&old],
            Next::New(new) => new,
        };
        let updates = self.carried.iter().map(|c| Update { target: c.state, value: value(c) }).collect();
        let states = self.carried.iter().map(|c| Kept { node: c.state, init: c.init }).collect();
        let named = |n: &Named| Named { name: n.name.clone(), node: self.map[&n.node] };
        let old = self.old;
        Model {
            name: old.name.clone(),
            precision: old.precision,
            inputs: old.inputs.iter().map(|i| self.map[i]).collect(),
            params: old.params.iter().map(|k| Kept { node: self.map[&k.node], init: self.map[&k.node] }).collect(),
            outputs: old.outputs.iter().map(named).collect(),
            states,
            updates,
            settings: old.settings.clone(),
            graph: self.graph,
            ..Model::default()
        }
    }
}

/// What a read yields before the first time.
fn before(graph: &Graph, otherwise: Option<ExprId>) -> Option<Before> {
    match graph.exprs.get(otherwise?) {
        Expr::Real(x) => Some(Before::Real(*x)),
        _ => graph.exprs.as_int(otherwise?).map(Before::Int),
    }
}

impl Blocked {
    /// The error, at what stands in the way. What stands in the library is shown at the statement
    /// of the model that uses it.
    pub fn diagnostic(&self, model: &ast::Model, sources: &SourceMap) -> Diagnostic {
        let (message, help) = self.message();
        let span = |l: gdc_ir::Loc| Span { file: FileId(l.0), start: l.1, end: l.2 };
        let asked = span(self.stream);
        let origin = self.origin.map(span);
        let library = origin.filter(|o| sources.file(o.file).name.starts_with("std/"));
        let at = if library.is_some() { self.statement(model) } else { origin };
        let mut diagnostic = Diagnostic::error(crate::codes::STREAM, at.unwrap_or(asked), message);
        if let Some(library) = library {
            diagnostic = diagnostic.secondary(library, "here");
        }
        if at.is_some() {
            diagnostic = diagnostic.secondary(asked, "a streaming form is asked for here");
        }
        diagnostic.help(help)
    }

    /// The value of the `let` that the name of the tensor begins with.
    fn statement(&self, model: &ast::Model) -> Option<Span> {
        let first = self.name.split('.').next()?;
        model.body.statements.iter().find_map(|stmt| match &stmt.kind {
            ast::StmtKind::Let { pattern: ast::Pattern::Name(n), value, .. } if n.text == first => Some(value.span),
            ast::StmtKind::Output { name, value } if name.text == first => Some(value.span),
            _ => None,
        })
    }

    /// What is wrong, and what helps.
    fn message(&self) -> (String, &'static str) {
        let (name, steps) = (&self.name, self.steps);
        match self.obstacle {
            Obstacle::AllTimes => (
                format!("`{name}` needs all {steps} times at once"),
                "a stream knows the times so far: carry along a running value in a `scan`, or look at the last time",
            ),
            Obstacle::Later => (
                format!("`{name}` needs later times than the one at hand"),
                "pad before the sequence only (`padding = causal`), and look at no later time",
            ),
            Obstacle::OtherTime => (
                format!("`{name}` looks at a time that is no fixed number of times before the one at hand"),
                "a stream keeps what it is known to need: carry it along in a `scan`",
            ),
            Obstacle::NothingBefore => (
                format!("`{name}` needs earlier times, and nothing says what stands before the first"),
                "say it where the earlier time is read: `x[i - 1] else 0`",
            ),
            Obstacle::Backwards => (
                format!("`{name}` runs backwards in time"),
                "what begins at the end of a sequence cannot be computed while it comes in: use the layer that runs \
                 forwards alone, not `bidirectional`",
            ),
            Obstacle::BeginsWithSequence => (
                format!("`{name}` begins with what depends on the sequence"),
                "what is carried begins with a constant or a parameter",
            ),
            Obstacle::BeginsWithInput => (
                format!("`{name}` begins with what depends on an input"),
                "what is carried begins with a constant or a parameter",
            ),
            Obstacle::Number => (
                format!("`{name}` depends on the number of the time, of which a stream has no last"),
                "give what depends on it as an input of its own",
            ),
            Obstacle::Merged => {
                (format!("`{name}` merges the axis of times with another one"), "keep the times an axis of their own")
            }
            Obstacle::Rate => (
                format!("`{name}` has another number of times than the {steps} of the inputs"),
                "a stream gives one output for each input: pad so that no time is lost, and take steps of 1",
            ),
        }
    }
}
