//! The tensor graph: SSA over tensors. A node is one statement in index notation.
//!
//! Nodes are appended and never changed; a node reads only earlier ones, so the order of
//! ids is an order of evaluation. A pass that rewrites builds a new graph. The batch is an
//! explicit first axis of every per-sample tensor, whose variable has `batch` set.
//!
//! The one exception is a recurrence, whose next values are those of a later node: it closes a
//! circle, which is evaluated step by step (see [`crate::order`]).

use crate::expr::{ExprId, Exprs, Var};
use crate::ops::{Red, Ty};
use std::collections::HashMap;
use std::fmt;

/// A node of a [`Graph`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// A place in a source, opaque here: file number, first byte, one past the last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Loc(pub u32, pub u32, pub u32);

/// What comes from outside.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Leaf {
    /// Given per sample.
    Input,
    /// Given per sample, in training and evaluation only.
    Target,
    /// Learnt.
    Param,
    /// Kept from step to step, such as an optimizer's moments.
    State,
    /// `[batch]`: 1/n for the n samples given, 0 for lanes that a partial batch lacks.
    SampleWeight,
    /// The number of completed updates, an integer scalar: 0 in the first step.
    Counter,
}

/// A reduction and its variables.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Reduce {
    /// Which.
    pub op: Red,
    /// Over what, outermost first; never empty.
    pub over: Vec<Var>,
}

/// How a node gets its value.
#[derive(Clone, PartialEq, Debug)]
pub enum NodeKind {
    /// From outside.
    Leaf(Leaf),
    /// Constant numbers, row-major.
    Literal(Vec<f64>),
    /// `y[axes] = body`, or `y[axes] = reduce[over](body)`.
    Compute {
        /// One per axis of the node, all different.
        axes: Vec<Var>,
        /// The reduction, if there is one.
        reduce: Option<Reduce>,
        /// The scalar at each place; its variables are in `axes` and `over`.
        body: ExprId,
    },
    /// `y[at] += body` for every point of `domain` where `at` lies inside; 0 elsewhere.
    Scatter {
        /// The variables that run, in order of accumulation.
        domain: Vec<Var>,
        /// One integer expression per axis of the node.
        at: Vec<ExprId>,
        /// The scalar to add.
        body: ExprId,
    },
    /// The same elements in row-major order under another shape; moves nothing.
    Reshape(NodeId),
    /// What a scan carries, at the entry to each step: `y[.., t, ..] = next[.., t - 1, ..]`, and
    /// `init` at the first step.
    Recurrence {
        /// The value at the first step; it lacks the axis of steps.
        init: NodeId,
        /// What each step leaves: of the same shape, and usually a later node that depends on
        /// this one. The node itself while the scan is being built.
        next: NodeId,
        /// Which axis runs over the steps.
        axis: usize,
        /// Whether the last step comes first: `y[t] = next[t + 1]`.
        reverse: bool,
    },
}

/// One tensor.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// A dotted path such as `h.dense.w`; unique in the graph.
    pub name: String,
    /// How it gets its value.
    pub kind: NodeKind,
    /// Its extents, outermost first.
    pub shape: Vec<usize>,
    /// The type of its elements.
    pub ty: Ty,
    /// For integers: values lie in `low..high`.
    pub range: Option<(i64, i64)>,
    /// Whether the first axis is the batch.
    pub per_sample: bool,
    /// What it came from.
    pub origin: Option<Loc>,
}

impl Node {
    /// The number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What kind of leaf it is, if it is one.
    pub fn leaf(&self) -> Option<Leaf> {
        match self.kind {
            NodeKind::Leaf(leaf) => Some(leaf),
            _ => None,
        }
    }
}

/// Tensors and the expressions they are made of.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The expressions and index variables.
    pub exprs: Exprs,
    nodes: Vec<Node>,
    /// Which node bears a name. Only asked, never listed.
    names: HashMap<String, NodeId>,
    /// For a name that was wanted again: below this number all `name.k` are taken.
    numbers: HashMap<String, usize>,
}

impl Graph {
    /// Appends a node. Its name is made unique with a number if it is taken.
    pub fn add(&mut self, mut node: Node) -> NodeId {
        node.name = self.unique(node.name);
        let id = NodeId(self.nodes.len() as u32);
        self.names.insert(node.name.clone(), id);
        self.nodes.push(node);
        id
    }

