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
    // E01xx: names, calls and imports.
    E0101: "Nothing is defined under this name. Names of a function or layer are its \
            parameters and lets; beyond them there are the definitions of the source, of \
            what it imports, and of the standard library.";
    E0102: "A name is defined a second time. No name shadows another, so that a name means \
            one thing throughout a body; a state's next value is given with `<-`.";
    E0103: "Something is called that is neither a function nor a layer. Elements of a tensor \
            are read with brackets: `x[i]`.";
    E0104: "An argument is given under a name that the callee has no parameter for, or twice.";
    E0105: "A parameter that has no default got no argument in this call.";
    E0106: "More arguments are given than there are parameters.";
    E0107: "Two layers have the same path. Parameters are named `let.label.param`, and the \
            label is the layer's name unless `as` gives another one: `dense(10) as head`.";
    E0108: "Definitions call each other without end. They are expanded where they are called, \
            so that a definition cannot lead to itself.";
    E0109: "An imported file cannot be read. Imports are relative to the file that holds them.";
    // E02xx: shapes and indices.
    E0201: "Two shapes that must be equal differ. Axes are aligned from the right; an argument \
            with fewer axes is shared along the others, and a size of 1 is never stretched.";
    E0202: "A tensor has more or fewer axes than are wanted here. The batch is not among them: \
            shapes are those of one sample.";
    E0203: "Nothing says where an index runs. It comes from a bare read such as `x[i]`, or is \
            written as `i in 0..n`; arithmetic such as `x[i + 1]` gives no range.";
    E0204: "A read can fall outside its tensor. Shorten the range, or state the value that \
            lies outside: `x[i + 1] else 0`.";
    E0205: "A size is not a whole number. In sizes `/` must divide exactly; `div(a, b)` rounds \
            down.";
    E0206: "A size is zero, negative or larger than any tensor or model may be.";
    E0207: "A reshape changes the number of elements. It only regroups them, in row-major order.";
    E0208: "An index reads axes of different sizes. Both bare reads must agree, unless the \
            index states a smaller range itself.";
    // E03xx: kinds and types of values.
    E0301: "A value of another kind is wanted, such as a tensor where a layer stands.";
    E0302: "A number stands where a truth value is wanted, a truth value where a number is, or \
            a real number where an integer is.";
    E0303: "This value must be known when the model is compiled, and it depends on values that \
            exist only when the model runs.";
    E0304: "An integer does not lie in the range that is wanted, or its range is malformed. \
            Integer inputs state theirs: `target label: in 0..10;`.";
    E0305: "A number does not fit its type, a divisor is 0 or not positive, or constants make what is not finite.";
    // E04xx: statements and their places.
    E0401: "A statement or expression stands where it has no meaning.";
    E0402: "A model says nowhere what is minimised. Add `loss e;`.";
    E0403: "A loss or metric is one number for each sample, and this is a tensor. Take its \
            `mean(...)` or `sum(...)`.";
    E0404: "An output is computed where no targets are given, so it cannot read one.";
    E0405: "`<-` gives the next value of a state, of a carry, or of what an optimizer binds; \
            this name has none.";
    E0406: "The source holds no model, or not the one asked for.";
    E0407: "An entry point has nothing to compute from but its parameters, constants and the \
            parameters of the model: the samples of the model are not given to it.";
    E0408: "What a prediction or an entry point computes is a function of one sample and the \
            parameters: it cannot look at the other samples of a batch, and it draws nothing. \
            What only training needs stands under `if training { ... }`.";
    E0409: "`stream t;` asks for the outputs one time at a time. The inputs whose first axis is \
            written `t` are given so; everything that the outputs need must be known by then: \
            from the time at hand, a fixed number of earlier ones, and what scans carry. What \
            needs the whole sequence, or runs backwards, has no such form.";
    // E05xx: optimizers and settings.
    E0501: "A parameter has no optimizer or more than one, a path selects nothing, or \
            something else stands where an optimizer or transform is wanted.";
    E0502: "There is no setting of this name in `train { ... }`.";
    E0503: "A setting cannot have this value; the message says which values it takes.";
    E0504: "What an `assert` states does not hold. The message says what the quantity is.";
    // E09xx: limits of this version.
    E0901: "The language has this construct, but this version of gdc does not compile it yet.";
    // W00xx: warnings.
    W0001: "A parameter called `logits` takes scores of any size, and is given values that \
            always lie between 0 and 1. Softmax or sigmoid is then applied twice: training \
            works badly, with no other sign that something is wrong.";
    W0002: "The first axis of an input is as long as the batch. The batch is never written: \
            such an input has that many rows in each sample.";
    W0003: "The loss does not depend on this parameter, so it is never updated.";
    W0004: "The model speaks of threads, but one thread trains it: a step is too short to be \
            shared, or the samples of a batch depend on each other.";
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
