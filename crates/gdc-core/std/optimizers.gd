// Optimizers. `w` is one element of a parameter, or with `w: [...]` the whole of it, and `g` the
// derivative of the loss by it; `step` counts from 1 and `t` from 0. Definitions and default
// settings are those of PyTorch's documentation, so `eps` stands outside of the root unless
// said otherwise.

/// w - lr g; Robbins and Monro, 1951.
optimizer sgd(lr = 1e-3) for w, g {
    w <- w - lr * g;
}

/// Heavy ball: v <- momentum v + g, w - lr v; Polyak, 1964.
optimizer momentum(lr = 1e-3, momentum = 0.9) for w, g {
    assert 0 <= momentum && momentum <= 1;
    state v = 0;
    v <- momentum * v + g;
    w <- w - lr * v;
}

/// Nesterov, 1983, in the form of Sutskever et al., 2013.
optimizer nesterov(lr = 1e-3, momentum = 0.9) for w, g {
    assert 0 <= momentum && momentum <= 1;
    state v = 0;
    v <- momentum * v + g;
    w <- w - lr * (g + momentum * v);
}

/// Duchi et al., 2011, figure 1, with a diagonal matrix.
optimizer adagrad(lr = 0.01, eps = 1e-10) for w, g {
    state v = 0;
    v <- v + g^2;
    w <- w - lr * g / (sqrt(v) + eps);
}

/// Zeiler, 2012, algorithm 1; eps stands inside of the roots.
optimizer adadelta(lr = 1.0, rho = 0.9, eps = 1e-6) for w, g {
    assert 0 <= rho && rho < 1;
    state v = 0;
    state u = 0;
    v <- rho * v + (1 - rho) * g^2;
    let d = sqrt(u + eps) / sqrt(v + eps) * g;
    u <- rho * u + (1 - rho) * d^2;
    w <- w - lr * d;
}

/// Tieleman and Hinton, 2012; centred, by an estimate of the variance: Graves, 2013, eq. 39.
optimizer rmsprop(lr = 0.01, alpha = 0.99, eps = 1e-8, centred: bool = false) for w, g {
    assert 0 <= alpha && alpha < 1;
    state v = 0;
    v <- alpha * v + (1 - alpha) * g^2;
    let variance = if centred {
        state a = 0;
        a <- alpha * a + (1 - alpha) * g;
        max(0, v - a^2)
    } else { v };
    w <- w - lr * g / (sqrt(variance) + eps);
}

/// Kingma and Ba, 2015, algorithm 1.
optimizer adam(lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) for w, g {
    assert 0 <= beta1 && beta1 < 1;
    assert 0 <= beta2 && beta2 < 1;
    state m = 0;
    state v = 0;
    m <- beta1 * m + (1 - beta1) * g;
    v <- beta2 * v + (1 - beta2) * g^2;
    w <- w - lr * (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step)) + eps);
}

/// Adam by the largest second moment so far; Reddi et al., 2018, algorithm 2, with Adam's
/// correction of the bias.
optimizer amsgrad(lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) for w, g {
    assert 0 <= beta1 && beta1 < 1;
    assert 0 <= beta2 && beta2 < 1;
    state m = 0;
    state v = 0;
    state most = 0;
    m <- beta1 * m + (1 - beta1) * g;
    v <- beta2 * v + (1 - beta2) * g^2;
    most <- max(most, v);
    w <- w - lr * (m / (1 - beta1^step)) / (sqrt(most / (1 - beta2^step)) + eps);
}

/// Adam by the largest recent |g|; Kingma and Ba, 2015, algorithm 2; eps is added to |g|.
optimizer adamax(lr = 2e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) for w, g {
    assert 0 <= beta1 && beta1 < 1;
    assert 0 <= beta2 && beta2 < 1;
    state m = 0;
    state u = 0;
    m <- beta1 * m + (1 - beta1) * g;
    u <- max(beta2 * u, abs(g) + eps);
    w <- w - lr * m / ((1 - beta1^step) * u);
}

/// Adam with Nesterov's momentum, which is warmed up; Dozat, 2016, algorithm 2.
optimizer nadam(lr = 2e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, momentum_decay = 4e-3) for w: [...], g {
    assert 0 <= beta1 && beta1 < 1;
    assert 0 <= beta2 && beta2 < 1;
    state m = 0;
    state v = 0;
    // The product of the momentums so far: one number, the same for every element.
    state product: [] = 1;
    let now = beta1 * (1 - 0.5 * 0.96^(step * momentum_decay));
    let next = beta1 * (1 - 0.5 * 0.96^((step + 1) * momentum_decay));
    product <- product * now;
    m <- beta1 * m + (1 - beta1) * g;
    v <- beta2 * v + (1 - beta2) * g^2;
    let u = (1 - now) / (1 - product) * g + next / (1 - product * next) * m;
    w <- w - lr * u / (sqrt(v / (1 - beta2^step)) + eps);
}

