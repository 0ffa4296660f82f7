//! From pest pairs to the syntax tree: items, parameters and types.
//!
//! What pest accepts but the language does not (chained comparisons, a pipe into
//! something that is no call) is reported here, and building goes on, so that one
//! run finds all of it.

mod expr;
mod stmt;
mod token;

use crate::ast;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics, Reported};
use crate::source::{FileId, Span};
use gdc_grammar::Rule;
use pest::iterators::Pair;

/// How deep a syntax tree may be: levels of brackets plus operators along a path.
pub(crate) const MAX_DEPTH: usize = 256;

pub(crate) type Built<T> = Result<T, Reported>;

/// Makes the tree of one source or a part of one.
pub(crate) struct Builder<'d> {
    file: FileId,
    /// Where the parsed text begins in the file.
    offset: usize,
    depth: usize,
    diagnostics: &'d mut Diagnostics,
    /// Whether anything was reported here; the tree is not used then.
    failed: bool,
}

/// The children of a pair, without keywords.
pub(crate) struct Parts<'i> {
    pairs: std::iter::Peekable<pest::iterators::Pairs<'i, Rule>>,
    whole: Span,
}

impl<'i> Parts<'i> {
    fn skip_keywords(&mut self) {
        while self.pairs.peek().is_some_and(|p| is_keyword(p.as_rule())) {
            self.pairs.next();
        }
    }

    fn peek(&mut self) -> Option<Rule> {
        self.skip_keywords();
        self.pairs.peek().map(|p| p.as_rule())
    }

    fn next(&mut self) -> Option<Pair<'i, Rule>> {
        self.skip_keywords();
        self.pairs.next()
    }

    /// The next child if it is a `rule`.
    fn take(&mut self, rule: Rule) -> Option<Pair<'i, Rule>> {
        if self.peek() == Some(rule) { self.pairs.next() } else { None }
    }
}

/// Keywords carry nothing but their place, which the rules around them show.
fn is_keyword(rule: Rule) -> bool {
    use Rule::*;
    matches!(
        rule,
        kw_import
            | kw_model
            | kw_layer
            | kw_fn
            | kw_optimizer
            | kw_transform
            | kw_const
            | kw_let
            | kw_for
            | kw_in
            | kw_if
            | kw_else
            | kw_scan
            | kw_over
            | kw_yield
            | kw_loss
            | kw_output
            | kw_metric
            | kw_train
            | kw_as
            | kw_drop
            | kw_with
            | kw_freeze
            | kw_assert
            | kw_stream
            | kw_precision
            | kw_entry
            | kw_after
            | kw_derivative
            | EOI
    )
}

impl<'d> Builder<'d> {
    pub(crate) fn new(file: FileId, offset: usize, diagnostics: &'d mut Diagnostics) -> Self {
        Builder { file, offset, depth: 0, diagnostics, failed: false }
    }

    /// `Err` if anything was reported since the builder was made.
    pub(crate) fn finish(self) -> Built<()> {
        if self.failed { Err(Reported) } else { Ok(()) }
    }

    fn report(&mut self, diagnostic: Diagnostic) -> Reported {
        self.failed = true;
        self.diagnostics.push(diagnostic)
    }

    fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let range = pair.as_span();
        Span::new(self.file, self.offset + range.start(), self.offset + range.end())
    }

    fn parts<'i>(&self, pair: Pair<'i, Rule>) -> Parts<'i> {
        let whole = self.span(&pair);
        Parts { pairs: pair.into_inner().peekable(), whole }
    }

    /// The next child, which the grammar says is a `rule`.
    fn need<'i>(&mut self, parts: &mut Parts<'i>, rule: Rule) -> Built<Pair<'i, Rule>> {
        match parts.take(rule) {
            Some(pair) => Ok(pair),
            None => Err(self.disagreement(parts.whole)),
        }
    }

    fn disagreement(&mut self, span: Span) -> Reported {
        self.report(Diagnostic::error(codes::E0099, span, "internal error: the parser and the grammar disagree"))
    }

    /// Counts `levels` of the tree in; undone by [`Builder::leave`].
    fn enter(&mut self, levels: usize, span: Span) -> Built<()> {
        self.depth += levels;
        if self.depth <= MAX_DEPTH {
            return Ok(());
        }
        Err(self.report(
            Diagnostic::error(codes::E0007, span, "this expression is nested too deeply")
                .note(format!("the limit is {MAX_DEPTH} operators and brackets along a path"))
                .help("bind parts of it with `let`"),
        ))
    }

    fn leave(&mut self, levels: usize) {
        self.depth -= levels;
    }

    /// A whole source.
    pub(crate) fn file(&mut self, pair: Pair<'_, Rule>) -> Built<ast::File> {
        let mut parts = self.parts(pair);
        let mut file = ast::File::default();
        while let Some(item) = parts.next() {
            file.items.push(self.item(item)?);
        }
        Ok(file)
    }

    /// A pair of the rule `single_item`.
    pub(crate) fn single_item(&mut self, pair: Pair<'_, Rule>) -> Built<ast::Item> {
        let mut parts = self.parts(pair);
        let item = self.need(&mut parts, Rule::item)?;
        self.item(item)
    }

    fn item(&mut self, pair: Pair<'_, Rule>) -> Built<ast::Item> {
        let mut parts = self.parts(pair);
        let docs = self.docs(&mut parts)?;
        let Some(pair) = parts.next() else {
            return Err(self.disagreement(parts.whole));
        };
        let span = self.span(&pair);
        let rule = pair.as_rule();
        let mut parts = self.parts(pair);
        let mut end = span;
        let kind = match rule {
            Rule::import => {
                let pair = self.need(&mut parts, Rule::string)?;
                let span = self.span(&pair);
                ast::ItemKind::Import { path: self.string(&pair)?, span }
            }
            Rule::model => ast::ItemKind::Model(self.model(&mut parts)?),
            Rule::layer | Rule::func => {
                let function;
                (function, end) = self.function(&mut parts)?;
                if rule == Rule::layer { ast::ItemKind::Layer(function) } else { ast::ItemKind::Fn(function) }
            }
            Rule::optimizer => ast::ItemKind::Optimizer(self.optimizer(&mut parts)?),
            Rule::transform => ast::ItemKind::Transform(self.optimizer(&mut parts)?),
            Rule::const_ => {
                let pattern = self.need_pattern(&mut parts)?;
                ast::ItemKind::Const { pattern, value: self.need_expr(&mut parts)? }
            }
            _ => return Err(self.disagreement(span)),
        };
        // A pair may end in blanks that were skipped in search of an optional part.
        let span = Span { end: end.end, ..span };
        Ok(ast::Item { docs, kind, span })
    }

    fn model(&mut self, parts: &mut Parts<'_>) -> Built<ast::Model> {
        let name = self.need_name(parts)?;
        let params = self.params(parts)?;
        let body = self.need_block(parts)?;
        if let Some(value) = &body.value {
            self.report(
                Diagnostic::error(codes::E0014, value.span, "a model has no value")
                    .label("this stands as the value of the model")
                    .help("name what the model yields: `output name = ...;`"),
            );
        }
        Ok(ast::Model { name, params, body })
    }

    /// A function and the span of its last part.
    fn function(&mut self, parts: &mut Parts<'_>) -> Built<(ast::Function, Span)> {
        let name = self.need_name(parts)?;
        let params = self.params(parts)?;
        let result = match parts.take(Rule::ret) {
            Some(pair) => {
                let mut parts = self.parts(pair);
                Some(self.need_type(&mut parts)?)
            }
            None => None,
        };
        let mut end;
        let mut body = if let Some(pair) = parts.take(Rule::block) {
            end = self.span(&pair);
            self.block(pair)?
        } else {
            let value = self.need_expr(parts)?;
            let semi = self.need(parts, Rule::semi)?;
            end = self.span(&semi);
            let span = value.span;
            ast::Block { statements: Vec::new(), value: Some(Box::new(value)), span }
        };
        if let Some(pair) = parts.take(Rule::derivative) {
            end = self.span(&pair);
            body.statements.push(self.derivative(pair)?);
        }
        Ok((ast::Function { name, params, result, body }, end))
    }

    fn optimizer(&mut self, parts: &mut Parts<'_>) -> Built<ast::Optimizer> {
        let name = self.need_name(parts)?;
        let params = self.params(parts)?;
        let pair = self.need(parts, Rule::for_weights)?;
        let mut header = self.parts(pair);
        let weight = self.need_name(&mut header)?;
        let weight_type = self.optional_type(&mut header)?;
        let gradient = self.need_name(&mut header)?;
        let body = self.need_block(parts)?;
        Ok(ast::Optimizer { name, params, weight, weight_type, gradient, body })
    }

    /// Parameters, none where they are not written.
    fn params(&mut self, parts: &mut Parts<'_>) -> Built<Vec<ast::Param>> {
        let Some(pair) = parts.take(Rule::params) else {
            return Ok(Vec::new());
        };
        let mut parts = self.parts(pair);
        let mut params = Vec::new();
        while let Some(pair) = parts.take(Rule::param) {
            params.push(self.param(pair)?);
        }
        Ok(params)
    }

    fn param(&mut self, pair: Pair<'_, Rule>) -> Built<ast::Param> {
        let mut parts = self.parts(pair);
        let pattern = self.need_pattern(&mut parts)?;
        let mut span = pattern.span();
        let mut kind = None;
        if let Some(pair) = parts.take(Rule::kind) {
            let at = self.span(&pair);
            span = span.to(at);
            kind = Some(match pair.as_str() {
                "int" => ast::ParamKind::Int(at),
                "bool" => ast::ParamKind::Bool(at),
                "layer" => ast::ParamKind::Layer(at),
                _ => ast::ParamKind::Fn(at),
            });
        } else if let Some(pair) = parts.take(Rule::names) {
            let at = self.span(&pair);
            span = span.to(at);
            kind = Some(ast::ParamKind::Tuple(self.names(pair)?, at));
        } else if let Some(ty) = self.optional_type(&mut parts)? {
            span = span.to(ty.span);
            kind = Some(ast::ParamKind::Type(ty));
        }
        let default = self.optional_expr(&mut parts)?;
        if let Some(default) = &default {
            span = span.to(default.span);
        }
        Ok(ast::Param { pattern, kind, default, span })
    }

    fn need_type(&mut self, parts: &mut Parts<'_>) -> Built<ast::Type> {
        match self.optional_type(parts)? {
            Some(ty) => Ok(ty),
            None => Err(self.disagreement(parts.whole)),
        }
    }

    fn optional_type(&mut self, parts: &mut Parts<'_>) -> Built<Option<ast::Type>> {
        match parts.take(Rule::ty) {
            Some(pair) => Ok(Some(self.ty(pair)?)),
            None => Ok(None),
        }
    }

    fn ty(&mut self, pair: Pair<'_, Rule>) -> Built<ast::Type> {
        let mut parts = self.parts(pair);
        let mut span = parts.whole;
        if parts.peek() == Some(Rule::ty) {
            let mut members = Vec::new();
            while let Some(ty) = self.optional_type(&mut parts)? {
                members.push(ty);
            }
            return Ok(ast::Type { kind: ast::TypeKind::Tuple(members), span });
        }
        let mut shape = None;
        if let Some(pair) = parts.take(Rule::shape) {
            span.end = self.span(&pair).end;
            let mut parts = self.parts(pair);
            let mut dims = Vec::new();
            while let Some(rule) = parts.peek() {
                dims.push(if rule == Rule::rest {
                    let rest = self.need(&mut parts, Rule::rest)?;
                    ast::Dim::Rest(self.span(&rest))
                } else {
                    ast::Dim::Size(self.need_expr(&mut parts)?)
                });
            }
            shape = Some(dims);
        }
        let range = self.optional_expr(&mut parts)?.map(Box::new);
        if let Some(range) = &range {
            span.end = range.span.end;
        }
        Ok(ast::Type { kind: ast::TypeKind::Tensor { shape, range }, span })
    }

    fn need_pattern(&mut self, parts: &mut Parts<'_>) -> Built<ast::Pattern> {
        let pair = self.need(parts, Rule::pattern)?;
        let mut parts = self.parts(pair);
        if let Some(pair) = parts.take(Rule::names) {
            let span = self.span(&pair);
            return Ok(ast::Pattern::Tuple(self.names(pair)?, span));
        }
        Ok(ast::Pattern::Name(self.need_name(&mut parts)?))
    }

    fn names(&mut self, pair: Pair<'_, Rule>) -> Built<Vec<ast::Name>> {
        let mut parts = self.parts(pair);
        let mut names = Vec::new();
        while let Some(pair) = parts.take(Rule::ident) {
            names.push(self.name(&pair));
        }
        Ok(names)
    }
}
