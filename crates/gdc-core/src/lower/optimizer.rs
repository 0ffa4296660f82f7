//! Updates: an optimizer's body, once for each parameter.

use super::value::{Binding, Bound, Callee, Tensor, Value};
use super::{Frame, Lowered, Lowerer};
use crate::codes;
use gdc_ir::{Kept, Leaf, Model, Node, NodeId, NodeKind, Ty, Update, Var};
use gdc_syntax::{Diagnostic, Reported, Span, ast};
use std::collections::BTreeMap;

/// The parameter whose update is being lowered.
pub struct Updating {
    path: String,
    axes: Vec<Var>,
    /// The states made so far: leaf and the name whose last value it takes.
    states: Vec<(NodeId, String)>,
}

/// Adds the updates of the model's optimizers to a graph that holds the gradients.
pub fn lower_updates(mut lowerer: Lowerer<'_>, model: Model) -> Result<Model, Reported> {
    lowerer.model = model;
    // Of the model's names only constants and functions can be used in hyper-parameters:
    // tensors belong to the graph of an earlier pass.
    for frame in &mut lowerer.frames {
        for block in &mut frame.blocks {
            block.retain(|_, b| match &b.value {
                Value::Tensor(t) => lowerer.model.graph.exprs.read_nodes(t.expr).is_empty(),
                _ => true,
            });
        }
    }
    lowerer.context.clear();
    lowerer.path.clear();
    lowerer.add_updates()?;
    Ok(lowerer.model)
}

impl<'a> Lowerer<'a> {
    /// Hands the graph to the passes between lowering and the updates.
    pub fn take_model(&mut self) -> Model {
        std::mem::take(&mut self.model)
    }

    fn add_updates(&mut self) -> Lowered<()> {
        let uses = std::mem::take(&mut self.optimizers);
        let gradients = self.model.gradients.clone();
        // The most specific statement wins: one with selectors over one without.
        let mut chosen: BTreeMap<NodeId, usize> = BTreeMap::new();
        for (i, one) in uses.iter().enumerate() {
            for g in &gradients {
                let name = self.model.graph.node(g.target).name.clone();
                if !one.selectors.is_empty() && !one.selectors.iter().any(|s| selects(s, &name)) {
                    continue;
                }
                match chosen.get(&g.target) {
                    Some(&j) if uses[j].selectors.is_empty() == one.selectors.is_empty() => {
                        return Err(self.report(
                            Diagnostic::error(codes::OPTIMIZER, one.span, format!("two optimizers update `{name}`"))
                                .secondary(uses[j].span, "the other one")
                                .help("limit one of them with `for`, as in `optimizer sgd(lr = 0.1) for *.b;`"),
                        ));
                    }
                    Some(&j) if !uses[j].selectors.is_empty() => {}
                    _ => {
                        chosen.insert(g.target, i);
                    }
                }
            }
        }
        self.check_selectors(&uses)?;
        let mut failed = false;
        for (i, one) in uses.iter().enumerate() {
            let mine: Vec<Update> = gradients.iter().filter(|g| chosen.get(&g.target) == Some(&i)).cloned().collect();
            failed |= self.apply_optimizer(&one.value, &mine).is_err();
        }
        if failed { Err(Reported) } else { Ok(()) }
    }

    fn check_selectors(&mut self, uses: &[super::OptimizerUse]) -> Lowered<()> {
        for selector in uses.iter().flat_map(|u| &u.selectors) {
            let names: Vec<String> = self.model.params.iter().map(|k| self.model.graph.node(k.node).name.clone()).collect();
            if !names.iter().any(|n| selects(selector, n)) {
                return Err(self.report(
                    Diagnostic::error(codes::OPTIMIZER, selector.span, "no parameter has such a path")
                        .note(format!("the parameters are: {}", names.join(", "))),
                ));
            }
        }
        Ok(())
    }

    fn apply_optimizer(&mut self, value: &ast::Expr, gradients: &[Update]) -> Lowered<()> {
        let func = match self.expr(value)? {
            Value::Func(f) if Self::is_optimizer(&f) => f,
            other => {
                return Err(self.report(
                    Diagnostic::error(codes::OPTIMIZER, value.span, format!("an optimizer is wanted, and this is {}", other.describe()))
                        .help("for example `optimizer adam(lr = 1e-3);`"),
                ));
            }
        };
        let Callee::Optimizer(optimizer) = &func.callee else { return Ok(()) };
        if let Some(ty) = &optimizer.weight_type {
            return Err(self.unsupported(ty.span, "an optimizer that takes whole tensors"));
        }
        // Hyper-parameters are the same for every parameter: they are evaluated once.
        self.frames.push(Frame { blocks: vec![BTreeMap::new()] });
        let result = self.hyper_parameters(&optimizer.params, &func, value.span).and_then(|()| {
            let mut failed = false;
            for g in gradients {
                failed |= self.update_one(optimizer, g).is_err();
            }
            if failed { Err(Reported) } else { Ok(()) }
        });
        self.frames.pop();
        result
    }

