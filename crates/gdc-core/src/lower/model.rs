//! Models: inputs and targets, losses, outputs, metrics.

use super::value::{Binding, Tensor, Value};
use super::{Frame, Lowered, Lowerer, OptimizerUse};
use crate::build::{Build, substitute};
use crate::codes;
use crate::library::Library;
use gdc_ir::{ExprId, Leaf, Model, Named, Node, NodeId, NodeKind, Op, Red, Reduce, Settings, Ty};
use gdc_syntax::{Diagnostic, Diagnostics, Reported, SourceMap, Span, ast};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The batch where `train` states none.
const DEFAULT_BATCH: usize = 32;

/// Lowers a model without its optimizers, which [`super::lower_updates`] adds once the
/// gradients are known.
pub fn lower<'a>(
    model: &ast::Model,
    docs: &[String],
    library: &'a mut Library,
    sources: &'a mut SourceMap,
    diagnostics: &'a mut Diagnostics,
) -> Result<Lowerer<'a>, Reported> {
    let mut lowerer = Lowerer {
        library,
        sources,
        diagnostics,
        model: Model {
            name: model.name.text.clone(),
            docs: docs.to_vec(),
            settings: Settings { shuffle: true, ..Settings::default() },
            ..Model::default()
        },
        batch: None,
        context: Vec::new(),
        frames: vec![Frame::model()],
        path: Vec::new(),
        labels: BTreeMap::new(),
        labelled: Vec::new(),
        labelled_calls: 0,
        shared: BTreeMap::new(),
        in_shared: None,
        training: true,
        asks_training: false,
        again: false,
        next_states: BTreeMap::new(),
        draws: 0,
        hint: None,
        unnamed: BTreeSet::new(),
        calls: Vec::new(),
        called: 0,
        draw: None,
        optimizers: Vec::new(),
        transforms: Vec::new(),
        frozen: Vec::new(),
        totals: BTreeMap::new(),
        updating: None,
        lanes: BTreeSet::new(),
        predictions: Vec::new(),
        declared: BTreeMap::new(),
        scans: Vec::new(),
    };
    lowerer.run(model)?;
    Ok(lowerer)
}

