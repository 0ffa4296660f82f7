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
