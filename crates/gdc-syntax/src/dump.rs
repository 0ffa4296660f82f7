//! The syntax tree as indented text, for `--emit ast` and for tests.
//!
//! One line per item and statement, expressions fully parenthesised on that line,
//! blocks indented below it. The text is close to the language but is not meant to
//! be parsed again: it shows what binds to what.

use crate::ast::{self, ExprKind, ItemKind, StmtKind};
use std::fmt::Write;

/// The whole tree of a source.
pub fn dump(file: &ast::File) -> String {
    let mut dumper = Dumper {
        out: String::new(),
        indent: 0,
    };
    for item in &file.items {
        dumper.item(item);
    }
    dumper.out
}

/// One expression on one line; blocks inside are written with `{ }`.
pub fn dump_expr(expr: &ast::Expr) -> String {
    let mut out = String::new();
    write_expr(&mut out, expr);
    out
}

struct Dumper {
    out: String,
    indent: usize,
}

impl Dumper {
    fn line(&mut self, text: &str) {
        for _ in 0..self.indent {
            self.out.push_str("  ");
        }
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn docs(&mut self, docs: &[String]) {
        for line in docs {
            self.line(format!("/// {line}").trim_end());
        }
    }

    fn item(&mut self, item: &ast::Item) {
        self.docs(&item.docs);
        match &item.kind {
            ItemKind::Import { path, .. } => self.line(&format!("import {path:?}")),
            ItemKind::Model(m) => {
                let params = if m.params.is_empty() {
                    String::new()
                } else {
                    params(&m.params)
                };
                self.line(&format!("model {}{params}", m.name.text));
                self.block(&m.body);
            }
            ItemKind::Layer(f) => self.function("layer", f),
            ItemKind::Fn(f) => self.function("fn", f),
            ItemKind::Optimizer(o) => self.optimizer("optimizer", o),
            ItemKind::Transform(o) => self.optimizer("transform", o),
            ItemKind::Const { pattern, value } => {
                self.line(&format!(
                    "const {} = {}",
                    pattern_text(pattern),
                    dump_expr(value)
                ));
            }
        }
    }

    fn function(&mut self, word: &str, f: &ast::Function) {
        let mut head = format!("{word} {}{}", f.name.text, params(&f.params));
        if let Some(result) = &f.result {
            let _ = write!(head, " -> {}", type_text(result));
        }
        self.line(&head);
        self.block(&f.body);
    }

    fn optimizer(&mut self, word: &str, o: &ast::Optimizer) {
        let ty = o
            .weight_type
            .as_ref()
            .map_or(String::new(), |t| format!(": {}", type_text(t)));
        self.line(&format!(
            "{word} {}{} for {}{ty}, {}",
            o.name.text,
            params(&o.params),
            o.weight.text,
            o.gradient.text
        ));
        self.block(&o.body);
    }

    fn block(&mut self, block: &ast::Block) {
        self.indent += 1;
        for stmt in &block.statements {
            self.docs(&stmt.docs);
            self.stmt(&stmt.kind);
        }
        if let Some(value) = &block.value {
            self.line_with_blocks("value ", value);
        }
        self.indent -= 1;
    }

    /// An expression after `head`; one that is a block, an `if` or a scan goes on below.
    fn line_with_blocks(&mut self, head: &str, expr: &ast::Expr) {
        match &expr.kind {
            ExprKind::Block(block) => {
                self.line(&format!("{head}block"));
                self.block(block);
            }
            ExprKind::If {
                condition,
                then,
                otherwise,
            } => {
                self.line(&format!("{head}if {}", dump_expr(condition)));
                self.block(then);
                if let Some(otherwise) = otherwise {
                    self.line("else");
                    self.block(otherwise);
                }
            }
            ExprKind::Scan {
                carries,
                over,
                body,
            } => {
                self.line(&format!("{head}{}", scan_head(carries, over)));
                self.block(body);
            }
            _ => self.line(&format!("{head}{}", dump_expr(expr))),
        }
    }

    fn stmt(&mut self, kind: &StmtKind) {
        match kind {
            StmtKind::Declare {
                role,
                name,
                ty,
                init,
            } => {
                let role = match role {
                    ast::Role::Input => "input",
                    ast::Role::Target => "target",
                    ast::Role::Param => "param",
                    ast::Role::State => "state",
                };
                let mut text = format!("{role} {}", name.text);
                if let Some(ty) = ty {
                    let _ = write!(text, ": {}", type_text(ty));
                }
                if let Some(init) = init {
                    let _ = write!(text, " = {}", dump_expr(init));
                }
                self.line(&text);
            }
            StmtKind::UseLayer { name, value } => {
                self.line_with_blocks(&format!("layer {} = ", name.text), value);
            }
            StmtKind::Const { pattern, value } => {
                self.line_with_blocks(&format!("const {} = ", pattern_text(pattern)), value);
            }
            StmtKind::Let {
                pattern,
                indices,
                ty,
                accumulate,
                value,
            } => {
                let mut head = format!("let {}", pattern_text(pattern));
                if let Some(indices) = indices {
                    let list: Vec<String> = indices.iter().map(place_text).collect();
                    let _ = write!(head, "[{}]", list.join(", "));
                }
                if let Some(ty) = ty {
                    let _ = write!(head, ": {}", type_text(ty));
                }
                head.push_str(if *accumulate { " += " } else { " = " });
                self.line_with_blocks(&head, value);
            }
            StmtKind::Loss {
                name: Some(name),
                value,
            } => {
                self.line_with_blocks(&format!("loss {} = ", name.text), value);
            }
            StmtKind::Loss { name: None, value } => self.line_with_blocks("loss ", value),
            StmtKind::Output { name, value } => {
                self.line_with_blocks(&format!("output {} = ", name.text), value);
            }
            StmtKind::Metric { name, value } => {
                self.line_with_blocks(&format!("metric {} = ", name.text), value);
            }
            StmtKind::Optimizer {
                value,
                with,
                selectors,
            } => {
                let mut text = format!("optimizer {}", dump_expr(value));
                for transform in with {
                    let _ = write!(text, " with {}", dump_expr(transform));
                }
                if !selectors.is_empty() {
                    let _ = write!(text, " for {}", selectors_text(selectors));
                }
                self.line(&text);
            }
            StmtKind::Transform { value } => self.line_with_blocks("transform ", value),
            StmtKind::Freeze { selectors } => {
                self.line(&format!("freeze {}", selectors_text(selectors)));
            }
            StmtKind::Train { settings } => {
                self.line("train");
                self.indent += 1;
                for setting in settings {
                    self.line_with_blocks(&format!("{} = ", setting.name.text), &setting.value);
                }
                self.indent -= 1;
            }
            StmtKind::Assert { value } => self.line_with_blocks("assert ", value),
            StmtKind::Stream { value } => self.line_with_blocks("stream ", value),
            StmtKind::Precision { value } => self.line(&format!("precision {}", value.text)),
            StmtKind::Entry(function) => self.function("entry", function),
            StmtKind::After { body } => {
                self.line("after");
                self.block(body);
            }
            StmtKind::Derivative { params, value } => {
                let head = format!("derivative({}) = ", names_text(params));
                self.line_with_blocks(&head, value);
            }
            StmtKind::Yield { value } => self.line_with_blocks("yield ", value),
            StmtKind::For {
                pattern,
                over,
                body,
            } => {
                self.line(&format!(
                    "for {} in {}",
                    pattern_text(pattern),
                    dump_expr(over)
                ));
                self.block(body);
            }
            StmtKind::Update { name, value } => {
                self.line_with_blocks(&format!("{} <- ", name.text), value);
            }
            StmtKind::Expr(expr) => self.line_with_blocks("", expr),
        }
    }
}

fn names_text(names: &[ast::Name]) -> String {
    names
        .iter()
        .map(|n| n.text.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

fn pattern_text(pattern: &ast::Pattern) -> String {
    match pattern {
        ast::Pattern::Name(name) => name.text.clone(),
        ast::Pattern::Tuple(names, _) => format!("({})", names_text(names)),
    }
}

fn params(params: &[ast::Param]) -> String {
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

fn type_text(ty: &ast::Type) -> String {
    match &ty.kind {
        ast::TypeKind::Tuple(members) => {
            format!(
                "({})",
                members.iter().map(type_text).collect::<Vec<_>>().join(", ")
            )
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
    binders
        .iter()
        .map(binder_text)
        .collect::<Vec<_>>()
        .join(", ")
}

fn place_text(place: &ast::IndexBinder) -> String {
    match place {
        ast::IndexBinder::Bind(binder) => binder_text(binder),
        ast::IndexBinder::Place(expr) => dump_expr(expr),
        ast::IndexBinder::Rest(_) => "...".to_owned(),
    }
}

fn selectors_text(selectors: &[ast::Selector]) -> String {
    let paths = selectors.iter().map(|selector| {
        selector
            .parts
            .iter()
            .map(|p| p.text.as_str())
            .collect::<Vec<_>>()
            .join(".")
    });
    paths.collect::<Vec<_>>().join(", ")
}

fn scan_head(carries: &[(ast::Name, ast::Expr)], over: &[ast::Binder]) -> String {
    let carries: Vec<String> = carries
        .iter()
        .map(|(name, init)| format!("{} = {}", name.text, dump_expr(init)))
        .collect();
    format!("scan ({}) over {}", carries.join(", "), binders_text(over))
}

/// A block inside of an expression, on the expression's line.
fn write_block(out: &mut String, block: &ast::Block) {
    let mut dumper = Dumper {
        out: String::new(),
        indent: 0,
    };
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
        ExprKind::Number {
            value,
            integer: true,
        } => _ = write!(out, "{value}"),
        // The shortest text that reads back as the same number, always with a point or exponent.
        ExprKind::Number {
            value,
            integer: false,
        } => _ = write!(out, "{value:?}"),
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
        ExprKind::Binary {
            op, left, right, ..
        } => {
            out.push('(');
            write_expr(out, left);
            let _ = write!(out, " {} ", op_text(*op));
            write_expr(out, right);
            out.push(')');
        }
        ExprKind::Range {
            start,
            end,
            inclusive,
        } => {
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
        ExprKind::If {
            condition,
            then,
            otherwise,
        } => {
            out.push_str("if ");
            write_expr(out, condition);
            out.push(' ');
            write_block(out, then);
            if let Some(otherwise) = otherwise {
                out.push_str(" else ");
                write_block(out, otherwise);
            }
        }
        ExprKind::Reduce {
            op,
            binders,
            body,
            condition,
        } => {
            let _ = write!(out, "{}[{}](", reduce_text(*op), binders_text(binders));
            write_expr(out, body);
            if let Some(condition) = condition {
                out.push_str(" if ");
                write_expr(out, condition);
            }
            out.push(')');
        }
        ExprKind::Scan {
            carries,
            over,
            body,
        } => {
            out.push_str(&scan_head(carries, over));
            out.push(' ');
            write_block(out, body);
        }
        ExprKind::Call { .. }
        | ExprKind::Index { .. }
        | ExprKind::Field { .. }
        | ExprKind::As { .. } => write_postfix(out, &expr.kind),
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
        ExprKind::Index {
            base,
            at,
            otherwise,
        } => {
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
