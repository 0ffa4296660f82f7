//! `assert`: conditions on sizes, which hold or fail at once, and budgets of what is only known
//! later, which are noted for whoever compiles the model to the end.

use super::value::Value;
use super::{Lowered, Lowerer};
use crate::codes;
use gdc_ir::{Budget, Quantity};
use gdc_syntax::similar::suggest;
use gdc_syntax::{Diagnostic, Span, ast};

/// What a budget can be about.
const QUANTITIES: &[(&str, Quantity)] = &[
    ("params", Quantity::Params),
    ("workspace", Quantity::Workspace),
    ("flops", Quantity::Flops),
    ("step_flops", Quantity::StepFlops),
    ("code", Quantity::Code),
];

/// What a budget is about, where an expression is the name of a quantity.
fn quantity(e: &ast::Expr) -> Option<Quantity> {
    let ast::ExprKind::Name(name) = &e.kind else { return None };
    QUANTITIES.iter().find(|(n, _)| *n == name.text).map(|(_, q)| *q)
}

/// Whether an assertion is about the whole model.
pub(super) fn is_budget(e: &ast::Expr) -> bool {
    match &e.kind {
        ast::ExprKind::Name(n) => n.text == "no_unsafe",
        ast::ExprKind::Binary { left, right, .. } => quantity(left).is_some() || quantity(right).is_some(),
        _ => false,
    }
}

