//! From the syntax tree to the tensor graph: names are resolved, calls expanded, shapes
//! checked, and every `let` and reduction becomes a node.

mod across;
mod block;
mod budgets;
mod calculus;
mod call;
mod checkpoint;
mod elementwise;
mod entry;
mod expr;
mod index;
mod library_calls;
mod list;
mod model;
mod optimizer;
mod params;
mod partial;
mod predictable;
mod reduce;
mod scan;
mod scatter;
mod selection;
mod settings;
mod stated;
mod stream;
mod submodel;
mod transpose;
mod turns;
mod types;
mod value;

pub use model::lower;
pub use optimizer::lower_updates;
pub use value::BUILTIN_NAMES;

use crate::build::Build;
use crate::library::Library;
use gdc_ir::ranges::int_interval;
use gdc_ir::{ExprId, Graph, Leaf, Loc, Model, Node, NodeId, NodeKind, Ty, Var};
use gdc_syntax::{Code, Diagnostic, Diagnostics, Reported, SourceMap, Span, ast};
use std::collections::{BTreeMap, BTreeSet};
use value::{Binding, Tensor, Value};

/// The deepest chain of calls; beyond it definitions call each other without end.
const MAX_CALLS: usize = 64;

/// The most elements one tensor may have.
const MAX_ELEMENTS: usize = 1 << 28;

/// The most nodes a model may have before it is refused.
const MAX_NODES: usize = 100_000;

/// The names visible inside one function, layer or model; blocks nest, innermost last.
struct Frame {
    blocks: Vec<BTreeMap<String, Binding>>,
    /// The numbers of the turns of the `for` loops around, outermost first.
    turns: Vec<String>,
    /// Whether this is a model's own body, in which a `let` names a part of paths.
    model: bool,
}

impl Frame {
    /// A frame that begins with these names.
    fn new(names: BTreeMap<String, Binding>) -> Self {
        Frame { blocks: vec![names], turns: Vec::new(), model: false }
    }

    /// The frame of a model's body.
    fn model() -> Self {
        Frame { model: true, ..Frame::default() }
    }
}

impl Default for Frame {
    fn default() -> Self {
        Frame::new(BTreeMap::new())
    }
}

/// While a parameter's initial value is lowered: what its draws are keyed by.
struct Draw {
    path: String,
    axes: Vec<Var>,
    draws: u32,
}

/// An `optimizer` statement, kept until the gradients are known.
struct OptimizerUse {
    value: ast::Expr,
    with: Vec<ast::Expr>,
    selectors: Vec<ast::Selector>,
    span: Span,
}

/// The state of lowering one model.
pub struct Lowerer<'a> {
    library: &'a mut Library,
    sources: &'a mut SourceMap,
    diagnostics: &'a mut Diagnostics,
    model: Model,
    batch: Option<Var>,
    /// The mapped axes and bound indices around the current expression, outermost first.
    context: Vec<Var>,
    frames: Vec<Frame>,
    /// The let and labels around the current expression.
    path: Vec<String>,
    /// Labels of layers that made parameters so far, with the number of the call and where.
    labels: BTreeMap<(Option<u32>, String), (u32, Span)>,
    /// The labelled calls being expanded, outermost first.
    labelled: Vec<call::Labelled>,
    /// How many labelled calls were expanded.
    labelled_calls: u32,
    /// Parameters of shared layers, by path.
    shared: BTreeMap<String, NodeId>,
    /// Inside the call of a shared layer: the number of that call.
    in_shared: Option<u32>,
    /// Whether the model is being lowered as it trains, or as it predicts.
    training: bool,
    /// Whether it makes a difference: `training` was asked for.
    asks_training: bool,
    /// The second time round, as it predicts: what exists is found again by its name.
    again: bool,
    /// The next value of each `state` of a model or layer.
    next_states: BTreeMap<NodeId, (Tensor, Span)>,
    /// How many places draw random numbers so far.
    draws: u32,
    /// What the next node is called, from the `let` around it.
    hint: Option<String>,
    /// Nodes whose name was made up.
    unnamed: BTreeSet<NodeId>,
    /// The calls being expanded, outermost first: what is called, and where.
    calls: Vec<(String, Span)>,
    /// How many calls were expanded so far.
    called: usize,
    draw: Option<Draw>,
    optimizers: Vec<OptimizerUse>,
    /// `transform` statements of the model.
    transforms: Vec<ast::Expr>,
    /// `freeze` statements of the model.
    frozen: Vec<ast::Selector>,
    /// While the updates of a group are lowered: the sums of `total(...)`, by place.
    totals: BTreeMap<Span, ExprId>,
    /// Inside the body of an optimizer: the parameter that is updated.
    updating: Option<optimizer::Updating>,
    /// Outputs and entry points: what they are, their values, and where they are stated.
    predictions: Vec<(String, NodeId, Span)>,
    /// Axes that run over the samples of a batch, of which a partial one lacks some.
    lanes: BTreeSet<Var>,
    /// Where each leaf was declared.
    declared: BTreeMap<NodeId, Span>,
    /// The scans whose bodies are being lowered, outermost first.
    scans: Vec<scan::Scan>,
}

