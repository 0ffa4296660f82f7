//! The text of expressions, types and what else fits on one line.

use crate::ast::{self, ExprKind};
use std::fmt::Write;

/// One expression on one line; blocks inside are written with `{ }`.
pub fn dump_expr(expr: &ast::Expr) -> String {
    let mut out = String::new();
    write_expr(&mut out, expr);
    out
}

pub(super) fn names_text(names: &[ast::Name]) -> String {
    names.iter().map(|n| n.text.as_str()).collect::<Vec<_>>().join(", ")
}

pub(super) fn pattern_text(pattern: &ast::Pattern) -> String {
    match pattern {
        ast::Pattern::Name(name) => name.text.clone(),
        ast::Pattern::Tuple(names, _) => format!("({})", names_text(names)),
    }
}

pub(super) fn params(params: &[ast::Param]) -> String {
    let list: Vec<String> = params
        .iter()
        .map(|param| {
            let mut text = pattern_text(&param.pattern);
            match &param.kind {
                None => {}
                Some(ast::ParamKind::Int(_)) => text.push_str(": int"),
                Some(ast::ParamKind::Bool(_)) => text.push_str(": bool"),
                Some(ast::ParamKind::Layer(_)) => text.push_str(": layer"),
                Some(ast::ParamKind::Fn(_)) => text.push_str(": fn"),
                Some(ast::ParamKind::Tuple(names, _)) => {
                    let _ = write!(text, ": ({})", names_text(names));
                }
                Some(ast::ParamKind::Type(ty)) => {
                    let _ = write!(text, ": {}", type_text(ty));
                }
            }
            if let Some(default) = &param.default {
                let _ = write!(text, " = {}", dump_expr(default));
            }
            text
        })
        .collect();
    format!("({})", list.join(", "))
}

pub(super) fn type_text(ty: &ast::Type) -> String {
    match &ty.kind {
        ast::TypeKind::Tuple(members) => {
            format!("({})", members.iter().map(type_text).collect::<Vec<_>>().join(", "))
        }
        ast::TypeKind::Tensor { shape, range } => {
            let mut parts = Vec::new();
            if let Some(dims) = shape {
                let dims: Vec<String> = dims
                    .iter()
                    .map(|dim| match dim {
                        ast::Dim::Rest(_) => "...".to_owned(),
                        ast::Dim::Size(size) => dump_expr(size),
                    })
                    .collect();
                parts.push(format!("[{}]", dims.join(", ")));
            }
            if let Some(range) = range {
                parts.push(format!("in {}", dump_expr(range)));
            }
            parts.join(" ")
        }
    }
}

fn binder_text(binder: &ast::Binder) -> String {
    match &binder.range {
        Some(range) => format!("{} in {}", binder.name.text, dump_expr(range)),
        None => binder.name.text.clone(),
    }
}

fn binders_text(binders: &[ast::Binder]) -> String {
    binders.iter().map(binder_text).collect::<Vec<_>>().join(", ")
}

pub(super) fn place_text(place: &ast::IndexBinder) -> String {
    match place {
        ast::IndexBinder::Bind(binder) => binder_text(binder),
        ast::IndexBinder::Place(expr) => dump_expr(expr),
        ast::IndexBinder::Rest(_) => "...".to_owned(),
    }
}

pub(super) fn selectors_text(selectors: &[ast::Selector]) -> String {
    let paths =
        selectors.iter().map(|selector| selector.parts.iter().map(|p| p.text.as_str()).collect::<Vec<_>>().join("."));
    paths.collect::<Vec<_>>().join(", ")
}

pub(super) fn scan_head(carries: &[(ast::Name, ast::Expr)], over: &[ast::Binder]) -> String {
    let carries: Vec<String> =
        carries.iter().map(|(name, init)| format!("{} = {}", name.text, dump_expr(init))).collect();
    format!("scan ({}) over {}", carries.join(", "), binders_text(over))
}

/// A block inside of an expression, on the expression's line.
fn write_block(out: &mut String, block: &ast::Block) {
    let mut dumper = super::Dumper { out: String::new(), indent: 0 };
    dumper.block(block);
    let lines: Vec<&str> = dumper.out.lines().map(str::trim).collect();
    let _ = write!(out, "{{ {} }}", lines.join("; "));
}

fn write_list(out: &mut String, exprs: &[ast::Expr]) {
    for (i, expr) in exprs.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        write_expr(out, expr);
    }
}

