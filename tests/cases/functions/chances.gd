/// Divergences of probabilities. The loss is the function that `which` names by the place of its
/// parameter, and the gradient of that parameter is the function's.
model Chances {
    input which: in 0..2;
    input a: [4];
    input b: [4];
    param d_kl_divergence: [4] = zeros;
    param d_kl_divergence_by_p: [4] = zeros;
    loss (if which == 0 { kl_divergence(q = a + d_kl_divergence, p = b) } else { 0 })
       + (if which == 1 { kl_divergence(p = a + d_kl_divergence_by_p, q = b) } else { 0 });
    optimizer sgd(lr = 1.0);
    train { batch = 32; epochs = 1; }
}
