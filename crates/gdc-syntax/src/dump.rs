//! The syntax tree as indented text, for `--emit ast` and for tests.
//!
//! One line per item and statement, expressions fully parenthesised on that line,
//! blocks indented below it. The text is close to the language but is not meant to
//! be parsed again: it shows what binds to what.

mod expr;

use crate::ast::{self, ExprKind, ItemKind, StmtKind};
pub use expr::dump_expr;
use expr::{names_text, params, pattern_text, place_text, scan_head, selectors_text, type_text};
use std::fmt::Write;

/// The whole tree of a source.
pub fn dump(file: &ast::File) -> String {
    let mut dumper = Dumper { out: String::new(), indent: 0 };
    for item in &file.items {
        dumper.item(item);
    }
    dumper.out
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
                let params = if m.params.is_empty() { String::new() } else { params(&m.params) };
                self.line(&format!("model {}{params}", m.name.text));
                self.block(&m.body);
            }
            ItemKind::Layer(f) => self.function("layer", f),
            ItemKind::Fn(f) => self.function("fn", f),
            ItemKind::Optimizer(o) => self.optimizer("optimizer", o),
            ItemKind::Transform(o) => self.optimizer("transform", o),
            ItemKind::Const { pattern, value } => {
                self.line(&format!("const {} = {}", pattern_text(pattern), dump_expr(value)));
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
        let ty = o.weight_type.as_ref().map_or(String::new(), |t| format!(": {}", type_text(t)));
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
            ExprKind::If { condition, then, otherwise } => {
                self.line(&format!("{head}if {}", dump_expr(condition)));
                self.block(then);
                if let Some(otherwise) = otherwise {
                    self.line("else");
                    self.block(otherwise);
                }
            }
            ExprKind::Scan { carries, over, body } => {
                self.line(&format!("{head}{}", scan_head(carries, over)));
                self.block(body);
            }
            _ => self.line(&format!("{head}{}", dump_expr(expr))),
        }
    }

    fn stmt(&mut self, kind: &StmtKind) {
        match kind {
            StmtKind::Declare { role, name, ty, init } => {
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
            StmtKind::Let { pattern, indices, ty, accumulate, value } => {
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
            StmtKind::Loss { name: Some(name), value } => {
                self.line_with_blocks(&format!("loss {} = ", name.text), value);
            }
            StmtKind::Loss { name: None, value } => self.line_with_blocks("loss ", value),
            StmtKind::Output { name, value } => {
                self.line_with_blocks(&format!("output {} = ", name.text), value);
            }
            StmtKind::Metric { name, value } => {
                self.line_with_blocks(&format!("metric {} = ", name.text), value);
            }
            StmtKind::Optimizer { value, with, selectors } => {
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
            StmtKind::Assert { value, unit } => {
                let unit = unit.as_ref().map(|u| format!("in {} ", u.text)).unwrap_or_default();
                self.line_with_blocks(&format!("assert {unit}"), value);
            }
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
            StmtKind::For { pattern, over, body } => {
                self.line(&format!("for {} in {}", pattern_text(pattern), dump_expr(over)));
                self.block(body);
            }
            StmtKind::Update { name, value } => {
                self.line_with_blocks(&format!("{} <- ", name.text), value);
            }
            StmtKind::Expr(expr) => self.line_with_blocks("", expr),
        }
    }
}
