//! Index notation: binding indices, finding their ranges, and reading tensors at places.

use super::types::{axes_text, shape_text};
use super::value::{Binding, Tensor, Value};
use super::{Lowered, Lowerer};
use crate::build::substitute;
use crate::codes;
use gdc_ir::ranges::int_interval;
use gdc_ir::{ExprId, Ty, Var};
use gdc_syntax::{Diagnostic, Span, ast};
use std::collections::HashMap;

/// Where a bare read gives an index its range.
pub(super) struct BareRead {
    /// Whether the axis runs over the samples of a batch.
    lanes: bool,
    extent: usize,
    tensor: String,
    axis: usize,
    span: Span,
}

impl Lowerer<'_> {
    /// Binds indices for the time of `run`, in a block of their own. `bodies` is searched for
    /// the bare reads that give an index its range.
    pub(super) fn with_indices<T>(
        &mut self,
        binders: &[&ast::Binder],
        body: &ast::Expr,
        run: impl FnOnce(&mut Self, &[Var]) -> Lowered<T>,
    ) -> Lowered<T> {
        let mut bound = Vec::new();
        for binder in binders {
            bound.push((*binder, self.index_range(binder, body)?));
        }
        let depth = self.context.len();
        self.in_block(|this| {
            let mut vars = Vec::new();
            for (binder, (low, extent, lanes)) in bound {
                let var = this.graph().exprs.fresh(binder.name.text.clone(), extent, false);
                let index = this.graph().exprs.affine(gdc_ir::Affine { terms: vec![(var, 1)], constant: low });
                let range = Some((low, low + extent as i64));
                let value = Value::Tensor(Tensor { axes: Vec::new(), expr: index, range });
                this.bind_as(&binder.name, Binding { value, span: binder.name.span, mutable: false, state: None });
                if lanes {
                    this.lanes.insert(var);
                }
                this.context.push(var);
                vars.push(var);
            }
            let result = run(this, &vars);
            this.context.truncate(depth);
            result
        })
    }

    /// First value and extent of an index, and whether it runs over the samples of a batch.
    fn index_range(&mut self, binder: &ast::Binder, body: &ast::Expr) -> Lowered<(i64, usize, bool)> {
        if let Some(range) = &binder.range {
            let (low, high) = self.stated_range(range)?;
            let mut reads = Vec::new();
            self.bare_reads(&binder.name.text, body, &mut reads);
            let lanes = reads.iter().find(|r| r.lanes);
            if let Some(read) = lanes.filter(|r| (low, high) != (0, r.extent as i64)) {
                return Err(self.part_of_batch(range.span, read.span));
            }
            return Ok((low, (high - low) as usize, lanes.is_some()));
        }
        let mut reads = Vec::new();
        if self.reads_undefined(body) {
            return Err(gdc_syntax::Reported);
        }
        self.bare_reads(&binder.name.text, body, &mut reads);
        let Some(first) = reads.first() else {
            let name = &binder.name.text;
            return Err(self.report(
                Diagnostic::error(
                    codes::INDEX_RANGE,
                    binder.name.span,
                    format!("nothing gives the index `{name}` its range"),
                )
                .label("runs over what?")
                .note(format!(
                    "a range comes from a bare read such as `x[{name}]`, never from arithmetic like `x[{name} + 1]`"
                ))
                .help(format!("write the range: `{name} in 0..n`")),
            ));
        };
        if let Some(other) = reads.iter().find(|r| r.extent != first.extent) {
            let name = &binder.name.text;
            let describe = |r: &BareRead| format!("axis {} of `{}` has size {}", r.axis, r.tensor, r.extent);
            let diagnostic = Diagnostic::error(
                codes::INDEX_DISAGREES,
                other.span,
                format!("the index `{name}` runs over axes of different sizes, {} and {}", first.extent, other.extent),
            )
            .label(describe(other))
            .secondary(first.span, describe(first))
            .help("check for swapped indices or transposed weights; a smaller range can be stated as `in 0..n`");
            return Err(self.report(diagnostic));
        }
        Ok((0, first.extent, reads.iter().any(|r| r.lanes)))
    }

    /// Samples have places in a batch only by chance, and a partial batch lacks some.
    fn part_of_batch(&mut self, span: Span, read: Span) -> gdc_syntax::Reported {
        self.report(
            Diagnostic::error(codes::MISPLACED, span, "a part of the samples of a batch is wanted here")
                .secondary(read, "this axis runs over the samples")
                .help("take all of them: reductions skip those that a partial batch lacks"),
        )
    }

    /// Whether an index is used on something that an earlier error left undefined.
    fn reads_undefined(&self, expr: &ast::Expr) -> bool {
        let mut found = false;
        if let ast::ExprKind::Index { base, .. } = &expr.kind
            && let ast::ExprKind::Name(tensor) = &base.kind
        {
            found = matches!(self.lookup(&tensor.text), Some(Binding { value: Value::Poison, .. }));
        }
        ast_children(expr, &mut |child| found = found || self.reads_undefined(child));
        found
    }

    /// Every `x[.., name, ..]` in an expression, where `x` is a tensor in scope.
    pub(super) fn bare_reads(&self, name: &str, expr: &ast::Expr, found: &mut Vec<BareRead>) {
        if let ast::ExprKind::Index { base, at, .. } = &expr.kind
            && let ast::ExprKind::Name(tensor) = &base.kind
            && let Some(Binding { value: Value::Tensor(t), .. }) = self.lookup(&tensor.text)
        {
            let rest = at.iter().position(|p| matches!(p, ast::Place::Rest(_)));
            for (i, place) in at.iter().enumerate() {
                if let ast::Place::At(e) = place
                    && let ast::ExprKind::Name(n) = &e.kind
                    && n.text == name
                {
                    let axis = match rest {
                        Some(r) if i > r => (t.axes.len() + i).checked_sub(at.len()),
                        _ => Some(i),
                    };
                    if let Some(&var) = axis.and_then(|a| t.axes.get(a)) {
                        let extent = self.model.graph.exprs.extent(var);
                        let lanes = self.lanes.contains(&var);
                        found.push(BareRead { lanes, extent, tensor: tensor.text.clone(), axis: i, span: e.span });
                    }
                }
            }
        }
        ast_children(expr, &mut |child| self.bare_reads(name, child, found));
    }

    /// `base[at] else otherwise`
    pub(super) fn read_index(
        &mut self,
        value: Value,
        base: &ast::Expr,
        at: &[ast::Place],
        otherwise: Option<&ast::Expr>,
        span: Span,
    ) -> Lowered<Value> {
        let tensor = self.tensor(value, base.span)?;
        let tensor = self.materialise(tensor, base.span)?;
        let places = self.expand_rest(&tensor, at, base, span)?;
        let (outside, range) = match otherwise {
            Some(e) => {
                let (outside, range) = self.outside(&tensor, e)?;
                (Some(outside), range)
            }
            None => (None, tensor.range),
        };
        let mut map = HashMap::new();
        let mut axes = Vec::new();
        for (&var, place) in tensor.axes.iter().zip(places.iter().map(Some).chain(std::iter::repeat(None))) {
            let extent = self.model.graph.exprs.extent(var);
            match place {
                None | Some(None) => axes.push(self.keep_axis(var, &mut map)),
                Some(Some(ast::Expr { kind: ast::ExprKind::Range { .. }, span })) => {
                    let range = places.iter().flatten().find(|e| e.span == *span).copied();
                    if let Some(range) = range {
                        axes.push(self.slice(var, extent, range, &mut map)?);
                    }
                }
                Some(Some(e)) => {
                    let index = self.place(e, extent, outside.is_none())?;
                    map.insert(var, index);
                }
            }
        }
        let expr = match outside {
            None => substitute(&mut self.graph().exprs, tensor.expr, &map),
            Some(outside) => self.padded_read(&tensor, &map, outside, span)?,
        };
        Ok(Value::Tensor(Tensor { axes, expr, range }))
    }

    /// What a read yields outside of its tensor, of the same type as inside, and the range of both
    /// together.
    fn outside(&mut self, tensor: &Tensor, e: &ast::Expr) -> Lowered<(ExprId, Option<(i64, i64)>)> {
        let v = self.expr(e)?;
        let t = self.tensor(v, e.span)?;
        if !t.axes.is_empty() {
            return Err(self.error(codes::RANK, e.span, "the value outside must be one number"));
        }
        let (inside, found) = (self.ty(tensor), self.ty(&t));
        match inside {
            Ty::Real => Ok((self.real(&t, e.span)?, None)),
            _ if inside != found => {
                let what = if inside == Ty::Int { "an integer" } else { "a truth value" };
                let message = format!("what is read is {what} inside of its tensor, and something else outside");
                Err(self.error(codes::TYPE, e.span, message))
            }
            Ty::Bool => Ok((t.expr, None)),
            Ty::Int => {
                let own = int_interval(&self.model.graph, t.expr);
                let range = tensor.range.zip(own).map(|((low, high), (a, b))| (low.min(a), high.max(b + 1)));
                Ok((t.expr, range))
            }
        }
    }

    /// One entry per axis: `None` keeps it whole.
    fn expand_rest<'e>(
        &mut self,
        tensor: &Tensor,
        at: &'e [ast::Place],
        base: &ast::Expr,
        span: Span,
    ) -> Lowered<Vec<Option<&'e ast::Expr>>> {
        let rank = tensor.axes.len();
        let given = at.iter().filter(|p| matches!(p, ast::Place::At(_))).count();
        if given > rank {
            let shape = shape_text(&self.shape(tensor));
            return Err(self.report(
                Diagnostic::error(codes::RANK, span, format!("{given} indices for a tensor with {}", axes_text(rank)))
                    .secondary(base.span, format!("this is {shape}"))
                    .note("the batch is never written: an input's first axis is the first of one sample"),
            ));
        }
        let mut places = Vec::new();
        for place in at {
            match place {
                ast::Place::At(e) => places.push(Some(e)),
                ast::Place::Rest(_) => places.extend(std::iter::repeat_n(None, rank - given)),
            }
        }
        Ok(places)
    }

    fn keep_axis(&mut self, var: Var, map: &mut HashMap<Var, ExprId>) -> Var {
        let info = self.model.graph.exprs.var(var).clone();
        let new = self.graph().exprs.fresh(info.name, info.extent, false);
        let index = self.graph().exprs.index(new);
        map.insert(var, index);
        self.same_lanes(var, new);
        new
    }

    fn slice(&mut self, var: Var, extent: usize, range: &ast::Expr, map: &mut HashMap<Var, ExprId>) -> Lowered<Var> {
        let ast::ExprKind::Range { start, end, inclusive } = &range.kind else {
            return Ok(self.keep_axis(var, map));
        };
        let bound = |this: &mut Self, e: &Option<Box<ast::Expr>>, default: i64| match e {
            Some(e) => {
                let v = this.expr(e)?;
                this.static_int(&v, e.span, "a slice's bound")
            }
            None => Ok(default),
        };
        let low = bound(self, start, 0)?;
        let high = bound(self, end, extent as i64)? + i64::from(*inclusive);
        if low < 0 || high > extent as i64 || low >= high {
            return Err(self.report(
                Diagnostic::error(
                    codes::OUT_OF_RANGE,
                    range.span,
                    format!("the slice {low}..{high} does not lie in an axis of size {extent}"),
                )
                .label(format!("{low}..{high}")),
            ));
        }
        if self.lanes.contains(&var) && (low, high) != (0, extent as i64) {
            return Err(self.part_of_batch(range.span, range.span));
        }
        let name = self.model.graph.exprs.var(var).name.clone();
        let new = self.graph().exprs.fresh(name, (high - low) as usize, false);
        let index = self.graph().exprs.affine(gdc_ir::Affine { terms: vec![(new, 1)], constant: low });
        map.insert(var, index);
        self.same_lanes(var, new);
        Ok(new)
    }

    /// One index: an integer, inside the axis unless the read says what lies outside.
    fn place(&mut self, e: &ast::Expr, extent: usize, checked: bool) -> Lowered<ExprId> {
        let value = self.expr(e)?;
        let index = self.tensor(value, e.span)?;
        if !index.axes.is_empty() {
            return Err(self.error(codes::RANK, e.span, "an index must be one integer, and this is a tensor"));
        }
        if self.ty(&index) != Ty::Int {
            return Err(self.report(
                Diagnostic::error(codes::TYPE, e.span, "an index must be an integer, and this is a real number")
                    .help("an integer input states its range: `input id: in 0..10;`"),
            ));
        }
        if !checked {
            return Ok(index.expr);
        }
        match int_interval(&self.model.graph, index.expr) {
            Some((low, high)) if low >= 0 && high < extent as i64 => Ok(index.expr),
            Some((low, high)) => {
                let mut d = Diagnostic::error(
                    codes::OUT_OF_RANGE,
                    e.span,
                    format!("this index can fall outside an axis of size {extent}"),
                )
                .label(if low == high {
                    format!("this is {low}")
                } else {
                    format!("runs over {low}..={high}")
                });
                d = if low == high && low < 0 {
                    d.help(format!("there are no negative indices: the last element is `[{}]`", extent - 1))
                } else if low == high {
                    d.help(format!("the last element is `[{}]`: indices count from 0", extent - 1))
                } else {
                    d.help("shorten the range, or say what lies outside: `x[i + 1] else 0`")
                };
                Err(self.report(d))
            }
            None => Err(self.error(codes::OUT_OF_RANGE, e.span, "nothing bounds this index")),
        }
    }

    /// A read that gives `outside` where a place falls outside.
    fn padded_read(
        &mut self,
        tensor: &Tensor,
        map: &HashMap<Var, ExprId>,
        outside: ExprId,
        span: Span,
    ) -> Lowered<ExprId> {
        let (node, axes) = self.node_of(tensor, span)?;
        let ty = self.model.graph.node(node).ty;
        let exprs = &mut self.model.graph.exprs;
        let at = axes.iter().map(|v| map.get(v).copied().unwrap_or_else(|| exprs.index(*v))).collect();
        Ok(crate::build::Build::read(exprs, node, ty, at, Some(outside)))
    }
}