    /// Appends a node as it is, so that tests of the verifier can break what `add` ensures.
    #[cfg(test)]
    pub(crate) fn push_unchecked(&mut self, node: Node) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        self.names.entry(node.name.clone()).or_insert(id);
        self.nodes.push(node);
        id
    }

    /// Renames a node; the name is made unique with a number if it is taken.
    pub fn rename(&mut self, id: NodeId, name: String) {
        let old = std::mem::take(&mut self.nodes[id.0 as usize].name);
        self.free(&old);
        let name = self.unique(name);
        self.names.insert(name.clone(), id);
        self.nodes[id.0 as usize].name = name;
    }

    /// Nothing bears a name any more.
    fn free(&mut self, name: &str) {
        self.names.remove(name);
        if let Some((base, number)) = name.rsplit_once('.')
            && let (Ok(number), Some(below)) = (number.parse::<usize>(), self.numbers.get_mut(base))
        {
            *below = number.min(*below);
        }
    }

    fn unique(&mut self, base: String) -> String {
        if !self.names.contains_key(&base) {
            return base;
        }
        let mut number = self.numbers.get(&base).copied().unwrap_or_default().max(2);
        let mut name = format!("{base}.{number}");
        while self.names.contains_key(&name) {
            number += 1;
            name = format!("{base}.{number}");
        }
        self.numbers.insert(base, number);
        name
    }

    /// States what a recurrence's steps leave, once that is known.
    pub fn close(&mut self, recurrence: NodeId, leaves: NodeId) {
        if let NodeKind::Recurrence { next, .. } = &mut self.nodes[recurrence.0 as usize].kind {
            *next = leaves;
        }
    }

    /// The node of an id.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The same graph for another number of samples in a batch.
    pub fn with_batch(&self, samples: usize) -> Graph {
        let mut graph = self.clone();
        graph.exprs.set_batch(samples);
        for node in graph.nodes.iter_mut().filter(|n| n.per_sample) {
            if let Some(first) = node.shape.first_mut() {
                *first = samples;
            }
        }
        graph
    }

    /// Takes all nodes out, for a pass that builds them anew over the same expressions.
    pub fn take_nodes(&mut self) -> Vec<Node> {
        self.names.clear();
        self.numbers.clear();
        std::mem::take(&mut self.nodes)
    }

    /// All nodes in order of evaluation.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = (NodeId, &Node)> + ExactSizeIterator {
        self.nodes.iter().enumerate().map(|(i, n)| (NodeId(i as u32), n))
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The node of a name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.names.get(name).copied()
    }

    /// The nodes that a node reads, ascending.
    pub fn inputs(&self, id: NodeId) -> Vec<NodeId> {
        match &self.node(id).kind {
            NodeKind::Leaf(_) | NodeKind::Literal(_) => Vec::new(),
            NodeKind::Reshape(source) => vec![*source],
            NodeKind::Recurrence { init, next, .. } if *next == id => vec![*init],
            NodeKind::Recurrence { init, next, .. } => {
                let mut nodes = vec![*init, *next];
                nodes.sort_unstable();
                nodes.dedup();
                nodes
            }
            NodeKind::Compute { body, .. } => self.exprs.read_nodes(*body),
            NodeKind::Scatter { at, body, .. } => {
                let mut nodes = self.exprs.read_nodes(*body);
                nodes.extend(at.iter().flat_map(|&e| self.exprs.read_nodes(e)));
                nodes.sort_unstable();
                nodes.dedup();
                nodes
            }
        }
    }

    /// The nodes that `roots` need, themselves included, in order of evaluation.
    pub fn reachable(&self, roots: impl IntoIterator<Item = NodeId>) -> Vec<NodeId> {
        let mut needed = vec![false; self.nodes.len()];
        let mut open: Vec<NodeId> = roots.into_iter().collect();
        while let Some(id) = open.pop() {
            if !std::mem::replace(&mut needed[id.0 as usize], true) {
                open.extend(self.inputs(id));
            }
        }
        (0..self.nodes.len()).filter(|&i| needed[i]).map(|i| NodeId(i as u32)).collect()
    }

    /// Whether a node is a scalar that depends on the counter and constants alone, such as
    /// a learning rate. These are computed once per step, in f64.
    pub fn is_step_scalar(&self, id: NodeId) -> bool {
        let node = self.node(id);
        match &node.kind {
            NodeKind::Leaf(leaf) => *leaf == Leaf::Counter,
            NodeKind::Compute { axes, reduce: None, .. } if axes.is_empty() => {
                self.inputs(id).into_iter().all(|i| self.is_step_scalar(i))
            }
            _ => false,
        }
    }
}

/// A named result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// As written in the spec.
    pub name: String,
    /// Its value.
    pub node: NodeId,
}

/// A parameter or state with its initial value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// The leaf.
    pub node: NodeId,
    /// A node of the same shape that gives the initial value.
    pub init: NodeId,
}

/// The next value of a parameter or state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Update {
    /// A leaf.
    pub target: NodeId,
    /// A node of the same shape. All updates of a step read the old values of leaves.
    pub value: NodeId,
}

/// The number type of a model.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Precision {
    /// `f32`
    #[default]
    F32,
    /// `f64`
    F64,
}

/// When training stops before its last epoch.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Until {
    /// `mean_loss < x`: an epoch's mean loss (a step's, where there are no samples) is below.
    MeanLossBelow(f64),
}

