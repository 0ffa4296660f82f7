//! A scan inside of a scan that begins with, or reads, what the outer one carries: its steps are
//! written out, one after the other, within the step of the outer one. The flat graph has loops
//! beside each other, not in each other; what a step of one loop computes is statements.

use super::scan::{Over, Part, Scan, names_of_block};
use super::value::{Binding, Tensor, Value};
use super::{Lowered, Lowerer};
use crate::build::substitute;
use crate::codes;
use gdc_ir::{NodeId, Ty};
use gdc_syntax::{Diagnostic, Span, ast};
use std::collections::HashMap;

/// The most steps that are written out.
const MOST: usize = 64;

impl Lowerer<'_> {
    /// Whether a scan about to be lowered needs, within a step of one around it, what that carries.
    pub(super) fn needs_open_carry(
        &self,
        starts: &[(&ast::Name, Span, Tensor)],
        over: &[Over<'_>],
        body: &ast::Block,
    ) -> bool {
        let open: Vec<NodeId> = self.scans.iter().flat_map(|s| s.carries.iter().copied()).collect();
        if open.is_empty() {
            return false;
        }
        let exprs = &self.model.graph.exprs;
        let mut read: Vec<NodeId> = starts.iter().flat_map(|(_, _, t)| exprs.read_nodes(t.expr)).collect();
        for o in over {
            if let Part::Element(x) = &o.part {
                read.extend(exprs.read_nodes(x.expr));
            }
        }
        let mut names = Vec::new();
        names_of_block(body, &mut names);
        for name in names {
            if let Some(binding) = self.lookup(&name) {
                self.read_by(&binding.value, &mut read);
            }
        }
        self.model.graph.reachable(read).iter().any(|n| open.contains(n))
    }

    fn read_by(&self, value: &Value, read: &mut Vec<NodeId>) {
        match value {
            Value::Tensor(t) => read.extend(self.model.graph.exprs.read_nodes(t.expr)),
            Value::Tuple(items) => items.iter().for_each(|v| self.read_by(v, read)),
            Value::Func(f) => f.args.iter().for_each(|a| self.read_by(&a.value, read)),
            Value::Record(r) => r.fields.values().for_each(|v| self.read_by(v, read)),
            Value::Absent | Value::Poison => {}
        }
    }

    /// The value of such a scan.
    pub(super) fn turns(
        &mut self,
        starts: Vec<(&ast::Name, Span, Tensor)>,
        over: &[Over<'_>],
        steps: usize,
        body: &ast::Block,
        span: Span,
    ) -> Lowered<Value> {
        if steps > MOST {
            let message = format!("a scan of {steps} steps begins with, or reads, what the scan around it carries");
            return Err(self.report(
                Diagnostic::error(codes::MISPLACED, span, message)
                    .note(format!("the steps of such a scan are written out, and the most is {MOST}"))
                    .help("carry both in one scan, or run the inner scan before the outer one"),
            ));
        }
        let frames = self.frames.len();
        let blocks = self.frames.last().map_or(0, |f| f.blocks.len());
        self.scans.push(Scan { outside: (frames, blocks), yields: None, carries: Vec::new() });
        let shared = self.in_shared;
        let result = self.in_block(|this| {
            let names: Vec<&ast::Name> = starts.iter().map(|(name, ..)| *name).collect();
            for (name, start_span, start) in starts {
                this.hint = Some(this.path_to(&format!("{}.start", name.text)));
                let start = this.materialise(start, start_span)?;
                this.hint = None;
                let value = Value::Tensor(start);
                this.bind_as(name, Binding { value, span: name.span, mutable: true, state: None });
            }
            let mut yields = Vec::new();
            for step in 0..steps {
                // Parameters of the body are made by the first turn, for all of them.
                this.labelled_calls += 1;
                this.in_shared = Some(this.labelled_calls);
                this.turn(over, step, body)?;
                yields.extend(this.scans.last_mut().and_then(|s| s.yields.take()));
            }
            this.worth_of_turns(&names, yields, span)
        });
        self.in_shared = shared;
        self.scans.pop();
        result
    }

    /// The statements of one step.
    fn turn(&mut self, over: &[Over<'_>], step: usize, body: &ast::Block) -> Lowered<()> {
        self.in_block(|this| {
            for o in over {
                let part = match &o.part {
                    Part::Number(low) => {
                        let number = low + step as i64;
                        let expr = this.graph().exprs.int(number);
                        Tensor { range: Some((number, number + 1)), ..Tensor::scalar(expr) }
                    }
                    Part::Element(x) => {
                        let place = this.graph().exprs.int(step as i64);
                        let map = HashMap::from([(x.axes[0], place)]);
                        let expr = substitute(&mut this.graph().exprs, x.expr, &map);
                        Tensor { axes: x.axes[1..].to_vec(), expr, range: x.range }
                    }
                };
                this.bind(o.name, Value::Tensor(part));
            }
            this.steps(body)
        })
    }

    /// What the steps yield, side by side, or what the last one leaves.
    fn worth_of_turns(&mut self, names: &[&ast::Name], yields: Vec<(Value, Span)>, span: Span) -> Lowered<Value> {
        if !yields.is_empty() {
            return self.beside(yields);
        }
        let mut finals: Vec<Value> =
            names.iter().filter_map(|n| self.lookup(&n.text)).map(|b| b.value.clone()).collect();
        match finals.len() {
            0 => Err(self.report(
                Diagnostic::error(codes::MISPLACED, span, "this scan carries nothing and yields nothing")
                    .help("`yield e;` says what each step gives"),
            )),
            1 => Ok(finals.pop().unwrap_or(Value::Poison)),
            _ => Ok(Value::Tuple(finals)),
        }
    }

    /// Values of one kind along a new first axis; tuples of them, each part along its own.
    fn beside(&mut self, values: Vec<(Value, Span)>) -> Lowered<Value> {
        if let Some((Value::Tuple(first), _)) = values.first() {
            let parts = (0..first.len()).map(|i| {
                let part = values.iter().map(|(v, span)| match v {
                    Value::Tuple(items) => (items.get(i).cloned().unwrap_or(Value::Poison), *span),
                    other => (other.clone(), *span),
                });
                self.beside(part.collect())
            });
            return Ok(Value::Tuple(parts.collect::<Lowered<_>>()?));
        }
        let mut tensors = Vec::with_capacity(values.len());
        for (value, span) in values {
            tensors.push((self.tensor(value, span)?, span));
        }
        let integers = tensors.iter().all(|(t, _)| self.ty(t) == Ty::Int);
        self.stacked(tensors, integers).map(Value::Tensor)
    }
}