type Lowered<T> = Result<T, Reported>;

impl Lowerer<'_> {
    fn graph(&mut self) -> &mut Graph {
        &mut self.model.graph
    }

    fn error(&mut self, code: Code, span: Span, message: impl Into<String>) -> Reported {
        self.report(Diagnostic::error(code, span, message))
    }

    /// Whether something stands in the standard library.
    fn in_library(&self, span: Span) -> bool {
        self.sources.file(span.file).name.starts_with("std/")
    }

    /// Keeps a diagnostic. One inside the standard library is shown at the call that led
    /// there: the mistake is in what was passed.
    fn report(&mut self, mut diagnostic: Diagnostic) -> Reported {
        if self.in_library(diagnostic.span) {
            let call = self.calls.iter().rev().find(|(_, span)| !self.in_library(*span)).cloned();
            if let Some((name, span)) = call {
                let text =
                    if diagnostic.label.is_empty() { "here".to_owned() } else { std::mem::take(&mut diagnostic.label) };
                diagnostic.secondary.insert(0, gdc_syntax::diagnostic::Label { span: diagnostic.span, text });
                diagnostic.span = span;
                diagnostic.label = format!("in this call of `{name}`");
            }
        }
        self.diagnostics.push(diagnostic)
    }

    // ---- names

    fn lookup(&self, name: &str) -> Option<&Binding> {
        self.frames.last()?.blocks.iter().rev().find_map(|b| b.get(name))
    }

    fn lookup_mut(&mut self, name: &str) -> Option<&mut Binding> {
        self.frames.last_mut()?.blocks.iter_mut().rev().find_map(|b| b.get_mut(name))
    }

    fn bind(&mut self, name: &ast::Name, value: Value) {
        self.bind_as(name, Binding { value, span: name.span, mutable: false, state: None });
    }

    fn bind_as(&mut self, name: &ast::Name, binding: Binding) {
        if let Some(earlier) = self.lookup(&name.text) {
            let earlier = earlier.span;
            self.report(
                Diagnostic::error(crate::codes::SHADOWS, name.span, format!("`{}` is already defined here", name.text))
                    .label("defined again")
                    .secondary(earlier, "first defined here")
                    .help(
                        "no name shadows another: choose a different name, or use `<-` to give a state its next value",
                    ),
            );
        }
        if let Some(block) = self.frames.last_mut().and_then(|f| f.blocks.last_mut()) {
            block.insert(name.text.clone(), binding);
        }
    }

    fn in_block<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        if let Some(frame) = self.frames.last_mut() {
            frame.blocks.push(BTreeMap::new());
        }
        let result = run(self);
        if let Some(frame) = self.frames.last_mut() {
            frame.blocks.pop();
        }
        result
    }

    fn in_path<T>(&mut self, part: &str, run: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(part.to_owned());
        let result = run(self);
        self.path.pop();
        result
    }

    /// Whether the statement at hand stands in a model's own body.
    fn in_model(&self) -> bool {
        self.updating.is_none() && self.frames.last().is_some_and(|f| f.model)
    }

    fn path_to(&self, name: &str) -> String {
        let mut parts = self.path.clone();
        parts.push(name.to_owned());
        parts.join(".")
    }

    // ---- nodes

    /// The free variables of an expression that are bound around it, outermost first.
    fn lead(&self, expr: ExprId, own: &[Var]) -> Vec<Var> {
        let free = self.model.graph.exprs.free_vars(expr);
        self.context.iter().copied().filter(|v| free.contains(v) && !own.contains(v)).collect()
    }

    fn loc(span: Span) -> Loc {
        Loc(span.file.0, span.start, span.end)
    }

    fn add_node(&mut self, node: Node, span: Span) -> Lowered<NodeId> {
        let size = node.shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).unwrap_or(usize::MAX);
        if size > MAX_ELEMENTS {
            let shape = types::shape_text(&node.shape);
            return Err(self.report(
                Diagnostic::error(crate::codes::SIZE, span, format!("a tensor {shape} is too large"))
                    .note(format!("it would have {size} elements; the most is {MAX_ELEMENTS}")),
            ));
        }
        if self.model.graph.len() >= MAX_NODES {
            return Err(self.error(crate::codes::SIZE, span, "the model is too large"));
        }
        Ok(self.graph().add(node))
    }

    /// Adds what a user named: it bears that name, and what the compiler made up under it before
    /// gets another one.
    fn add_named(&mut self, node: Node, span: Span) -> Lowered<NodeId> {
        let name = node.name.clone();
        let graph = self.graph();
        let declared = |leaf| matches!(leaf, Some(Leaf::Input | Leaf::Target | Leaf::Param | Leaf::State));
        let made_up = |id: &NodeId| !declared(graph.node(*id).leaf());
        if let Some(other) = graph.find(&name).filter(made_up) {
            graph.rename(other, format!("{name}.2"));
        }
        self.add_node(node, span)
    }

    /// Adds a statement over `axes` and returns its node.
    fn compute(
        &mut self,
        axes: Vec<Var>,
        reduce: Option<gdc_ir::Reduce>,
        body: ExprId,
        range: Option<(i64, i64)>,
        span: Span,
    ) -> Lowered<NodeId> {
        let exprs = &self.model.graph.exprs;
        let ty = reduce.as_ref().map_or(exprs.ty(body), |r| r.op.result());
        let shape = axes.iter().map(|&v| exprs.extent(v)).collect();
        // An integer that is computed keeps the range that its parts give it.
        let computed = if ty == Ty::Int && reduce.is_none() { int_interval(&self.model.graph, body) } else { None };
        let range = range.or(computed.map(|(low, high)| (low, high + 1)));
        let exprs = &self.model.graph.exprs;
        let per_sample = axes.first().is_some_and(|&v| exprs.var(v).batch);
        let (name, made_up) = match (&self.hint, &reduce) {
            (Some(hint), None) => (hint.clone(), false),
            (Some(hint), Some(r)) => (format!("{hint}.{}", r.op.name()), true),
            (None, Some(r)) => (self.path_to(r.op.name()), true),
            (None, None) => (self.path_to("value"), true),
        };
        let kind = NodeKind::Compute { axes, reduce, body };
        let origin = Some(Self::loc(span));
        let id = self.add_node(Node { name, kind, shape, ty, range, per_sample, origin }, span)?;
        if made_up {
            self.unnamed.insert(id);
        }
        Ok(id)
    }

    /// A read of a whole node at the places `at`.
    fn read_at(&mut self, node: NodeId, at: &[Var]) -> ExprId {
        let ty = self.model.graph.node(node).ty;
        let exprs = &mut self.model.graph.exprs;
        let at = at.iter().map(|&v| exprs.index(v)).collect();
        exprs.read(node, ty, at, None)
    }

    /// Turns a delayed tensor into a node, unless it is as cheap as reading one.
    fn materialise(&mut self, tensor: Tensor, span: Span) -> Lowered<Tensor> {
        let mut axes = self.lead(tensor.expr, &tensor.axes);
        axes.extend(&tensor.axes);
        if let Some(node) = self.as_whole_node(tensor.expr, &axes) {
            // `let y = sum[i](...)` names the sum itself.
            if let Some(hint) = self.hint.clone()
                && self.unnamed.remove(&node)
            {
                self.graph().rename(node, hint);
            }
            return Ok(tensor);
        }
        if self.is_cheap(tensor.expr) {
            return Ok(tensor);
        }
        let node = self.compute(axes.clone(), None, tensor.expr, tensor.range, span)?;
        Ok(Tensor { expr: self.read_at(node, &axes), ..tensor })
    }

    /// The node, if the expression reads just it at exactly these axes.
    fn as_whole_node(&self, expr: ExprId, axes: &[Var]) -> Option<NodeId> {
        let exprs = &self.model.graph.exprs;
        match exprs.get(expr) {
            gdc_ir::Expr::Read { node, at, otherwise: None } => {
                // A slice from the start reads at its own variables too, but not the whole.
                let extents = axes.iter().map(|&v| exprs.extent(v));
                let same = at.len() == axes.len()
                    && at.iter().zip(axes).all(|(&e, &v)| exprs.as_var(e) == Some(v))
                    && extents.eq(self.model.graph.node(*node).shape.iter().copied());
                same.then_some(*node)
            }
            _ => None,
        }
    }

    /// Whether reading it again costs no more than reading a node.
    fn is_cheap(&self, expr: ExprId) -> bool {
        use gdc_ir::Expr;
        match self.model.graph.exprs.get(expr) {
            Expr::Real(_) | Expr::Bool(_) | Expr::Int(_) => true,
            Expr::Read { otherwise, .. } => otherwise.is_none(),
            Expr::Op(gdc_ir::Op::ToReal, args) => self.is_cheap(args[0]),
            Expr::Op(..) | Expr::Random { .. } => false,
        }
    }

    /// The node of a tensor, made if need be, and its axes: the mapped ones, then its own.
    fn node_of(&mut self, tensor: &Tensor, span: Span) -> Lowered<(NodeId, Vec<Var>)> {
        let mut axes = self.lead(tensor.expr, &tensor.axes);
        axes.extend(&tensor.axes);
        let node = match self.as_whole_node(tensor.expr, &axes) {
            Some(node) => node,
            None => self.compute(axes.clone(), None, tensor.expr, tensor.range, span)?,
        };
        Ok((node, axes))
    }

    /// The same tensor with its axes renamed to new variables.
    fn refresh(&mut self, tensor: &Tensor) -> Tensor {
        let exprs = &mut self.model.graph.exprs;
        let mut map = std::collections::HashMap::new();
        let mut axes = Vec::with_capacity(tensor.axes.len());
        for &v in &tensor.axes {
            let info = exprs.var(v).clone();
            let new = exprs.fresh(info.name, info.extent, false);
            map.insert(v, exprs.index(new));
            axes.push(new);
        }
        for (&old, &new) in tensor.axes.iter().zip(&axes) {
            self.same_lanes(old, new);
        }
        let exprs = &mut self.model.graph.exprs;
        let expr = crate::build::substitute(exprs, tensor.expr, &map);
        Tensor { axes, expr, range: tensor.range }
    }

    fn shape(&self, tensor: &Tensor) -> Vec<usize> {
        tensor.axes.iter().map(|&v| self.model.graph.exprs.extent(v)).collect()
    }

    fn ty(&self, tensor: &Tensor) -> Ty {
        self.model.graph.exprs.ty(tensor.expr)
    }
}
