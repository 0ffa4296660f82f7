//! Expressions.

use super::reduce::reduction;
use super::value::{Bound, Callee, Func, Tensor, Value, builtin};
use super::{BUILTIN_NAMES, Lowered, Lowerer};
use crate::build::Build;
use crate::codes;
use gdc_ir::{Node, NodeKind, Op, Ty};
use gdc_syntax::similar::suggest;
use gdc_syntax::{Diagnostic, Span, ast};
use std::rc::Rc;

impl Lowerer<'_> {
    /// The value of an expression.
    pub(super) fn expr(&mut self, e: &ast::Expr) -> Lowered<Value> {
        use ast::ExprKind as K;
        // The name of a `let` goes to what computes the whole right side, not to its parts.
        let hint = self.hint.take();
        match &e.kind {
            K::Number { value, integer } => self.number(*value, *integer, e.span),
            K::Bool(b) => Ok(Value::Tensor(Tensor::scalar(self.graph().exprs.bool(*b)))),
            K::Str(_) => Err(self.report(
                Diagnostic::error(codes::KIND, e.span, "a text stands only after `import`")
                    .help("numbers and names stand without quotes: `0.1`, `relu`"),
            )),
            K::Name(name) => self.name(name),
            K::List(items) => {
                self.hint = hint;
                self.list(items, e.span)
            }
            K::Tuple(items) => Ok(Value::Tuple(items.iter().map(|i| self.expr(i)).collect::<Lowered<_>>()?)),
            K::Block(block) => {
                self.hint = hint;
                self.block(block)
            }
            K::Unary { op, operand } => self.unary(*op, operand),
            K::Binary { op, left, right, .. } => {
                let a = self.operand(left);
                let b = self.operand(right);
                let (a, b) = (a?, b?);
                self.binary(*op, (a, left.span), (b, right.span), e.span).map(Value::Tensor)
            }
            K::Range { .. } => Err(self.report(
                Diagnostic::error(codes::KIND, e.span, "a range stands only in `in a..b` and in slices")
                    .help("for a slice write `x[a..b]`"),
            )),
            K::Pipe { value, call } if self.is_checkpoint(call) => self.checkpoint(value, hint),
            K::Pipe { value, call } => self.pipe(value, call, hint),
            K::If { condition, then, otherwise } => self.if_(condition, then, otherwise.as_ref(), e.span, hint),
            K::Reduce { op, binders, body, condition } => {
                self.reduce_expr(*op, binders, body, condition.as_deref(), e.span, hint)
            }
            K::Scan { carries, over, body } => self.scan(carries, over, body, e.span, hint),
            K::Call { callee, args } if self.is_checkpoint(callee) => self.checkpoint_call(args, hint, e.span),
            K::Call { callee, args } => self.call_with(callee, args, e.span, Vec::new(), None, hint),
            K::Index { base, at, otherwise } => match self.expr(base)? {
                Value::Tuple(items) => self.tuple_element(&items, at, e.span),
                value => self.read_index(value, base, at, otherwise.as_deref(), e.span),
            },
            K::Field { base, name } => self.field(base, name),
            K::As { base, label } => self.labelled(base, label, hint),
        }
    }

    pub(super) fn unsupported(&mut self, span: Span, what: &str) -> gdc_syntax::Reported {
        self.report(
            Diagnostic::error(codes::UNSUPPORTED, span, format!("{what} is not compiled by this version of gdc"))
                .note("it is part of the language and will come"),
        )
    }

    pub(super) fn operand(&mut self, e: &ast::Expr) -> Lowered<Tensor> {
        let value = self.expr(e)?;
        self.tensor(value, e.span)
    }

    fn number(&mut self, value: f64, integer: bool, span: Span) -> Lowered<Value> {
        let largest = match self.model.precision {
            gdc_ir::Precision::F32 => f64::from(f32::MAX),
            gdc_ir::Precision::F64 => f64::MAX,
        };
        if !value.is_finite() || (!integer && value.abs() > largest) {
            return Err(self.error(codes::NUMBER, span, "this number is too large"));
        }
        let expr = if integer && value.abs() < 9e15 {
            self.graph().exprs.int(value as i64)
        } else {
            self.graph().exprs.real(value)
        };
        Ok(Value::Tensor(Tensor::scalar(expr)))
    }

    fn constant(&mut self, name: &str) -> Option<Value> {
        let value = match name {
            "pi" => std::f64::consts::PI,
            "inf" => f64::INFINITY,
            _ => return None,
        };
        Some(Value::Tensor(Tensor::scalar(self.graph().exprs.real(value))))
    }

    /// A name: a local first, then a definition, then what the compiler knows.
    pub(super) fn name(&mut self, name: &ast::Name) -> Lowered<Value> {
        if let Some(binding) = self.lookup(&name.text) {
            return match &binding.value {
                Value::Poison => Err(gdc_syntax::Reported),
                value => Ok(value.clone()),
            };
        }
        if let Some(value) = self.global(name)? {
            return Ok(value);
        }
        if let Some(value) = self.constant(&name.text) {
            return Ok(value);
        }
        if name.text == "training" {
            self.asks_training = true;
            return Ok(Value::Tensor(Tensor::scalar(self.model.graph.exprs.bool(self.training))));
        }
        if name.text == "sample_index" {
            return self.sample_index(name.span);
        }
        if matches!(name.text.as_str(), "t" | "step") {
            return self.counter(name);
        }
        match self.find(name)? {
            Some(func) => Ok(Value::Func(Rc::new(func))),
            None => Err(self.unknown_name(name)),
        }
    }

    /// A definition or builtin as something to call.
    pub(super) fn find(&mut self, name: &ast::Name) -> Lowered<Option<Func>> {
        let in_std = self.in_library(name.span);
        let name = name.text.as_str();
        let items = self.library.find(name, in_std, self.sources, self.diagnostics)?;
        let callee = match items.first().map(|i| &**i) {
            Some(ast::ItemKind::Layer(f)) => Callee::Layer(Rc::new(f.clone())),
            Some(ast::ItemKind::Fn(f)) => Callee::Fn(Rc::new(f.clone())),
            Some(ast::ItemKind::Optimizer(o)) => Callee::Optimizer(Rc::new(o.clone())),
            Some(ast::ItemKind::Transform(_)) => Callee::Transform,
            Some(ast::ItemKind::Model(m)) => super::submodel::callee(m),
            Some(_) | None => match builtin(name) {
                Some(b) => Callee::Builtin(b),
                None => return Ok(None),
            },
        };
        Ok(Some(Func { name: name.to_owned(), callee, args: Vec::new(), label: None, shared: None, given: false }))
    }

    /// A `const` of the source: evaluated where nothing else is in sight.
    fn global(&mut self, name: &ast::Name) -> Lowered<Option<Value>> {
        let in_std = self.in_library(name.span);
        let name = name.text.as_str();
        let items = self.library.find(name, in_std, self.sources, self.diagnostics)?;
        let Some(ast::ItemKind::Const { pattern, value }) = items.first().map(|i| &**i) else { return Ok(None) };
        let span = pattern.span();
        if self.calls.len() >= super::MAX_CALLS {
            let d = Diagnostic::error(codes::RECURSION, span, format!("the constant `{name}` leads back to itself"));
            return Err(self.report(d.help("give it a value that does not need its own")));
        }
        self.calls.push((name.to_owned(), span));
        self.frames.push(super::Frame::default());
        let context = std::mem::take(&mut self.context);
        let found = self.const_(pattern, value);
        self.context = context;
        let frame = self.frames.pop();
        self.calls.pop();
        found?;
        let binding = frame.and_then(|f| f.blocks.into_iter().next()).and_then(|mut b| b.remove(name));
        let Some(value) = binding.map(|b| b.value) else { return Ok(None) };
        self.check_constant(&value, span, name)?;
        Ok(Some(value))
    }

    /// What a constant is made of is known when the model is compiled.
    fn check_constant(&mut self, value: &Value, span: Span, name: &str) -> Lowered<()> {
        match value {
            Value::Tensor(t) => {
                let graph = &self.model.graph;
                let reached = graph.reachable(graph.exprs.read_nodes(t.expr));
                if reached.iter().any(|&n| graph.node(n).leaf().is_some()) {
                    let d = Diagnostic::error(codes::NOT_CONSTANT, span, format!("`{name}` is no constant"));
                    return Err(self.report(d.note("it depends on the number of updates, which training changes")));
                }
                Ok(())
            }
            Value::Tuple(items) => items.iter().try_for_each(|i| self.check_constant(i, span, name)),
            _ => Ok(()),
        }
    }

    fn unknown_name(&mut self, name: &ast::Name) -> gdc_syntax::Reported {
        let mut diagnostic =
            Diagnostic::error(codes::UNKNOWN_NAME, name.span, format!("nothing here is called `{}`", name.text))
                .label("not found");
        let locals: Vec<String> =
            self.frames.last().into_iter().flat_map(|f| f.blocks.iter().flat_map(|b| b.keys().cloned())).collect();
        let candidates =
            locals.iter().map(String::as_str).chain(self.library.names()).chain(BUILTIN_NAMES.iter().copied());
        if let Some(close) = suggest(&name.text, candidates) {
            diagnostic = diagnostic.help(format!("did you mean `{close}`?"));
        } else if let Some(help) = super::library_calls::habit(&name.text) {
            diagnostic = diagnostic.help(help);
        }
        self.report(diagnostic)
    }

    /// `t`, the number of completed updates, and `step`, one more.
    pub(super) fn counter(&mut self, name: &ast::Name) -> Lowered<Value> {
        let node = match self.model.counter {
            Some(node) => node,
            None => {
                let node = self.graph().add(Node {
                    name: "t".to_owned(),
                    kind: NodeKind::Leaf(gdc_ir::Leaf::Counter),
                    shape: Vec::new(),
                    ty: Ty::Int,
                    range: Some((0, 1 << 53)),
                    per_sample: false,
                    origin: None,
                });
                self.model.counter = Some(node);
                node
            }
        };
        let mut expr = self.read_at(node, &[]);
        if name.text == "step" {
            let one = self.graph().exprs.int(1);
            expr = self.graph().exprs.op(Op::Add, &[expr, one]);
        }
        Ok(Value::Tensor(Tensor::scalar(expr)))
    }

    /// A node with all its axes visible, over new variables.
    pub(super) fn whole(&mut self, node: gdc_ir::NodeId, shape: &[usize]) -> Tensor {
        const NAMES: [&str; 6] = ["i", "j", "k", "l", "m", "n"];
        let exprs = &mut self.model.graph.exprs;
        let axes: Vec<_> = shape.iter().enumerate().map(|(i, &n)| exprs.fresh(NAMES[i % 6], n, false)).collect();
        let range = self.model.graph.node(node).range;
        Tensor { expr: self.read_at(node, &axes), axes, range }
    }

    fn unary(&mut self, op: ast::UnaryOp, operand: &ast::Expr) -> Lowered<Value> {
        let t = self.operand(operand)?;
        let tensor = match op {
            ast::UnaryOp::Neg => self.apply(Op::Neg, &[(t, operand.span)])?,
            ast::UnaryOp::Not if self.ty(&t) == Ty::Bool => {
                Tensor { expr: self.graph().exprs.op(Op::Not, &[t.expr]), ..t }
            }
            ast::UnaryOp::Not => {
                return Err(self.error(codes::TYPE, operand.span, "`!` takes a truth value, and this is a number"));
            }
        };
        Ok(Value::Tensor(tensor))
    }

    fn if_(
        &mut self,
        condition: &ast::Expr,
        then: &ast::Block,
        otherwise: Option<&ast::Block>,
        span: Span,
        hint: Option<String>,
    ) -> Lowered<Value> {
        let c = self.operand(condition)?;
        if let Some(truth) = self.static_bool(c.expr) {
            self.hint = hint;
            return match (truth, otherwise) {
                (true, _) => self.block(then),
                (false, Some(block)) => self.block(block),
                (false, None) => Ok(Value::Tuple(Vec::new())),
            };
        }
        let Some(otherwise) = otherwise else {
            return Err(self.report(
                Diagnostic::error(
                    codes::KIND,
                    span,
                    "this `if` needs an `else`: its condition is known only when the model runs",
                )
                .secondary(condition.span, "not a constant")
                .help("write `if c { a } else { b }`"),
            ));
        };
        let a = self.block(then)?;
        let b = self.block(otherwise)?;
        let a = self.tensor(a, then.span)?;
        let b = self.tensor(b, otherwise.span)?;
        self.choose((c, condition.span), (a, then.span), (b, otherwise.span)).map(Value::Tensor)
    }

    fn reduce_expr(
        &mut self,
        op: ast::ReduceOp,
        binders: &[ast::Binder],
        body: &ast::Expr,
        condition: Option<&ast::Expr>,
        span: Span,
        hint: Option<String>,
    ) -> Lowered<Value> {
        let (red, mean) = reduction(op);
        let binders: Vec<&ast::Binder> = binders.iter().collect();
        self.with_indices(&binders, body, |this, vars| {
            let mut value = this.operand(body)?;
            if let Some(c) = condition {
                if mean {
                    return Err(this.error(
                        codes::MISPLACED,
                        c.span,
                        "`mean` takes no condition: divide a `sum` by a count",
                    ));
                }
                let c_value = this.operand(c)?;
                let unit = match red {
                    gdc_ir::Red::Sum => 0.0,
                    gdc_ir::Red::Prod => 1.0,
                    gdc_ir::Red::Min | gdc_ir::Red::Argmin => f64::INFINITY,
                    _ => f64::NEG_INFINITY,
                };
                let unit = match red {
                    gdc_ir::Red::Any | gdc_ir::Red::All => this.graph().exprs.bool(red == gdc_ir::Red::All),
                    _ => this.graph().exprs.real(unit),
                };
                value = this.choose((c_value, c.span), (value, body.span), (Tensor::scalar(unit), c.span))?;
            }
            this.hint = hint;
            let result = this.reduce(red, mean, vars.to_vec(), value, span);
            this.hint = None;
            result
        })
        .map(Value::Tensor)
    }

    /// `split(x, 2)[0]`: one value of a tuple.
    fn tuple_element(&mut self, items: &[Value], at: &[ast::Place], span: Span) -> Lowered<Value> {
        let [ast::Place::At(e)] = at else {
            let message = format!("a tuple of {} values is read by one number", items.len());
            return Err(self.error(codes::RANK, span, message));
        };
        let value = self.expr(e)?;
        let i = self.static_int(&value, e.span, "a tuple's position")?;
        match usize::try_from(i).ok().and_then(|i| items.get(i)) {
            Some(item) => Ok(item.clone()),
            None => {
                Err(self.error(codes::OUT_OF_RANGE, e.span, format!("a tuple of {} has no element {i}", items.len())))
            }
        }
    }

    fn field(&mut self, base: &ast::Expr, name: &ast::Name) -> Lowered<Value> {
        if let Some(path) = dotted(base, name)
            && let Some(kept) = self.model.params.iter().find(|k| self.model.graph.node(k.node).name == path)
        {
            let node = kept.node;
            let shape = self.model.graph.node(node).shape.clone();
            return Ok(Value::Tensor(self.whole(node, &shape)));
        }
        let value = self.expr(base)?;
        if let Value::Record(record) = &value {
            return self.record_field(record, name);
        }
        if let Value::Tuple(items) = value {
            return match name.text.parse::<usize>().ok().and_then(|i| items.get(i)) {
                Some(item) => Ok(item.clone()),
                None => Err(self.error(
                    codes::OUT_OF_RANGE,
                    name.span,
                    format!("a tuple of {} has no element `{}`", items.len(), name.text),
                )),
            };
        }
        let diagnostic = Diagnostic::error(
            codes::UNKNOWN_NAME,
            name.span,
            format!("there is no parameter of this name, `{}`", name.text),
        );
        Err(self.report(match super::library_calls::attribute(&name.text) {
            Some(help) => diagnostic.help(help),
            None => diagnostic.note("`let.label.param` names a parameter, as in `h.dense.w`"),
        }))
    }

    fn labelled(&mut self, base: &ast::Expr, label: &ast::Name, hint: Option<String>) -> Lowered<Value> {
        match &base.kind {
            ast::ExprKind::Call { callee, args } => {
                self.call_with(callee, args, base.span, Vec::new(), Some(label), hint)
            }
            _ => {
                let value = self.expr(base)?;
                match value {
                    Value::Func(f) => Ok(Value::Func(Rc::new(Func { label: Some(label.clone()), ..(*f).clone() }))),
                    other => Err(self.error(
                        codes::KIND,
                        label.span,
                        format!("`as` labels the call of a layer, and this is {}", other.describe()),
                    )),
                }
            }
        }
    }

    /// `value |> call`
    fn pipe(&mut self, value: &ast::Expr, call: &ast::Expr, hint: Option<String>) -> Lowered<Value> {
        let first = Bound { name: None, value: self.expr(value)?, span: value.span };
        let (call, label) = match &call.kind {
            ast::ExprKind::As { base, label } => (&**base, Some(label)),
            _ => (call, None),
        };
        match &call.kind {
            ast::ExprKind::Call { callee, args } => self.call_with(callee, args, call.span, vec![first], label, hint),
            ast::ExprKind::Name(_) | ast::ExprKind::Field { .. } => {
                self.call_with(call, &[], call.span, vec![first], label, hint)
            }
            _ => Err(self.report(
                Diagnostic::error(codes::NOT_CALLABLE, call.span, "the right side of `|>` must be a call")
                    .help("write `x |> dense(10) |> relu`"),
            )),
        }
    }
}

fn dotted(base: &ast::Expr, name: &ast::Name) -> Option<String> {
    match &base.kind {
        ast::ExprKind::Name(n) => Some(format!("{}.{}", n.text, name.text)),
        ast::ExprKind::Field { base, name: middle } => Some(format!("{}.{}", dotted(base, middle)?, name.text)),
        _ => None,
    }
}
