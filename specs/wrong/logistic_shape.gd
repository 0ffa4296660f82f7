/// Refused: the unit has three outputs (`w: [2, 3]`) and the target has one.
/// Size 1 never stretches, so `z: [3]` does not fit `y: [1]`; the message names
/// both shapes and where each came from. `w: [2, 1]` and `b: [1]` mend it.
model LogisticShape {
    input  x: [2];
    target y: [1];
    param w: [2, 3] = zeros;
    param b: [3] = zeros;
    let z[j] = sum[i](x[i] * w[i, j]) + b[j];
    output p = sigmoid(z);
    loss   mean(binary_cross_entropy(logits = z, y));
    optimizer sgd(lr = 0.5);
    train { batch = 50; epochs = 100; }
}
