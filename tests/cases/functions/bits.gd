/// Losses of one number. The loss is the function that `which` names by the place of its
/// parameter, and the gradient of that parameter is the function's.
model Bits {
    input which: in 0..3;
    input a: [];
    target b: [];
    param d_binary_cross_entropy = 0.0;
    param d_binary_cross_entropy_of = 0.0;
    param d_binary_focal = 0.0;
    loss (if which == 0 { binary_cross_entropy(logits = a + d_binary_cross_entropy, y = b) } else { 0 })
       + (if which == 1 { binary_cross_entropy_of(p = a + d_binary_cross_entropy_of, y = b) } else { 0 })
       + (if which == 2 { binary_focal(logits = a + d_binary_focal, y = b) } else { 0 });
    optimizer sgd(lr = 1.0);
    train { batch = 32; epochs = 1; }
}
