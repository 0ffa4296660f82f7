//! Which parameters an `optimizer`, `transform` or `freeze` statement is about.

use super::{Lowered, Lowerer, OptimizerUse};
use crate::codes;
use gdc_ir::{Kept, NodeId, Update};
use gdc_syntax::{Diagnostic, Span, ast};
use std::collections::BTreeMap;

impl Lowerer<'_> {
    /// A parameter that the loss does not depend on is almost always a slip.
    pub(super) fn warn_unused(&mut self, gradients: &[Update]) {
        for kept in self.model.params.clone() {
            if self.model.frozen.contains(&kept.node) || gradients.iter().any(|g| g.target == kept.node) {
                continue;
            }
            let node = self.model.graph.node(kept.node);
            let (name, span) = (node.name.clone(), span_of(node.origin));
            self.report(
                Diagnostic::warning(
                    codes::UNUSED_PARAM,
                    span,
                    format!("the loss does not depend on the parameter `{name}`"),
                )
                .help(format!("use it, take it out, or `freeze {name};` to say that it stays as it is")),
            );
        }
    }

    /// Which optimizer updates each parameter: one with a selector for it wins over one for all.
    pub(super) fn choose_optimizers(
        &mut self,
        uses: &[OptimizerUse],
        gradients: &[Update],
    ) -> Lowered<BTreeMap<NodeId, usize>> {
        let mut chosen: BTreeMap<NodeId, usize> = BTreeMap::new();
        for (i, one) in uses.iter().enumerate() {
            for g in gradients {
                let name = self.model.graph.node(g.target).name.clone();
                if !one.selectors.is_empty() && !one.selectors.iter().any(|s| selects(s, &name)) {
                    continue;
                }
                match chosen.get(&g.target) {
                    Some(&j) if uses[j].selectors.is_empty() == one.selectors.is_empty() => {
                        return Err(self.report(
                            Diagnostic::error(codes::OPTIMIZER, one.span, format!("two optimizers update `{name}`"))
                                .secondary(uses[j].span, "the other one")
                                .help("limit one of them with `for`, as in `optimizer sgd(lr = 0.1) for *.b;`"),
                        ));
                    }
                    Some(&j) if !uses[j].selectors.is_empty() => {}
                    _ => {
                        chosen.insert(g.target, i);
                    }
                }
            }
        }
        for g in gradients {
            if !chosen.contains_key(&g.target) && !uses.is_empty() {
                let name = self.model.graph.node(g.target).name.clone();
                return Err(self.report(
                    Diagnostic::error(codes::OPTIMIZER, uses[0].span, format!("no optimizer updates `{name}`"))
                        .help(format!("add an optimizer without `for`, or `freeze {name};`")),
                ));
            }
        }
        Ok(chosen)
    }

    pub(super) fn check_selectors(&mut self, uses: &[OptimizerUse]) -> Lowered<()> {
        for selector in uses.iter().flat_map(|u| &u.selectors) {
            self.selected(selector)?;
        }
        Ok(())
    }

    /// The parameters that a selector names: at least one.
    pub(super) fn selected(&mut self, selector: &ast::Selector) -> Lowered<Vec<NodeId>> {
        let name = |k: &Kept| self.model.graph.node(k.node).name.clone();
        let found: Vec<NodeId> =
            self.model.params.iter().filter(|k| selects(selector, &name(k))).map(|k| k.node).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let names: Vec<String> = self.model.params.iter().map(name).collect();
        Err(self.report(
            Diagnostic::error(codes::OPTIMIZER, selector.span, "no parameter has such a path")
                .note(format!("the parameters are: {}", names.join(", "))),
        ))
    }
}

/// The source place of a node.
pub(super) fn span_of(origin: Option<gdc_ir::Loc>) -> Span {
    let loc = origin.unwrap_or(gdc_ir::Loc(0, 0, 0));
    Span { file: gdc_syntax::FileId(loc.0), start: loc.1, end: loc.2 }
}

/// Whether a selector's parts, with `*` for any, are the last parts of a path, or its first.
fn selects(selector: &ast::Selector, path: &str) -> bool {
    let parts: Vec<&str> = path.split('.').collect();
    let wanted: Vec<&str> = selector.parts.iter().map(|p| p.text.as_str()).collect();
    if wanted.len() > parts.len() {
        return false;
    }
    let fits = |from: &[&str]| wanted.iter().zip(from).all(|(w, p)| *w == "*" || w == p);
    if wanted.first() == Some(&"*") { fits(&parts[parts.len() - wanted.len()..]) } else { fits(&parts) }
}