fn write_expr(out: &mut String, expr: &ast::Expr) {
    match &expr.kind {
        ExprKind::Number { value, integer: true } => _ = write!(out, "{value}"),
        // The shortest text that reads back as the same number, always with a point or exponent.
        ExprKind::Number { value, integer: false } => _ = write!(out, "{value:?}"),
        ExprKind::Bool(value) => _ = write!(out, "{value}"),
        ExprKind::Str(text) => _ = write!(out, "{text:?}"),
        ExprKind::Name(name) => out.push_str(&name.text),
        ExprKind::List(exprs) => {
            out.push('[');
            write_list(out, exprs);
            out.push(']');
        }
        ExprKind::Tuple(exprs) => {
            out.push_str("tuple(");
            write_list(out, exprs);
            out.push(')');
        }
        ExprKind::Block(block) => write_block(out, block),
        ExprKind::Unary { op, operand } => {
            out.push_str(match op {
                ast::UnaryOp::Neg => "(-",
                ast::UnaryOp::Not => "(!",
            });
            write_expr(out, operand);
            out.push(')');
        }
        ExprKind::Binary { op, left, right, .. } => {
            out.push('(');
            write_expr(out, left);
            let _ = write!(out, " {} ", op_text(*op));
            write_expr(out, right);
            out.push(')');
        }
        ExprKind::Range { start, end, inclusive } => {
            if let Some(start) = start {
                write_expr(out, start);
            }
            out.push_str(if *inclusive { "..=" } else { ".." });
            if let Some(end) = end {
                write_expr(out, end);
            }
        }
        ExprKind::Pipe { value, call } => {
            out.push('(');
            write_expr(out, value);
            out.push_str(" |> ");
            write_expr(out, call);
            out.push(')');
        }
        ExprKind::If { condition, then, otherwise } => {
            out.push_str("if ");
            write_expr(out, condition);
            out.push(' ');
            write_block(out, then);
            if let Some(otherwise) = otherwise {
                out.push_str(" else ");
                write_block(out, otherwise);
            }
        }
        ExprKind::Reduce { op, binders, body, condition } => {
            let _ = write!(out, "{}[{}](", reduce_text(*op), binders_text(binders));
            write_expr(out, body);
            if let Some(condition) = condition {
                out.push_str(" if ");
                write_expr(out, condition);
            }
            out.push(')');
        }
        ExprKind::Scan { carries, over, body } => {
            out.push_str(&scan_head(carries, over));
            out.push(' ');
            write_block(out, body);
        }
        ExprKind::Call { .. } | ExprKind::Index { .. } | ExprKind::Field { .. } | ExprKind::As { .. } => {
            write_postfix(out, &expr.kind)
        }
    }
}

/// What follows a value: a call, a read, a field, a label.
fn write_postfix(out: &mut String, kind: &ExprKind) {
    match kind {
        ExprKind::Call { callee, args } => {
            write_expr(out, callee);
            out.push('(');
            for (i, arg) in args.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                if let Some(name) = &arg.name {
                    let _ = write!(out, "{} = ", name.text);
                }
                write_expr(out, &arg.value);
            }
            out.push(')');
        }
        ExprKind::Index { base, at, otherwise } => {
            if otherwise.is_some() {
                out.push('(');
            }
            write_expr(out, base);
            out.push('[');
            for (i, place) in at.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                match place {
                    ast::Place::At(expr) => write_expr(out, expr),
                    ast::Place::Rest(_) => out.push_str("..."),
                }
            }
            out.push(']');
            if let Some(otherwise) = otherwise {
                out.push_str(" else ");
                write_expr(out, otherwise);
                out.push(')');
            }
        }
        ExprKind::Field { base, name } => {
            write_expr(out, base);
            let _ = write!(out, ".{}", name.text);
        }
        ExprKind::As { base, label } => {
            write_expr(out, base);
            let _ = write!(out, " as {}", label.text);
        }
        _ => {}
    }
}

fn op_text(op: ast::BinaryOp) -> &'static str {
    use ast::BinaryOp::*;
    match op {
        Or => "||",
        And => "&&",
        Eq => "==",
        Ne => "!=",
        Lt => "<",
        Le => "<=",
        Gt => ">",
        Ge => ">=",
        Add => "+",
        Sub => "-",
        Mul => "*",
        Div => "/",
        Rem => "%",
        MatMul => "@",
        Pow => "^",
    }
}

fn reduce_text(op: ast::ReduceOp) -> &'static str {
    use ast::ReduceOp::*;
    match op {
        Sum => "sum",
        Mean => "mean",
        Prod => "prod",
        Max => "max",
        Min => "min",
        Argmax => "argmax",
        Argmin => "argmin",
        Any => "any",
        All => "all",
        Lse => "lse",
    }
}
