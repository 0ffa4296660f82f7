//! A model layer by layer: shapes, parameters, memory and cost.

use gdc_driver::Output;
use gdc_ir::graph::{Leaf, Model, Precision};
use gdc_ir::ops::Signature;
use gdc_ir::program::{Buffer, BufferRole, Elem};
use gdc_ir::{Expr, ExprId, Graph, Node, NodeId, NodeKind, Op};
use std::collections::{BTreeMap, BTreeSet};

/// What a row stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Given.
    Input,
    /// Given in training.
    Target,
    /// A parameter of the model itself.
    Param,
    /// A layer with parameters.
    Layer,
    /// Another value.
    Value,
    /// What is minimised.
    Loss,
    /// What `evaluate` gives besides.
    Metric,
}

impl Kind {
    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Input => "input",
            Kind::Target => "target",
            Kind::Param => "param",
            Kind::Layer => "layer",
            Kind::Value => "value",
            Kind::Loss => "loss",
            Kind::Metric => "metric",
        }
    }
}

/// One row.
#[derive(Clone, PartialEq, Debug)]
pub struct Layer {
    /// The `let` or, with dots, the layer in it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its value's extents for one sample.
    pub shape: Vec<usize>,
    /// Learnt numbers.
    pub params: u64,
    /// Of these, frozen ones.
    pub frozen: u64,
    /// Bytes of the parameters.
    pub param_bytes: u64,
    /// Bytes that training stores of its values and their derivatives, for a whole batch.
    pub stored_bytes: u64,
    /// Operations per sample to compute it.
    pub forward: f64,
    /// Operations per sample for the derivatives.
    pub backward: f64,
    /// Its last node, for the equation.
    pub node: NodeId,
    /// The rows that it reads.
    pub reads: Vec<usize>,
}

/// The rows, and what does not belong to one layer.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// In order of evaluation.
    pub layers: Vec<Layer>,
    /// Operations of the update in one step.
    pub update: f64,
    /// Numbers that the optimizer and the layers keep from step to step.
    pub state: u64,
    /// Learnt numbers.
    pub params: u64,
    /// Bytes of one number.
    pub width: u64,
    /// Bytes that training needs besides the model.
    pub workspace: u64,
    /// Operations per sample of the generated training step.
    pub step_operations: f64,
    /// Samples of a full step.
    pub batch: Option<usize>,
}

/// The nodes of a model by what they are for.
pub struct Parts {
    /// What the loss, outputs and metrics need.
    pub forward: BTreeSet<NodeId>,
    /// What the gradients need besides.
    pub backward: BTreeSet<NodeId>,
    /// What the updates need besides.
    pub update: BTreeSet<NodeId>,
}

impl Parts {
    /// Of a whole model.
    pub fn of(model: &Model) -> Parts {
        let graph = &model.graph;
        let results = model.outputs.iter().chain(&model.metrics).map(|n| n.node);
        let results = results.chain(model.loss).chain(model.evaluation);
        let results = results.chain(model.entries.iter().map(|e| e.output));
        let given = model.inputs.iter().chain(&model.targets).copied();
        let params = model.params.iter().map(|p| p.node);
        let forward: BTreeSet<NodeId> = graph.reachable(results.chain(given).chain(params)).into_iter().collect();
        let rest = |roots: Vec<NodeId>, known: &[&BTreeSet<NodeId>]| -> BTreeSet<NodeId> {
            graph.reachable(roots).into_iter().filter(|n| !known.iter().any(|k| k.contains(n))).collect()
        };
        let backward = rest(model.gradients.iter().map(|g| g.value).collect(), &[&forward]);
        let update = rest(model.updates.iter().map(|u| u.value).collect(), &[&forward, &backward]);
        Parts { forward, backward, update }
    }
}

