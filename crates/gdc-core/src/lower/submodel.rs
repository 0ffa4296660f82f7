//! Models that are called as layers: their inputs are the arguments, their lets and outputs
//! what the call gives. Losses, metrics, optimizers and settings are left out, and so is what
//! reads a target.

use super::index::ast_children;
use super::params::Matched;
use super::value::{Binding, Bound, Callee, Func, Record, Value};
use super::{Frame, Lowered, Lowerer};
use crate::codes;
use gdc_syntax::{Diagnostic, Span, ast};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The model as something to call: its inputs, then its own parameters.
pub(super) fn callee(model: &ast::Model) -> Callee {
    let inputs = model.body.statements.iter().filter_map(|stmt| match &stmt.kind {
        ast::StmtKind::Declare { role: ast::Role::Input, name, ty, .. } => Some(ast::Param {
            pattern: ast::Pattern::Name(name.clone()),
            kind: ty.clone().map(ast::ParamKind::Type),
            default: None,
            span: stmt.span,
        }),
        _ => None,
    });
    let signature = ast::Function {
        name: model.name.clone(),
        params: inputs.chain(model.params.iter().cloned()).collect(),
        result: None,
        body: model.body.clone(),
    };
    Callee::Model(Rc::new(model.clone()), Rc::new(signature))
}

