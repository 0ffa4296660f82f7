//! Derivatives as values: `grad(e, x)` and `leaf(e)`.

use super::value::{Bound, Tensor};
use super::{Lowered, Lowerer};
use crate::codes;
use crate::differentiate::gradient;
use gdc_ir::Red;
use gdc_syntax::{Diagnostic, Span};

impl Lowerer<'_> {
    /// `grad(e, x)`: the derivative of a number, summed over the samples and whatever else it
    /// varies over, by an input, a parameter, a leaf or a named tensor.
    pub(super) fn grad(&mut self, args: &[Bound], span: Span) -> Lowered<Tensor> {
        let [of, by] = args else { return Err(gdc_syntax::Reported) };
        let e = self.tensor(of.value.clone(), of.span)?;
        if !e.axes.is_empty() {
            let shape = super::types::shape_text(&self.shape(&e));
            return Err(self.report(
                Diagnostic::error(codes::RANK, of.span, format!("`grad` differentiates a number, and this is {shape}"))
                    .help("take its `sum(...)` first"),
            ));
        }
        let x = self.tensor(by.value.clone(), by.span)?;
        let mut axes = self.lead(x.expr, &x.axes);
        axes.extend(&x.axes);
        let Some(node) = self.as_whole_node(x.expr, &axes) else {
            return Err(self.report(
                Diagnostic::error(codes::KIND, by.span, "`grad` differentiates by a tensor that has a name")
                    .help("by an input, a parameter, a `let`, or `leaf(e)`; for a part of one, differentiate by the whole and read the part"),
            ));
        };
        let over = self.lead(e.expr, &[]);
        let total = self.reduce(Red::Sum, false, over, e, of.span)?;
        let total = match self.as_whole_node(total.expr, &[]) {
            Some(node) => node,
            None => self.compute(Vec::new(), None, total.expr, None, span)?,
        };
        let found = gradient(self.graph(), total, &[node]).into_iter().flatten().next();
        let expr = match found {
            Some(g) => self.read_at(g, &axes),
            None => self.graph().exprs.real(0.0),
        };
        Ok(Tensor { axes: x.axes, expr, range: None })
    }

    /// `leaf(e)`: the same value as something to differentiate by, apart from all equal ones.
    pub(super) fn leaf(&mut self, arg: &Bound) -> Lowered<Tensor> {
        let t = self.tensor(arg.value.clone(), arg.span)?;
        let real = self.real(&t, arg.span)?;
        let t = self.refresh(&Tensor { expr: real, ..t });
        let mut axes = self.lead(t.expr, &t.axes);
        axes.extend(&t.axes);
        let node = self.compute(axes.clone(), None, t.expr, None, arg.span)?;
        Ok(Tensor { expr: self.read_at(node, &axes), ..t })
    }
}
