//! Updates: the bodies of optimizers and transforms, for each parameter they apply to.
//!
//! A body is lowered statement by statement for all parameters of a group in turn, so that
//! `total(e)`, which adds over the group, finds every parameter at the same point.

use super::selection::span_of;
use super::value::{Binding, Bound, Callee, Func, Tensor, Value};
use super::{Frame, Lowered, Lowerer};
use crate::codes;
use gdc_ir::{ExprId, Model, Named, NodeId, Red, Update, Var};
use gdc_syntax::{Diagnostic, Reported, Span, ast};
use std::collections::BTreeMap;
use std::rc::Rc;

mod states;

/// The parameter whose update is being lowered.
pub struct Updating {
    /// Its path, below which states are named.
    path: String,
    shape: Vec<usize>,
    /// The axes that the body is mapped over; empty where it takes the whole tensor.
    pub(super) mapped: Vec<Var>,
    /// States made so far.
    states: Vec<State>,
}

/// A state of an optimizer or transform.
struct State {
    leaf: NodeId,
    name: String,
    /// Its next value, once the body that made it is through.
    next: Option<Tensor>,
}

/// A parameter with the values that stages of its update pass on.
struct Member {
    target: NodeId,
    path: String,
    shape: Vec<usize>,
    /// Over these axes all values of this parameter are expressed.
    axes: Vec<Var>,
    weight: ExprId,
    gradient: ExprId,
    states: Vec<State>,
    /// `after` blocks: run once the next weight is known.
    after: Vec<After>,
}

/// An `after` block with the names that it sees: hyper-parameters, and those of its body.
struct After {
    hyper: Block,
    names: Block,
    arm: Rc<ast::Optimizer>,
    body: ast::Block,
}

/// The names of one body for one parameter.
type Block = BTreeMap<String, Binding>;

/// Adds the updates of the model's optimizers to a graph that holds the gradients.
pub fn lower_updates(mut lowerer: Lowerer<'_>, model: Model) -> Result<Model, Reported> {
    lowerer.model = model;
    // Of the model's names, hyper-parameters can use constants, functions and what was held for
    // them: other tensors belong to the graph of an earlier pass.
    for frame in &mut lowerer.frames {
        for block in &mut frame.blocks {
            block.retain(|_, b| match &b.value {
                Value::Tensor(t) => lowerer.model.graph.exprs.read_nodes(t.expr).is_empty(),
                Value::Record(_) => false,
                _ => true,
            });
        }
    }
    lowerer.context.clear();
    lowerer.path.clear();
    for held in std::mem::take(&mut lowerer.model.held) {
        let span = span_of(lowerer.model.graph.node(held.node).origin);
        let value = Value::Tensor(Tensor::scalar(lowerer.read_at(held.node, &[])));
        if let Some(block) = lowerer.frames.first_mut().and_then(|f| f.blocks.first_mut()) {
            block.insert(held.name, Binding { value, span, mutable: false, state: None });
        }
    }
    lowerer.add_updates()?;
    Ok(lowerer.model)
}

