mod models;
#[test]
fn look() {
    for (p, n) in [(models::quadratic(), "quadratic.gd"), (models::classifier(), "classifier.gd")] {
    let origin = |loc: gdc_ir::graph::Loc| Some(format!("{n}:{}", loc.1));
    let tokens = gdc_codegen::generate(&p, &gdc_codegen::Options { origin: &origin, ..Default::default() });
    println!("{}", gdc_codegen::print(tokens, &gdc_codegen::header(&p, n)).unwrap());
    }
}
