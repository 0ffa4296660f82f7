//! `checkpoint(e)`: what stands inside of `e`, from the statements that it reads to its value.

use super::value::{Builtin, Callee, Func, Tensor, Value};
use super::{Lowered, Lowerer};
use crate::codes;
use gdc_ir::{Checkpoint, NodeId};
use gdc_syntax::{Diagnostic, Span, ast};

impl Lowerer<'_> {
    /// Whether something that is called is the builtin.
    pub(super) fn is_checkpoint(&mut self, callee: &ast::Expr) -> bool {
        let ast::ExprKind::Name(name) = &callee.kind else { return false };
        name.text == "checkpoint"
            && self.lookup(&name.text).is_none()
            && matches!(self.find(name), Ok(Some(Func { callee: Callee::Builtin(Builtin::Checkpoint), .. })))
    }

    /// `checkpoint(e)`
    pub(super) fn checkpoint_call(&mut self, args: &[ast::Arg], hint: Option<String>, span: Span) -> Lowered<Value> {
        let [ast::Arg { name: None, value, .. }] = args else {
            let code = if args.is_empty() { codes::MISSING_ARGUMENT } else { codes::TOO_MANY_ARGUMENTS };
            return Err(self.error(code, span, "`checkpoint` takes one expression"));
        };
        self.checkpoint(value, hint)
    }

    /// Notes which statements are made for an expression, by those around them.
    pub(super) fn checkpoint(&mut self, e: &ast::Expr, hint: Option<String>) -> Lowered<Value> {
        let start = self.model.graph.len();
        let value = self.expr(e)?;
        let mut results = Vec::new();
        let value = self.results_of(value, hint, e.span, &mut results)?;
        results.retain(|r| r.0 as usize >= start);
        let graph = &self.model.graph;
        let inside = (start..graph.len()).map(|k| NodeId(k as u32));
        let mut inputs: Vec<NodeId> = inside.flat_map(|id| graph.inputs(id)).collect();
        inputs.retain(|&id| (id.0 as usize) < start && graph.node(id).leaf().is_none());
        inputs.sort_unstable();
        inputs.dedup();
        // As the model predicts, there is no derivative.
        if !self.again && !results.is_empty() {
            self.model.checkpoints.push(Checkpoint { inputs, results });
        }
        Ok(value)
    }

    /// The value with every tensor as a statement of its own.
    fn results_of(
        &mut self,
        value: Value,
        hint: Option<String>,
        span: Span,
        results: &mut Vec<NodeId>,
    ) -> Lowered<Value> {
        match value {
            Value::Tensor(t) => {
                self.hint = hint;
                let (node, axes) = self.node_of(&t, span)?;
                self.hint = None;
                results.push(node);
                Ok(Value::Tensor(Tensor { expr: self.read_at(node, &axes), ..t }))
            }
            Value::Tuple(items) => {
                let items = items.into_iter().map(|v| self.results_of(v, None, span, results));
                Ok(Value::Tuple(items.collect::<Lowered<_>>()?))
            }
            Value::Poison => Err(gdc_syntax::Reported),
            other => Err(self.report(
                Diagnostic::error(codes::KIND, span, format!("this is {}, and has no value", other.describe()))
                    .help("`checkpoint` stands around a value: `checkpoint(x |> block)`"),
            )),
        }
    }
}
