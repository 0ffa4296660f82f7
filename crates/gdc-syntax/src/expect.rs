//! What the grammar wanted at the place where parsing failed, in the user's terms.

use crate::lex::Token;
use gdc_grammar::{GdParser, Rule};
use pest::Parser;
use pest::error::{Error, ErrorVariant};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Where parsing failed and what could have stood there.
pub(crate) struct Failure {
    /// The furthest byte that was looked at.
    pub(crate) at: usize,
    /// The pieces of tokens that were tried there.
    pieces: BTreeSet<String>,
}

/// Why a text was not parsed.
pub(crate) enum Refusal {
    Syntax(Failure),
    /// More work, or a deeper stack, than the limits allow.
    Work,
    Stack,
}

/// pest's switch for details is one for the whole process.
static DETAIL: Mutex<()> = Mutex::new(());

/// Parses again what failed to parse, to learn where and why. The first parse does
/// not collect this, since that takes several times as long.
pub(crate) fn diagnose(rule: Rule, text: &str) -> Option<Refusal> {
    let guard = DETAIL.lock().unwrap_or_else(PoisonError::into_inner);
    pest::set_error_detail(true);
    let result = GdParser::parse(rule, text);
    pest::set_error_detail(false);
    drop(guard);
    result.err().map(|error| refusal(&error))
}

fn refusal(error: &Error<Rule>) -> Refusal {
    if let ErrorVariant::CustomError { message } = &error.variant {
        return if message.contains("stack") { Refusal::Stack } else { Refusal::Work };
    }
    let attempts = error.parse_attempts();
    let at = attempts.as_ref().map_or(0, |a| a.max_position);
    let pieces = attempts.map(|a| a.expected_tokens().iter().map(ToString::to_string).collect()).unwrap_or_default();
    Refusal::Syntax(Failure { at, pieces })
}

impl Failure {
    fn has(&self, piece: &str) -> bool {
        self.pieces.contains(piece)
    }

    /// Whether parsing stopped inside a token: a reserved word that was tried as a
    /// name, or a part of an operator. Between tokens, a comment was tried too.
    pub(crate) fn inside_token(&self) -> bool {
        !self.has("/")
    }

    /// The token at which parsing failed; `tokens.len()` at the end of the text.
    pub(crate) fn token(&self, tokens: &[Token]) -> usize {
        let after = tokens.partition_point(|t| t.end <= self.at);
        if !self.inside_token() {
            return after;
        }
        match tokens.get(after) {
            Some(token) if token.start < self.at => after,
            _ => after.saturating_sub(1),
        }
    }

    pub(crate) fn wants(&self, piece: &str) -> bool {
        !self.inside_token() && self.has(piece)
    }

    /// Whether an expression could have begun here.
    pub(crate) fn wants_expression(&self) -> bool {
        self.wants("scan")
    }

    pub(crate) fn wants_statement(&self) -> bool {
        self.wants("let")
    }

    pub(crate) fn wants_item(&self) -> bool {
        self.wants("model") && !self.wants_statement()
    }

    pub(crate) fn wants_type(&self) -> bool {
        self.wants("in") && self.wants("[") && !self.wants_operator()
    }

    /// Whether an expression could have gone on here.
    pub(crate) fn wants_operator(&self) -> bool {
        self.wants("%")
    }

    fn wants_name(&self) -> bool {
        self.wants("A..Z") && !self.wants("0..9")
    }

    /// What could have stood here: "`;` or an operator".
    pub(crate) fn expected(&self) -> String {
        let mut terms: Vec<String> = Vec::new();
        let mut covered: Vec<&str> = BLANKS.to_vec();
        if self.wants_statement() {
            terms.push("a statement".to_owned());
            covered.extend(STATEMENTS.iter().chain(&EXPRESSION));
        } else if self.wants_item() {
            terms.push("an item".to_owned());
            covered.extend(crate::words::ITEM_WORDS);
        } else if self.wants_expression() {
            terms.push("an expression".to_owned());
            covered.extend(EXPRESSION);
        } else if self.wants_type() {
            terms.push("a type".to_owned());
            covered.extend(["[", "(", "in", "int", "bool", "layer", "fn"]);
        } else if self.wants_name() {
            terms.push("a name".to_owned());
        }
        if self.wants("r\"") && !self.wants_expression() {
            terms.push("a text in quotes".to_owned());
            covered.extend(["\"", "r\"", "r#\""]);
        }
        if self.wants_operator() {
            covered.extend(OPERATORS);
        }
        covered.extend(["A..Z", "a..z", "0..9", "_", "E", "BUILTIN_RULE"]);
        let goes_on = self.wants_operator();
        for piece in &self.pieces {
            if !covered.contains(&piece.as_str()) {
                // Where no operator can stand, these begin `+=` and `->`.
                let shown = match piece.as_str() {
                    "+" if !goes_on => "+=",
                    "-" if !goes_on => "->",
                    other => other,
                };
                terms.push(format!("`{shown}`"));
            }
        }
        if self.wants_operator() {
            terms.push("an operator".to_owned());
        }
        join(&terms)
    }
}

/// Tried between any two tokens, or a part of what is.
const BLANKS: [&str; 14] = [" ", "\n", "\t", "\r", "/", "//", "////", "/*", "/**/", "/***/", "/***", "///", "/**", "#"];
const OPERATORS: [&str; 19] =
    ["!", "%", "&", "(", "*", "+", "-", ".", "/", "<", "=", ">", "@", "[", "^", "as", "|", "else", ".."];
const EXPRESSION: [&str; 26] = [
    "!", "\"", "(", "-", "[", "all", "any", "argmax", "argmin", "false", "if", "lse", "max", "mean", "min", "prod",
    "r\"", "r#\"", "scan", "sum", "true", "{", "_", "0..9", "A..Z", "a..z",
];
const STATEMENTS: [&str; 23] = [
    "after",
    "assert",
    "const",
    "derivative",
    "entry",
    "for",
    "freeze",
    "input",
    "layer",
    "let",
    "loss",
    "metric",
    "optimizer",
    "output",
    "param",
    "precision",
    "state",
    "stream",
    "target",
    "train",
    "transform",
    "yield",
    "#",
];

/// "a", "a or b", "a, b or c"; nothing for no terms.
fn join(terms: &[String]) -> String {
    match terms {
        [] => "something else".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
