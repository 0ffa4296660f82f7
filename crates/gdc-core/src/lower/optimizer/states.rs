//! The states of optimizers and transforms, and optimizers within optimizers.

use super::State;
use crate::codes;
use crate::lower::value::{Binding, Callee, Func, Tensor, Value};
use crate::lower::{Frame, Lowered, Lowerer};
use gdc_ir::{Kept, Leaf, Node, NodeKind, Ty};
use gdc_syntax::{Diagnostic, Span, ast};

impl Lowerer<'_> {
    /// `adam(lr)(w, g)` in the body of another optimizer: the weight that it would give.
    pub(in crate::lower) fn inner_optimizer(&mut self, func: &Func, args: Vec<Tensor>, span: Span) -> Lowered<Value> {
        let Some(updating) = &self.updating else {
            return Err(self.error(
                codes::MISPLACED,
                span,
                "an optimizer is applied to `w` and `g` only in the body of another one",
            ));
        };
        let (Callee::Optimizer(optimizer), [w, g]) = (&func.callee, args.as_slice()) else {
            return Err(self.error(
                codes::MISSING_ARGUMENT,
                span,
                "an optimizer is applied to a weight and a gradient: `adam(lr)(w, g)`",
            ));
        };
        let made_before = updating.states.len();
        self.not_too_deep(&func.name, span)?;
        self.calls.push((func.name.clone(), span));
        self.frames.push(Frame::default());
        let result = self.inner_body(optimizer, func, (w.clone(), g.clone()), span);
        self.calls.pop();
        self.settle_states(made_before);
        self.frames.pop();
        result
    }

    /// How many states the body around has made so far.
    pub(in crate::lower) fn states_made(&self) -> usize {
        self.updating.as_ref().map_or(0, |u| u.states.len())
    }

    /// The states made since then in the innermost block end with it: their next values are
    /// known now.
    pub(in crate::lower) fn settle_states(&mut self, made_before: usize) {
        let Some(block) = self.frames.last().and_then(|f| f.blocks.last()) else { return };
        let Some(updating) = &mut self.updating else { return };
        for state in &mut updating.states[made_before..] {
            if let (None, Some(Binding { value: Value::Tensor(t), .. })) = (&state.next, block.get(&state.name)) {
                state.next = Some(t.clone());
            }
        }
    }

    fn inner_body(
        &mut self,
        optimizer: &ast::Optimizer,
        func: &Func,
        values: (Tensor, Tensor),
        span: Span,
    ) -> Lowered<Value> {
        self.hyper_parameters(&optimizer.params, func, span)?;
        self.bind_member(optimizer, values)?;
        for stmt in &optimizer.body.statements {
            self.statement(stmt)?;
        }
        self.name(&optimizer.weight)
    }

    /// `state m = 0;`: a tensor of the parameter's shape, or of the shape that is stated.
    pub(in crate::lower) fn optimizer_state(
        &mut self,
        name: &ast::Name,
        ty: Option<&ast::Type>,
        init: Option<&ast::Expr>,
        span: Span,
    ) -> Lowered<()> {
        let Some(updating) = &self.updating else { return Ok(()) };
        let (mapped, path) = (updating.mapped.clone(), format!("{}.{}", updating.path, name.text));
        let own_shape = updating.shape.clone();
        let shape = match ty.map(|t| &t.kind) {
            None => own_shape,
            Some(ast::TypeKind::Tensor { shape: Some(dims), range: None }) if mapped.is_empty() => {
                self.stated_shape(dims)?
            }
            Some(_) => {
                return Err(self.report(
                    Diagnostic::error(codes::KIND, name.span, "here a state has one number for each element of `w`")
                        .help("with `for w: [...]` the body takes the whole tensor, and states can have shapes of their own"),
                ));
            }
        };
        let init = self.initial(&path, &shape, init, span)?;
        let node = Node {
            name: path,
            kind: NodeKind::Leaf(Leaf::State),
            shape: shape.clone(),
            ty: Ty::Real,
            range: None,
            per_sample: false,
            origin: Some(Self::loc(span)),
        };
        let leaf = self.add_node(node, span)?;
        self.model.states.push(Kept { node: leaf, init });
        if let Some(updating) = &mut self.updating {
            updating.states.push(State { leaf, name: name.text.clone(), next: None });
        }
        let value =
            if mapped.is_empty() { self.whole(leaf, &shape) } else { Tensor::scalar(self.read_at(leaf, &mapped)) };
        self.bind_as(name, Binding { value: Value::Tensor(value), span: name.span, mutable: true, state: None });
        Ok(())
    }
}
