// Indices and names bound inside of what is scattered, and `pi`, were taken for its indices.
model M {
    input x: [4];
    param w: [2, 3] = uniform(-1, 1);
    let s[2*i + 1]: [9] += x[i] * mean[q](w[0, q] * x[i]) * pi else drop;
    let t[i]: [4] += x[i] * { let once = x[i] + 1; once * once } else drop;
    loss mean(s^2) + mean(tanh(t));
    optimizer sgd(lr = 0.1);
    train { batch = 3; }
}
