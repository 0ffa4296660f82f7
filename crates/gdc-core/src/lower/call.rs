//! Calls: binding arguments, the mapping rule, and expanding bodies.

use super::params::Matched;
use super::types::shape_text;
use super::value::{Bound, Callee, Func, Tensor, Value};
use super::{Frame, Lowered, Lowerer, MAX_CALLS};

use crate::build::substitute;
use crate::codes;
use gdc_ir::Var;
use gdc_syntax::similar::suggest;
use gdc_syntax::{Diagnostic, Span, ast};
use std::collections::HashMap;
use std::rc::Rc;

/// Calls of a model in all: a chain of functions that each call the next twice would take forever.
const MAX_EXPANSIONS: usize = 50_000;

impl Lowerer<'_> {
    /// A call with arguments put before the written ones, as `|>` does.
    pub(super) fn call_with(
        &mut self,
        callee: &ast::Expr,
        args: &[ast::Arg],
        span: Span,
        first: Vec<Bound>,
        label: Option<&ast::Name>,
        hint: Option<String>,
    ) -> Lowered<Value> {
        if let Some(&total) = self.totals.get(&span) {
            return Ok(Value::Tensor(Tensor::scalar(total)));
        }
        let value = self.expr(callee)?;
        let func = match value {
            Value::Func(f) => f,
            Value::Poison => return Err(gdc_syntax::Reported),
            other => {
                return Err(self.report(
                    Diagnostic::error(
                        codes::NOT_CALLABLE,
                        callee.span,
                        format!("this is {}, which cannot be called", other.describe()),
                    )
                    .help("an element of a tensor is read with brackets: `x[i]`"),
                ));
            }
        };
        let mut bound = first;
        for arg in args {
            let value = match self.given_call(&func, &bound, arg)? {
                Some(value) => value,
                None => self.expr(&arg.value)?,
            };
            bound.push(Bound { name: arg.name.clone(), value, span: arg.value.span });
        }
        if func.given && self.stands_alone(&func, &bound) {
            return self.invoke(Func { given: false, ..(*func).clone() }, span);
        }
        if matches!(func.callee, Callee::Optimizer(_)) && matches!(callee.kind, ast::ExprKind::Call { .. }) {
            let values = bound.into_iter().map(|b| self.tensor(b.value, b.span)).collect::<Lowered<Vec<_>>>()?;
            return self.inner_optimizer(&func, values, span);
        }
        // What a layer was given before, as in `layer enc = dense(32);`, stands after its input.
        bound.extend(func.args.iter().cloned());
        if let Some(filled) = self.filled(&func, &bound, span)? {
            return Ok(Value::Tensor(filled));
        }
        if let Some(dist) = draws_like(&func, &bound) {
            let func = Func { args: bound, ..(*func).clone() };
            return self.draw_like(dist, &func, span).map(Value::Tensor);
        }
        let label = label.cloned().or_else(|| func.label.clone());
        let func = Func { args: bound, label, ..(*func).clone() };
        self.hint = hint;
        self.invoke(func, span)
    }

    /// Calls a function with the arguments it holds; a layer that still lacks its tensor is
    /// a value of its own.
    pub(super) fn invoke(&mut self, func: Func, span: Span) -> Lowered<Value> {
        self.not_too_deep(&func.name, span)?;
        self.calls.push((func.name.clone(), span));
        let hint = self.hint.take();
        let result = match func.callee.clone() {
            Callee::Builtin(builtin) => {
                self.hint = hint.clone();
                let result = self.builtin(builtin, &func, span);
                self.hint = None;
                result
            }
            Callee::Fn(f) | Callee::Layer(f) => {
                let layer = matches!(func.callee, Callee::Layer(_));
                if layer && self.lacks_tensor(&f, &func) {
                    Ok(Value::Func(Rc::new(func)))
                } else {
                    self.expand(&f, &func, layer, hint.clone(), span)
                }
            }
            Callee::Given(value) => self.given(&value, &func, span),
            Callee::Model(model, signature) => {
                if self.lacks_tensor(&signature, &func) {
                    Ok(Value::Func(Rc::new(func)))
                } else {
                    self.expand_model(&model, &signature, &func, span)
                }
            }
            Callee::Optimizer(_) | Callee::Transform => Ok(Value::Func(Rc::new(func))),
        };
        self.hint = hint;
        self.calls.pop();
        result
    }

    /// Refuses a call within too many others, which is what definitions that call themselves lead to,
    /// and one after very many others. The turn of a `for` counts as a call.
    pub(super) fn not_too_deep(&mut self, name: &str, span: Span) -> Lowered<()> {
        self.called += 1;
        if self.called > MAX_EXPANSIONS {
            return Err(self.too_many_calls(name, span));
        }
        if self.calls.len() < MAX_CALLS {
            return Ok(());
        }
        let circle = self.calls.iter().any(|(other, _)| other == name);
        let message = match circle {
            true => format!("`{name}` calls itself, and does not end within {MAX_CALLS} calls"),
            false => format!("`{name}` leads to more than {MAX_CALLS} nested calls"),
        };
        Err(self.report(
            Diagnostic::error(codes::RECURSION, span, message)
                .note("definitions are expanded where they are called, so they cannot call themselves")
                .help("what happens a fixed number of times is written `for i in 0..n { h <- ...; }`"),
        ))
    }

    /// Says once that there are too many calls, at the outermost of those at hand.
    fn too_many_calls(&mut self, name: &str, span: Span) -> gdc_syntax::Reported {
        if self.called > MAX_EXPANSIONS + 1 {
            return gdc_syntax::Reported;
        }
        let (name, span) = self.calls.first().cloned().unwrap_or((name.to_owned(), span));
        let message = format!("expanding `{name}` brings the model to more than {MAX_EXPANSIONS} calls");
        self.report(
            Diagnostic::error(codes::RECURSION, span, message)
                .note("definitions are expanded where they are called: one that calls another twice doubles its work")
                .help("bind what is used several times with `let`"),
        )
    }

    /// Which argument each parameter gets.
    pub(super) fn assign<'f>(
        &mut self,
        params: &'f [ast::Param],
        func: &Func,
        span: Span,
    ) -> Lowered<Vec<(&'f ast::Param, Option<Bound>)>> {
        let mut slots: Vec<(&ast::Param, Option<Bound>)> = params.iter().map(|p| (p, None)).collect();
        for arg in func.args.iter().filter(|a| a.name.is_some()) {
            let Some(name) = &arg.name else { continue };
            let slot =
                slots.iter_mut().find(|(p, _)| matches!(&p.pattern, ast::Pattern::Name(n) if n.text == name.text));
            match slot {
                Some((_, slot @ None)) => *slot = Some(arg.clone()),
                Some(_) => {
                    return Err(self.error(
                        codes::UNKNOWN_ARGUMENT,
                        name.span,
                        format!("`{}` is given twice", name.text),
                    ));
                }
                None => {
                    let names: Vec<&str> =
                        params.iter().flat_map(|p| p.pattern.names()).map(|n| n.text.as_str()).collect();
                    let mut d = Diagnostic::error(
                        codes::UNKNOWN_ARGUMENT,
                        name.span,
                        format!("`{}` has no parameter `{}`", func.name, name.text),
                    )
                    .note(format!("its parameters are: {}", names.join(", ")));
                    if let Some(close) = suggest(&name.text, names.iter().copied()) {
                        d = d.help(format!("did you mean `{close}`?"));
                    } else if let Some(help) = super::library_calls::argument(&name.text) {
                        d = d.help(help);
                    }
                    return Err(self.report(d));
                }
            }
        }
        for arg in func.args.iter().filter(|a| a.name.is_none()) {
            match slots.iter_mut().find(|(_, s)| s.is_none()) {
                Some((_, slot)) => *slot = Some(arg.clone()),
                None => {
                    return Err(self.report(
                        Diagnostic::error(
                            codes::TOO_MANY_ARGUMENTS,
                            arg.span,
                            format!("`{}` takes {} arguments", func.name, params.len()),
                        )
                        .label("one too many"),
                    ));
                }
            }
        }
        let missing: Vec<&str> = slots
            .iter()
            .filter(|(p, s)| s.is_none() && p.default.is_none())
            .flat_map(|(p, _)| p.pattern.names())
            .map(|n| n.text.as_str())
            .collect();
        if !missing.is_empty() {
            return Err(self.report(
                Diagnostic::error(
                    codes::MISSING_ARGUMENT,
                    span,
                    format!("`{}` needs {}", func.name, missing.join(", ")),
                )
                .label("called here"),
            ));
        }
        Ok(slots)
    }

    /// Lowers the body of a layer or function for these arguments.
    fn expand(
        &mut self,
        f: &ast::Function,
        func: &Func,
        layer: bool,
        hint: Option<String>,
        span: Span,
    ) -> Lowered<Value> {
        let slots = self.assign(&f.params, func, span)?;
        self.frames.push(Frame::default());
        let depth = self.context.len();
        let result = self.expand_in_frame(f, slots, func, layer, hint, span);
        self.context.truncate(depth);
        self.frames.pop();
        result
    }

    fn expand_in_frame(
        &mut self,
        f: &ast::Function,
        slots: Vec<(&ast::Param, Option<Bound>)>,
        func: &Func,
        layer: bool,
        hint: Option<String>,
        span: Span,
    ) -> Lowered<Value> {
        let mut matched = Vec::new();
        for (param, arg) in slots {
            let arg = match (arg, &param.default) {
                (Some(arg), _) => arg,
                (None, Some(default)) => self.default_argument(default, &matched)?,
                (None, None) => continue,
            };
            if let Some(m) = self.bind_param(param, arg, func)? {
                matched.push(m);
            }
        }
        let mapped = self.map_over(matched, func)?;
        let run = |this: &mut Self| -> Lowered<Value> {
            this.hint = hint;
            let kept = this.model.params.len();
            this.block_then(&f.body, |this, value| {
                this.hint = None;
                let stated = f.body.statements.iter().find_map(|s| match &s.kind {
                    ast::StmtKind::Derivative { params, value } => Some((params, value)),
                    _ => None,
                });
                let Some((names, derivative)) = stated else { return Ok(value) };
                if this.model.params.len() > kept {
                    return Err(this.report(
                        Diagnostic::error(
                            codes::MISPLACED,
                            derivative.span,
                            "a derivative is stated by arguments, and parameters are made here",
                        )
                        .help("state it in a function that takes the parameters as arguments"),
                    ));
                }
                this.stated(f, value, names, derivative)
            })
        };
        let value = if layer { self.in_layer(func, span, run)? } else { run(self)? };
        if let Some(result) = &f.result {
            self.check_result(&value, result, f)?;
        }
        Ok(unmap(value, &mapped))
    }

    /// A default may name the parameters before it: tensors are what was given, as mapped.
    fn default_argument(&mut self, default: &ast::Expr, before: &[Matched]) -> Lowered<Bound> {
        let value = self.in_block(|this| {
            for m in before {
                this.bind(&m.name, Value::Tensor(m.value.clone()));
            }
            this.expr(default)
        })?;
        Ok(Bound { name: None, value, span: default.span })
    }

    /// Runs a layer's body under its label.
    pub(super) fn in_layer(
        &mut self,
        func: &Func,
        span: Span,
        run: impl FnOnce(&mut Self) -> Lowered<Value>,
    ) -> Lowered<Value> {
        if let Some(shared) = &func.shared {
            self.labelled_calls += 1;
            let outer = std::mem::replace(&mut self.path, vec![shared.clone()]);
            let before = self.in_shared.replace(self.labelled_calls);
            let result = run(self);
            self.in_shared = before;
            self.path = outer;
            return result;
        }
        let label = func.label.as_ref().map_or(func.name.as_str(), |l| l.text.as_str()).to_owned();
        let label_span = func.label.as_ref().map_or(span, |l| l.span);
        let path = self.path_to(&label);
        self.labelled_calls += 1;
        self.labelled.push(Labelled { call: self.labelled_calls, shared: self.in_shared, path, span: label_span });
        let result = self.in_path(&label, run);
        self.labelled.pop();
        result
    }

    /// A parameter is made here: the labels around it belong to these calls from now on.
    /// Layers without parameters can repeat theirs.
    pub(super) fn claim_labels(&mut self) -> Lowered<()> {
        for Labelled { call, shared, path, span } in self.labelled.clone() {
            let (owner, earlier) = *self.labels.entry((shared, path.clone())).or_insert((call, span));
            if owner != call {
                let label = path.rsplit('.').next().unwrap_or(&path).to_owned();
                return Err(self.report(
                    Diagnostic::error(codes::REPEATED_LABEL, span, format!("two layers are called `{path}`"))
                        .secondary(earlier, "the first one")
                        .help(format!("give one of them another name: `{label}(...) as {label}2`")),
                ));
            }
        }
        Ok(())
    }

    /// The mapping rule: extra leading axes are aligned from the right, become axes around
    /// the call, and parameters are bound to what remains.
    pub(super) fn map_over(&mut self, matched: Vec<Matched>, func: &Func) -> Lowered<Vec<Var>> {
        let longest = matched.iter().max_by_key(|m| m.extra);
        let Some(longest) = longest else { return Ok(Vec::new()) };
        let sizes: Vec<usize> = self.shape(&longest.value)[..longest.extra].to_vec();
        let names: Vec<String> =
            longest.value.axes[..longest.extra].iter().map(|&v| self.model.graph.exprs.var(v).name.clone()).collect();
        let longest_span = longest.span;
        for m in &matched {
            let theirs = self.shape(&m.value)[..m.extra].to_vec();
            if theirs != sizes[sizes.len() - m.extra..] {
                return Err(self.report(
                    Diagnostic::error(
                        codes::SHAPE,
                        m.span,
                        format!(
                            "the arguments of `{}` are mapped over axes of different sizes, {} and {}",
                            func.name,
                            shape_text(&theirs),
                            shape_text(&sizes)
                        ),
                    )
                    .label(format!("this is {}", shape_text(&self.shape(&m.value))))
                    .secondary(longest_span, format!("this maps over {}", shape_text(&sizes)))
                    .note("extra leading axes are aligned from the right and must be equal"),
                ));
            }
        }
        let mut vars = Vec::with_capacity(sizes.len());
        for (name, &size) in names.into_iter().zip(&sizes) {
            vars.push(self.graph().exprs.fresh(name, size, false));
        }
        self.context.extend(&vars);
        for m in matched {
            let value = self.materialise_argument(&m)?;
            let mut map = HashMap::new();
            for (&from, &to) in value.axes[..m.extra].iter().zip(&vars[vars.len() - m.extra..]) {
                self.same_lanes(from, to);
                let index = self.graph().exprs.index(to);
                map.insert(from, index);
            }
            let expr = substitute(&mut self.graph().exprs, value.expr, &map);
            let tensor = Tensor { axes: value.axes[m.extra..].to_vec(), expr, range: value.range };
            self.bind(&m.name, Value::Tensor(tensor));
        }
        Ok(vars)
    }

    /// An argument is computed once, however often the body reads it.
    fn materialise_argument(&mut self, m: &Matched) -> Lowered<Tensor> {
        if m.value.axes.is_empty() && self.draw.is_some() {
            return Ok(m.value.clone());
        }
        self.hint = Some(self.path_to(&m.name.text));
        let value = self.materialise(m.value.clone(), m.span);
        self.hint = None;
        value
    }

    /// What the body returns against what the signature says.
    pub(super) fn check_result(&mut self, value: &Value, ty: &ast::Type, f: &ast::Function) -> Lowered<()> {
        let (Value::Tensor(t), ast::TypeKind::Tensor { shape: Some(dims), .. }) = (value, &ty.kind) else {
            return Ok(());
        };
        let shape = self.shape(t);
        let rest = dims.iter().position(|d| matches!(d, ast::Dim::Rest(_)));
        let fixed = dims.len() - usize::from(rest.is_some());
        let wrong_rank = if rest.is_some() { shape.len() < fixed } else { shape.len() != fixed };
        let mut want = Vec::new();
        for dim in dims {
            if let ast::Dim::Size(e) = dim {
                want.push(self.size(e)?);
            }
        }
        let split = rest.unwrap_or(0);
        let sizes_match = !wrong_rank
            && want[..split] == shape[..split]
            && want[split..] == shape[shape.len() - (want.len() - split)..];
        if sizes_match {
            return Ok(());
        }
        let body_span = f.body.value.as_ref().map_or(f.body.span, |e| e.span);
        Err(self.report(
            Diagnostic::error(
                codes::SHAPE,
                body_span,
                format!("`{}` says that it returns {}", f.name.text, self.sources.text(ty.span)),
            )
            .label(format!("this is {}", shape_text(&shape)))
            .secondary(ty.span, format!("here this is {}", shape_text(&want))),
        ))
    }
}

