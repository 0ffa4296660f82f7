//! Whether two models are the same function: by the structure of their graphs, or else by
//! evaluating both at random places.

use gdc_interp::{Batch, Error, Session, Tensor, evaluate, normal, uniform};
use gdc_ir::graph::{Entry, Kept, Leaf, Model, Precision, Update};
use gdc_ir::ops::{Op, Red, Ty};
use gdc_ir::{Dist, Expr, ExprId, Node, NodeId, NodeKind, Var};
use std::collections::BTreeMap;

/// Random batches that both models are evaluated with.
const TRIALS: u64 = 3;
/// Results that differ by less, relative to the largest element, count as the same.
const TOLERANCE: f64 = 1e-9;

/// What was found out.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    /// The graphs are equal but for names: proved.
    Structure,
    /// Loss, outputs, metrics, gradients and entry points agree wherever both were evaluated.
    Evaluation {
        /// At how many samples, or points for a model without inputs.
        samples: u64,
        /// The largest relative difference.
        worst: f64,
    },
    /// They differ; how.
    Different(Vec<String>),
}

/// The verdict on the function, whether updates are the same by structure, and which inputs,
/// targets, parameters, states and results have other names.
#[derive(Clone, PartialEq, Debug)]
pub struct Comparison {
    /// Of loss, outputs, metrics, gradients and entry points.
    pub function: Verdict,
    /// Whether a step changes parameters and states by the same formulas.
    pub same_update: bool,
    /// Whether parameters begin with the same values.
    pub same_start: bool,
    /// Old and new names.
    pub renamed: Vec<(String, String)>,
}

/// Compares two models.
pub fn compare(old: &Model, new: &Model) -> Comparison {
    let leaves = Leaves::matched(old, new);
    let mut interner = Interner::default();
    let a = Roots::of(old, interner.graph(old, &leaves.old), &leaves.old);
    let b = Roots::of(new, interner.graph(new, &leaves.new), &leaves.new);
    let function = if leaves.different.is_empty() && a.function == b.function {
        Verdict::Structure
    } else if leaves.different.is_empty() {
        evaluated(old, new, &leaves)
    } else {
        Verdict::Different(leaves.different.clone())
    };
    let mut renamed = leaves.renamed;
    if !matches!(function, Verdict::Different(_)) {
        let results = |m: &Model| m.outputs.iter().chain(&m.metrics).map(|n| n.name.clone()).collect::<Vec<_>>();
        renamed.extend(results(old).into_iter().zip(results(new)).filter(|(a, b)| a != b));
    }
    Comparison { function, same_update: a.updates == b.updates, same_start: a.initial == b.initial, renamed }
}

/// What comes from outside, numbered so that what belongs together has one number.
struct Leaves {
    old: BTreeMap<NodeId, u32>,
    new: BTreeMap<NodeId, u32>,
    /// Pairs of parameters.
    params: Vec<(NodeId, NodeId)>,
    /// Pairs of inputs and targets.
    given: Vec<(NodeId, NodeId)>,
    /// Pairs of inputs of entry points.
    entries: Vec<(NodeId, NodeId)>,
    renamed: Vec<(String, String)>,
    different: Vec<String>,
}

impl Leaves {
    fn matched(old: &Model, new: &Model) -> Leaves {
        let mut leaves = Leaves {
            old: BTreeMap::new(),
            new: BTreeMap::new(),
            params: Vec::new(),
            given: Vec::new(),
            entries: Vec::new(),
            renamed: Vec::new(),
            different: Vec::new(),
        };
        let kept = |list: &[Kept]| list.iter().map(|k| k.node).collect::<Vec<_>>();
        let one = |node: Option<NodeId>| node.into_iter().collect::<Vec<_>>();
        let inputs = leaves.pair(old, new, (&old.inputs, &new.inputs), "input");
        let targets = leaves.pair(old, new, (&old.targets, &new.targets), "target");
        leaves.given = [inputs, targets].concat();
        leaves.params = leaves.pair(old, new, (&kept(&old.params), &kept(&new.params)), "parameter");
        leaves.pair(old, new, (&kept(&old.states), &kept(&new.states)), "");
        leaves.pair(old, new, (&one(old.sample_weight), &one(new.sample_weight)), "");
        leaves.pair(old, new, (&one(old.counter), &one(new.counter)), "");
        leaves.pair_entries(old, new);
        leaves
    }

