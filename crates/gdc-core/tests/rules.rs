//! One small test for each simplification: what is written, and what the graph holds.

#![allow(clippy::expect_used, clippy::panic)] // a test that fails says so by panicking

use gdc_core::compile_model;
use gdc_core::library::Library;
use gdc_syntax::{Diagnostics, SourceMap, ast, parse};

/// The right side that the output of a model has after the passes.
fn simplified(expression: &str) -> String {
    let text = format!(
        "model R {{ input x: []; input y: []; input z: []; input v: [4]; input k: in 0..4; param w = 1.0; loss w^2; \
         output m = {expression}; optimizer sgd(lr = 0.1); }}"
    );
    let (mut sources, mut diagnostics) = (SourceMap::default(), Diagnostics::default());
    let file = sources.add("rule.gd", text.as_str());
    let file = parse::parse_file(&text, file, &mut diagnostics).expect("the spec can be parsed");
    let model = file.items.iter().find_map(|i| match &i.kind {
        ast::ItemKind::Model(m) => Some(m.clone()),
        _ => None,
    });
    let model = model.expect("there is a model");
    let mut library = Library::new(file.items);
    let graph = compile_model(&model, &[], &mut library, &mut sources, &mut diagnostics, &mut |_, _| {});
    let graph = graph.unwrap_or_else(|_| panic!("{expression}: {:#?}", diagnostics.as_slice()));
    let node = graph.graph.node(graph.outputs[0].node);
    // An input that is left over is not computed by any statement.
    if node.leaf().is_some() {
        return node.name.clone();
    }
    let equation = gdc_ir::text::equation(&graph.graph, graph.outputs[0].node);
    let (_, right) = equation.split_once(" = ").expect("an equation has two sides");
    right.replace("[b]", "").replace("[b, ", "[")
}

macro_rules! rules {
    ($($name:ident: $written:literal => $held:literal;)*) => {$(
        #[test]
        fn $name() {
            assert_eq!(simplified($written), $held);
        }
    )*};
}

rules! {
    add_zero: "x + 0" => "x";
    zero_minus: "0 - x" => "-x";
    add_negative: "x + (-y)" => "x - y";
    subtract_negative: "x - (-y)" => "x + y";
    subtract_itself: "x * y - x * y" => "0";
    times_one: "x * 1" => "x";
    times_zero: "x * 0 + y" => "y";
    times_minus_one: "x * (-1)" => "-x";
    product_of_negatives: "(-x) * (-y)" => "x * y";
    constants_meet: "2 * (3 * x)" => "6 * x";
    constants_stand_left: "x * 2" => "2 * x";
    quotient_of_one: "x * (1 / y)" => "x / y";
    divided_by_a_power_of_two: "x / 4" => "0.25 * x";
    factor_over_constant: "(6 * x) / 3" => "2 * x";
    negative_quotient: "(-x) / y" => "-(x / y)";
    double_negation: "-(-x)" => "x";
    negated_difference: "-(x - y)" => "y - x";
    like_terms: "3 * x + 2 * x" => "5 * x";
    like_terms_across_a_sum: "x - 0.5 * (x - 3)" => "0.5 * x + 1.5";
    common_factor: "x * y + x * z" => "x * (y + z)";
    difference_undone: "(x - y) + y" => "x";
    sum_undone: "(x + y) - y" => "x";
    square: "x^2" => "x * x";
    power_zero: "x^0 + y" => "1 + y";
    power_half: "x^0.5" => "sqrt(x)";
    power_minus_one: "x^(-1)" => "1 / x";
    log_of_exp: "log(exp(x))" => "x";
    exp_of_log: "exp(log(x))" => "x";
    log_of_one_plus: "log(1 + x)" => "log1p(x)";
    exp_minus_one: "exp(x) - 1" => "expm1(x)";
    sigmoid_written_out: "1 / (1 + exp(-x))" => "sigmoid(x)";
    log_of_sigmoid: "log(sigmoid(x))" => "-softplus(-x)";
    log_of_one_minus_sigmoid: "log(1 - sigmoid(x))" => "-softplus(x)";
    mask_times: "y * (if x > 0 { z } else { 0 })" => "if 0 < x { y * z } else { 0 }";
    equal_branches: "if x > 0 { y } else { y }" => "y";
    not_swaps_branches: "if !(x > 0) { y } else { z }" => "if 0 < x { z } else { y }";
    nested_choice: "if x > 0 { if x > 0 { y } else { z } } else { z }" => "if 0 < x { y } else { z }";
    always_true_by_interval: "if k < 4 { x } else { y }" => "if k < 4 { x } else { y }";
    index_of_constant: "sum[i in 0..4](if i < 4 { v[i] } else { 0 })" => "sum[i](v[i])";
    detach_of_detach: "detach(detach(x))" => "x";
    straight_through: "x + detach(y - x)" => "y";
    constant_folding: "x + sqrt(4) * 2" => "x + 4";
    max_of_equals: "max(x, x)" => "x";
    abs_of_abs: "abs(abs(x))" => "abs(x)";
    abs_of_negative: "abs(-x)" => "abs(x)";
    square_of_abs: "abs(x) * abs(x)" => "x * x";
    abs_times_sign: "abs(x) * sign(x)" => "x";
    decimals_are_not_rounded_twice: "(1 - 0.9) * x" => "0.1 * x";
    products_of_decimals: "(0.1 * 3) * x" => "0.3 * x";
    log_of_one_minus: "log(1 - x)" => "log1p(-x)";
    log_of_one_plus_exp: "log(1 + exp(x))" => "softplus(x)";
    one_minus_exp: "1 - exp(x)" => "-expm1(x)";
    log_of_one_minus_exp: "log(1 - exp(x))" => "log(-expm1(x))";
    choice_decided_further_down: "if x > 0 { y * exp(if x > 0 { z } else { v[0] }) } else { z }" => "if 0 < x { y * exp(z) } else { z }";
    softplus_keeps_its_tail: "softplus(x) - y * x" => "max(0, x) - y * x + softplus(-abs(x))";
    cancelled_quotient: "x * y * (z / x)" => "y * z";
    cancelled_product: "(x * y) / (y * z)" => "x / z";
    choices_add_up: "(if x > 0 { y } else { z }) + (if x > 0 { y } else { 0 })" => "if 0 < x { 2 * y } else { z }";
    choices_in_a_choice: "if x > 0 { if y > 0 { z } else { 0 } } else { 0 }" => "if 0 < x && 0 < y { z } else { 0 }";
    choices_beside_a_choice: "if x > 0 { 0 } else { if y > 0 { 0 } else { z } }" => "if 0 < x || 0 < y { 0 } else { z }";
    test_of_a_difference: "if 1 - x == 0 { y } else { z }" => "if x == 1 { y } else { z }";
    test_of_a_maximum: "if max(0, x) < 2 { y } else { z }" => "if x < 2 { y } else { z }";
    test_of_a_minimum: "if min(2, x) <= 0 { y } else { z }" => "if x <= 0 { y } else { z }";
    sum_that_runs_over_a_part: "sum[i](if i < 2 { v[i] } else { 0 })" => "sum[i](v[i])";
    sum_that_begins_later: "sum[i](if i < 1 { 0 } else { v[i] * v[i] })" => "sum[i](v[i + 1] * v[i + 1])";
    sum_of_one_place: "sum[i](x * (if i == 2 { exp(v[i]) } else { 0 }))" => "x * exp(v[2])";
    element_of_a_list: "[x, y, z][1]" => "y";
    sum_of_a_list_of_two: "sum([x, 0])" => "x";
}
