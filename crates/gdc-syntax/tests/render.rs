//! How a diagnostic looks, with everything that one can hold.

use gdc_syntax::render::{render, short};
use gdc_syntax::{Diagnostic, SourceMap, Span, codes};

#[test]
fn all_parts_are_shown() {
    let mut sources = SourceMap::default();
    let a = sources.add("a.gd", "model M {\n    input x: [3];\n    let y = x + z; // θ\n}\n");
    let b = sources.add("b.gd", "layer z(x: [4]) { x }\n");
    let diagnostics = [
        Diagnostic::error(codes::E0001, Span::new(a, 40, 45), "3 is not 4")
            .label("3 against 4")
            .secondary(Span::new(a, 23, 26), "3 comes from here")
            .secondary(Span::new(b, 11, 14), "4 comes from here")
            .note("4 = 3 + 1")
            .help("write 4"),
        Diagnostic::warning(codes::E0012, Span::new(a, 0, 5), "a warning"),
    ];
    insta::assert_snapshot!(render(&diagnostics, &sources, false), @r"
    error[E0001]: 3 is not 4
     --> a.gd:3:13
      |
    2 |     input x: [3];
      |              --- 3 comes from here
    3 |     let y = x + z; // θ
      |             ^^^^^ 3 against 4
      |
     ::: b.gd:1:12
      |
    1 | layer z(x: [4]) { x }
      |            --- 4 comes from here
      |
      = note: 4 = 3 + 1
      = help: write 4

    warning[E0012]: a warning
     --> a.gd:1:1
      |
    1 | model M {
      | ^^^^^
    ");
    assert_eq!(short(&diagnostics[0], &sources), "a.gd:3:13: error[E0001]: 3 is not 4");
    assert_eq!(short(&diagnostics[1], &sources), "a.gd:1:1: warning[E0012]: a warning");
    assert!(render(&diagnostics, &sources, true).contains("\u{1b}["));
}

#[test]
fn of_a_long_line_the_part_around_the_mistake_is_shown() {
    let mut sources = SourceMap::default();
    let text = format!("model M {{\n{}let y = wrong; {}\n}}", "let a = 1; ".repeat(1000), "let é = 2; ".repeat(90_000));
    let at = text.find("wrong").unwrap();
    let file = sources.add("a.gd", text);
    let diagnostics = [Diagnostic::error(codes::E0001, Span::new(file, at, at + 5), "no `wrong`")
        .label("here")
        .secondary(Span::new(file, 0, 5), "far away")
        .note("a note")];
    insta::assert_snapshot!(render(&diagnostics, &sources, false), @r"
    error[E0001]: no `wrong`
     --> a.gd:2:11009
      |
    2 |  a = 1; let a = 1; let a = 1; let a = 1; let a = 1; let y = wrong; let é = 2; let é = 2; let é = 2; let é = 2; let é = 2
      |                                                             ^^^^^ here
      |
      = note: a note
    ");
    assert!(!render(&diagnostics, &sources, true).contains(":::"));
    let start = std::time::Instant::now();
    for _ in 0..100 {
        render(&diagnostics, &sources, false);
    }
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}
