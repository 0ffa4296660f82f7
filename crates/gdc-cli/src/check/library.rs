//! Checking a file of definitions without a model. What a layer or function computes depends on
//! the sizes that it is called with, so each definition is called once, in a model made for it,
//! with arguments of one size; of what is found, names and arguments are wrong whatever the sizes.

use crate::spec::Spec;
use gdc_driver::{Options, Source};
use gdc_syntax::ast::{BinaryOp, Dim, Expr, ExprKind, ItemKind, Param, ParamKind, Type, TypeKind};
use gdc_syntax::{Diagnostic, Severity, SourceMap};

/// Extents, and integers that a definition asks for.
const SIZE: i64 = 4;
/// The name of the models; none of a user's is called so.
const MODEL: &str = "GdcTriesDefinition";
/// Codes about names, calls and imports.
const CERTAIN: &str = "E01";

/// What was found.
pub struct Checked {
    /// What is wrong, with the texts to show it.
    pub errors: Vec<(Diagnostic, SourceMap)>,
    /// What was called without any error.
    pub tried: usize,
    /// The names of what was not, and is not known to be wrong.
    pub untried: Vec<String>,
}

/// Calls every definition of a file.
pub fn check(spec: &Spec) -> Checked {
    let mut checked = Checked { errors: Vec::new(), tried: 0, untried: Vec::new() };
    let Ok(file) = gdc_driver::parse(&spec.source) else { return checked };
    for item in &file.items {
        let (Some(name), Some(body)) = (item.kind.name(), trial(&item.kind)) else { continue };
        let text = format!("{}\nmodel {MODEL} {{\n{body}}}\n", spec.source.text);
        let (name_of_source, folder) = (spec.source.name.clone(), spec.source.folder.clone());
        let source = Source { name: name_of_source, text, folder };
        let Err(failure) = gdc_driver::compile(&source, &Options::default()) else {
            checked.tried += 1;
            continue;
        };
        let end = spec.source.text.len();
        let is_certain = |d: &Diagnostic| {
            let own = d.span.file == failure.root && (d.span.end as usize) <= end;
            d.severity == Severity::Error && d.code.0.starts_with(CERTAIN) && own
        };
        let found: Vec<Diagnostic> = failure.diagnostics.iter().filter(|d| is_certain(d)).cloned().collect();
        if found.is_empty() {
            checked.untried.push(name.text.clone());
        }
        for mut diagnostic in found {
            // The call is nobody's.
            diagnostic.secondary.retain(|l| l.span.file != failure.root || (l.span.end as usize) <= end);
            // What several definitions call is told once.
            let is_known = |(e, _): &(Diagnostic, SourceMap)| (e.code, e.span) == (diagnostic.code, diagnostic.span);
            if !checked.errors.iter().any(is_known) {
                checked.errors.push((diagnostic, failure.sources.clone()));
            }
        }
    }
    checked
}

/// The statements of a model that calls a definition; none for what nothing can be called of.
fn trial(kind: &ItemKind) -> Option<String> {
    let rest = "param gdc_w: [4] = ones;\nloss sum(gdc_w^2);\n";
    let (inputs, call) = match kind {
        ItemKind::Layer(f) | ItemKind::Fn(f) => {
            let (inputs, arguments) = arguments(&f.params)?;
            (inputs, format!("let gdc_made = {}({arguments});\noptimizer sgd();\n", f.name.text))
        }
        ItemKind::Optimizer(o) | ItemKind::Transform(o) => {
            let hyper = |p: &&Param| p.default.is_none();
            let values: Vec<&str> = o.params.iter().filter(hyper).map(|_| "0.1").collect();
            let call = format!("{}({});\n", o.name.text, values.join(", "));
            let is_transform = matches!(kind, ItemKind::Transform(_));
            let call =
                if is_transform { format!("transform {call}optimizer sgd();\n") } else { format!("optimizer {call}") };
            (String::new(), call)
        }
        ItemKind::Import { .. } | ItemKind::Model(_) | ItemKind::Const { .. } => return None,
    };
    Some(format!("{inputs}{rest}{call}"))
}

/// Inputs to be declared, and the arguments of a call that gives no more than it must.
fn arguments(params: &[Param]) -> Option<(String, String)> {
    let (mut inputs, mut list) = (String::new(), Vec::new());
    for (k, param) in params.iter().enumerate().filter(|(_, p)| p.default.is_none()) {
        let mut input = |of: &str| {
            inputs.push_str(&format!("input gdc_{k}: {of};\n"));
            format!("gdc_{k}")
        };
        list.push(match &param.kind {
            None => input("[]"),
            Some(ParamKind::Int(_)) => SIZE.to_string(),
            Some(ParamKind::Bool(_)) => "true".to_owned(),
            Some(ParamKind::Layer(_)) => format!("dense({SIZE})"),
            Some(ParamKind::Fn(_)) => "tanh".to_owned(),
            Some(ParamKind::Tuple(names, _)) => format!("({})", vec!["1"; names.len()].join(", ")),
            Some(ParamKind::Type(ty)) => input(&declared(ty)?),
        });
    }
    Some((inputs, list.join(", ")))
}

/// A type with sizes for its names; none for a tuple, which no input can be.
fn declared(ty: &Type) -> Option<String> {
    let TypeKind::Tensor { shape, range } = &ty.kind else { return None };
    let extent = |dim: &Dim| match dim {
        Dim::Rest(_) => SIZE.to_string(),
        Dim::Size(e) => size(e).filter(|n| *n > 0).unwrap_or(SIZE).to_string(),
    };
    let shape = shape.as_ref().map(|dims| format!("[{}]", dims.iter().map(extent).collect::<Vec<_>>().join(", ")));
    let range = range.as_ref().map(|_| format!("in 0..{SIZE}"));
    Some(shape.into_iter().chain(range).collect::<Vec<_>>().join(" "))
}

/// A size in which every name is worth the same.
fn size(e: &Expr) -> Option<i64> {
    match &e.kind {
        ExprKind::Name(_) => Some(SIZE),
        ExprKind::Number { value, .. } => Some(*value as i64),
        ExprKind::Binary { op, left, right, .. } => {
            let (a, b) = (size(left)?, size(right)?);
            match op {
                BinaryOp::Add => a.checked_add(b),
                BinaryOp::Sub => a.checked_sub(b),
                BinaryOp::Mul => a.checked_mul(b),
                BinaryOp::Div => a.checked_div(b),
                _ => None,
            }
        }
        _ => None,
    }
}
