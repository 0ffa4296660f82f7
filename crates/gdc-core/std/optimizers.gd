// Optimizers. `w` is a parameter and `g` the derivative of the loss by it; `step` counts
// from 1 and `t` from 0. The definitions are those of PyTorch's documentation.

/// w - lr g; Robbins and Monro, 1951.
optimizer sgd(lr = 0.01) for w, g {
    w <- w - lr * g;
}

/// Heavy ball: v <- momentum v + g, w - lr v; Polyak, 1964.
optimizer momentum(lr = 0.01, momentum = 0.9) for w, g {
    state v = 0;
    v <- momentum * v + g;
    w <- w - lr * v;
}

/// Nesterov, 1983, in the form of Sutskever et al., 2013.
optimizer nesterov(lr = 0.01, momentum = 0.9) for w, g {
    state v = 0;
    v <- momentum * v + g;
    w <- w - lr * (g + momentum * v);
}

/// Duchi et al., 2011.
optimizer adagrad(lr = 0.01, eps = 1e-10) for w, g {
    state v = 0;
    v <- v + g^2;
    w <- w - lr * g / (sqrt(v) + eps);
}

/// Tieleman and Hinton, 2012.
optimizer rmsprop(lr = 0.01, alpha = 0.99, eps = 1e-8) for w, g {
    state v = 0;
    v <- alpha * v + (1 - alpha) * g^2;
    w <- w - lr * g / (sqrt(v) + eps);
}

/// Kingma and Ba, 2015, algorithm 1.
optimizer adam(lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) for w, g {
    state m = 0;
    state v = 0;
    m <- beta1 * m + (1 - beta1) * g;
    v <- beta2 * v + (1 - beta2) * g^2;
    w <- w - lr * (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step)) + eps);
}
