//! `scan (h = h0) over xt in x { ...; h <- ...; yield h; }`: the body is lowered once, over an
//! axis of steps, and what is carried becomes a recurrence along that axis.

use super::index::ast_children;
use super::value::{Binding, Tensor, Value};
use super::{Lowered, Lowerer};
use crate::build::substitute;
use crate::codes;
use gdc_ir::order::Tangle;
use gdc_ir::{Affine, Node, NodeId, NodeKind, Ty, Var};
use gdc_syntax::{Diagnostic, Span, ast};
use std::collections::HashMap;

/// A scan whose body is being lowered.
pub(super) struct Scan {
    /// How many frames and blocks there are outside of its body.
    pub(super) outside: (usize, usize),
    /// What a step yields, and where it says so.
    pub(super) yields: Option<(Value, Span)>,
    /// The recurrences of what it carries.
    pub(super) carries: Vec<NodeId>,
}

/// What a scan runs over: the name of the step's part, and what it stands for at a step.
pub(super) struct Over<'e> {
    pub(super) name: &'e ast::Name,
    span: Span,
    steps: usize,
    pub(super) part: Part,
}

pub(super) enum Part {
    /// The number of the step, from here on.
    Number(i64),
    /// An element of the first axis.
    Element(Tensor),
}

/// Something carried, while the body is lowered.
struct Carry {
    /// Its recurrence; a scan of one step has none.
    node: Option<NodeId>,
    /// The carry itself, as it enters a step.
    entry: Tensor,
}

