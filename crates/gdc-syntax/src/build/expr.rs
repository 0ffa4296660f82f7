//! From pest pairs to the syntax tree: expressions.
//!
//! The grammar reads an expression flat; precedence is applied here by climbing.

use super::{Builder, Built, Parts};
use crate::ast::{self, BinaryOp, ExprKind, ReduceOp, UnaryOp};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use gdc_grammar::Rule;
use pest::iterators::Pair;

/// How tightly operators bind, loosest first.
mod power {
    pub const PIPE: u8 = 1;
    pub const OR: u8 = 2;
    pub const AND: u8 = 3;
    pub const COMPARE: u8 = 4;
    pub const RANGE: u8 = 5;
    pub const ADD: u8 = 6;
    pub const MUL: u8 = 7;
    pub const PREFIX: u8 = 8;
    pub const POW: u8 = 9;
}

/// An infix operator.
#[derive(Clone, Copy)]
enum Infix {
    Pipe,
    Range { inclusive: bool },
    Binary(BinaryOp),
}

impl Builder<'_> {
    pub(super) fn need_expr(&mut self, parts: &mut Parts<'_>) -> Built<ast::Expr> {
        let pair = self.need(parts, Rule::expr)?;
        self.expr(pair)
    }

    pub(super) fn optional_expr(&mut self, parts: &mut Parts<'_>) -> Built<Option<ast::Expr>> {
        match parts.take(Rule::expr) {
            Some(pair) => Ok(Some(self.expr(pair)?)),
            None => Ok(None),
        }
    }

    fn expr(&mut self, pair: Pair<'_, Rule>) -> Built<ast::Expr> {
        let levels = levels(&pair);
        let mut parts = self.parts(pair);
        self.enter(levels, parts.whole)?;
        let expr = self.climb(&mut parts, power::PIPE)?;
        self.leave(levels);
        Ok(expr)
    }

    /// Operands joined by operators that bind at least as tightly as `least`.
    fn climb(&mut self, parts: &mut Parts<'_>, least: u8) -> Built<ast::Expr> {
        let mut left = self.operand(parts)?;
        // The operator that made `left`, where it is one that does not chain.
        let mut unchained: Option<(u8, Span)> = None;
        while parts.peek() == Some(Rule::op) {
            let Some((infix, power)) = parts.pairs.peek().and_then(|p| infix(p.as_str())) else {
                return Err(self.disagreement(parts.whole));
            };
            if power < least {
                break;
            }
            let op = self.need(parts, Rule::op)?;
            let op_span = self.span(&op);
            let right = self.climb(parts, if power == power::POW { power } else { power + 1 })?;
            match unchained {
                Some((earlier, span)) if earlier == power => self.chained(power, span, op_span),
                _ => {}
            }
            unchained = matches!(power, power::COMPARE | power::RANGE).then_some((power, op_span));
            left = self.join(infix, op_span, left, right);
        }
        Ok(left)
    }

    fn chained(&mut self, power: u8, first: Span, second: Span) {
        let diagnostic = if power == power::COMPARE {
            Diagnostic::error(codes::E0009, second, "comparisons do not chain")
                .secondary(first, "the left side is a comparison already")
                .help("write `a < b && b < c`, or parentheses around one comparison")
        } else {
            Diagnostic::error(codes::E0009, second, "ranges do not chain")
                .secondary(first, "the left side is a range already")
        };
        self.report(diagnostic);
    }

    fn join(&mut self, infix: Infix, op_span: Span, left: ast::Expr, right: ast::Expr) -> ast::Expr {
        let span = left.span.to(right.span);
        let (left, right) = (Box::new(left), Box::new(right));
        let kind = match infix {
            Infix::Pipe => {
                self.check_pipe_target(&right);
                ExprKind::Pipe { value: left, call: right }
            }
            Infix::Range { inclusive } => ExprKind::Range { start: Some(left), end: Some(right), inclusive },
            Infix::Binary(op) => ExprKind::Binary { op, op_span, left, right },
        };
        ast::Expr { kind, span }
    }

    fn check_pipe_target(&mut self, call: &ast::Expr) {
        if is_call(call) {
            return;
        }
        let diagnostic = Diagnostic::error(codes::E0010, call.span, "the right side of `|>` must be a call");
        let diagnostic = match &call.kind {
            ExprKind::Binary { left, .. } if is_call(left) => diagnostic
                .label("`|>` binds loosest, so all of this is its right side")
                .help("put parentheses around the pipe: `(x |> f) + y`"),
            ExprKind::Index { .. } | ExprKind::Field { .. } => diagnostic
                .label("this reads a part of something")
                .help("put parentheses around the pipe: `(x |> f)[i]`"),
            _ => diagnostic
                .label("this is no call")
                .help("write `x |> f` or `x |> f(a)`; `x` becomes the first argument"),
        };
        self.report(diagnostic);
    }

    /// An operand with what stands before and after it.
    fn operand(&mut self, parts: &mut Parts<'_>) -> Built<ast::Expr> {
        if let Some(pair) = parts.take(Rule::prefix) {
            let op = if pair.as_str() == "!" { UnaryOp::Not } else { UnaryOp::Neg };
            let operand = self.climb(parts, power::PREFIX)?;
            let span = self.span(&pair).to(operand.span);
            let kind = ExprKind::Unary { op, operand: Box::new(operand) };
            return Ok(ast::Expr { kind, span });
        }
        let Some(pair) = parts.next() else {
            return Err(self.disagreement(parts.whole));
        };
        let mut expr = self.primary(pair)?;
        while let Some(rule) = parts.peek() {
            let Some(pair) = (match rule {
                Rule::call | Rule::index | Rule::field | Rule::label => parts.next(),
                _ => None,
            }) else {
                break;
            };
            expr = self.postfix(expr, pair)?;
        }
        Ok(expr)
    }

    fn postfix(&mut self, base: ast::Expr, pair: Pair<'_, Rule>) -> Built<ast::Expr> {
        let rule = pair.as_rule();
        let mut span = base.span.to(self.span(&pair));
        let mut parts = self.parts(pair);
        let base = Box::new(base);
        let kind = match rule {
            Rule::call => {
                let args = self.args(&mut parts)?;
                if let ExprKind::Field { base, name } = &base.kind {
                    self.method_call(base, name, &args);
                }
                ExprKind::Call { callee: base, args }
            }
            Rule::index => {
                let mut at = Vec::new();
                while let Some(pair) = parts.take(Rule::at) {
                    at.push(self.place(pair)?);
                }
                let close = self.need(&mut parts, Rule::close_index)?;
                span.end = self.span(&close).end;
                let otherwise = match parts.take(Rule::otherwise) {
                    Some(pair) => Some(Box::new(self.otherwise(pair)?)),
                    None => None,
                };
                if let Some(otherwise) = &otherwise {
                    span.end = otherwise.span.end;
                }
                ExprKind::Index { base, at, otherwise }
            }
            Rule::field => match parts.next() {
                Some(pair) => ExprKind::Field { base, name: self.name(&pair) },
                None => return Err(self.disagreement(span)),
            },
            _ => ExprKind::As { base, label: self.need_name(&mut parts)? },
        };
        Ok(ast::Expr { kind, span })
    }

    /// `x.relu()` of other languages.
    fn method_call(&mut self, base: &ast::Expr, method: &ast::Name, args: &[ast::Arg]) {
        let value = match &base.kind {
            ExprKind::Name(name) => name.text.as_str(),
            _ => "x",
        };
        let call = if args.is_empty() { "" } else { "(...)" };
        let help = match value {
            // What looks like a method is a function of a module that does not exist here.
            "np" | "numpy" | "math" | "torch" | "nn" | "F" | "tf" | "keras" | "K" | "jnp" | "jax" => {
                format!("functions have no prefix: write `{}(x)`", method.text)
            }
            _ => format!("write `{value} |> {}{call}`", method.text),
        };
        self.report(Diagnostic::error(codes::E0013, method.span, "gd has no method calls").help(help));
    }

    /// The value after `else` of a read: an operand, without infix operators.
    fn otherwise(&mut self, pair: Pair<'_, Rule>) -> Built<ast::Expr> {
        let levels = levels(&pair);
        let mut parts = self.parts(pair);
        self.enter(levels, parts.whole)?;
        let expr = self.operand(&mut parts)?;
        self.leave(levels);
        Ok(expr)
    }

    fn args(&mut self, parts: &mut Parts<'_>) -> Built<Vec<ast::Arg>> {
        let mut args = Vec::new();
        while let Some(pair) = parts.take(Rule::arg) {
            let mut inner = self.parts(pair);
            let name = inner.take(Rule::ident).map(|pair| self.name(&pair));
            args.push(ast::Arg { name, value: self.need_expr(&mut inner)? });
        }
        Ok(args)
    }

    /// One place of a read: an index, a slice, or `...`.
    fn place(&mut self, pair: Pair<'_, Rule>) -> Built<ast::Place> {
        let mut parts = self.parts(pair);
        if let Some(pair) = parts.take(Rule::rest) {
            return Ok(ast::Place::Rest(self.span(&pair)));
        }
        if let Some(dots) = parts.take(Rule::dots) {
            let mut span = self.span(&dots);
            let inclusive = dots.as_str().ends_with('=');
            let end = self.optional_expr(&mut parts)?.map(Box::new);
            if let Some(end) = &end {
                span = span.to(end.span);
            }
            let kind = ExprKind::Range { start: None, end, inclusive };
            return Ok(ast::Place::At(ast::Expr { kind, span }));
        }
        let expr = self.need_expr(&mut parts)?;
        let Some(dots) = parts.take(Rule::to_end) else {
            return Ok(ast::Place::At(expr));
        };
        let span = expr.span.to(self.span(&dots));
        let kind = ExprKind::Range { start: Some(Box::new(expr)), end: None, inclusive: false };
        Ok(ast::Place::At(ast::Expr { kind, span }))
    }

    pub(super) fn primary(&mut self, pair: Pair<'_, Rule>) -> Built<ast::Expr> {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::ident => ExprKind::Name(self.name(&pair)),
            Rule::number => self.number(&pair)?,
            Rule::string => ExprKind::Str(self.string(&pair)?),
            Rule::boolean => ExprKind::Bool(pair.as_str() == "true"),
            Rule::paren => return self.paren(pair),
            Rule::list => {
                let mut parts = self.parts(pair);
                ExprKind::List(self.exprs(&mut parts)?)
            }
            Rule::block => ExprKind::Block(self.block(pair)?),
            Rule::reduce => self.reduce(pair)?,
            Rule::scan => self.scan(pair)?,
            Rule::if_ => return self.if_expr(pair),
            _ => return Err(self.disagreement(span)),
        };
        Ok(ast::Expr { kind, span })
    }

    fn exprs(&mut self, parts: &mut Parts<'_>) -> Built<Vec<ast::Expr>> {
        let mut list = Vec::new();
        while let Some(expr) = self.optional_expr(parts)? {
            list.push(expr);
        }
        Ok(list)
    }

    /// A group, which leaves only its span, or a tuple.
    fn paren(&mut self, pair: Pair<'_, Rule>) -> Built<ast::Expr> {
        let mut parts = self.parts(pair);
        let span = parts.whole;
        let mut list = self.exprs(&mut parts)?;
        let comma = parts.take(Rule::comma).is_some();
        if list.len() == 1
            && !comma
            && let Some(expr) = list.pop()
        {
            return Ok(ast::Expr { kind: expr.kind, span });
        }
        Ok(ast::Expr { kind: ExprKind::Tuple(list), span })
    }

    fn if_expr(&mut self, pair: Pair<'_, Rule>) -> Built<ast::Expr> {
        let mut parts = self.parts(pair);
        let start = parts.whole;
        self.enter(1, start)?;
        let condition = Box::new(self.need_expr(&mut parts)?);
        let then = self.need_block(&mut parts)?;
        let mut span = Span { end: then.span.end, ..start };
        let mut otherwise = None;
        if let Some(pair) = parts.take(Rule::if_) {
            let expr = self.if_expr(pair)?;
            let span = expr.span;
            otherwise = Some(ast::Block { statements: Vec::new(), value: Some(Box::new(expr)), span });
        } else if let Some(pair) = parts.take(Rule::block) {
            otherwise = Some(self.block(pair)?);
        }
        if let Some(block) = &otherwise {
            span.end = block.span.end;
        }
        self.leave(1);
        Ok(ast::Expr { kind: ExprKind::If { condition, then, otherwise }, span })
    }

    fn reduce(&mut self, pair: Pair<'_, Rule>) -> Built<ExprKind> {
        let mut parts = self.parts(pair);
        let op = self.need(&mut parts, Rule::reduction)?;
        let op = match op.as_str() {
            "sum" => ReduceOp::Sum,
            "mean" => ReduceOp::Mean,
            "prod" => ReduceOp::Prod,
            "max" => ReduceOp::Max,
            "min" => ReduceOp::Min,
            "argmax" => ReduceOp::Argmax,
            "argmin" => ReduceOp::Argmin,
            "any" => ReduceOp::Any,
            "all" => ReduceOp::All,
            _ => ReduceOp::Lse,
        };
        let binders = self.binders(&mut parts)?;
        let body = Box::new(self.need_expr(&mut parts)?);
        let condition = self.optional_expr(&mut parts)?.map(Box::new);
        Ok(ExprKind::Reduce { op, binders, body, condition })
    }

    fn binders(&mut self, parts: &mut Parts<'_>) -> Built<Vec<ast::Binder>> {
        let mut binders = Vec::new();
        while let Some(pair) = parts.take(Rule::binder) {
            let mut inner = self.parts(pair);
            binders.push(ast::Binder { name: self.need_name(&mut inner)?, range: self.optional_expr(&mut inner)? });
        }
        Ok(binders)
    }

    fn scan(&mut self, pair: Pair<'_, Rule>) -> Built<ExprKind> {
        let mut parts = self.parts(pair);
        let mut carries = Vec::new();
        while let Some(pair) = parts.take(Rule::carry) {
            let mut inner = self.parts(pair);
            carries.push((self.need_name(&mut inner)?, self.need_expr(&mut inner)?));
        }
        let over = self.binders(&mut parts)?;
        Ok(ExprKind::Scan { carries, over, body: self.need_block(&mut parts)? })
    }
}