impl Table {
    /// Of a compiled model.
    pub fn new(output: &Output) -> Table {
        let model = &output.model;
        let graph = &model.graph;
        let parts = Parts::of(model);
        let owners = Owners::new(model);
        let batch = output.programs.train.samples();
        let samples = batch.unwrap_or(1).max(1) as f64;
        let width = if model.precision == Precision::F64 { 8 } else { 4 };
        let mut layers = rows(model, &parts, &owners);
        let place: BTreeMap<String, usize> = layers.iter().enumerate().map(|(i, l)| (l.name.clone(), i)).collect();
        let row_of = |name: &str| place.get(&owners.of(name)).copied();
        for (id, node) in graph.nodes() {
            let Some(row) = row_of(&node.name) else { continue };
            let cost = operations(graph, node) / samples;
            if parts.forward.contains(&id) {
                layers[row].forward += cost;
                let reads = graph.inputs(id).into_iter().filter_map(|i| row_of(&graph.node(i).name));
                let new: Vec<usize> = reads.filter(|r| *r != row && !layers[row].reads.contains(r)).collect();
                layers[row].reads.extend(new);
            } else if parts.backward.contains(&id) {
                layers[row].backward += cost;
            }
        }
        for buffer in output.programs.train.buffers.iter().filter(|b| b.role == BufferRole::Temp) {
            if let Some(row) = row_of(&buffer.name) {
                layers[row].stored_bytes += bytes(buffer);
            }
        }
        for layer in &mut layers {
            layer.param_bytes = layer.params * width;
            layer.reads.sort_unstable();
        }
        Table {
            update: parts.update.iter().map(|&n| operations(graph, graph.node(n))).sum(),
            state: model.states.iter().map(|s| graph.node(s.node).len() as u64).sum(),
            params: gdc_codegen::parameters(&output.programs) as u64,
            width,
            workspace: gdc_codegen::workspace_bytes(&output.programs) as u64,
            step_operations: gdc_codegen::operations_per_step(&output.programs) as f64 / samples,
            batch,
            layers,
        }
    }
}

fn bytes(buffer: &Buffer) -> u64 {
    let width = match buffer.elem {
        Elem::F32 | Elem::U32 | Elem::I32 => 4,
        Elem::F64 | Elem::U64 => 8,
        Elem::Bool => 1,
    };
    buffer.shape.iter().map(|&n| n as u64).product::<u64>() * width
}

/// Which row each node belongs to: the layer with parameters that its name lies in, or else the
/// `let` that its name starts with. What a `let` computes before a layer in it is a row of its
/// own, so that no two rows read each other.
struct Owners {
    of: BTreeMap<String, String>,
}

impl Owners {
    fn new(model: &Model) -> Owners {
        let graph = &model.graph;
        let path = |name: &str| name.rsplit_once('.').map(|(layer, _)| layer.to_owned());
        let layers: BTreeSet<String> = model.params.iter().filter_map(|p| path(&graph.node(p.node).name)).collect();
        let layer_of = |name: &str| {
            let inside = |l: &&String| name.strip_prefix(l.as_str()).is_some_and(|rest| rest.starts_with('.'));
            layers.iter().filter(inside).max_by_key(|l| l.len()).cloned()
        };
        let mut of: BTreeMap<String, String> = BTreeMap::new();
        // The part of each `let` that is being computed: its nodes since its last layer.
        let mut open: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let first = |name: &str| name.split('.').next().unwrap_or(name).to_owned();
        for (_, node) in graph.nodes().filter(|(_, n)| !n.name.starts_with("d.")) {
            match layer_of(&node.name) {
                Some(layer) => {
                    let before = open.remove(&first(&layer)).unwrap_or_default();
                    if let Some(last) = before.last().cloned() {
                        before.into_iter().for_each(|name| drop(of.insert(name, last.clone())));
                    }
                    of.insert(node.name.clone(), layer);
                }
                None => open.entry(first(&node.name)).or_default().push(node.name.clone()),
            }
        }
        for (name, nodes) in open {
            nodes.into_iter().for_each(|node| drop(of.insert(node, name.clone())));
        }
        Owners { of }
    }

