/// Functions of a number. The loss is the function that `which` names by the place of its
/// parameter, and the gradient of that parameter is the function's.
model Numbers {
    input which: in 0..24;
    input x: [];
    param d_relu = 0.0;
    param d_leaky_relu = 0.0;
    param d_elu = 0.0;
    param d_sigmoid = 0.0;
    param d_tanh = 0.0;
    param d_softplus = 0.0;
    param d_silu = 0.0;
    param d_gelu = 0.0;
    param d_gelu_tanh = 0.0;
    param d_identity = 0.0;
    param d_relu6 = 0.0;
    param d_selu = 0.0;
    param d_celu = 0.0;
    param d_mish = 0.0;
    param d_log_sigmoid = 0.0;
    param d_hard_sigmoid = 0.0;
    param d_hard_swish = 0.0;
    param d_hard_tanh = 0.0;
    param d_softsign = 0.0;
    param d_leaky_relu_variant = 0.0;
    param d_elu_variant = 0.0;
    param d_celu_variant = 0.0;
    param d_hard_tanh_variant = 0.0;
    param d_clamp_variant = 0.0;
    loss (if which == 0 { relu(x + d_relu) } else { 0 })
       + (if which == 1 { leaky_relu(x + d_leaky_relu, slope = 0.01) } else { 0 })
       + (if which == 2 { elu(x + d_elu, alpha = 1.0) } else { 0 })
       + (if which == 3 { sigmoid(x + d_sigmoid) } else { 0 })
       + (if which == 4 { tanh(x + d_tanh) } else { 0 })
       + (if which == 5 { softplus(x + d_softplus) } else { 0 })
       + (if which == 6 { silu(x + d_silu) } else { 0 })
       + (if which == 7 { gelu(x + d_gelu) } else { 0 })
       + (if which == 8 { gelu_tanh(x + d_gelu_tanh) } else { 0 })
       + (if which == 9 { identity(x + d_identity) } else { 0 })
       + (if which == 10 { relu6(x + d_relu6) } else { 0 })
       + (if which == 11 { selu(x + d_selu) } else { 0 })
       + (if which == 12 { celu(x + d_celu, alpha = 1.0) } else { 0 })
       + (if which == 13 { mish(x + d_mish) } else { 0 })
       + (if which == 14 { log_sigmoid(x + d_log_sigmoid) } else { 0 })
       + (if which == 15 { hard_sigmoid(x + d_hard_sigmoid) } else { 0 })
       + (if which == 16 { hard_swish(x + d_hard_swish) } else { 0 })
       + (if which == 17 { hard_tanh(x + d_hard_tanh) } else { 0 })
       + (if which == 18 { softsign(x + d_softsign) } else { 0 })
       + (if which == 19 { leaky_relu(x + d_leaky_relu_variant, slope = 0.25) } else { 0 })
       + (if which == 20 { elu(x + d_elu_variant, alpha = 1.5) } else { 0 })
       + (if which == 21 { celu(x + d_celu_variant, alpha = 2.0) } else { 0 })
       + (if which == 22 { hard_tanh(x + d_hard_tanh_variant, low = -2.0, high = 0.5) } else { 0 })
       + (if which == 23 { clamp(x + d_clamp_variant, low = -1.5, high = 3.0) } else { 0 });
    optimizer sgd(lr = 1.0);
    train { batch = 32; epochs = 1; }
}