/// One level for the expression and one for each operator: an upper bound of the
/// depth of its tree that does not depend on the tree's form.
fn levels(pair: &Pair<'_, Rule>) -> usize {
    use Rule::{call, field, index, label, op, prefix};
    let operators = pair.clone().into_inner();
    1 + operators.filter(|p| matches!(p.as_rule(), op | prefix | call | index | field | label)).count()
}

/// Whether `expr` can stand on the right of `|>`.
fn is_call(expr: &ast::Expr) -> bool {
    match &expr.kind {
        ExprKind::Name(_) | ExprKind::Call { .. } => true,
        ExprKind::As { base, .. } => is_call(base),
        _ => false,
    }
}

/// The operator that `text` spells, perhaps with blanks inside, and its power.
fn infix(text: &str) -> Option<(Infix, u8)> {
    use BinaryOp::*;
    let mut spelling = ['\0'; 3];
    for (slot, c) in spelling.iter_mut().zip(text.chars().filter(|c| !c.is_whitespace())) {
        *slot = c;
    }
    let binary = |op, power| Some((Infix::Binary(op), power));
    match spelling {
        ['|', '>', _] => Some((Infix::Pipe, power::PIPE)),
        ['|', '|', _] => binary(Or, power::OR),
        ['&', '&', _] => binary(And, power::AND),
        ['=', '=', _] => binary(Eq, power::COMPARE),
        ['!', '=', _] => binary(Ne, power::COMPARE),
        ['<', '=', _] => binary(Le, power::COMPARE),
        ['<', ..] => binary(Lt, power::COMPARE),
        ['>', '=', _] => binary(Ge, power::COMPARE),
        ['>', ..] => binary(Gt, power::COMPARE),
        ['.', '.', '='] => Some((Infix::Range { inclusive: true }, power::RANGE)),
        ['.', '.', _] => Some((Infix::Range { inclusive: false }, power::RANGE)),
        ['+', ..] => binary(Add, power::ADD),
        ['-', ..] => binary(Sub, power::ADD),
        ['*', ..] => binary(Mul, power::MUL),
        ['/', ..] => binary(Div, power::MUL),
        ['%', ..] => binary(Rem, power::MUL),
        ['@', ..] => binary(MatMul, power::MUL),
        ['^', ..] => binary(Pow, power::POW),
        _ => None,
    }
}
