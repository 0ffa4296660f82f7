//! Binding the parameters of a function or layer, and matching arguments against their types.

use super::types::{axes_text, shape_text};
use super::value::{Binding, Bound, Callee, Func, Tensor, Value};
use super::{Lowered, Lowerer};
use crate::codes;
use gdc_ir::Ty;
use gdc_ir::ranges::int_interval;
use gdc_syntax::{Diagnostic, Span, ast};
use std::rc::Rc;

/// An argument that was matched to a parameter, before mapping.
pub(super) struct Matched {
    pub(super) value: Tensor,
    /// How many leading axes are mapped over.
    pub(super) extra: usize,
    pub(super) name: ast::Name,
    pub(super) span: Span,
}

impl Lowerer<'_> {
    /// Binds a compile-time parameter at once; a tensor or number waits for mapping.
    pub(super) fn bind_param(&mut self, param: &ast::Param, arg: Bound, func: &Func) -> Lowered<Option<Matched>> {
        use ast::ParamKind as K;
        let ast::Pattern::Name(name) = &param.pattern else {
            return Err(self.error(codes::KIND, param.span, "a parameter must be a name"));
        };
        match &param.kind {
            Some(K::Int(_)) => {
                let what = format!("`{}`", name.text);
                let i = self.static_int(&arg.value, arg.span, &what)?;
                let expr = self.graph().exprs.int(i);
                self.bind(name, Value::Tensor(Tensor::scalar(expr)));
                Ok(None)
            }
            Some(K::Bool(_)) => match &arg.value {
                Value::Tensor(t) if self.static_bool(t.expr).is_some() => {
                    self.bind(name, arg.value);
                    Ok(None)
                }
                _ => {
                    Err(self.error(codes::NOT_CONSTANT, arg.span, format!("`{}` must be `true` or `false`", name.text)))
                }
            },
            Some(K::Layer(_) | K::Fn(_)) => match arg.value {
                Value::Func(_) => {
                    self.bind(name, arg.value);
                    Ok(None)
                }
                Value::Tensor(Tensor { ref axes, .. }) if axes.is_empty() && matches!(param.kind, Some(K::Fn(_))) => {
                    self.bind_given(name, arg);
                    Ok(None)
                }
                Value::Tuple(_) if matches!(param.kind, Some(K::Fn(_))) => {
                    self.bind_given(name, arg);
                    Ok(None)
                }
                other => Err(self.error(
                    codes::KIND,
                    arg.span,
                    format!("`{}` wants a layer or function, and this is {}", name.text, other.describe()),
                )),
            },
            Some(K::Tuple(names, _)) => self.bind_tuple_param(name, names, arg).map(|()| None),
            None => {
                let value = self.called(arg.value, arg.span)?;
                let value = self.tensor(value, arg.span)?;
                self.warn_probabilities(&value, &name.text, arg.span, func);
                let extra = value.axes.len();
                Ok(Some(Matched { value, extra, name: name.clone(), span: arg.span }))
            }
            Some(K::Type(ty)) => {
                let value = self.tensor(arg.value, arg.span)?;
                self.warn_probabilities(&value, &name.text, arg.span, func);
                let extra = self.match_type(ty, &value, name, arg.span, func)?;
                Ok(Some(Matched { value, extra, name: name.clone(), span: arg.span }))
            }
        }
    }

    /// A number or tuple where a function is wanted.
    fn bind_given(&mut self, name: &ast::Name, arg: Bound) {
        let callee = Callee::Given(Rc::new(arg.value));
        let func = Func { name: name.text.clone(), callee, args: Vec::new(), label: None, shared: None, given: false };
        self.bind(name, Value::Func(Rc::new(func)));
    }

    /// A function that needs no arguments, such as `zeros`, used as a value.
    pub(super) fn called(&mut self, value: Value, span: Span) -> Lowered<Value> {
        match value {
            Value::Func(f) if matches!(&f.callee, Callee::Fn(g) if g.params.iter().all(|p| p.default.is_some())) => {
                self.invoke((*f).clone(), span)
            }
            other => Ok(other),
        }
    }

    /// A function that needs nothing but whole numbers, such as `orthogonal`, where an initial value
    /// of a shape is wanted: it takes the sizes, in order, that it has parameters for.
    pub(super) fn called_with_sizes(&mut self, value: Value, shape: &[usize], span: Span) -> Lowered<Value> {
        let Value::Func(f) = &value else { return Ok(value) };
        let Callee::Fn(g) = &f.callee else { return Ok(value) };
        let whole = |p: &&ast::Param| matches!(p.kind, Some(ast::ParamKind::Int(_)));
        let needed: Vec<&ast::Param> = g.params.iter().filter(|p| p.default.is_none()).collect();
        if !f.args.is_empty() || needed.is_empty() || !needed.iter().all(whole) {
            return Ok(value);
        }
        let mut args = Vec::new();
        for (_, &size) in g.params.iter().take_while(whole).zip(shape) {
            let size = self.graph().exprs.int(size as i64);
            args.push(Bound { name: None, value: Value::Tensor(Tensor::scalar(size)), span });
        }
        self.invoke(Func { args, ..(**f).clone() }, span)
    }

    fn bind_tuple_param(&mut self, name: &ast::Name, names: &[ast::Name], arg: Bound) -> Lowered<()> {
        let items: Vec<Value> = match &arg.value {
            Value::Tuple(items) if items.len() == names.len() => items.clone(),
            Value::Tuple(items) => {
                return Err(self.error(
                    codes::RANK,
                    arg.span,
                    format!("`{}` takes {} numbers, and this has {}", name.text, names.len(), items.len()),
                ));
            }
            one => vec![one.clone(); names.len()],
        };
        for (n, item) in names.iter().zip(&items) {
            let i = self.static_int(item, arg.span, &format!("`{}`", n.text))?;
            let expr = self.graph().exprs.int(i);
            self.bind(n, Value::Tensor(Tensor::scalar(expr)));
        }
        self.bind(name, Value::Tuple(items));
        Ok(())
    }

    /// Checks a tensor against a parameter's type, binds the sizes it names, and says how
    /// many leading axes are extra.
    fn match_type(
        &mut self,
        ty: &ast::Type,
        value: &Tensor,
        name: &ast::Name,
        span: Span,
        func: &Func,
    ) -> Lowered<usize> {
        let ast::TypeKind::Tensor { shape, range } = &ty.kind else {
            return Err(self.error(codes::KIND, ty.span, "a parameter cannot be a tuple of tensors here"));
        };
        if let Some(range) = range {
            self.match_range(range, value, name, span, func)?;
        }
        let dims: &[ast::Dim] = shape.as_deref().unwrap_or(&[]);
        // `[..., c]` takes all leading axes whole, so that nothing is left to map over.
        let (whole, dims) = match dims {
            [ast::Dim::Rest(_), last @ ..] => (true, last),
            _ => (false, dims),
        };
        let given = self.shape(value);
        if given.len() < dims.len() {
            return Err(self.report(
                Diagnostic::error(
                    codes::RANK,
                    span,
                    format!(
                        "`{}` takes a tensor with {} as `{}`, and this has {}",
                        func.name,
                        axes_text(dims.len()),
                        name.text,
                        given.len()
                    ),
                )
                .label(format!("this is {}", shape_text(&given)))
                .secondary(ty.span, "wanted here")
                .note("the batch is never written: shapes are those of one sample"),
            ));
        }
        let extra = given.len() - dims.len();
        for (axis, (dim, &size)) in dims.iter().zip(&given[extra..]).enumerate() {
            let ast::Dim::Size(e) = dim else {
                return Err(self.error(codes::RANK, ty.span, "`...` must stand before the other axes of a parameter"));
            };
            if let ast::ExprKind::Name(n) = &e.kind
                && self.lookup(&n.text).is_none()
            {
                let expr = self.graph().exprs.int(size as i64);
                self.bind_as(
                    n,
                    Binding { value: Value::Tensor(Tensor::scalar(expr)), span, mutable: false, state: None },
                );
                continue;
            }
            let want = self.size(e)?;
            if want != size {
                return Err(self.size_differs(e, want, size, axis, span, &given, func));
            }
        }
        Ok(if whole { 0 } else { extra })
    }

    #[allow(clippy::too_many_arguments)] // all of it is shown
    fn size_differs(
        &mut self,
        dim: &ast::Expr,
        want: usize,
        size: usize,
        axis: usize,
        span: Span,
        given: &[usize],
        func: &Func,
    ) -> gdc_syntax::Reported {
        let text = self.sources.text(dim.span).to_owned();
        let wanted = if text == want.to_string() { text.clone() } else { format!("{text} = {want}") };
        let mut d = Diagnostic::error(
            codes::SHAPE,
            span,
            format!("`{}` wants size {wanted} here, and axis {axis} has size {size}", func.name),
        )
        .label(format!("this is {}", shape_text(given)))
        .secondary(dim.span, format!("{wanted} is wanted here"));
        if let ast::ExprKind::Name(n) = &dim.kind
            && let Some(binding) = self.lookup(&n.text)
            && binding.span != n.span
        {
            let origin = binding.span;
            d = d.secondary(origin, format!("`{text}` is {want} because of this"));
        }
        self.report(d)
    }

    /// `id: in 0..n`: an integer whose values lie in the range; a free `n` is bound by it.
    fn match_range(
        &mut self,
        range: &ast::Expr,
        value: &Tensor,
        name: &ast::Name,
        span: Span,
        func: &Func,
    ) -> Lowered<()> {
        if self.ty(value) != Ty::Int {
            return Err(self.report(
                Diagnostic::error(
                    codes::TYPE,
                    span,
                    format!("`{}` takes integers as `{}`, and this is a real number", func.name, name.text),
                )
                .secondary(range.span, "an integer in this range is wanted")
                .help("declare labels with their range: `target label: in 0..10;`"),
            ));
        }
        let interval = value.range.map(|(l, h)| (l, h - 1)).or_else(|| int_interval(&self.model.graph, value.expr));
        let Some((low, high)) = interval else {
            return Err(self.error(codes::INTEGER_RANGE, span, "the range of this integer is not known"));
        };
        if let ast::ExprKind::Range { end: Some(end), .. } = &range.kind
            && let ast::ExprKind::Name(n) = &end.kind
            && self.lookup(&n.text).is_none()
        {
            let expr = self.graph().exprs.int(high + 1);
            self.bind_as(n, Binding { value: Value::Tensor(Tensor::scalar(expr)), span, mutable: false, state: None });
            return Ok(());
        }
        let (want_low, want_high) = self.stated_range(range)?;
        if low < want_low || high >= want_high {
            return Err(self.report(
                Diagnostic::error(
                    codes::INTEGER_RANGE,
                    span,
                    format!(
                        "`{}` wants `{}` in {want_low}..{want_high}, and this lies in {low}..{}",
                        func.name,
                        name.text,
                        high + 1
                    ),
                )
                .label(format!("{} different values", high + 1 - low))
                .secondary(range.span, format!("{} values are wanted here", want_high - want_low)),
            ));
        }
        Ok(())
    }
}
