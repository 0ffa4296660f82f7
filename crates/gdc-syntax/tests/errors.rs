//! Each mistake with the code, the very characters and the words of its diagnostic.

use gdc_syntax::{Diagnostics, SourceMap, codes, parse};

/// `code text-under-the-span: message`, then `  help` lines; one per diagnostic.
fn errors(text: &str) -> String {
    let mut sources = SourceMap::default();
    let file = sources.add("a.gd", text);
    let mut diagnostics = Diagnostics::default();
    let result = parse::parse_file(text, file, &mut diagnostics);
    assert!(result.is_err(), "{text}");
    let mut lines = Vec::new();
    for d in diagnostics.into_sorted() {
        assert!(codes::explain(d.code.0).is_some(), "{} is in the catalogue", d.code);
        lines.push(format!("{} {}: {}", d.code, sources.text(d.span), d.message));
        lines.extend(d.help.iter().map(|help| format!("  {help}")));
    }
    lines.join("\n")
}

/// The first line of what is wrong with the body of a function.
fn first(body: &str) -> String {
    errors(&format!("fn f(x) {{ {body} }}")).lines().next().unwrap_or_default().to_owned()
}

/// The first help for the body of a function.
fn help(body: &str) -> String {
    let errors = errors(&format!("fn f(x) {{ {body} }}"));
    errors.lines().find_map(|l| l.strip_prefix("  ")).unwrap_or_default().to_owned()
}

#[test]
fn expected_and_found() {
    for (body, want) in [
        ("let a = ;", "E0001 ;: expected an expression, found `;`"),
        ("let a = 3 x;", "E0001 x: expected `;` or an operator, found `x`"),
        ("let a = (1 2);", "E0001 2: expected `)`, `,` or an operator, found `2`"),
        ("let a = x[1 2];", "E0001 2: expected `,`, `]` or an operator, found `2`"),
        ("let = 3;", "E0001 =: expected a name or `(`, found `=`"),
        ("param w: ;", "E0001 ;: expected a type, found `;`"),
        ("let a = x as 3;", "E0001 3: expected a name, found `3`"),
        ("for i 3 { }", "E0001 3: expected `in`, found `3`"),
        ("train { batch 3; }", "E0001 3: expected `=`, found `3`"),
        ("let a = x + let;", "E0001 let: expected an expression, found `let`"),
        ("x as let", "E0006 let: `let` is a reserved word, not a name"),
        ("let a = \"b\" \"c\"; x", "E0001 \"c\": expected `;` or an operator, found a text"),
    ] {
        assert_eq!(first(body), want, "{body}");
    }
}

#[test]
fn semicolons() {
    assert_eq!(first("let a = 1\n let b = 2; x"), "E0003 1: expected `;` after this");
    assert_eq!(first("let a = g(1)\n a"), "E0003 ): expected `;` after this");
    assert_eq!(first("let a = 1"), "E0003 1: expected `;` after this");
    assert_eq!(first("train { batch = 3 epochs = 4; }"), "E0003 3: expected `;` after this");
    assert_eq!(
        errors("fn f(x) = é\nfn g(x) = x;"),
        "E0003 é: expected `;` after this\n  write `;` at the end of a statement"
    );
    assert_eq!(help("; x"), "remove this `;`");
    assert_eq!(first("x < -2"), "E0003 2: expected `;` after this");
    assert_eq!(help("x < -2"), "`x <- ...;` gives a next value; to compare, write `x < (-...)`");
}

