// The index of a maximum was read at a place that can lie outside.
model M {
    input x: [2, 2];
    param w: [2] = uniform(-1, 1);
    let h[j] = max[i in 0..2](sin(x[i, j] + (w[3*j + 1] else 0)));
    let g[j in 0..2] = min[i in 0..2]((h[i - j] else 0));
    loss mean((h - 0.3)^2) + mean(g^2);
    optimizer sgd(lr = 0.1);
    train { batch = 3; }
}