    /// Entry points belong together by their names, and their inputs like those of the models.
    fn pair_entries(&mut self, old: &Model, new: &Model) {
        let nodes = |e: &Entry| e.inputs.iter().map(|i| i.node).collect::<Vec<_>>();
        for entry in &old.entries {
            match new.entries.iter().find(|e| e.name == entry.name) {
                Some(other) => {
                    let pairs = self.pair(old, new, (&nodes(entry), &nodes(other)), "input of an entry point");
                    self.entries.extend(pairs);
                }
                None => self.different.push(format!("entry point `{}` is gone", entry.name)),
            }
        }
        let is_new = |e: &&Entry| old.entries.iter().all(|o| o.name != e.name);
        self.different.extend(new.entries.iter().filter(is_new).map(|e| format!("entry point `{}` is new", e.name)));
    }

    /// Pairs by name, and what is left in order by shape. What has no partner is a difference
    /// in what the function is of, where `what` says so.
    fn pair(&mut self, old: &Model, new: &Model, lists: (&[NodeId], &[NodeId]), what: &str) -> Vec<(NodeId, NodeId)> {
        let a = |id: &NodeId| old.graph.node(*id);
        let b = |id: &NodeId| new.graph.node(*id);
        // Another size of the batch changes no function.
        let shape = |n: &gdc_ir::Node| n.shape[usize::from(n.per_sample).min(n.shape.len())..].to_vec();
        let fits = |x: &NodeId, y: &NodeId| {
            let (x, y) = (a(x), b(y));
            (x.ty, x.range, x.per_sample) == (y.ty, y.range, y.per_sample)
                && (shape(x) == shape(y) || x.leaf() == Some(Leaf::SampleWeight))
        };
        let mut pairs = Vec::new();
        let mut free: Vec<NodeId> = lists.1.to_vec();
        let mut rest = Vec::new();
        for x in lists.0 {
            match free.iter().position(|y| a(x).name == b(y).name && fits(x, y)) {
                Some(k) => pairs.push((*x, free.remove(k))),
                None => rest.push(*x),
            }
        }
        for x in rest {
            match free.iter().position(|y| fits(&x, y)) {
                Some(k) => {
                    let y = free.remove(k);
                    if !what.is_empty() {
                        self.renamed.push((a(&x).name.clone(), b(&y).name.clone()));
                    }
                    pairs.push((x, y));
                }
                None => {
                    self.old.insert(x, u32::MAX - x.0);
                    if let Some(k) = free.iter().position(|y| !what.is_empty() && b(y).name == a(&x).name) {
                        let y = free.remove(k);
                        self.new.insert(y, u32::MAX / 2 - y.0);
                        let (before, after) = (shape(a(&x)), shape(b(&y)));
                        self.different.push(format!("{what} `{}` {before:?} is now {after:?}", a(&x).name));
                    } else if !what.is_empty() {
                        self.different.push(format!("{what} `{}` {:?} is gone", a(&x).name, shape(a(&x))));
                    }
                }
            }
        }
        for y in free {
            self.new.insert(y, u32::MAX / 2 - y.0);
            if !what.is_empty() {
                self.different.push(format!("{what} `{}` {:?} is new", b(&y).name, shape(b(&y))));
            }
        }
        for &(x, y) in &pairs {
            let number = self.old.len() as u32;
            self.old.insert(x, number);
            self.new.insert(y, number);
        }
        pairs
    }
}

/// A statement without names: variables are numbered as they are bound.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Form {
    Leaf(u32),
    Literal(Vec<u64>, Vec<usize>),
    Compute(Vec<Extent>, Option<(Red, Vec<Extent>)>, u32),
    Scatter(Vec<Extent>, Vec<u32>, u32, Vec<Extent>),
    Reshape(u32, Vec<Extent>),
    Recurrence(u32, Option<u32>, (usize, bool), Vec<Extent>),
}