impl Lowerer<'_> {
    fn run(&mut self, model: &ast::Model) -> Lowered<()> {
        self.model_params(model)?;
        let statements = &model.body.statements;
        let mut losses = Vec::new();
        let mut failed = self.settings_first(statements).is_err();
        if statements.iter().any(|s| is_role(s, ast::Role::Input) || is_role(s, ast::Role::Target)) {
            self.add_batch();
        }
        for stmt in statements {
            failed |= self.model_statement(stmt, &mut losses).is_err();
        }
        if !failed {
            self.hold_settings()?;
        }
        if self.asks_training && !failed {
            let (trained, context) = (std::mem::take(&mut self.next_states), self.context.clone());
            failed |= self.commit_states(trained).is_err();
            if !failed {
                self.total_loss(&losses, model)?;
            }
            let trained = self.model.loss.take();
            self.begin_again();
            self.context = context;
            let mut evaluated = Vec::new();
            for stmt in statements {
                failed |= self.model_statement(stmt, &mut evaluated).is_err();
            }
            if !failed {
                self.total_loss(&evaluated, model)?;
                self.model.evaluation = std::mem::replace(&mut self.model.loss, trained);
            }
        } else {
            let states = std::mem::take(&mut self.next_states);
            failed |= self.commit_states(states).is_err();
        }
        if let Some(value) = &model.body.value {
            failed = true;
            self.report(
                Diagnostic::error(codes::MISPLACED, value.span, "a model has no value")
                    .help("end the line with `;`, or name it: `output y = ...;`"),
            );
        }
        // Only now: as it trains, an output may draw.
        for (what, node, span) in std::mem::take(&mut self.predictions) {
            failed |= self.check_predictable(&what, node, span).is_err();
        }
        if failed {
            return Err(Reported);
        }
        if self.model.loss.is_none() {
            self.total_loss(&losses, model)?;
        }
        for selector in std::mem::take(&mut self.frozen) {
            let found = self.selected(&selector)?;
            self.model.frozen.extend(found);
        }
        self.streamed(statements)?;
        if self.optimizers.is_empty() && !self.model.params.is_empty() {
            return Err(self.report(
                Diagnostic::error(
                    codes::OPTIMIZER,
                    model.name.span,
                    format!("the model `{}` has no optimizer", model.name.text),
                )
                .help("add one, such as `optimizer sgd(lr = 0.1);`"),
            ));
        }
        Ok(())
    }

    /// Constants may give settings, and the batch is needed before everything else.
    fn settings_first(&mut self, statements: &[ast::Stmt]) -> Lowered<()> {
        let mut failed = false;
        let mut earlier: Option<Span> = None;
        for stmt in statements {
            if let ast::StmtKind::Train { settings } = &stmt.kind {
                if let Some(first) = earlier {
                    self.report(
                        Diagnostic::error(codes::SETTING, stmt.span, "a model has one `train` block")
                            .secondary(first, "the first one"),
                    );
                    failed = true;
                }
                earlier = Some(stmt.span);
                failed |= self.train(settings).is_err();
            }
        }
        if failed { Err(Reported) } else { Ok(()) }
    }

    fn add_batch(&mut self) {
        let batch = self.model.settings.batch.unwrap_or(DEFAULT_BATCH);
        self.model.settings.batch = Some(batch);
        let var = self.graph().exprs.fresh("b", batch, true);
        self.batch = Some(var);
        self.context.push(var);
        let node = self.graph().add(Node {
            name: "weight".to_owned(),
            kind: NodeKind::Leaf(Leaf::SampleWeight),
            shape: vec![batch],
            ty: Ty::Real,
            range: None,
            per_sample: true,
            origin: None,
        });
        self.model.sample_weight = Some(node);
    }

    fn model_statement(
        &mut self,
        stmt: &ast::Stmt,
        losses: &mut Vec<(Option<ast::Name>, Tensor, Span)>,
    ) -> Lowered<()> {
        use ast::StmtKind as K;
        match &stmt.kind {
            K::Declare { role: role @ (ast::Role::Input | ast::Role::Target), name, ty, init } => {
                if let Some(init) = init {
                    self.error(codes::MISPLACED, init.span, "an input or target has no initial value");
                }
                let result = self.input(*role, name, ty.as_ref(), stmt.span);
                if result.is_err() {
                    self.poison(std::slice::from_ref(name));
                }
                result
            }
            K::Train { .. } => Ok(()),
            K::Loss { name, value } => {
                let part = name.as_ref().map_or("loss", |n| n.text.as_str()).to_owned();
                let t = self.in_path(&part, |this| this.operand(value))?;
                losses.push((name.clone(), t, value.span));
                Ok(())
            }
            K::Output { name, value } => {
                let result = self.output(name, value);
                if result.is_err() {
                    self.poison(std::slice::from_ref(name));
                }
                result
            }
            K::Metric { name, value } => self.metric(name, value),
            K::Optimizer { value, with, selectors } => {
                self.check_stage(value, "an optimizer")?;
                with.iter().try_for_each(|t| self.check_stage(t, "a transform"))?;
                let (value, with, selectors) = (value.clone(), with.clone(), selectors.clone());
                self.optimizers.push(OptimizerUse { value, with, selectors, span: stmt.span });
                Ok(())
            }
            K::Transform { value } => {
                self.transforms.push(value.clone());
                Ok(())
            }
            K::Freeze { selectors } => {
                self.frozen.extend(selectors.iter().cloned());
                Ok(())
            }
            // The inputs that it is about can stand after it.
            K::Stream { .. } => Ok(()),
            K::Precision { value } => match value.text.as_str() {
                "f32" => Ok(()),
                "f64" => {
                    self.model.precision = gdc_ir::Precision::F64;
                    Ok(())
                }
                other => Err(self.report(
                    Diagnostic::error(codes::KIND, value.span, format!("there is no precision `{other}`"))
                        .help("`f32` or `f64`"),
                )),
            },
            K::Entry(f) => self.entry(f, stmt.span),
            _ => self.statement(stmt),
        }
    }

    /// `input x: [8, 8];`, `target label: in 0..10;`
    fn input(&mut self, role: ast::Role, name: &ast::Name, ty: Option<&ast::Type>, span: Span) -> Lowered<()> {
        let Some(ast::Type { kind: ast::TypeKind::Tensor { shape, range }, span: ty_span }) = ty else {
            return Err(self.report(
                Diagnostic::error(codes::KIND, name.span, format!("the shape of `{}` is not stated", name.text)).help(
                    format!("write `{}: [n]`, `{0}: []` for one number, or `{0}: in 0..10` for a label", name.text),
                ),
            ));
        };
        let shape = self.stated_shape(shape.as_deref().unwrap_or(&[]))?;
        let range = match range {
            Some(r) => Some(self.stated_range(r)?),
            None => None,
        };
        let (Some(batch_var), Some(batch)) = (self.batch, self.model.settings.batch) else { return Ok(()) };
        if let (true, Some(node)) = (self.again, self.model.graph.find(&name.text)) {
            let tensor = self.per_sample(node, batch_var, &shape);
            self.bind(name, Value::Tensor(tensor));
            return Ok(());
        }
        if shape.len() > 1 && shape[0] == batch {
            self.diagnostics.push(
                Diagnostic::warning(
                    codes::BATCH_AXIS,
                    *ty_span,
                    format!("the first axis of `{}` is as long as the batch", name.text),
                )
                .note(format!(
                    "the batch is never written: this model takes {batch} samples of shape {} at a time",
                    super::types::shape_text(&shape)
                ))
                .help("leave the batch axis out"),
            );
        }
        let mut full = vec![batch];
        full.extend(&shape);
        let leaf = if role == ast::Role::Input { Leaf::Input } else { Leaf::Target };
        let node = Node {
            name: name.text.clone(),
            kind: NodeKind::Leaf(leaf),
            shape: full,
            ty: if range.is_some() { Ty::Int } else { Ty::Real },
            range,
            per_sample: true,
            origin: Some(Self::loc(span)),
        };
        let node = self.add_named(node, span)?;
        match leaf {
            Leaf::Input => self.model.inputs.push(node),
            _ => self.model.targets.push(node),
        }
        self.declared.insert(node, span);
        let tensor = self.per_sample(node, batch_var, &shape);
        self.bind_as(name, Binding { value: Value::Tensor(tensor), span: name.span, mutable: false, state: None });
        Ok(())
    }

    /// A per-sample node with the batch axis mapped and the others visible.
    fn per_sample(&mut self, node: NodeId, batch: gdc_ir::Var, shape: &[usize]) -> Tensor {
        let mut full = vec![self.model.graph.exprs.extent(batch)];
        full.extend(shape);
        let whole = self.whole(node, &full);
        let b = self.graph().exprs.index(batch);
        let map = HashMap::from([(whole.axes[0], b)]);
        let expr = substitute(&mut self.graph().exprs, whole.expr, &map);
        Tensor { axes: whole.axes[1..].to_vec(), expr, range: whole.range }
    }

    fn output(&mut self, name: &ast::Name, value: &ast::Expr) -> Lowered<()> {
        self.hint = Some(name.text.clone());
        let t = self.in_path(&name.text, |this| this.operand(value))?;
        self.hint = Some(name.text.clone());
        let (node, _) = self.node_of(&t, value.span)?;
        self.hint = None;
        let reached = self.model.graph.reachable([node]);
        if let Some(&target) = reached.iter().find(|n| self.model.targets.contains(n)) {
            let mut d = Diagnostic::error(
                codes::OUTPUT_READS_TARGET,
                value.span,
                format!("the output `{}` reads a target", name.text),
            )
            .note("outputs are computed where no targets are given");
            if let Some(&span) = self.declared.get(&target) {
                d = d.secondary(span, "the target");
            }
            return Err(self.report(d));
        }
        self.predictions.push((format!("the output `{}`", name.text), node, value.span));
        self.named_once("outputs", name, self.model.outputs.iter().any(|o| o.name == name.text))?;
        self.model.outputs.push(Named { name: name.text.clone(), node });
        if self.lookup(&name.text).is_none() {
            self.bind(name, Value::Tensor(t));
        }
        Ok(())
    }

    /// What a caller gets by its name has it alone.
    fn named_once(&mut self, kind: &str, name: &ast::Name, taken: bool) -> Lowered<()> {
        if !taken {
            return Ok(());
        }
        Err(self.error(codes::SHADOWS, name.span, format!("two {kind} are called `{}`", name.text)))
    }

    /// The mean over the samples of a number or truth value.
    fn metric(&mut self, name: &ast::Name, value: &ast::Expr) -> Lowered<()> {
        let mut t = self.in_path(&name.text, |this| this.operand(value))?;
        if !t.axes.is_empty() {
            let shape = super::types::shape_text(&self.shape(&t));
            return Err(self.report(
                Diagnostic::error(
                    codes::LOSS_SHAPE,
                    value.span,
                    format!("a metric is one number, and this is {shape}"),
                )
                .help("take its `mean(...)`"),
            ));
        }
        if self.ty(&t) == Ty::Bool {
            t.expr = self.graph().exprs.op(Op::ToReal, &[t.expr]);
        }
        let node = self.counted_mean(&t, value.span, &name.text)?;
        self.named_once("metrics", name, self.model.metrics.iter().any(|m| m.name == name.text))?;
        self.model.metrics.push(Named { name: name.text.clone(), node });
        Ok(())
    }

    /// `sum[b](weight[b] * e)`, or `e` itself where it is shared.
    fn mean_over_samples(&mut self, t: &Tensor, span: Span, name: &str) -> Lowered<NodeId> {
        let real = self.real(t, span)?;
        self.hint = Some(name.to_owned());
        let node = match (self.batch, self.model.sample_weight) {
            (Some(batch), Some(weight)) if self.model.graph.exprs.free_vars(real).contains(&batch) => {
                let w = self.read_at(weight, &[batch]);
                let body = self.graph().exprs.mul(w, real);
                let reduce = Reduce { op: Red::Sum, over: vec![batch] };
                let node = self.compute(Vec::new(), Some(reduce), body, None, span)?;
                self.unnamed.remove(&node);
                self.graph().rename(node, name.to_owned());
                node
            }
            _ => self.compute(Vec::new(), None, real, None, span)?,
        };
        self.hint = None;
        Ok(node)
    }

    /// `sum[b](e) / n` over the `n` samples given, or `e` itself where it is shared. One division
    /// at the end: a sum of ones, each weighted by `1/n`, would not be what people count.
    fn counted_mean(&mut self, t: &Tensor, span: Span, name: &str) -> Lowered<NodeId> {
        let real = self.real(t, span)?;
        let (batch, weight) = match (self.batch, self.model.sample_weight) {
            (Some(b), Some(w)) if self.model.graph.exprs.free_vars(real).contains(&b) => (b, w),
            _ => return self.mean_over_samples(t, span, name),
        };
        let w = self.read_at(weight, &[batch]);
        let exprs = &mut self.graph().exprs;
        let (zero, one) = (exprs.real(0.0), exprs.real(1.0));
        let given = exprs.op(Op::Lt, &[zero, w]);
        let (values, ones) = (exprs.select(given, real, zero), exprs.select(given, one, zero));
        let mut sums = Vec::new();
        for (body, name) in [(values, format!("{name}.sum")), (ones, "samples".to_owned())] {
            let reduce = Reduce { op: Red::Sum, over: vec![batch] };
            let node = self.compute(Vec::new(), Some(reduce), body, None, span)?;
            self.unnamed.remove(&node);
            self.graph().rename(node, name);
            sums.push(self.read_at(node, &[]));
        }
        let mean = self.graph().exprs.div(sums[0], sums[1]);
        self.hint = Some(name.to_owned());
        let node = self.compute(Vec::new(), None, mean, None, span)?;
        self.unnamed.remove(&node);
        self.graph().rename(node, name.to_owned());
        self.hint = None;
        Ok(node)
    }

    /// The sum of all losses.
    fn total_loss(&mut self, losses: &[(Option<ast::Name>, Tensor, Span)], model: &ast::Model) -> Lowered<()> {
        let mut parts = Vec::new();
        for (_, t, span) in losses {
            if !t.axes.is_empty() {
                let shape = super::types::shape_text(&self.shape(t));
                return Err(self.report(
                    Diagnostic::error(
                        codes::LOSS_SHAPE,
                        *span,
                        format!("a loss is one number for each sample, and this is {shape}"),
                    )
                    .label(format!("this is {shape}"))
                    .help("take its `mean(...)` or `sum(...)`"),
                ));
            }
            let name = if losses.len() == 1 { "loss".to_owned() } else { format!("loss.{}", parts.len() + 1) };
            parts.push((self.mean_over_samples(t, *span, &name)?, *span));
        }
        let Some(&(first, span)) = parts.first() else {
            return Err(self.report(
                Diagnostic::error(
                    codes::NO_LOSS,
                    model.name.span,
                    format!("the model `{}` has no loss", model.name.text),
                )
                .help("say what is minimised, such as `loss mse(y_hat, y);`"),
            ));
        };
        let mut total = first;
        if parts.len() > 1 {
            let mut terms: Vec<ExprId> = parts.iter().map(|(part, _)| self.read_at(*part, &[])).collect();
            // One chain of very many would be too deep to walk.
            while let [_, _, ..] = terms[..] {
                let join = |e: &[ExprId]| e[1..].iter().fold(e[0], |sum, &e| self.model.graph.exprs.add(sum, e));
                terms = terms.chunks(16).map(join).collect();
            }
            self.hint = Some("loss".to_owned());
            total = self.compute(Vec::new(), None, terms[0], None, span)?;
            self.hint = None;
        }
        self.model.loss = Some(total);
        Ok(())
    }
}

fn is_role(stmt: &ast::Stmt, wanted: ast::Role) -> bool {
    matches!(&stmt.kind, ast::StmtKind::Declare { role, .. } if *role == wanted)
}