impl Lowerer<'_> {
    /// Parameters of the model that is compiled: there is nobody to give them but itself.
    pub(super) fn model_params(&mut self, model: &ast::Model) -> Lowered<()> {
        for param in &model.params {
            let Some(default) = &param.default else {
                let name = param.pattern.names().first().map_or("it", |n| n.text.as_str());
                let diagnostic = Diagnostic::error(
                    codes::MISSING_ARGUMENT,
                    param.span,
                    format!(
                        "the model `{}` is compiled by itself, and nothing gives `{name}` a value",
                        model.name.text
                    ),
                );
                return Err(self.report(diagnostic.help(format!("give it a default, as in `{name}: int = 8`"))));
            };
            let arg = Bound { name: None, value: self.expr(default)?, span: default.span };
            let func = Func {
                name: model.name.text.clone(),
                callee: callee(model),
                args: Vec::new(),
                label: None,
                shared: None,
                given: false,
            };
            if let Some(m) = self.bind_param(param, arg, &func)? {
                self.bind(&m.name, Value::Tensor(m.value));
            }
        }
        Ok(())
    }

    /// What a model gives for these inputs.
    pub(super) fn expand_model(
        &mut self,
        model: &ast::Model,
        signature: &ast::Function,
        func: &Func,
        span: Span,
    ) -> Lowered<Value> {
        let slots = self.assign(&signature.params, func, span)?;
        self.frames.push(Frame::model());
        let depth = self.context.len();
        let result = self.in_layer(func, span, |this| this.model_body(model, slots, func));
        self.context.truncate(depth);
        self.frames.pop();
        result
    }

    fn model_body(
        &mut self,
        model: &ast::Model,
        slots: Vec<(&ast::Param, Option<Bound>)>,
        func: &Func,
    ) -> Lowered<Value> {
        let statements = &model.body.statements;
        let inputs = slots.len() - model.params.len();
        let mut matched: Vec<Matched> = Vec::new();
        for (param, arg) in slots[inputs..].iter().cloned() {
            let arg = match (arg, &param.default) {
                (Some(arg), _) => arg,
                (None, Some(default)) => Bound { name: None, value: self.expr(default)?, span: default.span },
                (None, None) => continue,
            };
            matched.extend(self.bind_param(param, arg, func)?);
        }
        // The shapes of inputs can name constants, so these come first.
        let last = statements.iter().rposition(is_input).map_or(0, |i| i + 1);
        let mut given = slots.into_iter();
        for stmt in &statements[..last] {
            match &stmt.kind {
                ast::StmtKind::Const { pattern, value } => self.const_(pattern, value)?,
                _ if is_input(stmt) => {
                    if let Some((param, Some(arg))) = given.next() {
                        matched.extend(self.bind_param(param, arg, func)?);
                    }
                }
                _ => {}
            }
        }
        let mapped = self.map_over(matched, func)?;
        // What was given is no value of the model.
        let hidden: BTreeSet<String> = self.names_here();
        let mut outputs = Vec::new();
        for (i, stmt) in statements.iter().enumerate() {
            let done = i < last && matches!(stmt.kind, ast::StmtKind::Const { .. });
            if !done && !is_input(stmt) {
                self.submodel_statement(stmt, &mut outputs)?;
            }
        }
        let mut fields = BTreeMap::new();
        let names = self.frames.last().and_then(|f| f.blocks.first()).cloned().unwrap_or_default();
        for (name, Binding { value, .. }) in names {
            if !hidden.contains(&name) {
                fields.insert(name, super::call::unmap(value, &mapped));
            }
        }
        Ok(Value::Record(Rc::new(Record { model: model.name.text.clone(), fields, outputs })))
    }

    fn names_here(&self) -> BTreeSet<String> {
        let block = self.frames.last().and_then(|f| f.blocks.first());
        block.into_iter().flat_map(|b| b.keys().cloned()).collect()
    }

    fn submodel_statement(&mut self, stmt: &ast::Stmt, outputs: &mut Vec<String>) -> Lowered<()> {
        use ast::StmtKind as K;
        let absent = |this: &mut Self, names: &[ast::Name]| {
            for name in names {
                if this.lookup(&name.text).is_none() {
                    this.bind(name, Value::Absent);
                }
            }
        };
        match &stmt.kind {
            K::Declare { role: ast::Role::Target, name, .. } => absent(self, std::slice::from_ref(name)),
            K::Assert { value, .. } if super::budgets::is_budget(value) => {}
            K::Let { pattern, value, .. } if self.reads_absent(value) => absent(self, pattern.names()),
            K::Update { name, value } if self.reads_absent(value) => {
                if let Some(binding) = self.lookup_mut(&name.text) {
                    binding.value = Value::Absent;
                }
            }
            K::Expr(value) if self.reads_absent(value) => {}
            K::Output { name, value } => {
                self.hint = Some(self.path_to(&name.text));
                let value = self.in_path(&name.text, |this| this.operand(value))?;
                outputs.push(name.text.clone());
                if self.lookup(&name.text).is_none() {
                    self.bind(name, Value::Tensor(value));
                }
            }
            // What trains a model is the business of its caller.
            kind if kind.is_of_a_model() => {}
            _ => self.statement(stmt)?,
        }
        Ok(())
    }

    /// Whether an expression names something that this call of a model lacks.
    fn reads_absent(&self, e: &ast::Expr) -> bool {
        if let ast::ExprKind::Name(n) = &e.kind
            && matches!(self.lookup(&n.text), Some(Binding { value: Value::Absent, .. }))
        {
            return true;
        }
        let mut found = false;
        ast_children(e, &mut |child| found = found || self.reads_absent(child));
        found
    }

    /// `base(x).h`
    pub(super) fn record_field(&mut self, record: &Record, name: &ast::Name) -> Lowered<Value> {
        match record.fields.get(&name.text) {
            Some(Value::Absent) => Err(self.report(
                Diagnostic::error(
                    codes::UNKNOWN_NAME,
                    name.span,
                    format!("`{}` of `{}` reads a target", name.text, record.model),
                )
                .note("a model that is called as a layer is given its inputs alone"),
            )),
            Some(value) => Ok(value.clone()),
            None => {
                let names: Vec<&str> = record.fields.keys().map(String::as_str).collect();
                let close = gdc_syntax::similar::suggest(&name.text, names.iter().copied());
                let mut d = Diagnostic::error(
                    codes::UNKNOWN_NAME,
                    name.span,
                    format!("the model `{}` has no value `{}`", record.model, name.text),
                )
                .note(format!("its values are: {}", names.join(", ")));
                if let Some(close) = close {
                    d = d.help(format!("did you mean `{close}`?"));
                }
                Err(self.report(d))
            }
        }
    }

    /// A model with one output stands for it.
    pub(super) fn only_output(&mut self, record: &Record, span: Span) -> Lowered<Value> {
        match record.outputs.as_slice() {
            [one] => Ok(record.fields.get(one).cloned().unwrap_or(Value::Poison)),
            outputs => {
                let example = outputs.first().or(record.fields.keys().next()).map_or("h", String::as_str);
                Err(self.report(
                    Diagnostic::error(
                        codes::KIND,
                        span,
                        format!("`{}` gives {} outputs, and one tensor is wanted", record.model, outputs.len()),
                    )
                    .help(format!("name what is meant: `base(x).{example}`")),
                ))
            }
        }
    }
}

fn is_input(stmt: &ast::Stmt) -> bool {
    matches!(&stmt.kind, ast::StmtKind::Declare { role: ast::Role::Input, .. })
}
