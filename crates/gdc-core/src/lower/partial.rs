//! Calls that lack arguments: layers that wait for their tensor, calls and values that are given
//! where a function is wanted.

use super::value::{Bound, Callee, Func, Value};
use super::{Lowered, Lowerer};
use crate::codes;
use gdc_syntax::{Span, ast};
use std::rc::Rc;

impl Lowerer<'_> {
    /// `init = uniform(-1, 1)`: a call where a function is wanted is that function with the
    /// arguments that it has so far.
    pub(super) fn given_call(&mut self, func: &Func, bound: &[Bound], arg: &ast::Arg) -> Lowered<Option<Value>> {
        let ast::ExprKind::Call { callee, args } = &arg.value.kind else { return Ok(None) };
        let params: &[ast::Param] = match &func.callee {
            Callee::Fn(f) | Callee::Layer(f) | Callee::Model(_, f) => &f.params,
            _ => return Ok(None),
        };
        let named =
            |p: &ast::Param, name: &ast::Name| matches!(&p.pattern, ast::Pattern::Name(n) if n.text == name.text);
        let param = match &arg.name {
            Some(name) => params.iter().find(|p| named(p, name)),
            None => {
                // What is given without a name fills, in order, the parameters without one.
                let before = bound.iter().filter(|b| b.name.is_none()).count();
                params.get(before)
            }
        };
        if !matches!(param.and_then(|p| p.kind.as_ref()), Some(ast::ParamKind::Fn(_))) {
            return Ok(None);
        }
        let Value::Func(inner) = self.expr(callee)? else { return Ok(None) };
        let mut given = Vec::new();
        for arg in args {
            given.push(Bound { name: arg.name.clone(), value: self.expr(&arg.value)?, span: arg.value.span });
        }
        given.extend(inner.args.iter().cloned());
        Ok(Some(Value::Func(Rc::new(Func { args: given, given: true, ..(*inner).clone() }))))
    }

    /// Whether a function that was given as a call has all that it needs, and is now called with
    /// sizes alone, as initial values are: those are for functions that want them.
    pub(super) fn stands_alone(&self, func: &Func, args: &[Bound]) -> bool {
        let exprs = &self.model.graph.exprs;
        let sizes = args.iter().all(|a| matches!(&a.value, Value::Tensor(t) if exprs.as_int(t.expr).is_some()));
        let names = |p: &ast::Param| p.pattern.names().first().map(|n| n.text.clone());
        let complete = match &func.callee {
            Callee::Fn(f) => {
                let named: Vec<_> = func.args.iter().filter_map(|a| a.name.as_ref().map(|n| n.text.clone())).collect();
                let open = f.params.iter().filter(|p| names(p).is_none_or(|n| !named.contains(&n)));
                open.filter(|p| p.default.is_none()).count() <= func.args.len() - named.len()
            }
            Callee::Builtin(_) => !func.args.is_empty(),
            _ => false,
        };
        sizes && complete
    }

    /// What stands where a function is wanted, called: a number is the same everywhere, a
    /// tuple has one element for each value of the first argument.
    pub(super) fn given(&mut self, value: &Value, func: &Func, span: Span) -> Lowered<Value> {
        let (Value::Tuple(items), Some(first)) = (value, func.args.first()) else { return Ok(value.clone()) };
        let i = self.static_int(&first.value, first.span, "the place in a tuple")?;
        match usize::try_from(i).ok().and_then(|i| items.get(i)) {
            Some(item) => Ok(item.clone()),
            None => {
                let message = format!("`{}` is asked for element {i} of a tuple of {}", func.name, items.len());
                Err(self.error(codes::OUT_OF_RANGE, span, message))
            }
        }
    }

    /// `dense(32)` without an input: too few arguments for the required parameters, or a whole
    /// number where the first of them takes a tensor.
    pub(super) fn lacks_tensor(&self, f: &ast::Function, func: &Func) -> bool {
        let Some(ast::Param { kind: Some(ast::ParamKind::Type(ty)), pattern, .. }) = f.params.first() else {
            return false;
        };
        let given = |p: &ast::Param| {
            let names = p.pattern.names();
            func.args.iter().filter_map(|a| a.name.as_ref()).any(|n| names.iter().any(|m| m.text == n.text))
        };
        let ast::Pattern::Name(first) = pattern else { return false };
        if func.args.iter().filter_map(|a| a.name.as_ref()).any(|n| n.text == first.text) {
            return false;
        }
        let is_tensor = match func.args.iter().find(|a| a.name.is_none()).map(|a| &a.value) {
            Some(Value::Tensor(t)) => !t.axes.is_empty() || self.model.graph.exprs.as_int(t.expr).is_none(),
            Some(Value::Record(_) | Value::Poison) => true,
            _ => false,
        };
        let positional = func.args.iter().filter(|a| a.name.is_none()).count();
        let required = f.params.iter().filter(|p| p.default.is_none() && !given(p)).count();
        let wants_axes = matches!(&ty.kind, ast::TypeKind::Tensor { shape: Some(dims), .. }
            if dims.iter().any(|d| matches!(d, ast::Dim::Size(_))));
        !is_tensor && (positional < required || wants_axes)
    }
}