impl Lowerer<'_> {
    /// Keeps the numbers of the model, the same for all samples, that settings of optimizers
    /// name: `optimizer adam(lr = rate);`. They are values of the step, as it trains.
    pub(super) fn hold_settings(&mut self) -> Lowered<()> {
        let mut names = Vec::new();
        for used in &self.optimizers {
            used.with.iter().chain([&used.value]).for_each(|e| names_in(e, &mut names));
        }
        self.transforms.iter().for_each(|e| names_in(e, &mut names));
        for name in names {
            let Some(Binding { value: Value::Tensor(t), .. }) = self.lookup(&name.text).cloned() else { continue };
            let shared = t.axes.is_empty() && self.lead(t.expr, &t.axes).is_empty();
            let computed = !self.model.graph.exprs.read_nodes(t.expr).is_empty();
            if shared && computed && !self.model.held.iter().any(|h| h.name == name.text) {
                let real = self.real(&t, name.span)?;
                self.hint = Some(name.text.clone());
                let (node, _) = self.node_of(&Tensor { expr: real, ..t }, name.span)?;
                self.hint = None;
                self.model.held.push(Named { name: name.text, node });
            }
        }
        Ok(())
    }

    /// Hands the graph to the passes between lowering and the updates.
    pub fn take_model(&mut self) -> Model {
        std::mem::take(&mut self.model)
    }

    fn add_updates(&mut self) -> Lowered<()> {
        let uses = std::mem::take(&mut self.optimizers);
        self.check_selectors(&uses)?;
        let gradients = self.model.gradients.clone();
        self.warn_unused(&gradients);
        let chosen = self.choose_optimizers(&uses, &gradients)?;
        let mut members: Vec<Member> = gradients.iter().map(|g| self.member(g)).collect();
        let mut failed = false;
        // Transforms of the model see all gradients before any optimizer does.
        for transform in std::mem::take(&mut self.transforms) {
            let mut all: Vec<&mut Member> = members.iter_mut().collect();
            failed |= self.stage(&transform, &mut all, "a transform").is_err();
            // One of very many tells enough.
            if failed && self.diagnostics.is_full() {
                return Err(Reported);
            }
        }
        for (i, one) in uses.iter().enumerate() {
            let mut group: Vec<&mut Member> =
                members.iter_mut().filter(|m| chosen.get(&m.target) == Some(&i)).collect();
            for transform in &one.with {
                failed |= self.stage(transform, &mut group, "a transform").is_err();
            }
            failed |= self.stage(&one.value, &mut group, "an optimizer").is_err();
        }
        if failed {
            return Err(Reported);
        }
        for member in members {
            if chosen.contains_key(&member.target) {
                self.commit(member)?;
            }
        }
        Ok(())
    }

    fn member(&mut self, gradient: &Update) -> Member {
        let param = self.model.graph.node(gradient.target).clone();
        let whole = self.whole(gradient.target, &param.shape);
        let slope = self.read_at(gradient.value, &whole.axes);
        Member {
            target: gradient.target,
            path: param.name,
            shape: param.shape,
            axes: whole.axes,
            weight: whole.expr,
            gradient: slope,
            states: Vec::new(),
            after: Vec::new(),
        }
    }

    /// Reports what is wrong with the call of an optimizer or transform, before any gradient
    /// is known.
    pub(super) fn check_stage(&mut self, value: &ast::Expr, what: &str) -> Lowered<()> {
        let func = self.stage_call(value, what)?;
        match self.arms(&func)?.first() {
            Some(arm) => self.assign(&arm.params, &func, value.span).map(|_| ()),
            None => Ok(()),
        }
    }

    fn stage_call(&mut self, value: &ast::Expr, what: &str) -> Lowered<Rc<Func>> {
        match self.expr(value)? {
            Value::Func(f) if is_stage(&f, what) => Ok(f),
            other => {
                let found = match &other {
                    Value::Func(f) => f.callee.describe(),
                    other => other.describe(),
                };
                let example =
                    if what == "an optimizer" { "optimizer adam(lr = 1e-3);" } else { "with clip_global_norm(1.0)" };
                Err(self.report(
                    Diagnostic::error(codes::OPTIMIZER, value.span, format!("{what} is wanted, and this is {found}"))
                        .help(format!("for example `{example}`")),
                ))
            }
        }
    }

    /// Applies one optimizer or transform to a group of parameters.
    fn stage(&mut self, value: &ast::Expr, group: &mut [&mut Member], what: &str) -> Lowered<()> {
        let func = self.stage_call(value, what)?;
        let arms = self.arms(&func)?;
        // Hyper-parameters are the same for every parameter: they are evaluated once.
        self.frames.push(Frame::default());
        self.calls.push((func.name.clone(), value.span));
        let result = self.stage_in_frame(&arms, &func, value.span, group);
        self.calls.pop();
        self.frames.pop();
        self.context.clear();
        self.path.clear();
        self.updating = None;
        result
    }

    /// All definitions of an optimizer's name: `for w: [n, k]` and `for w: [...]` are two arms.
    fn arms(&mut self, func: &Func) -> Lowered<Vec<Rc<ast::Optimizer>>> {
        let items = self.library.find(&func.name, false, self.sources, self.diagnostics)?;
        let arms = items.iter().filter_map(|i| match &**i {
            ast::ItemKind::Optimizer(o) | ast::ItemKind::Transform(o) => Some(Rc::new(o.clone())),
            _ => None,
        });
        Ok(arms.collect())
    }

    fn stage_in_frame(
        &mut self,
        arms: &[Rc<ast::Optimizer>],
        func: &Func,
        span: Span,
        group: &mut [&mut Member],
    ) -> Lowered<()> {
        let Some(first) = arms.first() else { return Ok(()) };
        self.hyper_parameters(&first.params, func, span)?;
        let mut blocks: Vec<(Rc<ast::Optimizer>, Block)> = Vec::new();
        for member in group.iter() {
            let fits = |o: &&Rc<ast::Optimizer>| rank(o).is_none_or(|r| r == member.shape.len());
            let Some(arm) = arms.iter().find(fits) else {
                return Err(self.error(
                    codes::OPTIMIZER,
                    span,
                    format!(
                        "`{}` has no form for `{}`, which has {}",
                        func.name,
                        member.path,
                        super::types::axes_text(member.shape.len())
                    ),
                ));
            };
            blocks.push((arm.clone(), Block::new()));
        }
        for (member, (arm, block)) in group.iter_mut().zip(&mut blocks) {
            let values = member_values(member, arm);
            self.enter(member, arm, block, |this| this.bind_member(arm, values))?;
        }
        let statements = arms.iter().map(|a| a.body.statements.len()).max().unwrap_or(0);
        for i in 0..statements {
            self.totals.clear();
            for k in 0..group.len() {
                let Some(stmt) = blocks[k].0.body.statements.get(i).cloned() else { continue };
                self.group_statement(&stmt, group, &mut blocks, k)?;
            }
        }
        self.totals.clear();
        for (member, (arm, block)) in group.iter_mut().zip(&mut blocks) {
            self.pass_on(member, arm, block)?;
        }
        Ok(())
    }

    /// One statement for member `k`; `total(...)` in it is added over the whole group first.
    fn group_statement(
        &mut self,
        stmt: &ast::Stmt,
        group: &mut [&mut Member],
        blocks: &mut [(Rc<ast::Optimizer>, Block)],
        k: usize,
    ) -> Lowered<()> {
        if let ast::StmtKind::After { body } = &stmt.kind {
            let hyper = self.frames.last().and_then(|f| f.blocks.first()).cloned().unwrap_or_default();
            let (arm, names) = blocks[k].clone();
            group[k].after.push(After { hyper, names, arm, body: body.clone() });
            return Ok(());
        }
        let mut totals = Vec::new();
        totals_in(stmt, &mut totals);
        for call in totals {
            if !self.totals.contains_key(&call.span) {
                let sum = self.group_total(call, group, blocks)?;
                self.totals.insert(call.span, sum);
            }
        }
        let (arm, block) = &mut blocks[k];
        self.enter(group[k], arm, block, |this| this.statement(stmt))
    }

    /// `total(e)`: the sum of `e` over all elements of all parameters of the group.
    fn group_total(
        &mut self,
        call: &ast::Expr,
        group: &mut [&mut Member],
        blocks: &mut [(Rc<ast::Optimizer>, Block)],
    ) -> Lowered<ExprId> {
        let ast::ExprKind::Call { args, .. } = &call.kind else { return Err(Reported) };
        let [arg] = args.as_slice() else {
            return Err(self.error(codes::MISSING_ARGUMENT, call.span, "`total` takes one value"));
        };
        let mut sum: Option<ExprId> = None;
        for (member, (arm, block)) in group.iter_mut().zip(blocks) {
            let part = self.enter(member, arm, block, |this| {
                let t = this.operand(&arg.value)?;
                let mut over = this.updating.as_ref().map(|u| u.mapped.clone()).unwrap_or_default();
                over.extend(&t.axes);
                let axes = over.clone();
                this.reduce(Red::Sum, false, over, Tensor { axes, ..t }, arg.value.span)
            })?;
            sum = Some(match sum {
                Some(s) => crate::build::Build::add(&mut self.graph().exprs, s, part.expr),
                None => part.expr,
            });
        }
        let Some(sum) = sum else { return Ok(self.graph().exprs.real(0.0)) };
        let node = self.compute(Vec::new(), None, sum, None, call.span)?;
        self.graph().rename(node, "total".to_owned());
        Ok(self.read_at(node, &[]))
    }

    /// Runs something with the names of one member.
    fn enter<T>(
        &mut self,
        member: &mut Member,
        arm: &ast::Optimizer,
        block: &mut Block,
        run: impl FnOnce(&mut Self) -> Lowered<T>,
    ) -> Lowered<T> {
        let mapped = if arm.weight_type.is_some() { Vec::new() } else { member.axes.clone() };
        self.context = mapped.clone();
        self.path = member.path.split('.').map(str::to_owned).collect();
        let states = std::mem::take(&mut member.states);
        self.updating = Some(Updating { path: member.path.clone(), shape: member.shape.clone(), mapped, states });
        if let Some(frame) = self.frames.last_mut() {
            frame.blocks.push(std::mem::take(block));
        }
        let result = run(self);
        if let Some(frame) = self.frames.last_mut() {
            *block = frame.blocks.pop().unwrap_or_default();
        }
        member.states = self.updating.take().map(|u| u.states).unwrap_or_default();
        result
    }

    /// Binds `w` and `g`, and the sizes that `w: [n, k]` names.
    fn bind_member(&mut self, optimizer: &ast::Optimizer, values: (Tensor, Tensor)) -> Lowered<()> {
        let (w, g) = values;
        if let Some(ast::TypeKind::Tensor { shape: Some(dims), .. }) = optimizer.weight_type.as_ref().map(|t| &t.kind) {
            let sizes = self.shape(&w);
            for (dim, size) in dims.iter().zip(sizes) {
                if let ast::Dim::Size(ast::Expr { kind: ast::ExprKind::Name(n), .. }) = dim {
                    let expr = self.graph().exprs.int(size as i64);
                    self.bind(n, Value::Tensor(Tensor::scalar(expr)));
                }
            }
        }
        for (name, value) in [(&optimizer.weight, w), (&optimizer.gradient, g)] {
            self.bind_as(name, Binding { value: Value::Tensor(value), span: name.span, mutable: true, state: None });
        }
        Ok(())
    }

    /// What a body left of a member goes to the next stage.
    fn pass_on(&mut self, member: &mut Member, arm: &Rc<ast::Optimizer>, block: &mut Block) -> Lowered<()> {
        for state in member.states.iter_mut().filter(|s| s.next.is_none()) {
            if let Some(Binding { value: Value::Tensor(t), .. }) = block.get(&state.name) {
                state.next = Some(t.clone());
            }
        }
        for (name, is_weight) in [(&arm.weight, true), (&arm.gradient, false)] {
            let Some(Binding { value: Value::Tensor(t), .. }) = block.get(&name.text).cloned() else { continue };
            let real = self.real(&t, name.span)?;
            let expr = self.on_axes(&Tensor { expr: real, ..t }, &member.axes);
            if is_weight {
                member.weight = expr;
            } else {
                member.gradient = expr;
            }
        }
        Ok(())
    }

    /// A tensor's element at these axes; a tensor without axes of its own is there already.
    fn on_axes(&mut self, t: &Tensor, axes: &[Var]) -> ExprId {
        let exprs = &mut self.model.graph.exprs;
        let map = t.axes.iter().zip(axes).map(|(&from, &to)| (from, exprs.index(to))).collect();
        crate::build::substitute(exprs, t.expr, &map)
    }

    /// Binds the hyper-parameters of a call.
    fn hyper_parameters(&mut self, params: &[ast::Param], func: &Func, span: Span) -> Lowered<()> {
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

    /// The last values of a parameter and of its states become their next ones.
    fn commit(&mut self, mut member: Member) -> Lowered<()> {
        let span = span_of(self.model.graph.node(member.target).origin);
        let axes = member.axes.clone();
        self.hint = Some(format!("{}.next", member.path));
        let value = self.compute(axes.clone(), None, member.weight, None, span)?;
        self.hint = None;
        self.model.updates.push(Update { target: member.target, value });
        for After { hyper, names: mut block, arm, body } in std::mem::take(&mut member.after) {
            let next = if arm.weight_type.is_some() {
                self.whole(value, &member.shape)
            } else {
                Tensor::scalar(self.read_at(value, &axes))
            };
            if let Some(w) = block.get_mut(&arm.weight.text) {
                w.value = Value::Tensor(next);
            }
            self.frames.push(Frame::new(hyper));
            let result = self.enter(&mut member, &arm, &mut block, |this| {
                body.statements.iter().try_for_each(|stmt| this.statement(stmt))
            });
            self.frames.pop();
            result?;
            for state in &mut member.states {
                if let Some(Binding { value: Value::Tensor(t), .. }) = block.get(&state.name) {
                    state.next = Some(t.clone());
                }
            }
        }
        self.updating = None;
        self.context.clear();
        self.path.clear();
        for state in std::mem::take(&mut member.states) {
            let Some(next) = state.next else { continue };
            self.commit_state(state.leaf, &next, &axes, span)?;
        }
        Ok(())
    }

    fn commit_state(&mut self, leaf: NodeId, next: &Tensor, axes: &[Var], span: Span) -> Lowered<()> {
        let shape = self.model.graph.node(leaf).shape.clone();
        // A mapped body's state lies on the parameter's axes, a whole tensor's on its own.
        let mine = if next.axes.is_empty() && shape.len() == axes.len() { axes.to_vec() } else { next.axes.clone() };
        let body = self.real(next, span)?;
        self.hint = Some(format!("{}.next", self.model.graph.node(leaf).name));
        let value = self.compute(mine, None, body, None, span)?;
        self.hint = None;
        if self.model.graph.node(value).shape != shape {
            let have = super::types::shape_text(&self.model.graph.node(value).shape);
            let want = super::types::shape_text(&shape);
            return Err(self.error(codes::SHAPE, span, format!("a state is {want}, and its next value is {have}")));
        }
        self.model.updates.push(Update { target: leaf, value });
        Ok(())
    }
}