/// A labelled call of a layer that is being expanded.
#[derive(Clone)]
pub(super) struct Labelled {
    /// The number of the call.
    call: u32,
    /// The call of a shared layer that it stands in: each has labels of its own.
    shared: Option<u32>,
    path: String,
    span: Span,
}

/// Whether `uniform` or `normal` is asked for a tensor of draws, by `like` or by a shape.
fn draws_like(func: &Func, args: &[Bound]) -> Option<gdc_ir::Dist> {
    let dist = match func.name.as_str() {
        "uniform" => gdc_ir::Dist::Uniform,
        "normal" => gdc_ir::Dist::Normal,
        _ => return None,
    };
    match args {
        [Bound { name: Some(name), .. }] if name.text == "like" => Some(dist),
        [Bound { name: None, value: Value::Tensor(t), .. }] if t.axes.len() == 1 => Some(dist),
        _ => None,
    }
}

/// The axes that were mapped over become leading axes of the result.
pub(super) fn unmap(value: Value, mapped: &[Var]) -> Value {
    match value {
        Value::Tensor(t) => {
            let axes = mapped.iter().copied().chain(t.axes).collect();
            Value::Tensor(Tensor { axes, ..t })
        }
        Value::Tuple(items) => Value::Tuple(items.into_iter().map(|v| unmap(v, mapped)).collect()),
        other => other,
    }
}
