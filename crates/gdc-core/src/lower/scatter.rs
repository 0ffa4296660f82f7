//! The scatter form: `let y[p*s + i]: [n] += e;` adds at computed places.

use super::index::ast_children;
use super::types::shape_text;
use super::value::{Tensor, Value};
use super::{Lowered, Lowerer};
use crate::build::substitute;
use crate::codes;
use gdc_ir::{ExprId, Ty, Var};
use gdc_syntax::{Diagnostic, Span, ast};
use std::collections::BTreeSet;

impl Lowerer<'_> {
    /// `let y[p*s + i]: [n] += e;`: adds up `e` at computed places, over all indices that it
    /// or the places name.
    pub(super) fn scatter(
        &mut self,
        pattern: &ast::Pattern,
        indices: &[ast::IndexBinder],
        ty: Option<&ast::Type>,
        value: &ast::Expr,
        span: Span,
    ) -> Lowered<()> {
        let (ast::Pattern::Name(name), Some(ast::Type { kind: ast::TypeKind::Tensor { shape: Some(dims), .. }, .. })) =
            (pattern, ty)
        else {
            return Err(self.report(
                Diagnostic::error(codes::KIND, pattern.span(), "the scatter form states the shape of its result")
                    .help("write `let y[p*s + i]: [n] += ...;`"),
            ));
        };
        let shape = self.stated_shape(dims)?;
        let mut names: Vec<ast::Name> = Vec::new();
        let mut places: Vec<ast::Expr> = Vec::new();
        let mut rest = None;
        for index in indices {
            match index {
                ast::IndexBinder::Place(e) => places.push(e.clone()),
                ast::IndexBinder::Bind(b) => {
                    places.push(ast::Expr { kind: ast::ExprKind::Name(b.name.clone()), span: b.name.span })
                }
                ast::IndexBinder::Rest(_) => rest = Some(places.len()),
            }
        }
        let mut bound = BTreeSet::new();
        for e in places.iter().chain([value]) {
            bound_names(e, &mut bound);
        }
        for e in places.iter().chain([value]) {
            self.free_indices(e, value, &bound, &mut names);
        }
        let binders: Vec<ast::Binder> = names.into_iter().map(|name| ast::Binder { name, range: None }).collect();
        let binders: Vec<&ast::Binder> = binders.iter().collect();
        let hint = self.hint.take();
        let lead_before = self.context.len();
        let everything = places.iter().chain([value]).cloned().collect();
        let everything = ast::Expr { kind: ast::ExprKind::Tuple(everything), span };
        let tensor = self.with_indices(&binders, &everything, |this, vars| {
            let body = this.operand(value)?;
            let mut at = Vec::new();
            for place in &places {
                let t = this.operand(place)?;
                if this.ty(&t) != Ty::Int || !t.axes.is_empty() {
                    return Err(this.error(codes::TYPE, place.span, "a place must be one integer"));
                }
                at.push(t.expr);
            }
            // `...` on the left: the axes that the added value has left.
            let own = body.axes.clone();
            for (k, &v) in own.iter().enumerate() {
                let index = this.graph().exprs.index(v);
                at.insert(rest.unwrap_or(at.len()) + if rest.is_some() { k } else { 0 }, index);
            }
            if shape.len() != at.len() {
                let message = format!("{} places for a tensor {}", at.len(), shape_text(&shape));
                return Err(this.error(codes::RANK, span, message));
            }
            if let (None, Some(_)) = (rest, own.first()) {
                return Err(this.report(
                    Diagnostic::error(codes::RANK, value.span, "what is added is one number for each place")
                        .help("write `...` on the left for the axes that it has: `let y[i, ...]: [n, m] += x[i];`"),
                ));
            }
            let body = this.real(&body, value.span)?;
            let free: Vec<Var> = at.iter().chain([&body]).flat_map(|&e| this.lead(e, &[])).collect();
            let lead: Vec<Var> = this.context[..lead_before].iter().copied().filter(|v| free.contains(v)).collect();
            let mut full_at: Vec<ExprId> = Vec::new();
            for &v in &lead {
                full_at.push(this.graph().exprs.index(v));
            }
            full_at.extend(at);
            let exprs = &this.model.graph.exprs;
            let mut full: Vec<usize> = lead.iter().map(|&v| exprs.extent(v)).collect();
            full.extend(&shape);
            let per_sample = lead.first().is_some_and(|&v| exprs.var(v).batch);
            let domain = lead.iter().chain(vars).chain(&own).copied().collect();
            let node = gdc_ir::Node {
                name: hint.clone().unwrap_or_else(|| this.path_to(&name.text)),
                kind: gdc_ir::NodeKind::Scatter { domain, at: full_at, body },
                shape: full.clone(),
                ty: Ty::Real,
                range: None,
                per_sample,
                origin: Some(Self::loc(span)),
            };
            let node = this.add_node(node, span)?;
            let whole = this.whole(node, &full);
            let map =
                whole.axes.iter().zip(&lead).map(|(&from, &to)| (from, this.model.graph.exprs.index(to))).collect();
            let expr = substitute(&mut this.graph().exprs, whole.expr, &map);
            Ok(Tensor { axes: whole.axes[lead.len()..].to_vec(), expr, range: None })
        })?;
        self.bind(name, Value::Tensor(tensor));
        Ok(())
    }

    /// Names in an expression that nothing defines, within it or outside: the indices of the
    /// scatter form. What reads `value` at a name means an index by it, even where a function has
    /// that name too.
    fn free_indices(&self, e: &ast::Expr, value: &ast::Expr, bound: &BTreeSet<String>, names: &mut Vec<ast::Name>) {
        if let ast::ExprKind::Name(n) = &e.kind
            && self.lookup(&n.text).is_none()
            && !bound.contains(&n.text)
            && !names.iter().any(|m| m.text == n.text)
            && (!self.is_defined(&n.text) || self.is_place(&n.text, value))
        {
            names.push(n.clone());
        }
        ast_children(e, &mut |child| self.free_indices(child, value, bound, names));
    }

    fn is_defined(&self, name: &str) -> bool {
        super::value::builtin(name).is_some()
            || super::value::VALUES.contains(&name)
            || self.library.names().any(|l| l == name)
    }

    fn is_place(&self, name: &str, value: &ast::Expr) -> bool {
        let mut reads = Vec::new();
        self.bare_reads(name, value, &mut reads);
        !reads.is_empty()
    }
}