/// An extent; the batch's is none, since it changes no function.
type Extent = Option<usize>;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Term {
    Real(u64),
    Bool(bool),
    Int(Vec<(u32, i64)>, i64),
    Read(u32, Vec<u32>, Option<u32>),
    Op(Op, Vec<u32>),
    Random(Dist, u64, u32),
}

/// Recurrences are numbered at most so often again.
const MOST_TIMES: usize = 8;

/// Gives equal statements of both graphs equal numbers.
#[derive(Default)]
struct Interner {
    forms: BTreeMap<Form, u32>,
    terms: BTreeMap<Term, u32>,
}

impl Interner {
    /// What a recurrence's steps leave is known only once the recurrence has a number: it is
    /// numbered without them, and then again with what the time before gave them.
    fn graph(&mut self, model: &Model, leaves: &BTreeMap<NodeId, u32>) -> BTreeMap<NodeId, u32> {
        let recurs = |(_, n): &(NodeId, &gdc_ir::Node)| matches!(n.kind, NodeKind::Recurrence { .. });
        let times = model.graph.nodes().filter(recurs).count().min(MOST_TIMES);
        let mut known = self.nodes(model, leaves, &BTreeMap::new());
        for _ in 0..times {
            known = self.nodes(model, leaves, &known);
        }
        known
    }

    fn nodes(
        &mut self,
        model: &Model,
        leaves: &BTreeMap<NodeId, u32>,
        before: &BTreeMap<NodeId, u32>,
    ) -> BTreeMap<NodeId, u32> {
        let graph = &model.graph;
        let mut known: BTreeMap<NodeId, u32> = BTreeMap::new();
        let extent = |v: &Var| {
            let info = graph.exprs.var(*v);
            (!info.batch).then_some(info.extent)
        };
        for (id, node) in graph.nodes() {
            let shape = || -> Vec<Extent> {
                node.shape.iter().enumerate().map(|(i, n)| (!node.per_sample || i > 0).then_some(*n)).collect()
            };
            let form = match &node.kind {
                NodeKind::Leaf(_) => Form::Leaf(leaves.get(&id).copied().unwrap_or(u32::MAX / 3 - id.0)),
                NodeKind::Literal(values) => {
                    Form::Literal(values.iter().map(|v| v.to_bits()).collect(), node.shape.clone())
                }
                NodeKind::Compute { axes, reduce, body } => {
                    let over = reduce.iter().flat_map(|r| r.over.iter().copied());
                    let vars: Vec<Var> = axes.iter().copied().chain(over).collect();
                    let body = self.expr(model, &vars, &known, *body);
                    let reduce = reduce.as_ref().map(|r| (r.op, r.over.iter().map(extent).collect()));
                    Form::Compute(axes.iter().map(extent).collect(), reduce, body)
                }
                NodeKind::Scatter { domain, at, body } => {
                    let at = at.iter().map(|e| self.expr(model, domain, &known, *e)).collect();
                    let body = self.expr(model, domain, &known, *body);
                    Form::Scatter(domain.iter().map(extent).collect(), at, body, shape())
                }
                NodeKind::Recurrence { init, next, axis, reverse } => Form::Recurrence(
                    known.get(init).copied().unwrap_or(u32::MAX),
                    before.get(next).copied(),
                    (*axis, *reverse),
                    shape(),
                ),
                NodeKind::Reshape(source) => Form::Reshape(known.get(source).copied().unwrap_or(u32::MAX), shape()),
            };
            let next = self.forms.len() as u32;
            known.insert(id, *self.forms.entry(form).or_insert(next));
        }
        known
    }

