//! The text of tiny models and of single kernels, for people to read.
#![allow(clippy::unwrap_used)]

mod models;

use gdc_codegen::{Options, generate, header, print};
use gdc_ir::program::Programs;

fn text(programs: &Programs, source: &str) -> String {
    let origin = |loc: gdc_ir::graph::Loc| Some(format!("{source}:{}", loc.1));
    let tokens = generate(programs, &Options { origin: &origin, ..Options::default() });
    print(tokens, &header(programs, source)).unwrap()
}

/// One kernel of a text, without its indentation.
fn kernel(text: &str, name: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|l| l.contains(&format!("fn {name}"))).unwrap();
    let start = lines[..at].iter().rposition(|l| l.is_empty()).unwrap() + 1;
    let end = at + lines[at..].iter().position(|l| *l == "    }").unwrap();
    lines[start..=end].iter().map(|l| format!("{}\n", l.strip_prefix("    ").unwrap_or(l))).collect()
}

#[test]
fn a_whole_file() {
    insta::assert_snapshot!(text(&models::quadratic(), "quadratic.gd"));
}

#[test]
fn a_tile_of_lanes() {
    insta::assert_snapshot!(kernel(&text(&models::classifier(), "classifier.gd"), "forward_z"));
}

#[test]
fn integers_that_stay_natural() {
    insta::assert_snapshot!(kernel(&text(&models::double(), "double.gd"), "forward_y"));
}