/// The names that an expression binds within itself: indices of reductions, carries, lets of blocks.
fn bound_names(e: &ast::Expr, names: &mut BTreeSet<String>) {
    use ast::ExprKind as K;
    let mut blocks: Vec<&ast::Block> = Vec::new();
    match &e.kind {
        K::Reduce { binders, .. } => names.extend(binders.iter().map(|b| b.name.text.clone())),
        K::Scan { carries, over, body } => {
            names.extend(carries.iter().map(|(name, _)| name.text.clone()));
            names.extend(over.iter().map(|b| b.name.text.clone()));
            blocks.push(body);
        }
        K::Block(block) => blocks.push(block),
        K::If { then, otherwise, .. } => blocks.extend([then].into_iter().chain(otherwise)),
        _ => {}
    }
    for stmt in blocks.into_iter().flat_map(|b| &b.statements) {
        if let ast::StmtKind::Let { pattern, indices, .. } = &stmt.kind {
            match pattern {
                ast::Pattern::Name(name) => names.extend([name.text.clone()]),
                ast::Pattern::Tuple(list, _) => names.extend(list.iter().map(|n| n.text.clone())),
            }
            for index in indices.iter().flatten() {
                if let ast::IndexBinder::Bind(b) = index {
                    names.insert(b.name.text.clone());
                }
            }
        }
    }
    ast_children(e, &mut |child| bound_names(child, names));
}