    fn expr(&mut self, model: &Model, vars: &[Var], nodes: &BTreeMap<NodeId, u32>, root: ExprId) -> u32 {
        let exprs = &model.graph.exprs;
        let mut order = Vec::new();
        exprs.walk(root, &mut |e| order.push(e));
        let mut known: BTreeMap<ExprId, u32> = BTreeMap::new();
        for e in order {
            let of = |e: &ExprId| known.get(e).copied().unwrap_or(u32::MAX);
            let term = match exprs.get(e) {
                Expr::Real(bits) => Term::Real(bits.get().to_bits()),
                Expr::Bool(value) => Term::Bool(*value),
                Expr::Int(affine) => {
                    let place = |v: &Var| vars.iter().position(|w| w == v).map_or(u32::MAX, |p| p as u32);
                    let mut terms: Vec<(u32, i64)> = affine.terms.iter().map(|(v, c)| (place(v), *c)).collect();
                    terms.sort_unstable();
                    Term::Int(terms, affine.constant)
                }
                Expr::Read { node, at, otherwise } => Term::Read(
                    nodes.get(node).copied().unwrap_or(u32::MAX),
                    at.iter().map(of).collect(),
                    otherwise.as_ref().map(of),
                ),
                Expr::Op(op, args) => {
                    let mut args: Vec<u32> = args.iter().map(of).collect();
                    if op.commutes() {
                        args.sort_unstable();
                    }
                    Term::Op(*op, args)
                }
                Expr::Random { dist, site, element } => Term::Random(*dist, *site, of(element)),
            };
            let next = self.terms.len() as u32;
            known.insert(e, *self.terms.entry(term).or_insert(next));
        }
        known.get(&root).copied().unwrap_or(u32::MAX)
    }
}

/// The numbers of what a model gives.
struct Roots {
    function: (Vec<Option<u32>>, BTreeMap<u32, u32>),
    updates: BTreeMap<u32, u32>,
    initial: BTreeMap<u32, u32>,
}

impl Roots {
    fn of(model: &Model, forms: BTreeMap<NodeId, u32>, leaves: &BTreeMap<NodeId, u32>) -> Roots {
        let form = |id: NodeId| forms.get(&id).copied();
        let results = model.outputs.iter().chain(&model.metrics).map(|n| form(n.node));
        let results = [model.loss.and_then(form), model.evaluation.and_then(form)].into_iter().chain(results);
        // Compared only where both sides have the same ones.
        let mut entries: Vec<&Entry> = model.entries.iter().collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let results = results.chain(entries.into_iter().map(|e| form(e.output)));
        let of = |list: &[Update]| -> BTreeMap<u32, u32> {
            list.iter().filter_map(|u| Some((*leaves.get(&u.target)?, form(u.value)?))).collect()
        };
        let kept = model.params.iter();
        Roots {
            function: (results.collect(), of(&model.gradients)),
            updates: of(&model.updates),
            initial: kept.filter_map(|k| Some((*leaves.get(&k.node)?, form(k.init)?))).collect(),
        }
    }
}

/// Both at the same random places.
fn evaluated(old: &Model, new: &Model, leaves: &Leaves) -> Verdict {
    let counts = |m: &Model| (m.outputs.len(), m.metrics.len(), m.loss.is_some());
    if counts(old) != counts(new) {
        return Verdict::Different(vec!["they have different numbers of outputs or metrics".to_owned()]);
    }
    let batch = |m: &Model| m.sample_weight.map_or(1, |w| m.graph.node(w).len());
    let samples = batch(old).min(batch(new)).min(8);
    let (mut worst, mut different) = (0.0_f64, BTreeMap::new());
    for trial in 0..TRIALS {
        let both = results(old, leaves, true, samples, trial)
            .and_then(|a| Ok((a, results(new, leaves, false, samples, trial)?)));
        let (a, b) = match both {
            Ok(both) => both,
            Err(e) => return Verdict::Different(vec![format!("they could not be evaluated: {e}")]),
        };
        for ((name, x), (_, y)) in a.iter().zip(&b) {
            let size = x.iter().chain(y).fold(1e-12_f64, |m, v| m.max(v.abs()));
            let apart = x.iter().zip(y).map(|(p, q)| (p - q).abs() / size);
            // Two values that are no numbers are not the same number.
            let apart = apart.fold(0.0_f64, |m, e| if e.is_nan() { f64::INFINITY } else { m.max(e) });
            let apart = if x.len() == y.len() { apart } else { f64::INFINITY };
            worst = worst.max(apart);
            if apart > TOLERANCE {
                let known = different.entry(name.clone()).or_insert(apart);
                *known = known.max(apart);
            }
        }
    }
    if different.is_empty() {
        return Verdict::Evaluation { samples: TRIALS * samples as u64, worst };
    }
    let line = |(name, apart): (String, f64)| format!("{name} differs by up to {:.0e} of its size", apart);
    Verdict::Different(different.into_iter().map(line).collect())
}