/// Visits the direct sub-expressions of an expression, statements of blocks included.
pub(super) fn ast_children<'e>(expr: &'e ast::Expr, visit: &mut impl FnMut(&'e ast::Expr)) {
    use ast::ExprKind as K;
    match &expr.kind {
        K::Number { .. } | K::Bool(_) | K::Str(_) | K::Name(_) => {}
        K::List(list) | K::Tuple(list) => list.iter().for_each(visit),
        K::Block(block) => block_children(block, visit),
        K::Unary { operand, .. } => visit(operand),
        K::Binary { left, right, .. } => {
            visit(left);
            visit(right);
        }
        K::Range { start, end, .. } => start.iter().chain(end).for_each(|e| visit(e)),
        K::Pipe { value, call } => {
            visit(value);
            visit(call);
        }
        K::If { condition, then, otherwise } => {
            visit(condition);
            block_children(then, visit);
            otherwise.iter().for_each(|b| block_children(b, visit));
        }
        K::Reduce { body, condition, .. } => {
            visit(body);
            condition.iter().for_each(|e| visit(e));
        }
        K::Scan { carries, body, .. } => {
            carries.iter().for_each(|(_, e)| visit(e));
            block_children(body, visit);
        }
        K::Call { callee, args } => {
            visit(callee);
            args.iter().for_each(|a| visit(&a.value));
        }
        K::Index { base, at, otherwise } => {
            visit(base);
            for place in at {
                if let ast::Place::At(e) = place {
                    visit(e);
                }
            }
            otherwise.iter().for_each(|e| visit(e));
        }
        K::Field { base, .. } | K::As { base, .. } => visit(base),
    }
}

fn block_children<'e>(block: &'e ast::Block, visit: &mut impl FnMut(&'e ast::Expr)) {
    for stmt in &block.statements {
        match &stmt.kind {
            ast::StmtKind::Let { value, .. } | ast::StmtKind::Update { value, .. } | ast::StmtKind::Expr(value) => {
                visit(value)
            }
            _ => {}
        }
    }
    block.value.iter().for_each(|e| visit(e));
}
