//! What looks across the batch or lives from step to step in a model: statistics, states,
//! and random draws.

use super::library_calls::site;
use super::value::{Across, Bound, Func, Tensor, Value};
use super::{Frame, Lowered, Lowerer};
use crate::build::Build;
use crate::codes;
use gdc_ir::{Dist, Expr, ExprId, NodeId, Op, Red, Ty, Update, Var};
use gdc_syntax::{Diagnostic, Reported, Span, ast};
use std::collections::BTreeMap;

impl Lowerer<'_> {
    /// A statistic over the samples that a batch has, and over every axis that the layer
    /// around it is mapped over. Lanes that a partial batch lacks count for nothing.
    pub(super) fn across(&mut self, which: Across, args: &[Bound], span: Span) -> Lowered<Tensor> {
        let x = match args {
            [arg] => {
                let t = self.tensor(arg.value.clone(), arg.span)?;
                let expr = self.real(&t, arg.span)?;
                self.refresh(&Tensor { expr, ..t })
            }
            _ => Tensor::scalar(self.graph().exprs.real(1.0)),
        };
        let over: Vec<Var> = match which {
            Across::Count => self.context.clone(),
            _ => self.lead(x.expr, &x.axes),
        };
        // Other axes over samples see to themselves where they are reduced.
        let others: usize = over
            .iter()
            .filter(|v| Some(**v) != self.batch && !self.lanes.contains(v))
            .map(|&v| self.model.graph.exprs.extent(v))
            .product();
        let weight = self.sample_weight(&over);
        let lanes = self.sample_weights(&over);
        let exprs = &mut self.model.graph.exprs;
        let zero = exprs.real(0.0);
        let given = weight.map(|w| exprs.op(Op::Lt, &[zero, w]));
        let body = match which {
            Across::Mean => {
                let scale = exprs.real(1.0 / others as f64);
                let scaled = exprs.mul(scale, x.expr);
                let scaled = lanes.into_iter().fold(scaled, |e, w| exprs.mul(w, e));
                weight.map_or(scaled, |w| exprs.mul(w, scaled))
            }
            Across::Sum | Across::Count => given.map_or(x.expr, |g| exprs.select(g, x.expr, zero)),
            Across::Max => {
                let least = exprs.real(f64::NEG_INFINITY);
                given.map_or(x.expr, |g| exprs.select(g, x.expr, least))
            }
        };
        let red = if which == Across::Max { Red::Max } else { Red::Sum };
        self.reduce(red, false, over, Tensor { expr: body, ..x }, span)
    }

    /// `across(e)`: the values of all samples, `[batch, ...]`, the same for each of them.
    pub(super) fn across_tensor(&mut self, arg: &Bound) -> Lowered<Tensor> {
        let t = self.tensor(arg.value.clone(), arg.span)?;
        let t = self.refresh(&t);
        let batch = self.batch.filter(|b| self.model.graph.exprs.free_vars(t.expr).contains(b));
        let Some(batch) = batch else {
            return Err(self.report(
                Diagnostic::error(codes::KIND, arg.span, "this is the same for every sample")
                    .note("`across(e)` is the values that `e` has for the samples of a batch"),
            ));
        };
        let (node, axes) = self.node_of(&t, arg.span)?;
        let extent = self.model.graph.exprs.extent(batch);
        let samples = self.graph().exprs.fresh("s", extent, false);
        self.lanes.insert(samples);
        let at: Vec<Var> = axes.into_iter().map(|v| if v == batch { samples } else { v }).collect();
        let axes = std::iter::once(samples).chain(t.axes).collect();
        Ok(Tensor { axes, expr: self.read_at(node, &at), range: t.range })
    }

    /// `sample_index`: a sample's own place among those of the batch.
    pub(super) fn sample_index(&mut self, span: Span) -> Lowered<Value> {
        let Some(batch) = self.batch else {
            return Err(self.error(codes::MISPLACED, span, "a model without inputs has no samples"));
        };
        let exprs = &mut self.model.graph.exprs;
        let range = Some((0, exprs.extent(batch) as i64));
        Ok(Value::Tensor(Tensor { axes: Vec::new(), expr: exprs.index(batch), range }))
    }

    /// An axis in place of another: it runs over samples if that does.
    pub(super) fn same_lanes(&mut self, from: Var, to: Var) {
        if self.lanes.contains(&from) {
            self.lanes.insert(to);
        }
    }

    /// Axes over samples stay what they are, or the reshape is refused.
    pub(super) fn reshaped_lanes(&mut self, x: &Tensor, new: &[Var], span: Span) -> Lowered<()> {
        let Some(last) = x.axes.iter().rposition(|v| self.lanes.contains(v)) else { return Ok(()) };
        let extents = |this: &Self, axes: &[Var]| -> Vec<usize> {
            axes.iter().take(last + 1).map(|&v| this.model.graph.exprs.extent(v)).collect()
        };
        if extents(self, &x.axes) != extents(self, new) {
            return Err(self.report(
                Diagnostic::error(codes::RESHAPE, span, "the samples of a batch are not an axis to regroup")
                    .help("keep the axis that `across` gives as it is, and regroup those after it"),
            ));
        }
        for (&from, &to) in x.axes.iter().zip(new).take(last + 1) {
            self.same_lanes(from, to);
        }
        Ok(())
    }

    /// The weights of the samples for each of these axes that runs over them.
    pub(super) fn sample_weights(&mut self, over: &[Var]) -> Vec<ExprId> {
        let Some(weight) = self.model.sample_weight else { return Vec::new() };
        let lanes: Vec<Var> = over.iter().copied().filter(|v| self.lanes.contains(v)).collect();
        lanes.into_iter().map(|v| self.read_at(weight, &[v])).collect()
    }

    /// The weight of the sample, if the batch is among these axes.
    fn sample_weight(&mut self, over: &[Var]) -> Option<ExprId> {
        let (batch, weight) = (self.batch?, self.model.sample_weight?);
        over.contains(&batch).then(|| self.read_at(weight, &[batch]))
    }

    /// Remembers the next value of a state; only what all samples share can be one.
    pub(super) fn keep_state(&mut self, state: NodeId, next: &Tensor, name: &ast::Name, span: Span) -> Lowered<()> {
        if !self.lead(next.expr, &next.axes).is_empty() {
            return Err(self.report(
                Diagnostic::error(
                    codes::NOT_UPDATABLE,
                    span,
                    format!("the next value of `{}` differs from sample to sample", name.text),
                )
                .note("a state is shared by all samples, and by all elements that a layer is mapped over")
                .help("take a statistic over them, such as `across_mean(...)`"),
            ));
        }
        self.next_states.insert(state, (next.clone(), span));
        Ok(())
    }

    /// The last values of a model's states become their next ones, after the step.
    pub(super) fn commit_states(&mut self, states: BTreeMap<NodeId, (Tensor, Span)>) -> Lowered<()> {
        for (target, (next, span)) in states {
            let shape = self.model.graph.node(target).shape.clone();
            let whole = self.whole(target, &shape);
            let real = self.real(&next, span)?;
            let exprs = &mut self.model.graph.exprs;
            let map = next.axes.iter().zip(&whole.axes).map(|(&from, &to)| (from, exprs.index(to))).collect();
            let body = crate::build::substitute(exprs, real, &map);
            self.hint = Some(format!("{}.next", self.model.graph.node(target).name));
            let value = self.compute(whole.axes, None, body, None, span)?;
            self.hint = None;
            self.model.updates.push(Update { target, value });
        }
        Ok(())
    }

    /// Forgets all names for a second time round, in which nothing is training.
    pub(super) fn begin_again(&mut self) {
        self.frames = vec![Frame::model()];
        self.path.clear();
        self.labels.clear();
        self.model.outputs.clear();
        self.model.metrics.clear();
        self.model.entries.clear();
        self.predictions.clear();
        self.optimizers.clear();
        self.transforms.clear();
        self.frozen.clear();
        self.draws = 0;
        self.training = false;
        self.again = true;
    }

    /// `uniform(like = x)` and `normal([n])`: keyed by the step, this place, the sample and
    /// the element, so that each is drawn once and the backward pass sees the same draw. In an
    /// initial value: by the parameter's path and the element.
    pub(super) fn draw_like(&mut self, dist: Dist, func: &Func, span: Span) -> Lowered<Tensor> {
        let [arg] = func.args.as_slice() else { return Err(Reported) };
        let shape = match &arg.name {
            Some(_) => {
                let t = self.tensor(arg.value.clone(), arg.span)?;
                self.shape(&t)
            }
            None => self.list_of_sizes(arg)?,
        };
        const NAMES: [&str; 6] = ["i", "j", "k", "l", "m", "n"];
        let exprs = &mut self.model.graph.exprs;
        let axes: Vec<Var> = shape.iter().enumerate().map(|(i, &n)| exprs.fresh(NAMES[i % 6], n, false)).collect();
        if let Some(draw) = &mut self.draw {
            draw.draws += 1;
            let site = site(&draw.path, draw.draws);
            let start = self.graph().exprs.int(0);
            return self.drawn(dist, site, start, axes.clone(), axes, span);
        }
        self.draws += 1;
        let site = site(&self.path_to(&func.name), self.draws);
        // Not by its name, which a size may have taken: `x: [t, n]`.
        let t = self.counter(&ast::Name { text: "t".to_owned(), span })?;
        let Value::Tensor(Tensor { expr: start, .. }) = t else { return Err(Reported) };
        let all: Vec<Var> = self.context.iter().copied().chain(axes.iter().copied()).collect();
        self.drawn(dist, site, start, all, axes, span)
    }

    /// A draw for each place of `all`, as a node of its own: drawn once, however often it is read.
    fn drawn(
        &mut self,
        dist: Dist,
        site: u64,
        start: ExprId,
        all: Vec<Var>,
        axes: Vec<Var>,
        span: Span,
    ) -> Lowered<Tensor> {
        let exprs = &mut self.model.graph.exprs;
        let mut element = start;
        for &v in &all {
            let (extent, index) = (exprs.int(exprs.extent(v) as i64), exprs.index(v));
            let scaled = exprs.mul(element, extent);
            element = exprs.op(Op::Add, &[scaled, index]);
        }
        let expr = exprs.intern(Expr::Random { dist, site, element }, Ty::Real);
        let node = self.compute(all.clone(), None, expr, None, span)?;
        Ok(Tensor { expr: self.read_at(node, &all), axes, range: None })
    }
}