/// What `train { ... }` says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Settings {
    /// Samples per step; `None` for a model without inputs.
    pub batch: Option<usize>,
    /// Passes over the data.
    pub epochs: Option<usize>,
    /// Steps, in place of or besides epochs.
    pub steps: Option<usize>,
    /// A stopping rule.
    pub until: Option<Until>,
    /// Whether each epoch takes the samples in a new order.
    pub shuffle: bool,
    /// Whether a last partial batch is left out.
    pub drop_last: bool,
    /// The seed of initial values and shuffling.
    pub seed: u64,
    /// Whether a step may run on several threads.
    pub threads: Option<Threads>,
}

/// `threads = auto;` or `threads = 4;`: that a step is cut into parts of the batch, which
/// threads can share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Threads {
    /// At most so many; `None` for as many as the machine has, where a step is worth it.
    pub most: Option<usize>,
    /// Where it says so.
    pub origin: Option<Loc>,
}

/// A further entry point: computed for one sample from parameters and inputs of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// As written in the spec.
    pub name: String,
    /// Its inputs by the names of its parameters, in order.
    pub inputs: Vec<Named>,
    /// Its value, per sample.
    pub output: NodeId,
}

/// `stream t;`: the outputs are also wanted one time at a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Streamed {
    /// The inputs, by their places in the model's list, that are given one time at a time: those
    /// whose first axis (after the batch) runs over the times.
    pub inputs: Vec<usize>,
    /// The statement.
    pub origin: Loc,
}

/// `checkpoint(e)`: what the derivative needs of the inside of `e` is computed again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// The statements outside that `e` reads.
    pub inputs: Vec<NodeId>,
    /// What `e` is worth.
    pub results: Vec<NodeId>,
}

/// What a [`Budget`] is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quantity {
    /// Learnt numbers.
    Params,
    /// Bytes that training needs besides the model.
    Workspace,
    /// Arithmetic operations of a prediction.
    Flops,
    /// Arithmetic operations of a step, per sample.
    StepFlops,
    /// Bytes of generated code, without its layout.
    Code,
    /// Uses of `unsafe` in generated code.
    Unsafe,
}

/// `assert params < 10_000;`: bounds that the compiled model must keep.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Budget {
    /// Of what.
    pub quantity: Quantity,
    /// The least value that is allowed.
    pub least: f64,
    /// The greatest value that is allowed.
    pub most: f64,
    /// The statement.
    pub origin: Loc,
}

/// A whole model as a graph with its roots.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The model's name.
    pub name: String,
    /// Its doc comment.
    pub docs: Vec<String>,
    /// The tensors.
    pub graph: Graph,
    /// Number type.
    pub precision: Precision,
    /// In declared order.
    pub inputs: Vec<NodeId>,
    /// In declared order.
    pub targets: Vec<NodeId>,
    /// In order of creation.
    pub params: Vec<Kept>,
    /// Parameters that stay as they are: no gradient is computed for them.
    pub frozen: Vec<NodeId>,
    /// Optimizer state and the like, in order of creation.
    pub states: Vec<Kept>,
    /// `[batch]` leaf, in models with inputs.
    pub sample_weight: Option<NodeId>,
    /// Counter leaf.
    pub counter: Option<NodeId>,
    /// The scalar that is minimised: the weighted sum over the samples of all losses.
    pub loss: Option<NodeId>,
    /// The loss as the model predicts, where that differs from how it trains.
    pub evaluation: Option<NodeId>,
    /// Per-sample results.
    pub outputs: Vec<Named>,
    /// Further entry points.
    pub entries: Vec<Entry>,
    /// What a streaming form is wanted of.
    pub stream: Option<Streamed>,
    /// What is computed again instead of being kept; none once that is done.
    pub checkpoints: Vec<Checkpoint>,
    /// Bounds that the compiled model must keep.
    pub budgets: Vec<Budget>,
    /// Scalars: weighted means over the samples.
    pub metrics: Vec<Named>,
    /// Numbers of the model that settings of its optimizers name; none once those are lowered.
    pub held: Vec<Named>,
    /// `dL/dp` for each updated parameter.
    pub gradients: Vec<Update>,
    /// What a step changes.
    pub updates: Vec<Update>,
    /// Training settings.
    pub settings: Settings,
}

impl Model {
    /// Every node that a generated program computes or keeps.
    pub fn roots(&self) -> Vec<NodeId> {
        let mut roots: Vec<NodeId> = Vec::new();
        roots.extend(self.inputs.iter().chain(&self.targets));
        roots.extend(self.params.iter().chain(&self.states).flat_map(|k| [k.node, k.init]));
        roots.extend(self.sample_weight.into_iter().chain(self.counter).chain(self.loss).chain(self.evaluation));
        roots.extend(self.outputs.iter().chain(&self.metrics).chain(&self.held).map(|n| n.node));
        roots.extend(self.entries.iter().flat_map(|e| e.inputs.iter().map(|i| i.node).chain([e.output])));
        roots.extend(self.gradients.iter().chain(&self.updates).map(|u| u.value));
        roots.extend(self.checkpoints.iter().flat_map(|c| c.inputs.iter().chain(&c.results)));
        roots
    }
}
