//! What the compiler itself knows how to call, and what people may look for under other names.

use super::types::shape_text;
use super::value::{Across, Bound, Builtin, Callee, Func, Tensor, Value};
use super::{Lowered, Lowerer};
use crate::build::Build;
use crate::codes;
use gdc_ir::{Dist, Expr, Node, NodeKind, Op, Red, Ty};
use gdc_syntax::{Diagnostic, Span, ast};

impl Lowerer<'_> {
    pub(super) fn builtin(&mut self, builtin: Builtin, func: &Func, span: Span) -> Lowered<Value> {
        let axis = func.args.iter().find(|a| a.name.as_ref().is_some_and(|n| n.text == "axis")).cloned();
        if let (Some(axis), Builtin::Whole(..) | Builtin::Extremum(..)) = (&axis, builtin) {
            let args = func.args.iter().filter(|a| a.name.as_ref().is_none_or(|n| n.text != "axis")).cloned().collect();
            return self.reduce_along(builtin, &Func { args, ..func.clone() }, axis, span);
        }
        if let Some(named) = func.args.iter().find_map(|a| a.name.as_ref())
            && !(builtin == Builtin::Reshape && named.text == "like")
        {
            return Err(self.error(
                codes::UNKNOWN_ARGUMENT,
                named.span,
                format!("`{}` takes no argument `{}`", func.name, named.text),
            ));
        }
        let tensor = |this: &mut Self, i: usize| -> Lowered<(Tensor, Span)> {
            let Bound { value, span, .. } = func.args[i].clone();
            Ok((this.tensor(value, span)?, span))
        };
        let count = func.args.len();
        let want = match builtin {
            Builtin::Scalar(op) => op.facts().arity,
            Builtin::Extremum(..) if count == 1 => 1,
            Builtin::Extremum(..) | Builtin::Div | Builtin::Reshape | Builtin::Grad => 2,
            Builtin::Across(Across::Count) => 0,
            Builtin::AcrossTensor
            | Builtin::Whole(..)
            | Builtin::Size
            | Builtin::Leaf
            | Builtin::Checkpoint
            | Builtin::Across(_) => 1,
            Builtin::UnitUniform | Builtin::UnitNormal => 0,
        };
        if count != want {
            return Err(self.report(
                Diagnostic::error(
                    if count < want { codes::MISSING_ARGUMENT } else { codes::TOO_MANY_ARGUMENTS },
                    span,
                    format!(
                        "`{}` takes {want} argument{}, and {count} are given",
                        func.name,
                        if want == 1 { "" } else { "s" }
                    ),
                )
                .label("called here"),
            ));
        }
        let value = match builtin {
            Builtin::Scalar(op) => {
                let args = (0..count).map(|i| tensor(self, i)).collect::<Lowered<Vec<_>>>()?;
                self.apply(op, &args)?
            }
            Builtin::Extremum(op, _) if count == 2 => {
                let args = [tensor(self, 0)?, tensor(self, 1)?];
                self.apply(op, &args)?
            }
            Builtin::Extremum(_, red) => {
                let (x, span) = tensor(self, 0)?;
                self.reduce_whole(red, false, x, None, span)?
            }
            Builtin::Whole(red, mean) => {
                let (x, x_span) = tensor(self, 0)?;
                let x = if x.axes.is_empty() && matches!(red, Red::Argmax | Red::Argmin) {
                    return Err(self.error(
                        codes::RANK,
                        x_span,
                        format!("`{}` takes a tensor, and this is one number", func.name),
                    ));
                } else {
                    x
                };
                self.reduce_whole(red, mean, x, None, span)?
            }
            Builtin::Div => {
                let (a, b) = (tensor(self, 0)?, tensor(self, 1)?);
                self.integers(Op::IntDiv, a, b, span)?
            }
            Builtin::Size => {
                let (x, _) = tensor(self, 0)?;
                let size: usize = self.shape(&x).iter().product();
                Tensor::scalar(self.graph().exprs.int(size as i64))
            }
            Builtin::Reshape => {
                let (x, shape) = if func.args[0].name.is_some() { (1, 0) } else { (0, 1) };
                let x = tensor(self, x)?;
                self.reshape(x, &func.args[shape])?
            }
            Builtin::Across(which) => self.across(which, &func.args, span)?,
            Builtin::AcrossTensor => self.across_tensor(&func.args[0])?,
            Builtin::Grad => self.grad(&func.args, span)?,
            Builtin::Leaf => self.leaf(&func.args[0])?,
            // Around an expression it is taken before that is lowered.
            Builtin::Checkpoint => {
                return Err(self.report(
                    Diagnostic::error(codes::NOT_CALLABLE, span, "`checkpoint` stands around what it is about")
                        .help("write `checkpoint(e)` or `e |> checkpoint`"),
                ));
            }
            Builtin::UnitUniform => self.random(Dist::Uniform, func, span)?,
            Builtin::UnitNormal => self.random(Dist::Normal, func, span)?,
        };
        Ok(Value::Tensor(value))
    }

    /// `sum(x, axis = 1)`
    fn reduce_along(&mut self, builtin: Builtin, func: &Func, axis: &Bound, span: Span) -> Lowered<Value> {
        let (red, mean) = match builtin {
            Builtin::Whole(red, mean) => (red, mean),
            Builtin::Extremum(_, red) => (red, false),
            _ => return Err(gdc_syntax::Reported),
        };
        let [x] = func.args.as_slice() else {
            let message = format!("`{}` along an axis takes one tensor", func.name);
            return Err(self.error(codes::TOO_MANY_ARGUMENTS, span, message));
        };
        if let Some(named) = &x.name {
            let message = format!("`{}` takes no argument `{}`", func.name, named.text);
            return Err(self.error(codes::UNKNOWN_ARGUMENT, named.span, message));
        }
        let t = self.tensor(x.value.clone(), x.span)?;
        self.reduce_whole(red, mean, t, Some(axis), span).map(Value::Tensor)
    }

    /// `reshape(x, [n, m])`: the same elements in row-major order.
    fn reshape(&mut self, x: (Tensor, Span), shape: &Bound) -> Lowered<Tensor> {
        let (x, x_span) = x;
        let sizes = match &shape.name {
            // `reshape(x, like = y)`
            Some(_) => {
                let like = self.tensor(shape.value.clone(), shape.span)?;
                self.shape(&like)
            }
            None => self.list_of_sizes(shape)?,
        };
        let have = self.shape(&x);
        let (n, m): (usize, usize) = (have.iter().product(), sizes.iter().product());
        if n != m {
            return Err(self.report(
                Diagnostic::error(
                    codes::RESHAPE,
                    shape.span,
                    format!("cannot reshape {} to {}", shape_text(&have), shape_text(&sizes)),
                )
                .label(format!("{m} elements"))
                .secondary(x_span, format!("{n} elements")),
            ));
        }
        if have == sizes {
            return Ok(x);
        }
        let hint = self.hint.take();
        let (source, axes) = self.node_of(&x, x_span)?;
        let lead: Vec<_> = axes[..axes.len() - x.axes.len()].to_vec();
        let mut full: Vec<usize> = lead.iter().map(|&v| self.model.graph.exprs.extent(v)).collect();
        full.extend(&sizes);
        let from = self.model.graph.node(source);
        let (ty, range, per_sample) = (from.ty, from.range, from.per_sample);
        let name = hint.clone().unwrap_or_else(|| self.path_to("reshape"));
        let node = Node {
            name,
            kind: NodeKind::Reshape(source),
            shape: full.clone(),
            ty,
            range,
            per_sample,
            origin: Some(Self::loc(x_span)),
        };
        let node = self.add_node(node, x_span)?;
        self.hint = hint;
        let own = self.whole(node, &full);
        self.reshaped_lanes(&x, &own.axes[lead.len()..], shape.span)?;
        // The leading axes of the node are the mapped ones; only the new sizes are visible.
        let map = own.axes[..lead.len()]
            .iter()
            .zip(&lead)
            .map(|(&from, &to)| (from, self.model.graph.exprs.index(to)))
            .collect();
        let expr = crate::build::substitute(&mut self.graph().exprs, own.expr, &map);
        Ok(Tensor { axes: own.axes[lead.len()..].to_vec(), expr, range: x.range })
    }

    /// `[n, m]` as sizes.
    pub(super) fn list_of_sizes(&mut self, shape: &Bound) -> Lowered<Vec<usize>> {
        let sizes = match &shape.value {
            Value::Tensor(t) => self.literal_values(t),
            _ => None,
        };
        let valid =
            sizes.filter(|s| s.iter().all(|v| v.fract() == 0.0 && *v >= 1.0 && *v <= super::MAX_ELEMENTS as f64));
        match valid {
            Some(sizes) => Ok(sizes.into_iter().map(|v| v as usize).collect()),
            None => Err(self.report(
                Diagnostic::error(
                    codes::SIZE,
                    shape.span,
                    "a shape is a list of sizes known when the model is compiled",
                )
                .help("for example `reshape(x, [4, 16])`"),
            )),
        }
    }

    /// `zeros([k])`: a function that needs no argument and takes sizes, given a shape, fills a
    /// tensor of that shape with its value.
    pub(super) fn filled(&mut self, func: &Func, args: &[Bound], span: Span) -> Lowered<Option<Tensor>> {
        let Callee::Fn(f) = &func.callee else { return Ok(None) };
        let takes_sizes = matches!(f.params.first().and_then(|p| p.kind.as_ref()), Some(ast::ParamKind::Int(_)));
        let ([shape @ Bound { name: None, value: Value::Tensor(t), .. }], true) = (args, takes_sizes) else {
            return Ok(None);
        };
        if t.axes.len() != 1 || f.params.iter().any(|p| p.default.is_none()) {
            return Ok(None);
        }
        let sizes = self.list_of_sizes(shape)?;
        let value = self.invoke(func.clone(), span)?;
        let one = self.tensor(value, span)?;
        if !one.axes.is_empty() {
            return Err(self.error(codes::RANK, span, format!("`{}` gives more than one number", func.name)));
        }
        const NAMES: [&str; 6] = ["i", "j", "k", "l", "m", "n"];
        let exprs = &mut self.model.graph.exprs;
        let axes = sizes.iter().enumerate().map(|(i, &n)| exprs.fresh(NAMES[i % 6], n, false)).collect();
        Ok(Some(Tensor { axes, ..one }))
    }

    fn literal_values(&self, t: &Tensor) -> Option<Vec<f64>> {
        let Expr::Read { node, .. } = self.model.graph.exprs.get(t.expr) else { return None };
        match &self.model.graph.node(*node).kind {
            NodeKind::Literal(values) if t.axes.len() == 1 => Some(values.clone()),
            _ => None,
        }
    }

    /// A draw for each element of the parameter being initialised.
    fn random(&mut self, dist: Dist, func: &Func, span: Span) -> Lowered<Tensor> {
        let Some(draw) = &mut self.draw else {
            return Err(self.error(
                codes::MISPLACED,
                span,
                format!("`{}` draws the initial values of parameters only", func.name),
            ));
        };
        draw.draws += 1;
        let site = site(&draw.path, draw.draws);
        let axes = draw.axes.clone();
        let exprs = &mut self.model.graph.exprs;
        let mut element = exprs.int(0);
        for &v in &axes {
            let (extent, index) = (exprs.int(exprs.extent(v) as i64), exprs.index(v));
            let scaled = exprs.mul(element, extent);
            element = exprs.op(Op::Add, &[scaled, index]);
        }
        let expr = exprs.intern(Expr::Random { dist, site, element }, Ty::Real);
        Ok(Tensor::scalar(expr))
    }

    /// Warns where a parameter called `logits` is given values that lie in 0..1 for sure.
    pub(super) fn warn_probabilities(&mut self, value: &Tensor, parameter: &str, span: Span, func: &Func) {
        if parameter != "logits" || !self.is_probability(value.expr) {
            return;
        }
        self.diagnostics.push(
            Diagnostic::warning(
                codes::PROBABILITIES,
                span,
                format!("`{}` takes logits, and these are probabilities", func.name),
            )
            .label("always between 0 and 1")
            .note(format!(
                "`{}` applies the normalisation itself, so it is done twice here and training is slow or stuck",
                func.name
            ))
            .help("pass the values from before `softmax` or `sigmoid`, and keep the probabilities for an `output`"),
        );
    }

    /// Whether an expression is a sigmoid or a softmax, or reads one.
    fn is_probability(&self, expr: gdc_ir::ExprId) -> bool {
        let graph = &self.model.graph;
        match graph.exprs.get(expr) {
            Expr::Op(Op::Sigmoid, _) => true,
            Expr::Op(Op::Exp, args) => match graph.exprs.get(args[0]) {
                Expr::Op(Op::Sub, parts) => match graph.exprs.get(parts[1]) {
                    Expr::Read { node, .. } => {
                        matches!(&graph.node(*node).kind, NodeKind::Compute { reduce: Some(r), .. } if r.op == Red::Lse)
                    }
                    _ => false,
                },
                _ => false,
            },
            Expr::Read { node, .. } => match &graph.node(*node).kind {
                NodeKind::Compute { reduce: None, body, .. } => self.is_probability(*body),
                NodeKind::Reshape(source) => match &graph.node(*source).kind {
                    NodeKind::Compute { reduce: None, body, .. } => self.is_probability(*body),
                    _ => false,
                },
                _ => false,
            },
            _ => false,
        }
    }
}