/// Adam with a decay of the weights that is apart from the gradient; Loshchilov and Hutter,
/// 2019, algorithm 2, the decay multiplied by the rate.
optimizer adamw(lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, decay = 0.01) for w, g {
    assert 0 <= beta1 && beta1 < 1;
    assert 0 <= beta2 && beta2 < 1;
    w <- w * (1 - lr * decay);
    w <- adam(lr, beta1, beta2, eps)(w, g);
}

/// Adam that begins as plain momentum, while the second moment is not to be trusted; Liu et
/// al., 2020, algorithm 2.
optimizer radam(lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) for w, g {
    assert 0 <= beta1 && beta1 < 1;
    assert 0 <= beta2 && beta2 < 1;
    state m = 0;
    state v = 0;
    m <- beta1 * m + (1 - beta1) * g;
    v <- beta2 * v + (1 - beta2) * g^2;
    // The length of a moving average, at the end and now.
    let end = 2 / (1 - beta2) - 1;
    let now = end - 2 * step * beta2^step / (1 - beta2^step);
    let trust = if now > 5 { sqrt((now - 4) * (now - 2) * end / ((end - 4) * (end - 2) * now)) } else { 0 };
    let scale = if now > 5 { trust * sqrt(1 - beta2^step) / (sqrt(v) + eps) } else { 1 };
    w <- w - lr * m / (1 - beta1^step) * scale;
}

/// The sign of a momentum; Chen et al., 2023, program 1. With g = 0 from the start it rests.
optimizer lion(lr = 1e-4, beta1 = 0.9, beta2 = 0.99, decay = 0.0) for w, g {
    assert 0 <= beta1 && beta1 < 1;
    assert 0 <= beta2 && beta2 < 1;
    state m = 0;
    w <- w - lr * (sign(beta1 * m + (1 - beta1) * g) + decay * w);
    m <- beta2 * m + (1 - beta2) * g;
}

/// Adam with steps in proportion to the size of the whole tensor; You et al., 2020, algorithm 2,
/// with the identity for phi. A tensor that is zero moves as by Adam.
optimizer lamb(lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-6, decay = 0.01) for w: [...], g {
    assert 0 <= beta1 && beta1 < 1;
    assert 0 <= beta2 && beta2 < 1;
    state m = 0;
    state v = 0;
    m <- beta1 * m + (1 - beta1) * g;
    v <- beta2 * v + (1 - beta2) * g^2;
    let u = (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step)) + eps) + decay * w;
    let size = norm(w);
    let length = norm(u);
    let trust = if size > 0 && length > 0 { size / length } else { 1 };
    w <- w - lr * trust * u;
}

/// The second moment of a matrix from those of its rows and columns, and steps in proportion to
/// the size of the tensor; Shazeer and Stern, 2018, algorithms 4 and 5, as PyTorch has them:
/// eps1 is the least root of a second moment, eps2 the least size.
optimizer adafactor(lr = 1e-2, decay = 0.8, eps1 = 1.1920928955078125e-7, eps2 = 1e-3, clip = 1.0) for w: [n, k], g {
    state rows: [n] = 0;
    state columns: [k] = 0;
    let r[i] = mean[j](g[i, j]^2);
    let c[j] = mean[i](g[i, j]^2);
    rows <- rows + step^(-decay) * (r - rows);
    columns <- columns + step^(-decay) * (c - columns);
    let all = max(mean(rows), eps1);
    let u[i, j] = g[i, j] / sqrt(max(rows[i] * columns[j] / all, eps1^2));
    w <- w - lr_of_size(lr, w, eps2) * u / max(1, rms(u) / clip);
}

/// The same of a tensor that is no matrix: its second moment is kept whole.
optimizer adafactor(lr = 1e-2, decay = 0.8, eps1 = 1.1920928955078125e-7, eps2 = 1e-3, clip = 1.0) for w: [...], g {
    state v = 0;
    v <- v + step^(-decay) * (g^2 - v);
    let u = g / sqrt(max(v, eps1^2));
    w <- w - lr_of_size(lr, w, eps2) * u / max(1, rms(u) / clip);
}

/// Adafactor's rate: it falls as 1 / sqrt(step) once that is below lr, and grows with w.
fn lr_of_size(lr, w: [...], least) = min(lr, 1 / sqrt(step)) * max(least, rms(w));
