//! The text of tiny models, for people to read.

mod models;

use gdc_codegen::{Options, generate, header, print};
use gdc_ir::program::Programs;

fn text(programs: &Programs, source: &str) -> String {
    let origin = |loc: gdc_ir::graph::Loc| Some(format!("{source}:{}", loc.1));
    let tokens = generate(programs, &Options { origin: &origin, ..Options::default() });
    print(tokens, &header(programs, source)).unwrap()
}

#[test]
fn quadratic() {
    insta::assert_snapshot!(text(&models::quadratic(), "quadratic.gd"));
}