/// The weight and gradient as a body sees them: one element, or the whole tensor.
fn member_values(member: &Member, arm: &ast::Optimizer) -> (Tensor, Tensor) {
    let axes = if arm.weight_type.is_some() { member.axes.clone() } else { Vec::new() };
    let value = |expr: ExprId| Tensor { axes: axes.clone(), expr, range: None };
    (value(member.weight), value(member.gradient))
}

fn is_stage(func: &Func, what: &str) -> bool {
    match func.callee {
        Callee::Optimizer(_) => what == "an optimizer",
        Callee::Transform => what != "an optimizer",
        _ => false,
    }
}

/// The number of axes that `for w: [n, k]` asks for; `None` for any.
fn rank(optimizer: &ast::Optimizer) -> Option<usize> {
    match &optimizer.weight_type.as_ref()?.kind {
        ast::TypeKind::Tensor { shape: Some(dims), .. } if !dims.iter().any(|d| matches!(d, ast::Dim::Rest(_))) => {
            Some(dims.len())
        }
        _ => None,
    }
}

/// The names in an expression, in their order.
fn names_in(e: &ast::Expr, found: &mut Vec<ast::Name>) {
    if let ast::ExprKind::Name(name) = &e.kind {
        found.push(name.clone());
    }
    super::index::ast_children(e, &mut |child| names_in(child, found));
}

/// The calls of `total` in a statement, inner ones first.
fn totals_in<'s>(stmt: &'s ast::Stmt, found: &mut Vec<&'s ast::Expr>) {
    if let ast::StmtKind::Let { value, .. } | ast::StmtKind::Update { value, .. } | ast::StmtKind::Expr(value) =
        &stmt.kind
    {
        totals_of(value, found);
    }
}

fn totals_of<'e>(e: &'e ast::Expr, found: &mut Vec<&'e ast::Expr>) {
    super::index::ast_children(e, &mut |child| totals_of(child, found));
    if let ast::ExprKind::Call { callee, .. } = &e.kind
        && matches!(&callee.kind, ast::ExprKind::Name(n) if n.text == "total")
    {
        found.push(e);
    }
}
