// Normalisation and regularisation.

/// Each feature normalised by its mean and variance over the batch and over every axis that
/// this layer is mapped over, so one definition serves [c], [h, w, c] and sequences; when
/// predicting, by running statistics. Ioffe and Szegedy, 2015, algorithm 1; the running
/// variance is unbiased and `momentum` is the share of the new value, as in PyTorch.
layer batch_norm(x: [c], momentum = 0.1, eps = 1e-5) -> [c] {
    param gain: [c] = ones;
    param bias: [c] = zeros;
    state running_mean: [c] = 0;
    state running_var: [c] = 1;
    if training {
        let m = across_mean(x);
        let v = across_mean((x - m)^2);
        let n = across_count();
        running_mean <- (1 - momentum) * running_mean + momentum * detach(m);
        running_var <- (1 - momentum) * running_var + momentum * detach(v) * n / max(n - 1, 1);
        (x - m) / sqrt(v + eps) * gain + bias
    } else {
        (x - running_mean) / sqrt(running_var + eps) * gain + bias
    }
}

/// Each sample's features normalised by their own mean and variance; Ba et al., 2016.
layer layer_norm(x: [n], eps = 1e-5) -> [n] {
    param gain: [n] = ones;
    param bias: [n] = zeros;
    let d = x - mean(x);
    d / sqrt(mean(d^2) + eps) * gain + bias
}

/// Each sample's features divided by the root of the mean of their squares; Zhang and
/// Sennrich, 2019.
layer rms_norm(x: [n], eps = 1e-6) -> [n] {
    param gain: [n] = ones;
    x / sqrt(mean(x^2) + eps) * gain
}

/// Each element dropped with probability `rate` while training, the others scaled by
/// 1/(1 - rate); Srivastava et al., 2014, in the inverted form.
layer dropout(x: [...], rate) -> [...] {
    if training && rate > 0 {
        let u = uniform(like = x);
        if u >= rate { x / (1 - rate) } else { 0 }
    } else { x }
}
