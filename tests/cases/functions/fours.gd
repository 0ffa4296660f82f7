/// Functions of logits and divergences. The loss is the function that `which` names by the place of its
/// parameter, and the gradient of that parameter is the function's.
model Fours {
    input which: in 0..4;
    input a: [4];
    input b: [4];
    param d_kl_divergence_logits: [4] = zeros;
    param d_kl_divergence_logits_by_p: [4] = zeros;
    param d_softmax: [4] = zeros;
    param d_log_softmax: [4] = zeros;
    loss (if which == 0 { kl_divergence_logits(q_logits = a + d_kl_divergence_logits, p_logits = b) } else { 0 })
       + (if which == 1 { kl_divergence_logits(p_logits = a + d_kl_divergence_logits_by_p, q_logits = b) } else { 0 })
       + (if which == 2 { sum(b * softmax(a + d_softmax)) } else { 0 })
       + (if which == 3 { sum(b * log_softmax(a + d_log_softmax)) } else { 0 });
    optimizer sgd(lr = 1.0);
    train { batch = 32; epochs = 1; }
}