#[test]
fn operators_of_other_languages() {
    for (body, want, advice) in [
        ("x ** 2", "E0013 **: `**` is not an operator", "a power is written `x ^ 2`"),
        (
            "let y = x < -2;",
            "E0013 < -: `<-` is one operator: it gives a next value",
            "to compare with a negative value, write `a < (-b)`",
        ),
        ("x & 1", "E0013 &: `&` is not an operator", "write `a && b` for and"),
        ("x | 1", "E0013 |: `|` is not an operator", "`a || b` is or, `x |> f` gives `x` to `f`"),
        ("x and y", "E0013 and: `and` is not an operator", "write `a && b`"),
        ("not x", "E0013 not: `not` is not an operator", "write `!a`"),
        ("x += 1;", "E0013 +=: `+=` cannot stand here", "a next value is `x <- x + ...;`"),
        ("x = 1;", "E0001 =: unexpected `=`", "`let x = ...;` binds a value, `x <- ...;` gives a next value"),
        ("let y == 1;", "E0001 ==: expected `=`, found `==`", "to bind a value, write `=`"),
        ("if x = 1 { 2 } else { 3 }", "E0001 =: unexpected `=`", "to compare, write `==`"),
        (
            "let y <- 1;",
            "E0001 <-: expected `=`, found `<-`",
            "`<-` gives the next value of a name that exists; this binds one with `=`",
        ),
        (
            "y[0] <- 1;",
            "E0001 <-: only a whole name has a next value",
            "write `name <- ...;` with the whole next value",
        ),
        (
            "x[1:3]",
            "E0001 :: expected `,`, `]` or an operator, found `:`",
            "a slice is written `x[1..3]`, `x[..3]`, `x[1..]`",
        ),
    ] {
        assert_eq!((first(body).as_str(), help(body).as_str()), (want, advice), "{body}");
    }
}

#[test]
fn constructs_of_other_languages() {
    for (body, want, advice) in [
        ("x.relu()", "E0013 relu: gd has no method calls", "write `x |> relu`"),
        ("map(|y| y, x)", "E0013 |: gd has no lambdas", "define `fn name(x) = ...;` and give its name"),
        ("let mut y = 1; y", "E0013 mut: what `let` binds never changes", "leave `mut` out"),
        ("return x;", "E0013 return: gd has no `return`", "the value of a block is its last expression, without `;`"),
        ("if x { 1 } elif y { 2 }", "E0013 elif: gd has no `elif`", "write `else if ... { ... }`"),
        ("if x { 1 } else 2", "E0001 2: expected `{`, found `2`", "branches stand in braces: `if c { a } else { b }`"),
        ("x ? 1 : 2", "E0004 ?: no token begins with `?`", "write `if c { a } else { b }`"),
        (
            "sum[i] x[i]",
            "E0001 x: expected `(`, found `x`",
            "a reduction encloses in parentheses what it reduces: `sum[i](x[i])`",
        ),
        (
            "let y: f32 = 1;",
            "E0001 f32: expected a type, found `f32`",
            "a type is a shape `[n, m]`, `[]` for one number, or a range `in 0..n`",
        ),
        (
            "if x { 1 } else { 2 } + 3",
            "E0001 +: expected a statement, found `+`",
            "bind it with `let`, or put parentheses around it",
        ),
        ("ouput y = x;", "E0001 ouput: no statement begins with `ouput`", "did you mean `output`?"),
        (
            "x;",
            "E0011 x: this statement does nothing",
            "`let name = ...;` binds a value, `name <- ...;` gives a next value",
        ),
    ] {
        assert_eq!((first(body).as_str(), help(body).as_str()), (want, advice), "{body}");
    }
    assert_eq!(errors("import a;"), "E0001 a: expected a path in quotes, found `a`\n  write `import \"a.gd\";`");
    assert_eq!(
        errors("fn f(x) => x;"),
        "E0013 =>: `=>` is not an operator\n  a body is `= ...;` or `{ ... }`, a result's shape is `-> [n]`, at least is `>=`"
    );
    assert_eq!(
        errors("class Net { }"),
        "E0013 class: no item begins with `class`\n  write `model Name { ... }`, or `layer name(x: [n]) { ... }`"
    );
    assert_eq!(errors("moddel Net { }"), "E0001 moddel: expected an item, found `moddel`\n  did you mean `model`?");
}