/// FNV-1a (Fowler, Noll and Vo) of the path and the number of the draw in its initialiser:
/// what tells one parameter's draws from another's.
pub(super) fn site(path: &str, draw: u32) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in path.bytes().chain(std::iter::once(0)).chain(draw.to_le_bytes()) {
        hash ^= u64::from(byte);
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash
}

/// What to write for names that other tools use.
pub fn habit(name: &str) -> Option<&'static str> {
    Some(match name {
        "Dense" | "Linear" | "linear" | "fully_connected" | "fc" => "a dense layer is `dense(units)`",
        "ReLU" | "Relu" => "it is called `relu`",
        "ln" => "the natural logarithm is `log`",
        "np" | "torch" | "tf" | "keras" | "nn" | "F" => "functions have no prefix here: `exp(x)`, `relu(x)`, `mean(x)`",
        "True" => "it is written `true`",
        "False" => "it is written `false`",
        "None" | "null" | "nil" => "the batch is never written, and every size is stated",
        "self" => "a layer's parameters are named directly",
        "batch" => "the batch is never written in shapes; it is a setting: `train { batch = 32; }`",
        "Softmax" => "it is called `softmax`",
        "CrossEntropyLoss" | "categorical_crossentropy" | "sparse_categorical_crossentropy" => {
            "it is `cross_entropy(logits, label)`"
        }
        "MSELoss" | "mean_squared_error" => "it is `mse(y_hat, y)`",
        "BCELoss" | "binary_crossentropy" | "BCEWithLogitsLoss" => "it is `binary_cross_entropy(logits = z, y)`",
        "Adam" => "it is called `adam`",
        "SGD" => "it is called `sgd`; with momentum, `momentum`",
        "pow" | "power" => "a power is written `x^2`",
        "matmul" | "dot" => "a matrix product is written `a @ b`",
        "append" | "cat" => "joining tensors is not in this version's library",
        _ => return None,
    })
}

/// What to write instead of an attribute of other libraries' tensors.
pub fn attribute(name: &str) -> Option<&'static str> {
    Some(match name {
        "T" | "mT" => "the transpose is `transpose(w)`",
        "shape" | "size" | "ndim" | "dim" => {
            "`size(x)` is the number of elements; a signature names the sizes of axes: `fn f(x: [n, m]) = ...;`"
        }
        "data" | "grad" => "a derivative is `grad(e, x)`; a value without one is `detach(x)`",
        _ => return None,
    })
}

/// What to write instead of an argument of other libraries' layers.
pub fn argument(name: &str) -> Option<&'static str> {
    Some(match name {
        "activation" => "an activation is a step of its own: `x |> dense(10) |> relu`",
        "learning_rate" => "the learning rate is called `lr`",
        "use_bias" => "it is called `bias`",
        "input_shape" | "input_dim" | "in_features" => "the shape of what comes in is known: leave this out",
        "axis" | "dim" => "a layer or function works on the last axes; earlier ones are mapped over",
        "kernel_initializer" | "weight_init" => "it is called `init`",
        "name" => "a label is given with `as`: `dense(10) as head`",
        _ => return None,
    })
}
