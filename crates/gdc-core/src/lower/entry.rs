//! Further entry points of a model: `entry generate(z: [8]) -> [784] = ...;`.

use super::value::{Binding, Tensor, Value};
use super::{Lowered, Lowerer};
use crate::build::substitute;
use crate::codes;
use gdc_ir::{Entry, Leaf, Named, Node, NodeId, NodeKind, Ty, Var};
use gdc_syntax::{Diagnostic, Span, ast};
use std::collections::HashMap;

/// Names that the generated type has already.
const TAKEN: &[&str] = &["new", "init", "boxed", "predict", "predict_batch", "predict_one"];

impl Lowerer<'_> {
    /// Computed for one sample like the outputs, from parameters of its own. It sees what stands
    /// before it in the model, of which parameters, constants and layers are of use to it.
    pub(super) fn entry(&mut self, f: &ast::Function, span: Span) -> Lowered<()> {
        let name = f.name.text.clone();
        let twice = self.model.entries.iter().any(|e| e.name == name);
        if twice || TAKEN.contains(&name.as_str()) || name.ends_with("_batch") || name.ends_with("_one") {
            return Err(self.report(
                Diagnostic::error(codes::SHADOWS, f.name.span, format!("an entry point cannot be called `{name}`"))
                    .note(if twice { "the model has one of this name" } else { "the generated type has such a method" })
                    .help("choose another name"),
            ));
        }
        let batch = match self.batch {
            Some(batch) => batch,
            None => self.graph().exprs.fresh("b", 1, true),
        };
        let context = std::mem::replace(&mut self.context, vec![batch]);
        let result = self.in_path(&name, |this| this.in_block(|this| this.entry_body(f, batch)));
        self.context = context;
        let (inputs, output) = result?;
        self.check_entry(f, &inputs, output)?;
        self.declared.insert(output, span);
        self.model.entries.push(Entry { name, inputs, output });
        Ok(())
    }

    fn entry_body(&mut self, f: &ast::Function, batch: Var) -> Lowered<(Vec<Named>, NodeId)> {
        let mut inputs = Vec::new();
        for param in &f.params {
            inputs.push(self.entry_input(param, batch)?);
        }
        if inputs.is_empty() {
            return Err(self.report(
                Diagnostic::error(codes::MISSING_ARGUMENT, f.name.span, "an entry point takes at least one input")
                    .help(format!("as in `entry {}(z: [8]) = ...;`", f.name.text)),
            ));
        }
        let value = self.block(&f.body)?;
        if let Value::Tuple(_) = value {
            return Err(self.error(codes::KIND, f.body.span, "an entry point gives one tensor, and this is a tuple"));
        }
        let span = f.body.value.as_ref().map_or(f.body.span, |e| e.span);
        let tensor = self.tensor(value, span)?;
        if let Some(ty) = &f.result {
            self.check_result(&Value::Tensor(tensor.clone()), ty, f)?;
        }
        self.hint = Some(self.path_to("result"));
        // A statement of its own over the batch, also where the value needs no sample.
        let mut axes = vec![batch];
        axes.extend(&tensor.axes);
        let node = match self.as_whole_node(tensor.expr, &axes) {
            Some(node) => node,
            None => self.compute(axes, None, tensor.expr, tensor.range, span)?,
        };
        self.hint = None;
        Ok((inputs, node))
    }

    /// `z: [8]`, `id: in 0..10`, or `x`, one number.
    fn entry_input(&mut self, param: &ast::Param, batch: Var) -> Lowered<Named> {
        let ast::Pattern::Name(name) = &param.pattern else {
            return Err(self.error(codes::KIND, param.span, "an input is one name"));
        };
        let (dims, range): (&[ast::Dim], _) = match &param.kind {
            None => (&[], None),
            Some(ast::ParamKind::Type(ast::Type { kind: ast::TypeKind::Tensor { shape, range }, .. })) => {
                (shape.as_deref().unwrap_or(&[]), range.as_ref())
            }
            Some(_) => {
                return Err(self.report(
                    Diagnostic::error(
                        codes::KIND,
                        param.span,
                        "an entry point takes tensors and integers with a range",
                    )
                    .help(format!("write `{}: [n]`, or `{0}: in 0..10`", name.text)),
                ));
            }
        };
        if let Some(default) = &param.default {
            return Err(self.error(codes::MISPLACED, default.span, "the input of an entry point has no default"));
        }
        let shape = self.stated_shape(dims)?;
        let range = range.map(|r| self.stated_range(r)).transpose()?;
        let path = self.path_to(&name.text);
        let mut full = vec![self.model.graph.exprs.extent(batch)];
        full.extend(&shape);
        let found = if self.again { self.model.graph.find(&path) } else { None };
        let node = match found {
            Some(node) => node,
            None => {
                let node = Node {
                    name: path,
                    kind: NodeKind::Leaf(Leaf::Input),
                    shape: full.clone(),
                    ty: if range.is_some() { Ty::Int } else { Ty::Real },
                    range,
                    per_sample: true,
                    origin: Some(Self::loc(param.span)),
                };
                self.add_node(node, param.span)?
            }
        };
        let whole = self.whole(node, &full);
        let map = HashMap::from([(whole.axes[0], self.graph().exprs.index(batch))]);
        let expr = substitute(&mut self.graph().exprs, whole.expr, &map);
        let value = Value::Tensor(Tensor { axes: whole.axes[1..].to_vec(), expr, range: whole.range });
        self.bind_input(name, value, batch);
        Ok(Named { name: name.text.clone(), node })
    }

    /// An input can have the name of something that depends on the samples of the model, which
    /// the entry point could not use anyway.
    fn bind_input(&mut self, name: &ast::Name, value: Value, batch: Var) {
        let hidden = match self.lookup(&name.text).map(|b| &b.value) {
            Some(Value::Tensor(t)) => self.model.graph.exprs.free_vars(t.expr).contains(&batch),
            Some(Value::Tuple(_) | Value::Record(_)) => true,
            _ => false,
        };
        if !hidden {
            return self.bind(name, value);
        }
        if let Some(block) = self.frames.last_mut().and_then(|f| f.blocks.last_mut()) {
            block.insert(name.text.clone(), Binding { value, span: name.span, mutable: false, state: None });
        }
    }

    /// An entry point has nothing but its parameters to compute from.
    fn check_entry(&mut self, f: &ast::Function, inputs: &[Named], output: NodeId) -> Lowered<()> {
        let reached = self.model.graph.reachable([output]);
        let foreign = reached.iter().copied().find(|&id| {
            matches!(self.model.graph.node(id).leaf(), Some(Leaf::Input | Leaf::Target))
                && !inputs.iter().any(|i| i.node == id)
        });
        let Some(foreign) = foreign else {
            let what = format!("the entry point `{}`", f.name.text);
            let span = f.body.value.as_ref().map_or(f.body.span, |e| e.span);
            self.predictions.push((what, output, span));
            return Ok(());
        };
        let name = self.model.graph.node(foreign).name.clone();
        let mut d = Diagnostic::error(
            codes::ENTRY,
            f.body.value.as_ref().map_or(f.body.span, |e| e.span),
            format!("the entry point `{}` needs `{name}`, which it is not given", f.name.text),
        )
        .help("make it a parameter of the entry point, under a name of its own");
        if let Some(&span) = self.declared.get(&foreign) {
            d = d.secondary(span, "given with the samples of the model");
        }
        Err(self.report(d))
    }
}