impl Lowerer<'_> {
    /// The value of a scan: what its steps yield, over a leading axis of steps, or else what
    /// the last one leaves.
    pub(super) fn scan(
        &mut self,
        carries: &[(ast::Name, ast::Expr)],
        over: &[ast::Binder],
        body: &ast::Block,
        span: Span,
        hint: Option<String>,
    ) -> Lowered<Value> {
        let over = over.iter().map(|b| self.scanned(b)).collect::<Lowered<Vec<_>>>()?;
        let steps = self.common_steps(&over, span)?;
        let mut starts = Vec::new();
        for (name, init) in carries {
            let value = self.expr(init)?;
            let value = self.called(value, init.span)?;
            let t = self.tensor(value, init.span)?;
            let expr = self.real(&t, init.span)?;
            starts.push((name, init.span, Tensor { expr, range: None, ..t }));
        }
        if self.needs_open_carry(&starts, &over, body) {
            self.hint = hint;
            return self.turns(starts, &over, steps, body, span);
        }
        let lead = self.varies_with(&starts, &over, body);
        // The recurrences are in nobody's way: names bound in the body last for the body.
        let t = self.graph().exprs.fresh("t", steps, false);
        let depth = self.context.len();
        let frames = self.frames.len();
        let blocks = self.frames.last().map_or(0, |f| f.blocks.len());
        self.scans.push(Scan { outside: (frames, blocks), yields: None, carries: Vec::new() });
        let result = self.in_block(|this| {
            let mut made = Vec::new();
            for (name, init_span, start) in starts {
                let carry = this.carry(name, init_span, start, &lead, t)?;
                let value = Value::Tensor(carry.entry.clone());
                this.bind_as(name, Binding { value, span: name.span, mutable: true, state: None });
                made.push((name, carry));
            }
            this.context.push(t);
            for o in &over {
                let value = this.part(o, t);
                this.bind(o.name, Value::Tensor(value));
            }
            this.steps(body)?;
            let finals =
                made.iter().map(|(name, carry)| this.close(name, carry, &lead, t)).collect::<Lowered<Vec<Tensor>>>()?;
            this.check_steps(&made, span)?;
            this.worth(finals, t, steps, hint, span)
        });
        self.context.truncate(depth);
        self.scans.pop();
        result
    }

    /// `xt in x` or `i in 0..n`.
    fn scanned<'e>(&mut self, binder: &'e ast::Binder) -> Lowered<Over<'e>> {
        let name = &binder.name;
        let Some(range) = &binder.range else {
            return Err(self.report(
                Diagnostic::error(
                    codes::INDEX_RANGE,
                    name.span,
                    format!("nothing says what `{}` runs over", name.text),
                )
                .help(format!("write `over {} in x` or `over {0} in 0..n`", name.text)),
            ));
        };
        if let ast::ExprKind::Range { .. } = range.kind {
            let (low, high) = self.stated_range(range)?;
            return Ok(Over { name, span: range.span, steps: (high - low) as usize, part: Part::Number(low) });
        }
        let x = self.operand(range)?;
        let x = self.materialise(x, range.span)?;
        let Some(&first) = x.axes.first() else {
            return Err(self.report(
                Diagnostic::error(codes::RANK, range.span, "a scan runs over an axis, and this is one number")
                    .help("for a number of steps write `over i in 0..n`"),
            ));
        };
        let steps = self.model.graph.exprs.extent(first);
        Ok(Over { name, span: range.span, steps, part: Part::Element(x) })
    }

    /// The number of steps, which all that is run over must share.
    fn common_steps(&mut self, over: &[Over<'_>], span: Span) -> Lowered<usize> {
        let Some(first) = over.first() else {
            return Err(self.error(codes::INDEX_RANGE, span, "a scan runs over something: `over xt in x`"));
        };
        if let Some(other) = over.iter().find(|o| o.steps != first.steps) {
            return Err(self.report(
                Diagnostic::error(
                    codes::SHAPE,
                    other.span,
                    format!("a scan runs over {} and over {} steps", first.steps, other.steps),
                )
                .label(format!("{} steps", other.steps))
                .secondary(first.span, format!("{} steps", first.steps)),
            ));
        }
        Ok(first.steps)
    }

    /// The axes around, the batch among them, over which what is carried may vary: those of
    /// everything that the scan names.
    fn varies_with(&self, starts: &[(&ast::Name, Span, Tensor)], over: &[Over<'_>], body: &ast::Block) -> Vec<Var> {
        let mut free: Vec<Var> = Vec::new();
        let exprs = &self.model.graph.exprs;
        for (_, _, start) in starts {
            free.extend(exprs.free_vars(start.expr));
        }
        for o in over {
            if let Part::Element(x) = &o.part {
                free.extend(exprs.free_vars(x.expr));
            }
        }
        let mut named = Vec::new();
        names_of_block(body, &mut named);
        for name in named {
            if let Some(binding) = self.lookup(&name) {
                self.free_of(&binding.value, &mut free);
            }
        }
        self.context.iter().copied().filter(|v| free.contains(v)).collect()
    }

    fn free_of(&self, value: &Value, free: &mut Vec<Var>) {
        match value {
            Value::Tensor(t) => free.extend(self.model.graph.exprs.free_vars(t.expr)),
            Value::Tuple(items) => items.iter().for_each(|v| self.free_of(v, free)),
            Value::Func(f) => f.args.iter().for_each(|a| self.free_of(&a.value, free)),
            Value::Record(_) => free.extend(&self.context),
            Value::Absent | Value::Poison => {}
        }
    }

    /// What the name of a step's part stands for.
    fn part(&mut self, over: &Over<'_>, t: Var) -> Tensor {
        let exprs = &mut self.model.graph.exprs;
        match &over.part {
            Part::Number(low) => {
                let expr = exprs.affine(Affine { terms: vec![(t, 1)], constant: *low });
                Tensor { axes: Vec::new(), expr, range: Some((*low, low + over.steps as i64)) }
            }
            Part::Element(x) => {
                let index = exprs.index(t);
                let expr = substitute(exprs, x.expr, &HashMap::from([(x.axes[0], index)]));
                Tensor { axes: x.axes[1..].to_vec(), expr, range: x.range }
            }
        }
    }

    /// The recurrence of something carried, not yet closed.
    fn carry(&mut self, name: &ast::Name, span: Span, start: Tensor, lead: &[Var], t: Var) -> Lowered<Carry> {
        let start = self.refresh(&start);
        let mut axes = lead.to_vec();
        axes.extend(&start.axes);
        self.hint = Some(self.path_to(&format!("{}.start", name.text)));
        let init = self.compute(axes, None, start.expr, None, span)?;
        self.hint = None;
        let own: Vec<Var> = self.refresh(&start).axes;
        let at =
            |steps: Option<Var>| lead.iter().copied().chain(steps).chain(own.iter().copied()).collect::<Vec<Var>>();
        let exprs = &self.model.graph.exprs;
        if exprs.extent(t) == 1 {
            let expr = self.read_at(init, &at(None));
            return Ok(Carry { node: None, entry: Tensor { axes: own, expr, range: None } });
        }
        let next = NodeId(self.model.graph.len() as u32);
        let node = Node {
            name: self.path_to(&format!("{}.before", name.text)),
            kind: NodeKind::Recurrence { init, next, axis: lead.len(), reverse: false },
            shape: at(Some(t)).iter().map(|&v| exprs.extent(v)).collect(),
            ty: Ty::Real,
            range: None,
            per_sample: lead.first().is_some_and(|&v| exprs.var(v).batch),
            origin: Some(Self::loc(name.span)),
        };
        let node = self.add_node(node, span)?;
        if let Some(scan) = self.scans.last_mut() {
            scan.carries.push(node);
        }
        let expr = self.read_at(node, &at(Some(t)));
        Ok(Carry { node: Some(node), entry: Tensor { axes: own, expr, range: None } })
    }

    /// The statements of a step.
    pub(super) fn steps(&mut self, body: &ast::Block) -> Lowered<()> {
        let mut failed = false;
        for stmt in &body.statements {
            failed |= self.statement(stmt).is_err();
        }
        if let Some(value) = &body.value {
            return Err(self.report(
                Diagnostic::error(codes::MISPLACED, value.span, "a step of a scan has no value of its own")
                    .help("write `yield e;` for what each step gives"),
            ));
        }
        if failed { Err(gdc_syntax::Reported) } else { Ok(()) }
    }

    /// `yield e;`
    pub(super) fn yield_(&mut self, value: &ast::Expr, span: Span) -> Lowered<()> {
        let inside = self.scans.last().is_some_and(|s| s.outside.0 == self.frames.len());
        if !inside {
            return Err(self.report(
                Diagnostic::error(codes::MISPLACED, span, "`yield` stands only in the body of a `scan`")
                    .help("a layer or function gives the expression at its end; a model says `output name = ...;`"),
            ));
        }
        let v = self.expr(value)?;
        let v = self.named_yield(v, value.span)?;
        let Some(scan) = self.scans.last_mut() else { return Err(gdc_syntax::Reported) };
        if let Some((_, earlier)) = scan.yields.replace((v, span)) {
            return Err(self.report(
                Diagnostic::error(codes::MISPLACED, span, "a step yields twice")
                    .secondary(earlier, "the first time")
                    .help("yield a tuple: `yield (a, b);`"),
            ));
        }
        Ok(())
    }

    fn named_yield(&mut self, value: Value, span: Span) -> Lowered<Value> {
        match value {
            Value::Tensor(t) => Ok(Value::Tensor(self.materialise(t, span)?)),
            Value::Tuple(items) => {
                let items = items.into_iter().map(|v| self.named_yield(v, span)).collect::<Lowered<_>>()?;
                Ok(Value::Tuple(items))
            }
            other => self.tensor(other, span).map(Value::Tensor),
        }
    }

    /// In the body of a scan, only what it carries, and what its body binds, has a next value.
    pub(super) fn carried_here(&mut self, name: &ast::Name) -> Lowered<()> {
        let Some(scan) = self.scans.last() else { return Ok(()) };
        let (frames, blocks) = scan.outside;
        let Some(frame) = self.frames.last().filter(|_| self.frames.len() == frames) else { return Ok(()) };
        let bound = frame.blocks.iter().position(|b| b.contains_key(&name.text));
        if bound.is_none_or(|b| b >= blocks) {
            return Ok(());
        }
        let state = self.lookup(&name.text).is_some_and(|b| b.state.is_some());
        let span = self.lookup(&name.text).map(|b| b.span);
        let what = if state { "a state changes once in a step of training" } else { "it is bound outside of the scan" };
        let mut diagnostic =
            Diagnostic::error(codes::NOT_UPDATABLE, name.span, format!("`{}` is not carried by this scan", name.text))
                .note(what)
                .help(format!("carry it: `scan (... , {} = ...) over ...`", name.text));
        if let Some(span) = span {
            diagnostic = diagnostic.secondary(span, "bound here");
        }
        Err(self.report(diagnostic))
    }

    /// Closes the recurrence over the last value that the body gave it. Answers what the last
    /// step leaves.
    fn close(&mut self, name: &ast::Name, carry: &Carry, lead: &[Var], t: Var) -> Lowered<Tensor> {
        let Some(Binding { value: Value::Tensor(next), .. }) = self.lookup(&name.text).cloned() else {
            return Err(gdc_syntax::Reported);
        };
        if next.expr == carry.entry.expr {
            return Err(self.report(
                Diagnostic::error(codes::NOT_UPDATABLE, name.span, format!("`{}` never changes", name.text))
                    .label("carried from step to step")
                    .help(format!("give its next value in the body: `{} <- ...;`", name.text)),
            ));
        }
        let real = self.real(&next, name.span)?;
        let entry = &carry.entry;
        let mut map = HashMap::new();
        for (&from, &to) in next.axes.iter().zip(&entry.axes) {
            map.insert(from, self.graph().exprs.index(to));
        }
        let body = substitute(&mut self.graph().exprs, real, &map);
        let all: Vec<Var> = lead.iter().copied().chain([t]).chain(entry.axes.iter().copied()).collect();
        if self.lead(body, &entry.axes).iter().any(|v| !all.contains(v)) {
            return Err(self.unsupported(name.span, "a carry that varies with what its scan does not name"));
        }
        let next = match self.as_whole_node(body, &all) {
            Some(node) if Some(node) != carry.node => node,
            _ => {
                self.hint = Some(self.path_to(&format!("{}.next", name.text)));
                let node = self.compute(all.clone(), None, body, None, name.span)?;
                self.hint = None;
                node
            }
        };
        if let Some(node) = carry.node {
            self.graph().close(node, next);
        }
        let expr = self.read_at(next, &all);
        Ok(Tensor { axes: entry.axes.clone(), expr, range: None })
    }

    /// Whether the steps can be taken one after the other.
    fn check_steps(&mut self, carries: &[(&ast::Name, Carry)], span: Span) -> Lowered<()> {
        let graph = &self.model.graph;
        let needed = graph.reachable(carries.iter().filter_map(|(_, c)| c.node));
        let (node, message, help) = match gdc_ir::order::parts(graph, &needed) {
            Ok(_) => return Ok(()),
            Err(Tangle::OtherStep(id)) => (
                id,
                "this needs other steps of the scan than the one at hand",
                "inside of a scan a carry is known at its own step only; carry along what a later step needs",
            ),
            Err(Tangle::OtherLoop(id)) => (
                id,
                "a scan inside of a scan cannot begin with, or read, what the outer one carries",
                "carry both in one scan, or write the turns of the inner one out: `let g = h; for i in 0..n { g <- ...; }`",
            ),
        };
        // What was written by hand is the best place; what a library made is not.
        let at = graph.node(node).origin.map(|l| Span { file: gdc_syntax::FileId(l.0), start: l.1, end: l.2 });
        Err(self.report(Diagnostic::error(codes::MISPLACED, at.unwrap_or(span), message).help(help)))
    }

    /// What the scan is worth: yields over the axis of steps, or what the last step leaves.
    fn worth(
        &mut self,
        mut finals: Vec<Tensor>,
        t: Var,
        steps: usize,
        hint: Option<String>,
        span: Span,
    ) -> Lowered<Value> {
        if let Some((value, _)) = self.scans.last_mut().and_then(|s| s.yields.take()) {
            self.hint = hint;
            let value = over_steps(value, t);
            self.hint = None;
            return Ok(value);
        }
        let last = self.graph().exprs.int(steps as i64 - 1);
        for tensor in &mut finals {
            tensor.expr = substitute(&mut self.graph().exprs, tensor.expr, &HashMap::from([(t, last)]));
        }
        match finals.len() {
            0 => Err(self.report(
                Diagnostic::error(codes::MISPLACED, span, "this scan carries nothing and yields nothing")
                    .help("`yield e;` says what each step gives"),
            )),
            1 => Ok(finals.pop().map_or(Value::Poison, Value::Tensor)),
            _ => Ok(Value::Tuple(finals.into_iter().map(Value::Tensor).collect())),
        }
    }
}

/// A value of every step, with the steps as its first axis.
fn over_steps(value: Value, t: Var) -> Value {
    match value {
        Value::Tensor(x) => {
            let axes = std::iter::once(t).chain(x.axes).collect();
            Value::Tensor(Tensor { axes, ..x })
        }
        Value::Tuple(items) => Value::Tuple(items.into_iter().map(|v| over_steps(v, t)).collect()),
        other => other,
    }
}

/// Every name in a block, statements of all kinds included.
pub(super) fn names_of_block(block: &ast::Block, names: &mut Vec<String>) {
    use ast::StmtKind as K;
    for stmt in &block.statements {
        match &stmt.kind {
            K::Let { value, .. }
            | K::Const { value, .. }
            | K::Update { value, .. }
            | K::Yield { value }
            | K::UseLayer { value, .. }
            | K::Expr(value) => names_of(value, names),
            K::For { over, body, .. } => {
                names_of(over, names);
                names_of_block(body, names);
            }
            _ => {}
        }
    }
    block.value.iter().for_each(|e| names_of(e, names));
}

fn names_of(e: &ast::Expr, names: &mut Vec<String>) {
    match &e.kind {
        ast::ExprKind::Name(n) => names.push(n.text.clone()),
        ast::ExprKind::Block(b) => names_of_block(b, names),
        ast::ExprKind::If { then, otherwise, .. } => {
            names_of_block(then, names);
            otherwise.iter().for_each(|b| names_of_block(b, names));
        }
        ast::ExprKind::Scan { over, body, .. } => {
            over.iter().filter_map(|b| b.range.as_ref()).for_each(|r| names_of(r, names));
            names_of_block(body, names);
        }
        _ => {}
    }
    ast_children(e, &mut |child| names_of(child, names));
}
