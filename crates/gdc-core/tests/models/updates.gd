model Clip {
    input x: [3];
    target y: [2];
    let h = x |> dense(4) |> relu;
    let z = h |> dense(2);
    output o = z;
    loss mse(z, y);
    freeze h.dense.b;
    optimizer adam2(lr = cosine(0.1, steps = 10)) with clip_global_norm(1.0) with ema(0.9);
    optimizer adafactor() for z;
    train { batch = 4; }
}
optimizer adam2(lr = 0.1, decay = 0.01) for w, g { w <- w * (1 - lr * decay); w <- adam(lr)(w, g); }
optimizer adafactor(lr = 1e-2, decay = 0.8, eps = 1e-30) for w: [n, k], g {
    state r: [n] = 0;
    state c: [k] = 0;
    const beta = 1 - step^(-decay);
    let rr[i] = mean[j](g[i, j]^2 + eps);
    let cc[j] = mean[i](g[i, j]^2 + eps);
    r <- beta * r + (1 - beta) * rr;
    c <- beta * c + (1 - beta) * cc;
    let u[i, j] = g[i, j] / sqrt(r[i] * c[j] / mean(r));
    w <- w - lr * u / max(1, rms(u));
}
optimizer adafactor(lr = 1e-2, decay = 0.8, eps = 1e-30) for w: [...], g {
    state v = 0;
    v <- (1 - step^(-decay)) * v + step^(-decay) * (g^2 + eps);
    let u = g / sqrt(v);
    w <- w - lr * u / max(1, rms(u));
}
