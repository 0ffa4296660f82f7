//! Hints for what other languages write differently.

use super::closest;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::lex::Kind;
use crate::scene::Scene;
use crate::words::{ITEM_WORDS, RESERVED};

fn foreign(s: &Scene<'_>, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(codes::E0013, s.span(), message)
}

/// Words with which other languages begin definitions.
pub(super) fn foreign_item(s: &Scene<'_>) -> Option<Diagnostic> {
    if !s.failure.wants_item() || s.kind(0) != Some(Kind::Word) {
        return None;
    }
    let word = s.text(0);
    let help = match word {
        "def" | "func" | "function" | "fun" => "write `fn name(x) = ...;`, or `layer` where it has parameters",
        "class" | "struct" | "network" | "net" | "module" => {
            "write `model Name { ... }`, or `layer name(x: [n]) { ... }`"
        }
        "pub" => "everything in a source is public; leave `pub` out",
        "use" | "mod" | "from" | "include" => "write `import \"path.gd\";`",
        "let" | "var" | "static" => "write `const name = ...;`",
        "input" | "target" | "param" | "state" | "loss" | "output" | "metric" | "train" => {
            "this stands inside of `model Name { ... }`"
        }
        _ => {
            let meant = closest(word, &ITEM_WORDS)?;
            let message = format!("expected an item, found `{word}`");
            return Some(Diagnostic::error(codes::E0001, s.span(), message).help(format!("did you mean `{meant}`?")));
        }
    };
    Some(foreign(s, format!("no item begins with `{word}`")).help(help))
}

/// Words with which other languages begin statements.
pub(super) fn foreign_statement(s: &Scene<'_>) -> Option<Diagnostic> {
    let start = s.statement_start();
    let here = s.is_word(0, &["return", "elif", "elseif", "elsif"]);
    // `match` and `loop` may be names; what follows a name is an operator.
    if !here && (s.at != start + 1 || s.statement().is_none()) {
        return None;
    }
    let at = if here { s.at } else { start };
    let token = s.tokens.get(at).filter(|t| t.kind == Kind::Word)?;
    let word = token.text(s.text);
    let message = format!("gd has no `{word}`");
    let help = match word {
        "return" => "the value of a block is its last expression, without `;`",
        "while" | "loop" => {
            "write `scan (...) over ... { ... }` for steps of data, `for i in 0..n { ... }` for turns that are unrolled"
        }
        "match" | "switch" => "write `if ... { ... } else if ... { ... } else { ... }`",
        "elif" | "elseif" | "elsif" => "write `else if ... { ... }`",
        "var" | "val" | "auto" | "mut" => "write `let name = ...;`",
        "def" | "func" | "function" | "fn" | "class" | "struct" => "definitions stand at the top of the source",
        "print" | "println" | "del" | "pass" | "raise" | "throw" | "try" | "break" | "continue" => {
            "a source says what is computed, not step by step how"
        }
        _ => return None,
    };
    Some(Diagnostic::error(codes::E0013, s.span_of(token.range()), message).help(help))
}

pub(super) fn let_mut(s: &Scene<'_>) -> Option<Diagnostic> {
    if !(s.is_word(-1, &["mut"]) && s.is_word(-2, &["let"])) {
        return None;
    }
    let span = s.span_between(-1, -1);
    Some(
        Diagnostic::error(codes::E0013, span, "what `let` binds never changes")
            .help("leave `mut` out")
            .help("`<-` gives the next value of a `state`, or of a carry of `scan` or `for`"),
    )
}

pub(super) fn power(s: &Scene<'_>) -> Option<Diagnostic> {
    let from = if s.spells(-1, "**") {
        -1
    } else if s.spells(0, "**") {
        0
    } else {
        return None;
    };
    let span = s.span_between(from, from + 1);
    Some(Diagnostic::error(codes::E0013, span, "`**` is not an operator").help("a power is written `x ^ 2`"))
}

/// Lambdas, references, bitwise operators.
pub(super) fn bar_or_ampersand(s: &Scene<'_>) -> Option<Diagnostic> {
    match s.text(0) {
        "|" if s.failure.wants_expression() => {
            Some(foreign(s, "gd has no lambdas").help("define `fn name(x) = ...;` and give its name"))
        }
        "&" if s.failure.wants_expression() => Some(foreign(s, "gd has no references").help("leave `&` out")),
        "|" => Some(foreign(s, "`|` is not an operator").help("`a || b` is or, `x |> f` gives `x` to `f`")),
        "&" => Some(foreign(s, "`&` is not an operator").help("write `a && b` for and")),
        _ => None,
    }
}

pub(super) fn fat_arrow(s: &Scene<'_>) -> Option<Diagnostic> {
    let from = if s.spells(0, "=>") {
        0
    } else if s.spells(-1, "=>") {
        -1
    } else {
        return None;
    };
    let span = s.span_between(from, from + 1);
    Some(
        Diagnostic::error(codes::E0013, span, "`=>` is not an operator")
            .help("a body is `= ...;` or `{ ... }`, a result's shape is `-> [n]`, at least is `>=`"),
    )
}

pub(super) fn word_operator(s: &Scene<'_>) -> Option<Diagnostic> {
    let (at, word) = if s.failure.wants_operator() && s.is_word(0, &["and", "or", "div", "mod"]) {
        (0, s.text(0))
    } else if s.is_word(-1, &["not"]) && s.failure.wants_operator() {
        (-1, "not")
    } else {
        return None;
    };
    let help = match word {
        "and" => "write `a && b`",
        "or" => "write `a || b`",
        "not" => "write `!a`",
        "div" => "write `div(a, b)`",
        _ => "write `a % b`",
    };
    let span = s.span_between(at, at);
    Some(Diagnostic::error(codes::E0013, span, format!("`{word}` is not an operator")).help(help))
}

pub(super) fn compound_assignment(s: &Scene<'_>) -> Option<Diagnostic> {
    let from = if s.text(1) == "=" { 0 } else { -1 };
    let operator = s.text(from);
    if !matches!(operator, "+" | "-" | "*" | "/") || s.text(from + 1) != "=" {
        return None;
    }
    let start = s.tokens.get(s.statement_start()).map_or("", |t| t.text(s.text));
    let name = if RESERVED.contains(&start) { "x" } else { start };
    let span = s.span_between(from, from + 1);
    Some(
        Diagnostic::error(codes::E0013, span, format!("`{operator}=` cannot stand here"))
            .help(format!("a next value is `{name} <- {name} {operator} ...;`"))
            .help("`let y[p*s + i]: [n] += ...;` adds at computed places"),
    )
}
