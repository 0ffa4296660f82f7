//! For each code of the catalogue a source that gets it, and how it is written instead.
//!
//! Most are a part of a model with `input x: [4]`, `target y: [4]`, `input image: [8, 8]`,
//! `target label: in 0..10`, a loss and an optimizer; what stands before `// in a model:` is beside
//! it. A test compiles all of them.

use crate::codes::*;
use crate::diagnostic::Code;

/// A mistake, and how it is mended.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// What it is an example of.
    pub code: Code,
    /// Gets the code.
    pub wrong: &'static str,
    /// Compiles, without the code.
    pub right: &'static str,
}

/// Codes that no short source gets: one that is too long or takes too much work, a mistake of gdc,
/// and what is known to be missing, of which little is left.
pub const WITHOUT_EXAMPLE: &[Code] = &[E0008, E0018, E0099, E0901];

const fn example(code: Code, wrong: &'static str, right: &'static str) -> Example {
    Example { code, wrong, right }
}

/// One for each code, in the order of the catalogue.
pub const ALL: &[Example] = &[
    example(E0001, "let h = x *;", "let h = x * 2;"),
    example(E0002, "let h = (x + 1;", "let h = (x + 1);"),
    example(E0003, "let h = x\nlet g = h;", "let h = x;\nlet g = h;"),
    example(E0004, "let h = x − 1;", "let h = x - 1;"),
    example(E0005, "let h = x * 1.0f32;", "let h = x * 1.0;"),
    example(E0006, "let loss = x;", "let loss_ = x;"),
    example(
        E0007,
        "let h = ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((x))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))));",
        "let h = ((((x))));",
    ),
    example(E0009, "let h = if 0 < x[0] < 1 { 1 } else { 0 };", "let h = if 0 < x[0] && x[0] < 1 { 1 } else { 0 };"),
    example(E0010, "let h = x |> 3;", "let h = x |> dense(3);"),
    example(
        E0011,
        "fn f(z) { z + 1; z }\n// in a model:\nlet h = f(x);",
        "fn f(z) { let up = z + 1; up }\n// in a model:\nlet h = f(x);",
    ),
    example(E0012, "let h = x;\n/// Nothing follows.", "/// What follows is documented.\nlet h = x;"),
    example(E0013, "let h = x ** 2;", "let h = x^2;"),
    example(
        E0014,
        "model M { param w = 1.0; loss w^2; optimizer sgd(); w }",
        "model M { param w = 1.0; loss w^2; optimizer sgd(); output v = w; }",
    ),
    example(E0015, "let h[2*p] = x[p];", "let h[2*p]: [8] += x[p];"),
    example(E0016, "import \"layers.gd;", "import \"layers.gd\";"),
    example(E0017, "/* a comment", "/* a comment */"),
    example(E0101, "let h = x |> softmx;", "let h = x |> softmax;"),
    example(E0102, "let h = x[0];\nlet h = x[1];", "let h = x[0];\nlet g = x[1];"),
    example(E0103, "let h = x(0);", "let h = x[0];"),
    example(E0104, "let h = x |> dense(unit = 3);", "let h = x |> dense(units = 3);"),
    example(E0105, "let h = x |> dense();", "let h = x |> dense(3);"),
    example(E0106, "let h = exp(1.0, 2.0);", "let h = exp(1.0);"),
    example(E0107, "let h = x |> dense(4) |> dense(4);", "let h = x |> dense(4) |> dense(4) as second;"),
    example(
        E0108,
        "fn power(z) = z * power(z);\n// in a model:\nlet h = power(x);",
        "fn power(z) { let p = 1.0; for i in 0..3 { p <- p * z; } p }\n// in a model:\nlet h = power(x);",
    ),
    example(E0109, "import \"nowhere.gd\";", "import \"layers.gd\";"),
    example(E0201, "let h = image + x;", "let h = image[0, 0..4] + x;"),
    example(E0202, "let h = x[0, 0];", "let h = x[0];"),
    example(E0203, "let h = sum[i](x[i + 1]);", "let h = sum[i in 0..3](x[i + 1]);"),
    example(E0204, "let h[i in 0..4] = x[i + 1];", "let h[i in 0..4] = x[i + 1] else 0;"),
    example(E0205, "param w: [64 / 5];", "param w: [div(64, 5)];"),
    example(E0206, "param w: [0];", "param w: [1];"),
    example(E0207, "let h = reshape(image, [3, 3]);", "let h = reshape(image, [16, 4]);"),
    example(
        E0208,
        "param w: [3] = ones;\nlet h = sum[i](x[i] * w[i]);",
        "param w: [3] = ones;\nlet h = sum[i in 0..3](x[i] * w[i]);",
    ),
    example(E0301, "let h = relu + 1;", "let h = relu(x) + 1;"),
    example(E0302, "let h = (x[0] > 0) + 1;", "let h = if x[0] > 0 { 2 } else { 1 };"),
    example(E0303, "let h = x |> dense(label);", "let h = x |> dense(10);"),
    example(E0304, "loss nll(log_softmax(x), label);", "loss nll(log_softmax(x |> dense(10)), label);"),
    example(E0305, "let h = div(7, 0);", "let h = div(7, 2);"),
    example(
        E0401,
        "fn f(z) { loss z; z }\n// in a model:\nlet h = f(1.0);",
        "fn f(z) = z;\n// in a model:\nloss f(1.0);",
    ),
    example(
        E0402,
        "model M { param w = 1.0; optimizer sgd(); }",
        "model M { param w = 1.0; loss w^2; optimizer sgd(); }",
    ),
    example(E0403, "loss (x - y)^2;", "loss mean((x - y)^2);"),
    example(E0404, "output p = x + y;", "output p = x;"),
    example(E0405, "let s = x;\ns <- 2 * s;", "state s = 0;\ns <- s + 1;"),
    example(E0406, "fn f(z) = z;", "model M { param w = 1.0; loss w^2; optimizer sgd(); }"),
    example(E0407, "entry shifted(z: [4]) -> [4] = z + x;", "entry shifted(z: [4]) -> [4] = z + 1;"),
    example(E0408, "output p = x - across_mean(x);", "output p = x - mean(x);"),
    example(
        E0409,
        "model M {\n    const t = 24;\n    input x: [t, 2];\n    let h = x |> gru(4);\n    output p = mean(h, axis = 0);\n    loss mean(h^2);\n    stream t;\n    optimizer sgd();\n}",
        "model M {\n    const t = 24;\n    input x: [t, 2];\n    let h = x |> gru(4);\n    output p = h;\n    loss mean(h^2);\n    stream t;\n    optimizer sgd();\n}",
    ),
    example(E0501, "optimizer relu;", "optimizer sgd();"),
    example(E0502, "train { lr = 0.1; }", "train { batch = 16; }"),
    example(E0503, "train { batch = 0; }", "train { batch = 16; }"),
    example(
        E0504,
        "let h = x |> dense(8);\nloss sum(h);\nassert params < 40;",
        "let h = x |> dense(4);\nloss sum(h);\nassert params < 40;",
    ),
    example(
        W0001,
        "let p = softmax(x |> dense(10));\nloss cross_entropy(p, label);",
        "let p = x |> dense(10);\nloss cross_entropy(p, label);",
    ),
    example(
        W0002,
        "model M { input x: [16, 4]; param w: [4] = ones; loss mean((x @ w)^2); optimizer sgd(); train { batch = 16; } }",
        "model M { input x: [4]; param w: [4] = ones; loss mean((x @ w)^2); optimizer sgd(); train { batch = 16; } }",
    ),
    example(
        W0003,
        "model M { param w = 1.0; param v = 1.0; loss w^2; optimizer sgd(); }",
        "model M { param w = 1.0; loss w^2; optimizer sgd(); }",
    ),
    example(W0004, "train { threads = auto; }", "train { batch = 16; }"),
];

/// The example of a code, if it has one.
pub fn of(code: &str) -> Option<&'static Example> {
    ALL.iter().find(|e| e.code.0 == code)
}

/// A whole source of an example: most are a part of a model.
pub fn whole(part: &str) -> String {
    if part.contains("model M") || part == "fn f(z) = z;" {
        return part.to_owned();
    }
    let (items, statements) = match part.split_once("// in a model:\n") {
        Some(parts) => parts,
        None if part.starts_with("import") || part.starts_with("/*") => (part, ""),
        None => ("", part),
    };
    // What is wrong stands last, so that the end of the source cannot mend it.
    let loss = if statements.contains("loss ") { "" } else { "loss mean((weight * x - y)^2);" };
    let optimizer = if statements.contains("optimizer ") { "" } else { "optimizer sgd();" };
    // A part that states its loss and has parameters of its own needs no other.
    let own = statements.contains("loss ") && statements.contains("dense(");
    let param = if own { "" } else { "param weight: [4] = ones;" };
    format!(
        "{items}\nmodel M {{\ninput x: [4];\ntarget y: [4];\ninput image: [8, 8];\ntarget label: in 0..10;\n\
         {param}\n{loss}\n{optimizer}\n{statements}\n}}\n"
    )
}
