//! The catalogue of diagnostic codes, each with the paragraph that explains it.
//!
//! Adding one is a single entry: the macro makes the constant, its documentation
//! and its row in [`ALL`]. Codes keep their order and are never used again for
//! another mistake.

use crate::diagnostic::Code;

macro_rules! codes {
    ($($name:ident: $text:literal;)*) => {
        $(
            #[doc = $text]
            pub const $name: Code = Code(stringify!($name));
        )*

        /// Every code with its explanation, in the order of the catalogue.
        pub const ALL: &[(Code, &str)] = &[$(($name, $text)),*];
    };
}

codes! {
    // E00xx: syntax.
    E0001: "The parser met a token that cannot stand here. The message says what could \
            stand at this place and what was found instead.";
    E0002: "A bracket is not closed, or a closing bracket has no partner of its kind. \
            `(`, `[` and `{` must be closed in the order opposite to their opening.";
    E0003: "A statement does not end in `;`. Every statement ends in `;` or in the `}` of \
            its block; only the last expression of a block stands without, as its value.";
    E0004: "A character that no token begins with. Text editors and web pages sometimes \
            replace operators by look-alikes, such as a typographic minus.";
    E0005: "A malformed number. Numbers are decimal, with an optional fraction and exponent \
            (`4_000`, `0.5`, `1e-3`), and have no suffix: `precision f64;` in the model \
            chooses the type of all numbers.";
    E0006: "A reserved word stands where a name is expected. Words that begin items and \
            statements, and `self`, `Self`, `super`, `crate` and `_`, are not names.";
    E0007: "Brackets, or operators in one expression, are nested too deeply. The limit \
            keeps every later phase within its stack; bind parts with `let`.";
    E0008: "The source is larger than the limit of 1 MiB. A spec is short; data belongs \
            in files that the program reads.";
    E0009: "Comparisons and ranges do not chain: `a < b < c` is written `a < b && b < c`.";
    E0010: "The right side of `|>` must be a call, or a name that can be called: \
            `x |> dense(10) |> relu`. What stands on the left becomes its first argument.";
    E0011: "An expression stands as a statement, but does nothing. A value is bound with \
            `let`, a next value is given with `<-`, and the value of a block is its last \
            expression without `;`.";
    E0012: "A documentation comment (`///`) stands where nothing can be documented. It \
            belongs directly before an item or a statement; elsewhere write `//`.";
    E0013: "A construct of another language that gd writes differently. The help says how.";
    E0014: "The last expression of a model stands without `;` as if it were a value. A \
            model has no value; what it yields is named by `output`.";
    E0015: "A computed place on the left of a `let` needs the accumulating form: \
            `let y[p*s + i]: [n] += e else drop;`. In `let y[i] = e;` each index is a name.";
    E0016: "A text literal is not closed, or holds an escape that is not known.";
    E0017: "A comment that begins with `/*` is not closed. Such comments nest.";
    E0018: "Parsing this source took more work than any reasonable source needs, and was \
            stopped. Split the expression or the block that is being parsed.";
    E0099: "The parser and the grammar disagree. This is a mistake in gdc; please report \
            it with the source.";
}

/// The explanation of a code such as `E0001`, or `None` where there is no such code.
pub fn explain(code: &str) -> Option<&'static str> {
    ALL.iter().find(|(c, _)| c.0 == code).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_explained() {
        assert!(ALL.windows(2).all(|w| w[0].0 < w[1].0), "codes are sorted and unique");
        assert!(ALL.iter().all(|(_, text)| text.len() > 40));
        assert!(explain("E0003").is_some());
        assert_eq!(explain("E9999"), None);
    }
}
