// Normalisation and regularisation.

/// Each feature normalised by its mean and variance over the batch and over every axis that
/// this layer is mapped over, so one definition serves [c], [h, w, c] and sequences; when
/// predicting, by running statistics. Ioffe and Szegedy, 2015, algorithm 1; the running
/// variance is unbiased and `momentum` is the share of the new value, as in PyTorch.
layer batch_norm(x: [c], momentum = 0.1, eps = 1e-5) -> [c] {
    assert 0 <= momentum && momentum <= 1;
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

/// Each feature minus its mean and divided by its deviation, over all samples that training has
/// seen and every axis that this layer is mapped over: inputs brought to one size by what the
/// training data are. After whole epochs the two are those of the data. Batches are joined by
/// the rule of Chan, Golub and LeVeque, 1983. One that never varies becomes 0. Over several axes:
/// `x |> flatten |> standardise`.
layer standardise(x: [c]) -> [c] {
    state seen = 0.0;
    state mean: [c] = 0;
    state variance: [c] = 1;
    if training {
        let m = detach(across_mean(x));
        let v = detach(across_mean((x - m)^2));
        let part = across_count() / (seen + across_count());
        variance <- (1 - part) * variance + part * v + part * (1 - part) * (m - mean)^2;
        mean <- mean + part * (m - mean);
        seen <- seen + across_count();
    }
    (x - mean) / sqrt(if variance > 0 { variance } else { 1 })
}

/// Each sample's features normalised by their own mean and variance; Ba et al., 2016. Over
/// several axes: `x |> flatten |> layer_norm`, and `reshape` back.
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

/// Each sample's channels, the last axis, in `groups` of neighbours, each group normalised by
/// its mean and variance over its channels and all positions; Wu and He, 2018, eq. 1.
layer group_norm(x: [..., c], groups: int, eps = 1e-5, affine: bool = true) -> [..., c] {
    let z = whitened(x, groups, eps);
    if affine {
        param gain: [c] = ones;
        param bias: [c] = zeros;
        z * gain + bias
    } else { z }
}

/// Each sample's channels normalised each by its mean and variance over all positions; Ulyanov
/// et al., 2016, eq. 2.
layer instance_norm(x: [..., c], eps = 1e-5, affine: bool = true) -> [..., c] {
    let z = whitened(x, c, eps);
    if affine {
        param gain: [c] = ones;
        param bias: [c] = zeros;
        z * gain + bias
    } else { z }
}

/// Groups of channels with mean 0 and variance 1 each.
fn whitened(x: [..., c], groups: int, eps) -> [..., c] {
    let g = reshape(x, [size(x) / c, groups, c / groups]);
    let m[k] = mean[i, l](g[i, k, l]);
    let d[i, k, l] = g[i, k, l] - m[k];
    let v[k] = mean[i, l](d[i, k, l]^2);
    let y[i, k, l] = d[i, k, l] / sqrt(v[k] + eps);
    reshape(y, like = x)
}

/// Each element dropped with probability `rate` while training, the others scaled by
/// 1/(1 - rate); Srivastava et al., 2014, in the inverted form.
fn dropout(x: [...], rate) -> [...] {
    assert 0 <= rate && rate < 1;
    if training && rate > 0 {
        let u = uniform(like = x);
        if u >= rate { x / (1 - rate) } else { 0 }
    } else { x }
}

/// The same of whole channels, the last axis: at all positions of a sample together; Tompson et
/// al., 2015, section 3.2.
fn spatial_dropout(x: [..., c], rate) -> [..., c] {
    assert 0 <= rate && rate < 1;
    if training && rate > 0 {
        let u = uniform([c]);
        if u >= rate { x / (1 - rate) } else { 0 }
    } else { x }
}
