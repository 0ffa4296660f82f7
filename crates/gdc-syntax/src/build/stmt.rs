//! From pest pairs to the syntax tree: blocks and statements.

use super::{Builder, Built, Parts};
use crate::ast::{self, StmtKind};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use gdc_grammar::Rule;
use pest::iterators::Pair;

/// A statement, or the value that ends a block.
enum Line {
    Stmt(ast::Stmt),
    /// An expression that its closing brace ends: a value where it comes last and has one.
    Closed(Vec<String>, ast::Expr),
    Value(ast::Expr),
}

impl Builder<'_> {
    pub(super) fn need_block(&mut self, parts: &mut Parts<'_>) -> Built<ast::Block> {
        let pair = self.need(parts, Rule::block)?;
        self.block(pair)
    }

    pub(super) fn block(&mut self, pair: Pair<'_, Rule>) -> Built<ast::Block> {
        let mut parts = self.parts(pair);
        let span = parts.whole;
        self.enter(1, span)?;
        let mut statements = Vec::new();
        let mut value = None;
        while let Some(pair) = parts.take(Rule::stmt) {
            let last = parts.peek().is_none();
            match self.line(pair)? {
                Line::Stmt(stmt) => statements.push(stmt),
                Line::Value(expr) => value = Some(Box::new(expr)),
                Line::Closed(_, expr) if last && has_value(&expr) => value = Some(Box::new(expr)),
                Line::Closed(docs, expr) => {
                    let span = expr.span;
                    statements.push(ast::Stmt { docs, kind: StmtKind::Expr(expr), span });
                }
            }
        }
        self.leave(1);
        Ok(ast::Block { statements, value, span })
    }

    fn line(&mut self, pair: Pair<'_, Rule>) -> Built<Line> {
        let mut parts = self.parts(pair);
        let docs = self.docs(&mut parts)?;
        let Some(pair) = parts.next() else {
            return Err(self.disagreement(parts.whole));
        };
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::open_expr => self.open_expr(docs, pair),
            Rule::closed => self.closed(docs, pair),
            _ => Ok(Line::Stmt(self.keyword_statement(docs, pair, span)?)),
        }
    }

    /// An expression before `;` or at the end of a block.
    fn open_expr(&mut self, docs: Vec<String>, pair: Pair<'_, Rule>) -> Built<Line> {
        let mut parts = self.parts(pair);
        let value = self.need_expr(&mut parts)?;
        let Some(semi) = parts.take(Rule::semi) else {
            return Ok(Line::Value(value));
        };
        let span = value.span.to(self.span(&semi));
        self.report(
            Diagnostic::error(codes::E0011, value.span, "this statement does nothing")
                .label("its value is not used")
                .help("`let name = ...;` binds a value, `name <- ...;` gives a next value")
                .help("the value of a block is its last expression, without `;`"),
        );
        Ok(Line::Stmt(ast::Stmt { docs, kind: StmtKind::Expr(value), span }))
    }

    /// An `if`, a `scan` or a block.
    fn closed(&mut self, docs: Vec<String>, pair: Pair<'_, Rule>) -> Built<Line> {
        let mut parts = self.parts(pair);
        let Some(pair) = parts.next() else {
            return Err(self.disagreement(parts.whole));
        };
        let expr = self.primary(pair)?;
        if let Some(semi) = parts.take(Rule::semi) {
            let span = expr.span.to(self.span(&semi));
            return Ok(Line::Stmt(ast::Stmt { docs, kind: StmtKind::Expr(expr), span }));
        }
        Ok(Line::Closed(docs, expr))
    }

    fn keyword_statement(&mut self, docs: Vec<String>, pair: Pair<'_, Rule>, mut span: Span) -> Built<ast::Stmt> {
        let rule = pair.as_rule();
        if rule == Rule::derivative {
            return Ok(ast::Stmt { docs, ..self.derivative(pair)? });
        }
        let mut parts = self.parts(pair);
        let p = &mut parts;
        let kind = match rule {
            Rule::let_ => self.let_statement(p)?,
            Rule::declare => self.declaration(p)?,
            Rule::update => StmtKind::Update { name: self.need_name(p)?, value: self.need_expr(p)? },
            Rule::const_ => StmtKind::Const { pattern: self.need_pattern(p)?, value: self.need_expr(p)? },
            Rule::for_ => {
                StmtKind::For { pattern: self.need_pattern(p)?, over: self.need_expr(p)?, body: self.need_block(p)? }
            }
            Rule::yield_ => StmtKind::Yield { value: self.need_expr(p)? },
            Rule::loss => {
                StmtKind::Loss { name: p.take(Rule::ident).map(|pair| self.name(&pair)), value: self.need_expr(p)? }
            }
            Rule::output => StmtKind::Output { name: self.need_name(p)?, value: self.need_expr(p)? },
            Rule::metric => StmtKind::Metric { name: self.need_name(p)?, value: self.need_expr(p)? },
            Rule::use_layer => StmtKind::UseLayer { name: self.need_name(p)?, value: self.need_expr(p)? },
            Rule::optimize => self.optimizer_statement(p)?,
            Rule::transforming => StmtKind::Transform { value: self.need_expr(p)? },
            Rule::freeze => StmtKind::Freeze { selectors: self.selectors(p)? },
            Rule::train => StmtKind::Train { settings: self.settings(p)? },
            Rule::assert => {
                StmtKind::Assert { value: self.need_expr(p)?, unit: p.take(Rule::ident).map(|pair| self.name(&pair)) }
            }
            Rule::stream => StmtKind::Stream { value: self.need_expr(p)? },
            Rule::precision => StmtKind::Precision { value: self.need_name(p)? },
            Rule::entry => {
                let (function, end) = self.function(p)?;
                span.end = end.end;
                StmtKind::Entry(function)
            }
            Rule::after => StmtKind::After { body: self.need_block(p)? },
            _ => return Err(self.disagreement(span)),
        };
        Ok(ast::Stmt { docs, kind, span })
    }

    /// `derivative(dy) = e;`, in a function's body or after it.
    pub(super) fn derivative(&mut self, pair: Pair<'_, Rule>) -> Built<ast::Stmt> {
        let span = self.span(&pair);
        let mut parts = self.parts(pair);
        let mut params = Vec::new();
        while let Some(pair) = parts.take(Rule::ident) {
            params.push(self.name(&pair));
        }
        let value = self.need_expr(&mut parts)?;
        Ok(ast::Stmt { docs: Vec::new(), kind: StmtKind::Derivative { params, value }, span })
    }

    fn declaration(&mut self, parts: &mut Parts<'_>) -> Built<StmtKind> {
        let role = self.need(parts, Rule::role)?;
        let role = match role.as_str() {
            "input" => ast::Role::Input,
            "target" => ast::Role::Target,
            "param" => ast::Role::Param,
            _ => ast::Role::State,
        };
        Ok(StmtKind::Declare {
            role,
            name: self.need_name(parts)?,
            ty: self.optional_type(parts)?,
            init: self.optional_expr(parts)?,
        })
    }

    fn let_statement(&mut self, parts: &mut Parts<'_>) -> Built<StmtKind> {
        let pattern = self.need_pattern(parts)?;
        let places = parts.take(Rule::places);
        let places_span = places.as_ref().map(|p| self.span(p));
        let indices = match places {
            Some(pair) => Some(self.places(pair)?),
            None => None,
        };
        let ty = self.optional_type(parts)?;
        let accumulate = parts.take(Rule::plus_eq).is_some();
        let value = self.need_expr(parts)?;
        if let Some(pair) = parts.take(Rule::else_drop)
            && !accumulate
        {
            let span = self.span(&pair);
            self.report(
                Diagnostic::error(codes::E0015, span, "`else drop` belongs to the form with `+=`")
                    .help("`x[...] else 0` says what a read outside of `x` yields"),
            );
        }
        if let (ast::Pattern::Tuple(_, span), Some(places)) = (&pattern, places_span) {
            self.report(
                Diagnostic::error(codes::E0001, places, "a tuple of names cannot have indices")
                    .secondary(*span, "these are several names"),
            );
        }
        if accumulate && indices.is_none() {
            self.report(
                Diagnostic::error(codes::E0015, pattern.span(), "`+=` needs the places it adds at")
                    .help("write `let y[p*s + i]: [n] += ...;`, or `y <- y + ...;` for a next value"),
            );
        }
        if !accumulate {
            for place in indices.iter().flatten() {
                if let ast::IndexBinder::Place(expr) = place {
                    self.report(
                        Diagnostic::error(codes::E0015, expr.span, "a computed place needs the form with `+=`")
                            .label("an index of `let y[i] = ...;` is a name")
                            .help("write `let y[p*s + i]: [n] += ...;` to add at computed places"),
                    );
                }
            }
        }
        Ok(StmtKind::Let { pattern, indices, ty, accumulate, value })
    }

    /// What stands in brackets on the left of a `let`.
    fn places(&mut self, pair: Pair<'_, Rule>) -> Built<Vec<ast::IndexBinder>> {
        let mut parts = self.parts(pair);
        let mut places = Vec::new();
        while let Some(pair) = parts.take(Rule::place) {
            let mut place = self.parts(pair);
            if let Some(pair) = place.take(Rule::rest) {
                places.push(ast::IndexBinder::Rest(self.span(&pair)));
                continue;
            }
            let expr = self.need_expr(&mut place)?;
            let range = self.optional_expr(&mut place)?;
            places.push(match expr {
                ast::Expr { kind: ast::ExprKind::Name(name), .. } => {
                    ast::IndexBinder::Bind(ast::Binder { name, range })
                }
                expr => {
                    if range.is_some() {
                        self.report(
                            Diagnostic::error(codes::E0001, expr.span, "expected an index name")
                                .label("only a name ranges over `in a..b`"),
                        );
                    }
                    ast::IndexBinder::Place(expr)
                }
            });
        }
        Ok(places)
    }

    fn optimizer_statement(&mut self, parts: &mut Parts<'_>) -> Built<StmtKind> {
        let value = self.need_expr(parts)?;
        let mut with = Vec::new();
        while let Some(pair) = parts.take(Rule::with) {
            let mut inner = self.parts(pair);
            with.push(self.need_expr(&mut inner)?);
        }
        Ok(StmtKind::Optimizer { value, with, selectors: self.selectors(parts)? })
    }

    fn selectors(&mut self, parts: &mut Parts<'_>) -> Built<Vec<ast::Selector>> {
        let mut selectors = Vec::new();
        while let Some(pair) = parts.take(Rule::selector) {
            let start = self.span(&pair);
            let mut inner = self.parts(pair);
            let mut path = Vec::new();
            while let Some(pair) = inner.next() {
                path.push(self.name(&pair));
            }
            let span = path.last().map_or(start, |last| Span { end: last.span.end, ..start });
            selectors.push(ast::Selector { parts: path, span });
        }
        Ok(selectors)
    }

    fn settings(&mut self, parts: &mut Parts<'_>) -> Built<Vec<ast::Setting>> {
        let mut settings = Vec::new();
        while let Some(pair) = parts.take(Rule::setting) {
            let mut inner = self.parts(pair);
            settings.push(ast::Setting { name: self.need_name(&mut inner)?, value: self.need_expr(&mut inner)? });
        }
        Ok(settings)
    }
}

/// Whether an expression that ends at a brace is worth something: an `if` without
/// `else` is not, nor is one whose branches hold only statements.
fn has_value(expr: &ast::Expr) -> bool {
    match &expr.kind {
        ast::ExprKind::Block(block) => block.value.is_some(),
        ast::ExprKind::If { then, otherwise: Some(otherwise), .. } => {
            then.value.is_some() || otherwise.value.as_deref().is_some_and(has_value)
        }
        ast::ExprKind::If { otherwise: None, .. } => false,
        _ => true,
    }
}