#[test]
fn tokens() {
    for (body, want, advice) in [
        (
            "1.0f32",
            "E0005 f32: numbers have no suffix",
            "`precision f64;` in the model chooses the type of all numbers",
        ),
        ("2x", "E0005 x: numbers have no suffix", "to multiply, write `2 * x`"),
        (".5", "E0005 .5: a number begins with a digit", "write `0.5`"),
        ("1 − x", "E0004 −: `−` (U+2212) looks like `-` but is not", "write `-`"),
        ("2·x", "E0004 ·: `·` (U+00B7) looks like `*` but is not", "write `*`"),
        ("x²", "E0004 ²: `²` (U+00B2) looks like `^2` but is not", "write `^2`"),
        ("x ≤ 1", "E0004 ≤: `≤` (U+2264) looks like `<=` but is not", "write `<=`"),
        (
            "r#type",
            "E0006 r#type: raw identifiers are not names here",
            "write `type`; the generated Rust escapes it where needed",
        ),
        (
            "let loss = 1; x",
            "E0006 loss: `loss` is a reserved word, not a name",
            "choose another name, such as `loss_`",
        ),
        ("let _ = 1; x", "E0006 _: `_` is not a name", "every index and every value has a name"),
        (
            "x + self",
            "E0001 self: expected an expression, found `self`",
            "parameters and lets are named directly, without `self.`",
        ),
        (
            "/// a\n",
            "E0012 /// a: a documentation comment documents nothing here",
            "it stands before an item or a statement; elsewhere write `//`",
        ),
        ("1e999", "E0005 1e999: this number is too large", "`inf` is infinity"),
    ] {
        assert_eq!((first(body).as_str(), help(body).as_str()), (want, advice), "{body}");
    }
    assert_eq!(errors("fn f() = \"a;"), "E0016 \"a;: this text is not closed\n  close it with `\"`");
    assert_eq!(errors("fn f() = 1; /* a"), "E0017 /*: this comment is not closed\n  close it with `*/`");
    assert!(errors("import \"\\q\";").starts_with("E0016 \"\\q\": unknown escape `\\q`"));
}

#[test]
fn brackets_point_to_their_opening() {
    assert_eq!(errors("model M { let x = f(1; }"), "E0002 (: this `(` is not closed\n  close it with `)`");
    assert_eq!(errors("model M { let x = [1); }"), "E0002 ): `)` closes nothing\n  write `]` here, or open `(` before");
    assert_eq!(errors("model M { } }"), "E0002 }: `}` closes nothing\n  take it out");
    let mut diagnostics = Diagnostics::default();
    let text = "model M {\n  let x = 1;\nfn f(x) = x;\n";
    let file = SourceMap::default().add("a.gd", text);
    assert!(parse::parse_file(text, file, &mut diagnostics).is_err());
    let label = &diagnostics.as_slice()[0].secondary[0];
    assert_eq!(&text[label.span.start as usize..label.span.end as usize], "fn");
}

#[test]
fn what_the_grammar_takes_and_the_language_does_not() {
    assert_eq!(first("a < b < c"), "E0009 <: comparisons do not chain");
    assert_eq!(first("let z = 0..1..2;"), "E0009 ..: ranges do not chain");
    assert_eq!(first("x |> y + 1"), "E0010 y + 1: the right side of `|>` must be a call");
    assert_eq!(help("x |> y + 1"), "put parentheses around the pipe: `(x |> f) + y`");
    assert_eq!(first("x |> 3"), "E0010 3: the right side of `|>` must be a call");
    assert_eq!(errors("model M { x }").lines().next(), Some("E0014 x: a model has no value"));
    assert_eq!(first("let y[i + 1] = x;"), "E0015 i + 1: a computed place needs the form with `+=`");
    assert_eq!(first("let y += x;"), "E0015 y: `+=` needs the places it adds at");
}

#[test]
fn several_mistakes_at_once() {
    let text = "model M {
        let a = ;
        let b = 3 |> 4;
        if x { c d; } else { e f; }
        loss a b;
        train { batch = ; epochs 3; }
    }
    fn g(x) = ;
    class Foo { }
    fn h(x) = x ** 2;
    fn ok(x) = x;";
    let lines: Vec<String> = errors(text)
        .lines()
        .filter(|l| !l.starts_with(' '))
        .map(|l| l.split(':').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        lines,
        [
            "E0001 ;",
            "E0010 4",
            "E0001 d",
            "E0001 f",
            "E0001 b",
            "E0001 ;",
            "E0001 3",
            "E0001 ;",
            "E0013 class",
            "E0013 **"
        ]
    );
}
