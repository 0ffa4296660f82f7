/// Elementwise work over a whole tensor: no product, no sum.
model Elementwise {
    input  x: [4096];
    param w: [4096] = ones;
    output z = max(0, x * w - 0.5 * w) + abs(x);
    loss mean(z * z);
    optimizer sgd(lr = 1e-3);
    train { batch = 1; }
}
