/// Losses of logits and a label. The loss is the function that `which` names by the place of its
/// parameter, and the gradient of that parameter is the function's.
model Classes {
    input which: in 0..7;
    input a: [4];
    target label: in 0..4;
    param d_cross_entropy: [4] = zeros;
    param d_cross_entropy_smoothed: [4] = zeros;
    param d_weighted_cross_entropy: [4] = zeros;
    param d_weighted_cross_entropy_smoothed: [4] = zeros;
    param d_nll: [4] = zeros;
    param d_focal: [4] = zeros;
    param d_focal_half: [4] = zeros;
    loss (if which == 0 { cross_entropy(logits = a + d_cross_entropy, label = label) } else { 0 })
       + (if which == 1 { cross_entropy(logits = a + d_cross_entropy_smoothed, label = label, smoothing = 0.1) } else { 0 })
       + (if which == 2 { weighted_cross_entropy(logits = a + d_weighted_cross_entropy, label = label, weight = [1, 2, 0.5, 5]) } else { 0 })
       + (if which == 3 { weighted_cross_entropy(logits = a + d_weighted_cross_entropy_smoothed, label = label, weight = [1, 2, 0.5, 5], smoothing = 0.1) } else { 0 })
       + (if which == 4 { nll(log_p = a + d_nll, label = label) } else { 0 })
       + (if which == 5 { focal(logits = a + d_focal, label = label) } else { 0 })
       + (if which == 6 { focal(logits = a + d_focal_half, label = label, gamma = 0.5) } else { 0 });
    optimizer sgd(lr = 1.0);
    train { batch = 32; epochs = 1; }
}
