//! One test per construct of the language: what its source becomes.

#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panicking

use gdc_syntax::{Diagnostics, FileId, ast, dump, parse};

fn file(text: &str) -> ast::File {
    let mut diagnostics = Diagnostics::default();
    let file = parse::parse_file(text, FileId(0), &mut diagnostics);
    assert_eq!(diagnostics.as_slice(), [], "{text}");
    file.unwrap()
}

/// The tree of `text` as text.
fn tree(text: &str) -> String {
    dump::dump(&file(text))
}

/// The tree of an expression, with its precedence shown by parentheses.
fn expr(text: &str) -> String {
    let text = format!("const x = {text};");
    match &file(&text).items[0].kind {
        ast::ItemKind::Const { value, .. } => dump::dump_expr(value),
        other => panic!("{other:?}"),
    }
}

/// The tree of the statements of a function.
fn body(text: &str) -> String {
    let tree = tree(&format!("fn f() {{ {text} }}"));
    let lines: Vec<&str> = tree.lines().skip(1).map(|l| l.strip_prefix("  ").unwrap_or(l)).collect();
    lines.join("\n")
}

#[test]
fn precedence_loosest_first() {
    for (text, want) in [
        ("a |> f |> g(1)", "((a |> f) |> g(1))"),
        ("a || b |> f", "((a || b) |> f)"),
        ("a || b && c || d", "((a || (b && c)) || d)"),
        ("a == b && c <= d", "((a == b) && (c <= d))"),
        ("a + 1 < b * 2", "((a + 1) < (b * 2))"),
        ("i - 1..n + 1", "(i - 1)..(n + 1)"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b * c % d @ e", "((((a / b) * c) % d) @ e)"),
        ("-x ^ 2", "(-(x ^ 2))"),
        ("2 ^ -1", "(2 ^ (-1))"),
        ("2 ^ -x ^ 2 * y", "((2 ^ (-(x ^ 2))) * y)"),
        ("a ^ b ^ c", "(a ^ (b ^ c))"),
        ("-a * b", "((-a) * b)"),
        ("!a == b", "((!a) == b)"),
        ("--a", "(-(-a))"),
        ("-f(x)[0].b", "(-f(x)[0].b)"),
        ("(a + b) * c", "((a + b) * c)"),
        ("(a < b) == c", "((a < b) == c)"),
        ("a < (-b)", "(a < (-b))"),
    ] {
        assert_eq!(expr(text), want, "{text}");
    }
}

#[test]
fn operators_may_have_blanks_inside() {
    assert_eq!(expr("a & & b | > f"), "((a && b) |> f)");
    assert_eq!(expr("a = = b | | c ! = d"), "((a == b) || (c != d))");
    assert_eq!(expr("[a < = b, a > = b, 0 . . 3, 0 . . = 3]"), "[(a <= b), (a >= b), 0..3, 0..=3]");
    assert_eq!(expr("x [ . . , 1 . . ] . y . 0"), "x[.., 1..].y.0");
    assert_eq!(body("h < - 1; let y[i] : [n] + = 2 else drop ;"), "h <- 1\nlet y[i]: [n] += 2");
    assert_eq!(tree("fn f ( x : [ . . . ] ) - > [ n ] = x ;"), "fn f(x: [...]) -> [n]\n  value x\n");
}

#[test]
fn numbers_texts_and_names() {
    assert_eq!(expr("[1, 2.5, 1., 1e-3, 1E3, 4_000, 0.1e+2]"), "[1, 2.5, 1.0, 0.001, 1000.0, 4000, 10.0]");
    assert_eq!(expr(r#"["a\n", r"b\"]"#), "[\"a\\n\", \"b\\\\\"]");
    assert_eq!(expr("(true, false, inf, θ_1)"), "tuple(true, false, inf, θ_1)");
    // A composed and a decomposed letter are one name.
    let names = file("const \u{e9} = e\u{301};");
    match &names.items[0].kind {
        ast::ItemKind::Const { pattern: ast::Pattern::Name(name), value } => {
            assert_eq!(dump::dump_expr(value), name.text);
        }
        other => panic!("{other:?}"),
    }
    // What is a keyword elsewhere.
    assert_eq!(
        expr("freeze + stream * entry - after + with + drop + step"),
        expr("((((freeze + (stream * entry)) - after) + with) + drop) + step")
    );
}

#[test]
fn groups_tuples_lists() {
    assert_eq!(expr("(a)"), "a");
    assert_eq!(expr("((a, b), (c,), ())"), "tuple(tuple(a, b), tuple(c), tuple())");
    assert_eq!(expr("[[1, 2], []]"), "[[1, 2], []]");
}

#[test]
fn reductions_and_calls_of_their_names() {
    assert_eq!(expr("sum[i, j in 0..n](x[i] * w[j] if i < j)"), "sum[i, j in 0..n]((x[i] * w[j]) if (i < j))");
    assert_eq!(expr("lse[k](z[k]) + any[i](x[i] > 0)"), "(lse[k](z[k]) + any[i]((x[i] > 0)))");
    assert_eq!(expr("sum(x) + max(a, b) + lse"), "((sum(x) + max(a, b)) + lse)");
}

#[test]
fn reads_with_a_value_outside() {
    assert_eq!(expr("x[i - 1] else 0 + 1"), "((x[(i - 1)] else 0) + 1)");
    assert_eq!(expr("x[i, ...] else -inf"), "(x[i, ...] else (-inf))");
    assert_eq!(expr("x[i] else y[j] else f(0)"), "(x[i] else (y[j] else f(0)))");
}

#[test]
fn slices() {
    assert_eq!(expr("x[..k]"), "x[..k]");
    assert_eq!(expr("x[2*k..3*k, k.., .., ..=k]"), "x[(2 * k)..(3 * k), k.., .., ..=k]");
    assert_eq!(expr("x[0]..y[1]"), "x[0]..y[1]");
}

#[test]
fn calls_labels_fields() {
    assert_eq!(expr("f(a, b = c, d == e)(g)"), "f(a, b = c, (d == e))(g)");
    assert_eq!(expr("x |> dense(4 * n) as up |> relu"), "((x |> dense((4 * n)) as up) |> relu)");
    assert_eq!(expr("logits.dense.w ^ 2"), "(logits.dense.w ^ 2)");
    assert_eq!(expr("h.0.1.w + a.loss"), "(h.0.1.w + a.loss)");
}

#[test]
fn blocks_and_branches() {
    assert_eq!(expr("{ let a = 1; a }"), "{ let a = 1; value a }");
    assert_eq!(
        expr("if a { 1 } else if b { 2 } else { 3 } + 4"),
        "(if a { value 1 } else { value if b; value 2; else; value 3 } + 4)"
    );
}

#[test]
fn what_ends_in_a_brace_is_a_value_only_where_it_has_one() {
    assert_eq!(body("if a { h <- 1; }"), "if a\n  h <- 1");
    assert_eq!(body("if a { h <- 1; } else { h <- 2; }"), "if a\n  h <- 1\nelse\n  h <- 2");
    assert_eq!(body("if a { 1 } else { 2 }"), "value if a\n  value 1\nelse\n  value 2");
    assert_eq!(body("if a { h <- 1; } (b, c)"), "if a\n  h <- 1\nvalue tuple(b, c)");
    assert_eq!(body("if a { 1 } else { 2 }; b"), "if a\n  value 1\nelse\n  value 2\nvalue b");
    assert_eq!(body("{ h <- 1; }"), "block\n  h <- 1");
    assert_eq!(body("scan (s = 0) over x { s <- s; }"), "value scan (s = 0) over x\n  s <- s");
}

#[test]
fn statements_of_a_model() {
    let text = "model M(n: int = 3) {
        const (a, b) = (1, 2);
        input x: [n];
        target y: [n] in 0..4;
        precision f64;
        layer enc = encoder(32);
        let h = x |> enc;
        for i in 0..4 { h <- h |> block; }
        loss rec = h;
        loss 2 * h;
        output p = h;
        metric m = h == y;
        assert params < 10_000;
        stream t;
        freeze enc, *.bias, h.0.w;
        transform clip_global_norm(1.0);
        optimizer adam(lr = 1e-3) with clip(1) with ema(2) for *.bias, table;
        train { batch = 32; until = mean_loss < 1e-3; }
        /// Samples.
        entry generate(z: [8]) -> [784] = f(z);
    }";
    let want = "model M(n: int = 3)
  const (a, b) = tuple(1, 2)
  input x: [n]
  target y: [n] in 0..4
  precision f64
  layer enc = encoder(32)
  let h = (x |> enc)
  for i in 0..4
    h <- (h |> block)
  loss rec = h
  loss (2 * h)
  output p = h
  metric m = (h == y)
  assert (params < 10000)
  stream t
  freeze enc, *.bias, h.0.w
  transform clip_global_norm(1.0)
  optimizer adam(lr = 0.001) with clip(1) with ema(2) for *.bias, table
  train
    batch = 32
    until = (mean_loss < 0.001)
  /// Samples.
  entry generate(z: [8]) -> [784]
    value f(z)
";
    assert_eq!(tree(text), want);
}

#[test]
fn index_notation_and_scatter() {
    assert_eq!(body("let y[i, j in 0..n, ...] = x[i];"), "let y[i, j in 0..n, ...] = x[i]");
    assert_eq!(
        body("let y[p*s + i - pad]: [n] += x[p] * k[i] else drop;"),
        "let y[(((p * s) + i) - pad)]: [n] += (x[p] * k[i])"
    );
}

#[test]
fn optimizers_and_transforms() {
    assert_eq!(
        tree("optimizer o(lr = 1) for w: [n, k], g { state m: [n] = 0; m <- g; w <- adam(lr)(w, g); }"),
        "optimizer o(lr = 1) for w: [n, k], g\n  state m: [n] = 0\n  m <- g\n  w <- adam(lr)(w, g)\n"
    );
    assert_eq!(tree("transform ema for w, g { after { a <- w; } }"), "transform ema() for w, g\n  after\n    a <- w\n");
}

#[test]
fn parameters_of_every_kind() {
    let text = "layer l(x: [n, ...], id: in 0..v, t: [t] in 0..v, k: (kh, kw) = 3, b: bool = true,
        u: int, cell: layer, f: fn, p: ([n], [m]), rate = 0.1,) -> ([n], [m]) { x }";
    let want = "layer l(x: [n, ...], id: in 0..v, t: [t] in 0..v, k: (kh, kw) = 3, b: bool = true, \
        u: int, cell: layer, f: fn, p: ([n], [m]), rate = 0.1) -> ([n], [m])\n  value x\n";
    assert_eq!(tree(text), want);
}

#[test]
fn stated_derivatives_inside_and_after() {
    let want = "fn f(x)\n  derivative(dy) = (2 * dy)\n  value g(x)\n";
    assert_eq!(tree("fn f(x) = g(x); derivative(dy) = 2 * dy;"), want);
    assert_eq!(tree("fn f(x) { derivative(dy) = 2 * dy; g(x) }"), want);
}

#[test]
fn documentation() {
    let text = "/// One.\n///\n///  two\nfn f() { /** Three\n * four */ let a = 1; # [ doc = \" five\" ] let b = a; }";
    let want = "/// One.\n///\n///  two\nfn f()\n  /// Three\n  /// four\n  let a = 1\n  /// five\n  let b = a\n";
    assert_eq!(tree(text), want);
    assert_eq!(tree("//// no\n/* /** no */ */ /***/ import /* a */ \"b\"; // c"), "import \"b\"\n");
}

#[test]
fn spans_are_those_of_the_source() {
    let text = "fn f(x) = (x + 1) ; // after\n";
    let mut diagnostics = Diagnostics::default();
    let item = parse::parse_item(text, 100, FileId(7), &mut diagnostics).unwrap();
    assert_eq!(format!("{:?}", item.span), "7:100..119");
    let ast::ItemKind::Fn(f) = &item.kind else { panic!("a function") };
    assert_eq!(format!("{:?} {:?}", f.name.span, f.params[0].span), "7:103..104 7:105..106");
    assert_eq!(format!("{:?}", f.body.span), "7:110..117");
    let text = "fn f() = if a { 1 } /* c */ + x[0] /* d */ ;";
    let file = file(text);
    let ast::ItemKind::Fn(f) = &file.items[0].kind else { panic!("a function") };
    assert_eq!(format!("{:?}", f.body.span), "0:9..34");
}

#[test]
fn everything_of_a_larger_source() {
    let text = "layer conv2d(x: [h, w, c], filters: int, kernel: (kh, kw)) -> [..., filters] {
        const oh = div(h - kh, 1) + 1;
        param k: [kh, kw, c, filters] = he_normal(fan_in = kh*kw*c);
        let y[p in 0..oh, f] = sum[i, j, m](k[i, j, m, f] * x[p + i, j, m] else 0);
        y
    }
    layer norm(x: [c]) -> [c] {
        let (m, v) = if training {
            let m = across_mean(x);
            running <- 0.9 * running + 0.1 * detach(m);
            (m, 1)
        } else { (running, 1) };
        (x - m) / sqrt(v + 1e-5)
    }";
    assert_eq!(file(text).items.len(), 2);
    assert_eq!(tree(text).lines().count(), 13);
}