    fn hyper_parameters(&mut self, params: &[ast::Param], func: &super::value::Func, span: Span) -> Lowered<()> {
        for (param, arg) in self.assign(params, func, span)? {
            let ast::Pattern::Name(name) = &param.pattern else { continue };
            let arg = match (arg, &param.default) {
                (Some(arg), _) => arg,
                (None, Some(default)) => Bound { name: None, value: self.expr(default)?, span: default.span },
                (None, None) => continue,
            };
            let value = self.called(arg.value, arg.span)?;
            let t = self.tensor(value, arg.span)?;
            if !t.axes.is_empty() {
                return Err(self.error(codes::RANK, arg.span, format!("`{}` must be one number", name.text)));
            }
            self.hint = Some(format!("{}.{}", func.name, name.text));
            let t = self.materialise(t, arg.span)?;
            self.hint = None;
            self.bind(name, Value::Tensor(t));
        }
        Ok(())
    }

    /// The body with `w` and `g` standing for one element of a parameter and its gradient.
    fn update_one(&mut self, optimizer: &ast::Optimizer, gradient: &Update) -> Lowered<()> {
        let param = self.model.graph.node(gradient.target).clone();
        let whole = self.whole(gradient.target, &param.shape);
        let axes = whole.axes.clone();
        let g = self.read_at(gradient.value, &axes);
        self.context = axes.clone();
        self.updating = Some(Updating { path: param.name.clone(), axes, states: Vec::new() });
        self.path = param.name.split('.').map(str::to_owned).collect();
        let result = self.in_block(|this| {
            let weight = Binding { value: Value::Tensor(Tensor::scalar(whole.expr)), span: optimizer.weight.span, mutable: true };
            this.bind_as(&optimizer.weight, weight);
            let slope = Binding { value: Value::Tensor(Tensor::scalar(g)), span: optimizer.gradient.span, mutable: true };
            this.bind_as(&optimizer.gradient, slope);
            for stmt in &optimizer.body.statements {
                this.statement(stmt)?;
            }
            this.commit(gradient.target, &optimizer.weight)
        });
        self.context.clear();
        self.path.clear();
        self.updating = None;
        result
    }

    /// `state m = 0;` in an optimizer: one number for each element of the parameter.
    pub(super) fn optimizer_state(&mut self, name: &ast::Name, ty: Option<&ast::Type>, init: Option<&ast::Expr>, span: Span) -> Lowered<()> {
        if let Some(ty) = ty {
            return Err(self.unsupported(ty.span, "a state with a shape of its own"));
        }
        let Some(updating) = &self.updating else { return Ok(()) };
        let (axes, path) = (updating.axes.clone(), format!("{}.{}", updating.path, name.text));
        let shape: Vec<usize> = axes.iter().map(|&v| self.model.graph.exprs.extent(v)).collect();
        let init = self.initial(&path, &shape, init, span)?;
        let node = Node {
            name: path,
            kind: NodeKind::Leaf(Leaf::State),
            shape,
            ty: Ty::Real,
            range: None,
            per_sample: false,
            origin: Some(Self::loc(span)),
        };
        let node = self.add_node(node, span)?;
        self.model.states.push(Kept { node, init });
        if let Some(updating) = &mut self.updating {
            updating.states.push((node, name.text.clone()));
        }
        let expr = self.read_at(node, &axes);
        let binding = Binding { value: Value::Tensor(Tensor::scalar(expr)), span: name.span, mutable: true };
        self.bind_as(name, binding);
        Ok(())
    }

    /// The last values of the parameter and of its states become their next ones.
    fn commit(&mut self, target: NodeId, weight: &ast::Name) -> Lowered<()> {
        let Some(updating) = &self.updating else { return Ok(()) };
        let mut targets = updating.states.clone();
        targets.push((target, weight.text.clone()));
        for (leaf, name) in targets {
            let Some(Value::Tensor(t)) = self.lookup(&name).map(|b| b.value.clone()) else { continue };
            let axes = updating_axes(self);
            let body = self.real(&t, weight.span)?;
            self.hint = Some(format!("{}.next", self.model.graph.node(leaf).name));
            let origin = weight.span;
            let value = self.compute(axes, None, body, None, origin)?;
            self.hint = None;
            self.model.updates.push(Update { target: leaf, value });
        }
        Ok(())
    }
}

fn updating_axes(lowerer: &Lowerer<'_>) -> Vec<Var> {
    lowerer.updating.as_ref().map(|u| u.axes.clone()).unwrap_or_default()
}

/// Whether a selector's parts, with `*` for any, are the last parts of a path, or its first.
fn selects(selector: &ast::Selector, path: &str) -> bool {
    let parts: Vec<&str> = path.split('.').collect();
    let wanted: Vec<&str> = selector.parts.iter().map(|p| p.text.as_str()).collect();
    if wanted.len() > parts.len() {
        return false;
    }
    let fits = |from: &[&str]| wanted.iter().zip(from).all(|(w, p)| *w == "*" || w == p);
    if wanted.first() == Some(&"*") { fits(&parts[parts.len() - wanted.len()..]) } else { fits(&parts) }
}

