//! `stream t;`: which inputs are given one time at a time.

use super::{Lowered, Lowerer};
use crate::codes;
use gdc_ir::Streamed;
use gdc_syntax::{Diagnostic, Span, ast};

impl Lowerer<'_> {
    /// The inputs whose first axis is written as the `stream` statement writes it.
    pub(super) fn streamed(&mut self, statements: &[ast::Stmt]) -> Lowered<()> {
        let mut asked = statements.iter().filter_map(|stmt| match &stmt.kind {
            ast::StmtKind::Stream { value } => Some((value, stmt.span)),
            _ => None,
        });
        let Some((value, span)) = asked.next() else { return Ok(()) };
        if let Some((_, again)) = asked.next() {
            return Err(self.report(
                Diagnostic::error(codes::MISPLACED, again, "a model has one streaming form")
                    .secondary(span, "asked for here already"),
            ));
        }
        let wanted = self.written(value.span);
        let inputs = statements.iter().filter_map(|stmt| match &stmt.kind {
            ast::StmtKind::Declare { role: ast::Role::Input, name, ty: Some(ty), .. } => Some((name, ty)),
            _ => None,
        });
        let mut found = Vec::new();
        let mut elsewhere: Option<Span> = None;
        for (name, ty) in inputs {
            let ast::TypeKind::Tensor { shape: Some(shape), .. } = &ty.kind else { continue };
            let along = |dim: &ast::Dim| matches!(dim, ast::Dim::Size(e) if self.written(e.span) == wanted);
            let place = self.model.inputs.iter().position(|&i| self.model.graph.node(i).name == name.text);
            match shape.iter().position(along) {
                Some(0) => found.extend(place),
                Some(_) => elsewhere = Some(ty.span),
                None => {}
            }
        }
        if let Some(at) = elsewhere {
            return Err(self.report(
                Diagnostic::error(codes::STREAM, at, format!("`{wanted}` is not the first axis here"))
                    .secondary(span, "the axis that is streamed")
                    .help("the times are the first axis of what is given one time at a time"),
            ));
        }
        let Some(&first) = found.first() else {
            return Err(self.report(
                Diagnostic::error(codes::STREAM, value.span, format!("no input has `{wanted}` as its first axis"))
                    .help("write the axis as the inputs do: `input x: [t, 8];` and `stream t;`"),
            ));
        };
        let node = self.model.inputs[first];
        if self.model.graph.node(node).shape.get(1) == Some(&1) {
            return Err(self.error(codes::STREAM, value.span, "a sequence of one time is no stream"));
        }
        if self.model.outputs.is_empty() {
            return Err(self.report(
                Diagnostic::error(codes::STREAM, span, "a stream gives the outputs, and this model has none")
                    .help("add one: `output y = ...;`"),
            ));
        }
        self.model.stream = Some(Streamed { inputs: found, origin: Self::loc(span) });
        Ok(())
    }

    /// A piece of source without its blanks.
    fn written(&self, span: Span) -> String {
        let text = &self.sources.file(span.file).text;
        let piece = text.get(span.start as usize..span.end as usize).unwrap_or_default();
        piece.chars().filter(|c| !c.is_whitespace()).collect()
    }
}
