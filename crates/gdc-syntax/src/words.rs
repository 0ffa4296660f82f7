//! The words of the language, listed once: what is reserved, and what begins and defines what.

/// The words that begin items.
pub const ITEM_WORDS: [&str; 7] = ["model", "layer", "fn", "optimizer", "transform", "const", "import"];

/// Words that are never names; the grammar's rule `reserved`.
pub const RESERVED: [&str; 32] = [
    "let",
    "if",
    "else",
    "in",
    "for",
    "param",
    "state",
    "input",
    "target",
    "const",
    "loss",
    "output",
    "metric",
    "model",
    "layer",
    "fn",
    "optimizer",
    "transform",
    "import",
    "scan",
    "over",
    "yield",
    "return",
    "true",
    "false",
    "train",
    "as",
    "self",
    "Self",
    "super",
    "crate",
    "_",
];

/// Words that begin statements.
pub const STATEMENT_WORDS: [&str; 23] = [
    "let",
    "param",
    "state",
    "input",
    "target",
    "const",
    "loss",
    "output",
    "metric",
    "layer",
    "optimizer",
    "transform",
    "freeze",
    "train",
    "assert",
    "stream",
    "precision",
    "entry",
    "after",
    "derivative",
    "yield",
    "for",
    "if",
];

/// What can stand before a name that it defines.
pub const DEFINING_WORDS: [&str; 14] = [
    "let",
    "input",
    "target",
    "param",
    "state",
    "const",
    "output",
    "metric",
    "loss",
    "model",
    "layer",
    "fn",
    "optimizer",
    "transform",
];

/// Words that stand where an expression can, and are no functions of the library.
const EXPRESSION_WORDS: [&str; 3] = ["with", "detach", "grad"];

/// Every word that an editor can complete, each once, in the order of the alphabet.
pub fn completions() -> Vec<&'static str> {
    let paths = ["self", "Self", "super", "crate", "_"];
    let reserved = RESERVED.into_iter().filter(|word| !paths.contains(word));
    let all = reserved.chain(STATEMENT_WORDS).chain(EXPRESSION_WORDS);
    let sorted: std::collections::BTreeSet<&str> = all.collect();
    sorted.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_defines_names_is_completed() {
        let known = completions();
        for word in DEFINING_WORDS.iter().chain(&ITEM_WORDS) {
            assert!(known.contains(word), "{word}");
        }
        assert!(!known.contains(&"crate"));
    }

    #[test]
    fn the_grammar_reserves_the_same_words() {
        let rule = gdc_grammar_reserved();
        assert_eq!(rule, RESERVED.iter().map(|w| (*w).to_owned()).collect());
    }

    /// The words in the grammar's rule `reserved`.
    fn gdc_grammar_reserved() -> std::collections::BTreeSet<String> {
        let grammar = include_str!("../../../grammar/gd.pest");
        let rule = grammar.split("\nreserved = @{").nth(1).and_then(|rest| rest.split('}').next()).unwrap_or("");
        rule.split('"').skip(1).step_by(2).map(str::to_owned).collect()
    }
}
