// What a test around says of a place that is computed.
model M {
    input x: [2];
    param w: [4, 2] = uniform(-1, 1);
    let v = flatten(w);
    let h = max[q](x[q] * tanh((w[q - 1, 0] else 0)));
    let s[i]: [6] += v[i] * x[1] + (v[i - 1] else 0.5) else drop;
    loss (h - 0.3)^2 + mean(s^2);
    optimizer sgd(lr = 0.1);
    train { batch = 1; }
}