/// Random numbers that a node of what comes from outside can hold.
fn drawn(node: &Node, shape: &[usize], trial: u64, site: u64) -> Result<Tensor, Error> {
    let n: usize = shape.iter().product();
    let even = |i: usize| uniform(Precision::F64, trial, site, i as u64);
    match (node.ty, node.range) {
        (Ty::Int, Some((low, high))) => {
            Tensor::int(shape, (0..n).map(|i| low + (even(i) * (high - low) as f64) as i64).collect())
        }
        _ if node.leaf() == Some(Leaf::Target) => Tensor::real(shape, (0..n).map(even).collect()),
        _ => Tensor::real(shape, (0..n).map(|i| normal(Precision::F64, trial, site, i as u64)).collect()),
    }
}

/// Loss, outputs, metrics, gradients and entry points, under the names of the old model.
fn results(
    model: &Model,
    leaves: &Leaves,
    is_old: bool,
    samples: usize,
    trial: u64,
) -> Result<Vec<(String, Vec<f64>)>, Error> {
    let own = |pair: &(NodeId, NodeId)| if is_old { pair.0 } else { pair.1 };
    let mut session = Session::new(model, trial)?;
    for (k, pair) in leaves.params.iter().enumerate() {
        let node = model.graph.node(own(pair));
        let draw = |i: usize| 0.5 * normal(Precision::F64, trial, 1000 + k as u64, i as u64);
        session.set(&node.name, Tensor::real(&node.shape, (0..node.len()).map(draw).collect())?)?;
    }
    let mut batch = if leaves.given.is_empty() { Batch::none() } else { Batch::of(samples) };
    for (k, pair) in leaves.given.iter().enumerate() {
        let node = model.graph.node(own(pair));
        let shape: Vec<usize> = std::iter::once(samples).chain(node.shape.iter().skip(1).copied()).collect();
        batch = batch.with(node.name.clone(), drawn(node, &shape, trial, 10 + k as u64)?);
    }
    let named = model.outputs.iter().chain(&model.metrics);
    let mut roots: Vec<(String, NodeId)> = named.map(|n| (format!("`{}`", n.name), n.node)).collect();
    roots.extend(model.loss.map(|l| ("the loss".to_owned(), l)));
    for pair in &leaves.params {
        let gradient = model.gradients.iter().find(|g| g.target == own(pair));
        let name = &model.graph.node(own(pair)).name;
        roots.extend(gradient.map(|g| (format!("the gradient of `{name}`"), g.value)));
    }
    let mut entries: Vec<&Entry> = model.entries.iter().collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    roots.extend(entries.into_iter().map(|e| (format!("entry point `{}`", e.name), e.output)));
    let mut bindings = session.bindings(&batch)?;
    for (k, pair) in leaves.entries.iter().enumerate() {
        let node = model.graph.node(own(pair));
        bindings.bind(own(pair), drawn(node, &node.shape, trial, 100_000 + k as u64)?);
    }
    let values = evaluate(&model.graph, roots.iter().map(|(_, id)| *id), &bindings)?;
    let value = |(name, id): (String, NodeId)| {
        let all = values.get(id).map(Tensor::to_vec).unwrap_or_default();
        let node = model.graph.node(id);
        // Lanes without a sample are no results.
        let lane = if node.per_sample { node.len() / node.shape.first().copied().unwrap_or(1).max(1) } else { 0 };
        let kept = if node.per_sample { samples * lane } else { all.len() };
        (name, all.into_iter().take(kept).collect())
    };
    Ok(roots.into_iter().map(value).collect())
}