impl Lowerer<'_> {
    /// `assert params < 10_000;` or `assert n % heads == 0;`
    pub(super) fn assert(&mut self, value: &ast::Expr, unit: Option<&ast::Name>, span: Span) -> Lowered<()> {
        use ast::BinaryOp as B;
        if matches!(&value.kind, ast::ExprKind::Name(n) if n.text == "no_unsafe" && self.lookup(&n.text).is_none()) {
            let budget = Budget { quantity: Quantity::Unsafe, least: 0.0, most: 0.0, origin: Self::loc(span) };
            return self.budget(budget, value.span);
        }
        if let ast::ExprKind::Binary { op, left, right, .. } = &value.kind {
            let free = |e: &ast::Expr| match &e.kind {
                ast::ExprKind::Name(n) if self.lookup(&n.text).is_none() => quantity(e),
                _ => None,
            };
            let found = match (free(left), free(right)) {
                (Some(q), None) => Some((q, *op, right)),
                // `10_000 > params` is `params < 10_000`.
                (None, Some(q)) => Some((q, flipped(*op), left)),
                _ => None,
            };
            if let Some((quantity, op, limit)) = found {
                let limit_value = self.limit(limit, unit)?;
                let (below, above) = (limit_value.ceil() - 1.0, limit_value.floor() + 1.0);
                let (least, most) = match op {
                    B::Lt => (0.0, below),
                    B::Le => (0.0, limit_value),
                    B::Gt => (above, f64::INFINITY),
                    B::Ge => (limit_value, f64::INFINITY),
                    B::Eq => (limit_value, limit_value),
                    _ => {
                        return Err(self.report(
                            Diagnostic::error(codes::KIND, value.span, "a budget compares a quantity with a number")
                                .help("for example `assert params < 10_000;`"),
                        ));
                    }
                };
                let budget = Budget { quantity, least, most, origin: Self::loc(span) };
                return self.budget(budget, value.span);
            }
        }
        if let Some(unit) = unit {
            return Err(self.error(codes::KIND, unit.span, "a unit stands only after the number of a budget"));
        }
        self.condition(value)
    }

    fn budget(&mut self, budget: Budget, span: Span) -> Lowered<()> {
        if !self.in_model() {
            return Err(self.report(
                Diagnostic::error(codes::MISPLACED, span, "a budget is one of a whole model")
                    .help("write it among the model's statements"),
            ));
        }
        if !self.again {
            self.model.budgets.push(budget);
        }
        Ok(())
    }

    /// The number that a quantity is compared with, in bytes or as it stands.
    fn limit(&mut self, e: &ast::Expr, unit: Option<&ast::Name>) -> Lowered<f64> {
        let t = self.operand(e)?;
        let real = self.real(&t, e.span)?;
        let scale = match unit.map(|u| u.text.as_str()) {
            None | Some("B") => 1.0,
            Some("KiB") => 1024.0,
            Some("MiB") => 1024.0 * 1024.0,
            Some("GiB") => 1024.0 * 1024.0 * 1024.0,
            Some(other) => {
                let span = unit.map_or(e.span, |u| u.span);
                let d = Diagnostic::error(codes::KIND, span, format!("there is no unit `{other}`"));
                return Err(self.report(d.help("`B`, `KiB`, `MiB` or `GiB`")));
            }
        };
        match self.model.graph.exprs.as_real(real) {
            Some(x) => Ok(x * scale),
            None => Err(self.error(codes::NOT_CONSTANT, e.span, "a budget must be known when the model is compiled")),
        }
    }

    /// A condition on what is known now.
    fn condition(&mut self, value: &ast::Expr) -> Lowered<()> {
        if let ast::ExprKind::Binary { left, .. } = &value.kind
            && let ast::ExprKind::Name(n) = &left.kind
            && self.lookup(&n.text).is_none()
            && let Some(close) = suggest(&n.text, QUANTITIES.iter().map(|(q, _)| *q))
        {
            let d = Diagnostic::error(codes::UNKNOWN_NAME, n.span, format!("there is no quantity `{}`", n.text));
            return Err(self.report(d.help(format!("did you mean `{close}`?"))));
        }
        let t = self.operand(value)?;
        match self.static_bool(t.expr) {
            Some(true) => Ok(()),
            Some(false) => {
                let d = self.broken(value);
                Err(self.report(d))
            }
            // A definition cannot know whether it is given constants; who asks by its own values can.
            None if self.asks_open_argument(value) => Ok(()),
            None => Err(self.report(
                Diagnostic::error(
                    codes::NOT_CONSTANT,
                    value.span,
                    "what is asserted must be known when the model is compiled",
                )
                .note("sizes and constants are; values of a sample are not"),
            )),
        }
    }

    /// What is wrong with a condition that does not hold: in a definition, with the call that
    /// breaks it and what the arguments are there.
    fn broken(&mut self, value: &ast::Expr) -> Diagnostic {
        let mut names = Vec::new();
        arguments_in(value, &mut |name| names.push(name.clone()));
        names.retain(|n| self.lookup(&n.text).is_some());
        names.dedup_by(|a, b| a.text == b.text);
        let call = self.calls.last().cloned().filter(|_| !self.in_model());
        if let Some((called, span)) = call {
            let condition = self.sources.text(value.span).to_owned();
            let mut worth: Vec<String> = Vec::new();
            for name in &names {
                let e = ast::Expr { kind: ast::ExprKind::Name(name.clone()), span: name.span };
                let text = self.constant_text(&e).map(|v| format!("`{}` is {v}", name.text));
                worth.extend(text.filter(|t| !worth.contains(t)));
            }
            let worth = if worth.is_empty() { String::new() } else { format!(", and {}", worth.join(", ")) };
            let message = format!("`{called}` wants `{condition}`{worth}");
            let d = Diagnostic::error(codes::ASSERTION, value.span, message);
            return if self.in_library(value.span) {
                d
            } else {
                d.secondary(span, format!("in this call of `{called}`"))
            };
        }
        let mut d = Diagnostic::error(codes::ASSERTION, value.span, "this does not hold");
        if let ast::ExprKind::Binary { left, right, .. } = &value.kind {
            for side in [left, right] {
                if let (false, Some(text)) =
                    (matches!(side.kind, ast::ExprKind::Number { .. }), self.constant_text(side))
                {
                    d = d.secondary(side.span, format!("this is {text}"));
                }
            }
        }
        d
    }

    /// Whether a condition in a definition reads an argument that is no constant here.
    fn asks_open_argument(&self, value: &ast::Expr) -> bool {
        let arguments = match self.frames.last() {
            Some(frame) if !frame.model => frame.blocks.first(),
            _ => None,
        };
        let exprs = &self.model.graph.exprs;
        let open = |v: &Value| match v {
            Value::Tensor(t) => {
                exprs.as_real(t.expr).is_none() && exprs.as_int(t.expr).is_none() && self.static_bool(t.expr).is_none()
            }
            _ => false,
        };
        let mut found = false;
        arguments_in(value, &mut |name| {
            found |= arguments.and_then(|a| a.get(&name.text)).is_some_and(|b| open(&b.value));
        });
        found
    }

    fn constant_text(&mut self, e: &ast::Expr) -> Option<String> {
        let Ok(Value::Tensor(t)) = self.expr(e) else { return None };
        let exprs = &self.model.graph.exprs;
        exprs.as_int(t.expr).map(|i| i.to_string()).or_else(|| exprs.as_real(t.expr).map(|r| r.to_string()))
    }
}

/// Visits the names that an expression holds.
fn arguments_in(e: &ast::Expr, visit: &mut impl FnMut(&ast::Name)) {
    if let ast::ExprKind::Name(name) = &e.kind {
        visit(name);
    }
    super::index::ast_children(e, &mut |child| arguments_in(child, visit));
}

/// The comparison with its sides exchanged.
fn flipped(op: ast::BinaryOp) -> ast::BinaryOp {
    use ast::BinaryOp as B;
    match op {
        B::Lt => B::Gt,
        B::Le => B::Ge,
        B::Gt => B::Lt,
        B::Ge => B::Le,
        other => other,
    }
}
