//! After a failure: says what is wrong, takes the wrong statement out and parses
//! again, so that one run finds more than one mistake.

use crate::build::Builder;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expect::{self, Refusal};
use crate::hints;
use crate::lex::{self, Kind, Token};
use crate::scan;
use crate::scene::Scene;
use crate::source::{FileId, Span};
use gdc_grammar::{GdParser, Rule};
use pest::Parser;
use std::ops::Range;

/// Mistakes reported of one source; each costs further parses of its item.
const MAX_MISTAKES: usize = 20;

/// Bytes that are parsed again in search of mistakes, after the first one: a few of a very long
/// item, all of a short one.
const MAX_WORK: usize = 1 << 20;

/// Reports what is wrong with `text`, which does not parse.
pub(crate) fn report(text: &str, rule: Rule, file: FileId, offset: usize, diagnostics: &mut Diagnostics) {
    let tokens = lex::tokens(text);
    let mut recovery = Recovery {
        text: text.to_owned(),
        tokens: tokens.clone(),
        file,
        offset,
        left: MAX_MISTAKES,
        work: MAX_WORK,
        diagnostics,
    };
    let before = recovery.diagnostics.count();
    if rule == Rule::file {
        for chunk in scan::chunks(text, &tokens) {
            let Some(last) = chunk.tokens.end.checked_sub(1).and_then(|i| tokens.get(i)) else {
                continue;
            };
            let start = tokens.get(chunk.tokens.start).map_or(0, |t| t.start);
            recovery.item(start..last.end);
        }
    } else {
        recovery.item(0..text.len());
    }
    if recovery.diagnostics.count() == before {
        // The pieces parse and the whole does not: report the whole.
        recovery.mistake(rule, 0..text.len());
    }
}

struct Recovery<'d> {
    /// The source; wrong statements become blank.
    text: String,
    /// The tokens of what is not blank.
    tokens: Vec<Token>,
    file: FileId,
    offset: usize,
    /// How many mistakes may still be reported.
    left: usize,
    /// How many bytes may still be parsed.
    work: usize,
    diagnostics: &'d mut Diagnostics,
}

impl Recovery<'_> {
    /// Reports what is wrong with the item that these bytes should be.
    fn item(&mut self, range: Range<usize>) {
        while self.left > 0 {
            let source = self.text.get(range.clone()).unwrap_or("");
            if let Ok(mut pairs) = GdParser::parse(Rule::single_item, source) {
                let offset = self.offset + range.start;
                let mut builder = Builder::new(self.file, offset, self.diagnostics);
                if let Some(pair) = pairs.next() {
                    // What building finds is reported; the tree is not wanted.
                    builder.single_item(pair).ok();
                }
                return;
            }
            self.left = if self.work < source.len() { 0 } else { self.left - 1 };
            self.work = self.work.saturating_sub(source.len());
            let Some(cut) = self.mistake(Rule::single_item, range.clone()) else {
                return;
            };
            self.text.replace_range(cut.clone(), &" ".repeat(cut.len()));
            self.tokens.retain(|t| t.end <= cut.start || t.start >= cut.end);
        }
    }

    /// Reports the first mistake in these bytes and returns what to take out to find
    /// the next one, if that can be told.
    fn mistake(&mut self, rule: Rule, range: Range<usize>) -> Option<Range<usize>> {
        let source = self.text.get(range.clone())?;
        let whole = Span::new(self.file, self.offset + range.start, self.offset + range.end);
        let mut failure = match expect::diagnose(rule, source)? {
            Refusal::Syntax(failure) => failure,
            limit => {
                self.diagnostics.push(refused(&limit, whole));
                return None;
            }
        };
        failure.at += range.start;
        let scene = Scene {
            text: &self.text,
            tokens: &self.tokens,
            failure: &failure,
            at: failure.token(&self.tokens),
            file: self.file,
            offset: self.offset,
        };
        let diagnostic = hints::explain(&scene);
        let code = diagnostic.code;
        let known = self.diagnostics.count();
        let cut = cut(&scene, code).filter(|c| c.start >= range.start && c.end <= range.end);
        self.diagnostics.push(diagnostic);
        // The same mistake once more: taking out did not help.
        if self.diagnostics.count() == known { None } else { cut }
    }
}

/// The bytes to take out so that parsing gets beyond the mistake.
fn cut(scene: &Scene<'_>, code: crate::Code) -> Option<Range<usize>> {
    if code == codes::E0012 {
        let at = if scene.kind(0) == Some(Kind::Doc) { 0 } else { -1 };
        return scene.token(at).map(|t| t.range());
    }
    if scene.failure.wants_statement() && scene.spells(0, ";") {
        return scene.token(0).map(|t| t.range());
    }
    let statement = scene.statement()?;
    if code == codes::E0003 {
        let end = scene.token(-1)?.end;
        return (end > statement.start).then_some(statement.start..end);
    }
    Some(statement)
}

/// The limits of parsing, as diagnostics.
fn refused(refusal: &Refusal, span: Span) -> Diagnostic {
    match refusal {
        Refusal::Work => Diagnostic::error(codes::E0018, span, "parsing this takes too much work")
            .help("split it into smaller items"),
        _ => Diagnostic::error(codes::E0007, span, "this is nested too deeply to be parsed")
            .help("bind parts with `let`, or give them to a function"),
    }
}