    /// The row of a node, of a derivative by it, or of a copy of it.
    fn of(&self, name: &str) -> String {
        let mut name = name.strip_prefix("d.").unwrap_or(name);
        loop {
            if let Some(owner) = self.of.get(name) {
                return owner.clone();
            }
            match name.rsplit_once('.') {
                Some((rest, _)) => name = rest,
                None => return name.to_owned(),
            }
        }
    }
}

/// One row for each owner of forward nodes, in the order of their last nodes.
fn rows(model: &Model, parts: &Parts, owners: &Owners) -> Vec<Layer> {
    let graph = &model.graph;
    let mut last: BTreeMap<String, NodeId> = BTreeMap::new();
    let mut params: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (id, node) in graph.nodes().filter(|(id, _)| parts.forward.contains(id)) {
        let owner = owners.of(&node.name);
        match node.leaf() {
            Some(Leaf::Param) => {
                let count = params.entry(owner.clone()).or_default();
                count.0 += node.len() as u64;
                count.1 += if model.frozen.contains(&id) { node.len() as u64 } else { 0 };
                last.entry(owner).or_insert(id);
            }
            Some(Leaf::SampleWeight | Leaf::Counter | Leaf::State) => {}
            Some(Leaf::Input | Leaf::Target) | None => {
                last.insert(owner, id);
            }
        }
    }
    let mut found: Vec<(String, NodeId)> = last.into_iter().collect();
    found.sort_by_key(|(_, id)| *id);
    let row = |(name, id): (String, NodeId)| {
        let node = graph.node(id);
        let (count, frozen) = params.get(&name).copied().unwrap_or_default();
        Layer {
            kind: kind(model, id, &name, count > 0),
            shape: node.shape[usize::from(node.per_sample).min(node.shape.len())..].to_vec(),
            params: count,
            frozen,
            param_bytes: 0,
            stored_bytes: 0,
            forward: 0.0,
            backward: 0.0,
            node: id,
            reads: Vec::new(),
            name,
        }
    };
    found.into_iter().map(row).collect()
}

fn kind(model: &Model, id: NodeId, name: &str, has_params: bool) -> Kind {
    match model.graph.node(id).leaf() {
        Some(Leaf::Input) => return Kind::Input,
        Some(Leaf::Target) => return Kind::Target,
        Some(Leaf::Param) if !name.contains('.') => return Kind::Param,
        _ => {}
    }
    if model.loss == Some(id) {
        Kind::Loss
    } else if model.metrics.iter().any(|m| m.node == id) {
        Kind::Metric
    } else if has_params {
        Kind::Layer
    } else {
        Kind::Value
    }
}

/// Arithmetic operations on reals, a function counted as one, in all elements of a node.
pub fn operations(graph: &Graph, node: &Node) -> f64 {
    let extent = |v: &gdc_ir::Var| graph.exprs.extent(*v) as f64;
    match &node.kind {
        NodeKind::Leaf(_) | NodeKind::Literal(_) | NodeKind::Reshape(_) | NodeKind::Recurrence { .. } => 0.0,
        NodeKind::Compute { axes, reduce, body } => {
            let over = reduce.iter().flat_map(|r| r.over.iter());
            let points: f64 = axes.iter().chain(over).map(extent).product();
            points * (scalar_operations(graph, *body) + if reduce.is_some() { 1.0 } else { 0.0 })
        }
        NodeKind::Scatter { domain, body, .. } => {
            domain.iter().map(extent).product::<f64>() * (scalar_operations(graph, *body) + 1.0)
        }
    }
}

fn scalar_operations(graph: &Graph, body: ExprId) -> f64 {
    let mut count = 0.0;
    graph.exprs.walk(body, &mut |e| {
        if let Expr::Op(op, _) = graph.exprs.get(e) {
            count += match op.facts().signature {
                Signature::Real | Signature::Number | Signature::Choice if !matches!(op, Op::Detach | Op::Stated) => {
                    f64::from(u8::from(graph.exprs.ty(e) == gdc_ir::Ty::Real))
                }
                _ => 0.0,
            };
        }
    });
    count
}
