// Transforms of gradients, and averages of weights: `optimizer adam(lr = 1e-3) with clip_global_norm(1.0);`

/// Gradients scaled so that the Euclidean norm of all of them together is at most `limit`;
/// Pascanu et al., 2013. The 1e-6 is PyTorch's.
transform clip_global_norm(limit) for w, g {
    let n = sqrt(total(g^2));
    g <- g * min(1, limit / (n + 1e-6));
}

/// Each tensor's gradient scaled so that its own Euclidean norm is at most `limit`.
transform clip_norm(limit) for w: [...], g {
    g <- g * min(1, limit / (norm(g) + 1e-6));
}

/// Each element of the gradient limited to -limit..limit.
transform clip_value(limit) for w, g {
    g <- clamp(g, -limit, limit);
}

/// L2 regularisation: the gradient of rate/2 * w^2 added.
transform weight_decay(rate) for w, g {
    g <- g + rate * w;
}

/// An exponential average of the weights, after each update; Polyak and Juditsky, 1992.
/// It is kept as the state `average` of each parameter.
transform ema(rate = 0.999) for w, g {
    state average = w;
    after { average <- rate * average + (1 - rate) * w; }
}

/// Normal noise added to gradients, of the variance scale / (1 + t)^decay; Neelakantan et al.,
/// 2015, eq. 1.
transform gradient_noise(scale = 0.01, decay = 0.55) for w, g {
    g <- g + sqrt(scale / (1 + t)^decay) * normal(like = g);
}
