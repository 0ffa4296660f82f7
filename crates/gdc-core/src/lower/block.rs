//! Blocks and the statements that may stand in any of them.

use super::types::shape_text;
use super::value::{Binding, Func, Tensor, Value};
use super::{Draw, Lowered, Lowerer};
use crate::build::substitute;
use crate::codes;
use gdc_ir::{Kept, Leaf, Node, NodeId, NodeKind, Ty};
use gdc_syntax::{Diagnostic, Reported, Span, ast};
use std::collections::HashMap;
use std::rc::Rc;

impl Lowerer<'_> {
    /// A block's value; an empty tuple where it has none.
    pub(super) fn block(&mut self, block: &ast::Block) -> Lowered<Value> {
        self.block_then(block, |_, value| Ok(value))
    }

    /// A block's value as `then` makes it, which still sees the names of the block.
    pub(super) fn block_then(
        &mut self,
        block: &ast::Block,
        then: impl FnOnce(&mut Self, Value) -> Lowered<Value>,
    ) -> Lowered<Value> {
        let hint = self.hint.take();
        self.in_block(|this| {
            let mut failed = false;
            let states = this.states_made();
            for stmt in &block.statements {
                failed |= this.statement(stmt).is_err();
            }
            if failed {
                return Err(Reported);
            }
            this.settle_states(states);
            this.hint = hint;
            let value = match &block.value {
                Some(e) => this.expr(e)?,
                None => Value::Tuple(Vec::new()),
            };
            then(this, value)
        })
    }

    /// A statement of a function, layer, optimizer or model that is not special to models.
    pub(super) fn statement(&mut self, stmt: &ast::Stmt) -> Lowered<()> {
        use ast::StmtKind as K;
        self.hint = None;
        match &stmt.kind {
            K::Let { pattern, indices, ty, accumulate, value } => {
                let result = if *accumulate {
                    self.scatter(pattern, indices.as_deref().unwrap_or(&[]), ty.as_ref(), value, stmt.span)
                } else {
                    self.let_(pattern, indices.as_deref(), ty.as_ref(), value)
                };
                if result.is_err() {
                    self.poison(pattern.names());
                }
                result
            }
            K::Const { pattern, value } => self.const_(pattern, value),
            K::Declare { role: ast::Role::Param, name, ty, init } => {
                self.param(name, ty.as_ref(), init.as_ref(), stmt.span)
            }
            K::Declare { role: ast::Role::State, name, ty, init } => {
                self.state(name, ty.as_ref(), init.as_ref(), stmt.span)
            }
            K::Update { name, value } => self.update(name, value),
            K::Expr(e) => self.expr(e).map(|_| ()),
            K::For { pattern, over, body } => self.for_(pattern, over, body),
            K::UseLayer { name, value } => self.use_layer(name, value),
            K::Yield { value } => self.yield_(value, stmt.span),
            K::After { .. } => Err(self.report(
                Diagnostic::error(codes::MISPLACED, stmt.span, "`after` stands only in an optimizer or a transform")
                    .help("it runs once the next weights are known: `transform slow() for w, g { state a = w; after { a <- w; } }`"),
            )),
            K::Assert { value, unit } => self.assert(value, unit.as_ref(), stmt.span),
            // Applied by the function that states it, once its value is known.
            K::Derivative { .. } => Ok(()),
            _ => Err(self.error(codes::MISPLACED, stmt.span, "this statement stands only in a model")),
        }
    }

    /// After an error the names exist but mean nothing, so that one mistake is reported once.
    pub(super) fn poison(&mut self, names: &[ast::Name]) {
        for name in names {
            if self.lookup(&name.text).is_none() {
                self.bind(name, Value::Poison);
            }
        }
    }

    fn let_(
        &mut self,
        pattern: &ast::Pattern,
        indices: Option<&[ast::IndexBinder]>,
        ty: Option<&ast::Type>,
        value: &ast::Expr,
    ) -> Lowered<()> {
        // In a layer's body a let leaves no trace in the paths of parameters.
        let top = self.in_model();
        let names: Vec<&str> = pattern.names().iter().map(|n| n.text.as_str()).collect();
        let joined = names.join("_");
        let outer = self.path.len();
        if top {
            self.path.extend(self.let_path(&joined));
        }
        self.hint = Some(if top { self.path.join(".") } else { self.path_to(&joined) });
        let hint = self.hint.clone();
        let result = match indices {
            Some(indices) => self.indexed(indices, value),
            None => self.expr(value),
        };
        self.path.truncate(outer);
        let result = result.and_then(|v| self.called(v, value.span));
        self.hint = hint;
        let bound = result.and_then(|v| self.bind_pattern(pattern, v, ty, value.span));
        self.hint = None;
        bound
    }

    fn bind_pattern(
        &mut self,
        pattern: &ast::Pattern,
        value: Value,
        ty: Option<&ast::Type>,
        span: Span,
    ) -> Lowered<()> {
        match (pattern, value) {
            (ast::Pattern::Name(name), Value::Tensor(t)) => {
                if let Some(ty) = ty {
                    self.check_stated(&t, ty, span)?;
                }
                let t = if self.updating.is_some() { t } else { self.materialise(t, span)? };
                self.bind(name, Value::Tensor(t));
                Ok(())
            }
            (ast::Pattern::Name(name), value) => {
                self.bind(name, value);
                Ok(())
            }
            (ast::Pattern::Tuple(names, _), Value::Tuple(items)) if names.len() == items.len() => {
                for (name, item) in names.iter().zip(items) {
                    self.hint = Some(self.path_to(&name.text));
                    let item = match item {
                        Value::Tensor(t) => Value::Tensor(self.materialise(t, span)?),
                        other => other,
                    };
                    self.bind(name, item);
                }
                Ok(())
            }
            (ast::Pattern::Tuple(names, pattern_span), other) => Err(self.report(
                Diagnostic::error(
                    codes::KIND,
                    *pattern_span,
                    format!("a tuple of {} is wanted, and this is {}", names.len(), other.describe()),
                )
                .secondary(span, other.describe()),
            )),
        }
    }

    fn check_stated(&mut self, t: &Tensor, ty: &ast::Type, span: Span) -> Lowered<()> {
        let ast::TypeKind::Tensor { shape: Some(dims), .. } = &ty.kind else { return Ok(()) };
        let want = self.stated_shape(dims)?;
        let have = self.shape(t);
        if want == have {
            return Ok(());
        }
        Err(self.report(
            Diagnostic::error(
                codes::SHAPE,
                span,
                format!("this is {}, and {} is stated", shape_text(&have), shape_text(&want)),
            )
            .secondary(ty.span, "stated here"),
        ))
    }

    /// `let y[i, j in 0..n] = e;`
    fn indexed(&mut self, indices: &[ast::IndexBinder], value: &ast::Expr) -> Lowered<Value> {
        let mut binders = Vec::new();
        // How many of the indices stand before the axes that `...` leaves whole.
        let mut before = None;
        for index in indices {
            match index {
                ast::IndexBinder::Bind(b) => binders.push(b),
                ast::IndexBinder::Place(e) => {
                    return Err(self.report(
                        Diagnostic::error(
                            codes::MISPLACED,
                            e.span,
                            "a computed place stands on the left only with `+=`",
                        )
                        .help("name the indices on the left and compute places on the right"),
                    ));
                }
                ast::IndexBinder::Rest(span) if before.replace(binders.len()).is_some() => {
                    return Err(self.error(codes::RANK, *span, "`...` stands once on the left of a `let`"));
                }
                ast::IndexBinder::Rest(_) => {}
            }
        }
        let hint = self.hint.take();
        self.with_indices(&binders, value, |this, vars| {
            this.hint = hint.clone();
            let inner = this.operand(value)?;
            this.hint = hint;
            // The bound indices become axes; what they stand for is now part of the tensor.
            let (first, last) = vars.split_at(before.unwrap_or(vars.len()));
            let axes = first.iter().chain(&inner.axes).chain(last).copied().collect();
            Ok(Value::Tensor(Tensor { axes, ..inner }))
        })
    }

    pub(super) fn const_(&mut self, pattern: &ast::Pattern, value: &ast::Expr) -> Lowered<()> {
        self.hint = Some(pattern.names().iter().map(|n| n.text.as_str()).collect::<Vec<_>>().join("_"));
        let result = self.expr(value);
        self.hint = None;
        match (pattern, result) {
            (_, Err(e)) => {
                self.poison(pattern.names());
                Err(e)
            }
            (ast::Pattern::Name(name), Ok(v)) => {
                self.bind(name, v);
                Ok(())
            }
            (ast::Pattern::Tuple(..), Ok(v)) => self.bind_pattern(pattern, v, None, value.span),
        }
    }

    /// `param w: [n, units] = glorot_uniform(n, units);`
    fn param(&mut self, name: &ast::Name, ty: Option<&ast::Type>, init: Option<&ast::Expr>, span: Span) -> Lowered<()> {
        let result = self.make_kept(Leaf::Param, name, ty, init, span);
        match result {
            Ok(tensor) => {
                let binding = Binding { value: Value::Tensor(tensor), span: name.span, mutable: false, state: None };
                self.bind_as(name, binding);
                Ok(())
            }
            Err(e) => {
                self.poison(std::slice::from_ref(name));
                Err(e)
            }
        }
    }

    /// `state m = 0;`
    fn state(&mut self, name: &ast::Name, ty: Option<&ast::Type>, init: Option<&ast::Expr>, span: Span) -> Lowered<()> {
        if self.updating.is_some() {
            return self.optimizer_state(name, ty, init, span);
        }
        let result = self.make_kept(Leaf::State, name, ty, init, span);
        match result {
            Ok(tensor) => {
                let mut axes = self.lead(tensor.expr, &tensor.axes);
                axes.extend(&tensor.axes);
                let state = self.as_whole_node(tensor.expr, &axes);
                self.bind_as(name, Binding { value: Value::Tensor(tensor), span: name.span, mutable: true, state });
                Ok(())
            }
            Err(e) => {
                self.poison(std::slice::from_ref(name));
                Err(e)
            }
        }
    }

    fn make_kept(
        &mut self,
        leaf: Leaf,
        name: &ast::Name,
        ty: Option<&ast::Type>,
        init: Option<&ast::Expr>,
        span: Span,
    ) -> Lowered<Tensor> {
        let path = self.path_to(&name.text);
        let shape = match ty.map(|t| &t.kind) {
            Some(ast::TypeKind::Tensor { shape: Some(dims), range: None }) => self.stated_shape(dims)?,
            Some(_) => return Err(self.error(codes::KIND, name.span, "a parameter is a tensor of real numbers")),
            None => Vec::new(),
        };
        self.claim_labels()?;
        let existing = if self.again { self.model.graph.find(&path) } else { None };
        let existing = existing.or(if self.in_shared.is_some() { self.shared.get(&path).copied() } else { None });
        if let Some(node) = existing {
            let first = self.model.graph.node(node).shape.clone();
            if first != shape {
                let mut d = Diagnostic::error(
                    codes::SHAPE,
                    span,
                    format!("`{path}` is {} in an earlier call, and {} here", shape_text(&first), shape_text(&shape)),
                )
                .note("a shared layer has one set of parameters, so its calls agree on their shapes");
                if let Some((_, call)) = self.calls.last() {
                    d = d.secondary(*call, "this call");
                }
                return Err(self.report(d));
            }
            let tensor = self.whole(node, &shape);
            return Ok(tensor);
        }
        let init = self.initial(&path, &shape, init, span)?;
        let node = Node {
            name: path.clone(),
            kind: NodeKind::Leaf(leaf),
            shape: shape.clone(),
            ty: Ty::Real,
            range: None,
            per_sample: false,
            origin: Some(Self::loc(span)),
        };
        let node = self.add_named(node, span)?;
        if self.model.graph.node(node).name != path {
            return Err(self.error(codes::SHADOWS, name.span, format!("two parameters are called `{path}`")));
        }
        match leaf {
            Leaf::State => self.model.states.push(Kept { node, init }),
            _ => self.model.params.push(Kept { node, init }),
        }
        self.declared.insert(node, span);
        if self.in_shared.is_some() {
            self.shared.insert(path, node);
        }
        let tensor = self.whole(node, &shape);
        Ok(tensor)
    }

    /// The node of an initial value: a number, a tensor, or an initialiser.
    pub(super) fn initial(
        &mut self,
        path: &str,
        shape: &[usize],
        init: Option<&ast::Expr>,
        span: Span,
    ) -> Lowered<NodeId> {
        const NAMES: [&str; 6] = ["i", "j", "k", "l", "m", "n"];
        let exprs = &mut self.model.graph.exprs;
        let axes: Vec<_> = shape.iter().enumerate().map(|(i, &n)| exprs.fresh(NAMES[i % 6], n, false)).collect();
        let context = std::mem::replace(&mut self.context, axes.clone());
        let draw = self.draw.replace(Draw { path: path.to_owned(), axes: axes.clone(), draws: 0 });
        let hint = self.hint.take();
        let value = match init {
            Some(e) => self
                .expr(e)
                .and_then(|v| self.called_with_sizes(v, shape, e.span))
                .and_then(|v| self.called(v, e.span))
                .and_then(|v| self.tensor(v, e.span))
                .map(|t| (t, e.span)),
            None => {
                let zero = self.graph().exprs.real(0.0);
                Ok((Tensor::scalar(zero), span))
            }
        };
        self.context = context;
        self.draw = draw;
        self.hint = hint;
        let (t, init_span) = value?;
        let have = self.shape(&t);
        if !have.is_empty() && have != shape {
            return Err(self.report(
                Diagnostic::error(
                    codes::SHAPE,
                    init_span,
                    format!("the initial value is {}, and `{path}` is {}", shape_text(&have), shape_text(shape)),
                )
                .secondary(span, "declared here"),
            ));
        }
        let mut map = HashMap::new();
        // The names of a mapped update lie on the parameter's axes: `state average = w`.
        let mapped = self.updating.as_ref().map(|u| u.mapped.clone()).filter(|m| m.len() == axes.len());
        for (&from, &to) in t.axes.iter().chain(mapped.iter().flatten()).zip(axes.iter().cycle()) {
            let index = self.graph().exprs.index(to);
            map.insert(from, index);
        }
        let real = self.real(&t, init_span)?;
        let body = substitute(&mut self.graph().exprs, real, &map);
        let node = Node {
            name: format!("{path}.init"),
            kind: NodeKind::Compute { axes, reduce: None, body },
            shape: shape.to_vec(),
            ty: Ty::Real,
            range: None,
            per_sample: false,
            origin: Some(Self::loc(span)),
        };
        self.add_node(node, span)
    }

    /// `name <- e;`
    fn update(&mut self, name: &ast::Name, value: &ast::Expr) -> Lowered<()> {
        let Some(binding) = self.lookup(&name.text) else {
            return self.name(name).map(|_| ());
        };
        let in_loop = self.frames.last().is_some_and(|f| !f.turns.is_empty());
        if !binding.mutable && !in_loop {
            let earlier = binding.span;
            return Err(self.report(
                Diagnostic::error(codes::NOT_UPDATABLE, name.span, format!("`{}` has no next value", name.text))
                    .secondary(earlier, "this is not a state")
                    .help("`<-` gives the next value of a `state`, of a carry, or of what an optimizer binds; a comparison with a negative number is written `a < (-b)`"),
            ));
        }
        let (old, state) = (binding.value.clone(), binding.state);
        self.carried_here(name)?;
        let top = self.in_model();
        let path = if top { self.let_path(&name.text) } else { Vec::new() };
        let outer = self.path.len();
        self.path.extend(path.iter().cloned());
        let new = self.operand(value);
        self.path.truncate(outer);
        let new = new?;
        self.hint = Some(if top { path.join(".") } else { self.path_to(&name.text) });
        if let Value::Tensor(old) = &old
            && !new.axes.is_empty()
            && self.shape(old) != self.shape(&new)
        {
            let (have, want) = (self.shape(&new), self.shape(old));
            return Err(self.error(
                codes::SHAPE,
                value.span,
                format!("`{}` is {}, and its next value is {}", name.text, shape_text(&want), shape_text(&have)),
            ));
        }
        let new = if self.updating.is_some() { new } else { self.materialise(new, value.span)? };
        self.hint = None;
        if let Some(state) = state {
            self.keep_state(state, &new, name, value.span)?;
        }
        if let Some(binding) = self.lookup_mut(&name.text) {
            binding.value = Value::Tensor(new);
        }
        Ok(())
    }

    /// `for i in a..b { ... }`: the turns are written out.
    fn for_(&mut self, pattern: &ast::Pattern, over: &ast::Expr, body: &ast::Block) -> Lowered<()> {
        let (low, high) = self.stated_range(over)?;
        let ast::Pattern::Name(name) = pattern else {
            return Err(self.error(codes::KIND, pattern.span(), "a turn's number is one name"));
        };
        if high - low > 1000 {
            return Err(self.error(codes::SIZE, over.span, "more than 1000 turns: `for` writes each of them out"));
        }
        for turn in low..high {
            self.not_too_deep("for", over.span)?;
            if let Some(frame) = self.frames.last_mut() {
                frame.turns.push(turn.to_string());
            }
            let in_layer = !self.in_model();
            if in_layer {
                self.path.push(turn.to_string());
            }
            let result = self.in_block(|this| {
                let index = this.graph().exprs.int(turn);
                this.bind(name, Value::Tensor(Tensor::scalar(index)));
                body.statements.iter().try_for_each(|stmt| this.statement(stmt))
            });
            if in_layer {
                self.path.pop();
            }
            if let Some(frame) = self.frames.last_mut() {
                frame.turns.pop();
            }
            result?;
        }
        Ok(())
    }

    /// In a model: the path of a `let` or `<-`, with the turns of the loops around it.
    pub(super) fn let_path(&self, name: &str) -> Vec<String> {
        let turns = self.frames.last().map(|f| f.turns.clone()).unwrap_or_default();
        std::iter::once(name.to_owned()).chain(turns).collect()
    }

    /// `layer enc = encoder(32);`: its parameters are made once, at the first call.
    fn use_layer(&mut self, name: &ast::Name, value: &ast::Expr) -> Lowered<()> {
        match self.expr(value) {
            Ok(Value::Func(f)) => {
                let own = if self.in_model() { self.let_path(&name.text) } else { vec![name.text.clone()] };
                let shared = Some(self.path_to(&own.join(".")));
                self.bind(name, Value::Func(Rc::new(Func { shared, ..(*f).clone() })));
                Ok(())
            }
            Ok(other) => {
                self.poison(std::slice::from_ref(name));
                Err(self.error(codes::KIND, value.span, format!("a layer is wanted, and this is {}", other.describe())))
            }
            Err(e) => {
                self.poison(std::slice::from_ref(name));
                Err(e)
            }
        }
    }
}
