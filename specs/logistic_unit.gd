/// One logistic unit written out as index notation, without a library layer.
/// The loss takes the logits, so its derivative is sigmoid(z) - y and stays finite.
model LogisticUnit {
    input  x: [2];
    target y: [1];
    param w: [2, 1] = zeros;
    param b: [1] = zeros;
    let z[j] = sum[i](x[i] * w[i, j]) + b[j];
    output p = sigmoid(z);
    loss   mean(binary_cross_entropy(logits = z, y));
    metric accuracy = (z[0] > 0) == (y[0] > 0.5);
    optimizer sgd(lr = 0.5);
    train { batch = 50; epochs = 100; }
}
