// Initial values of parameters. The draws are keyed by the parameter's path and element, so
// they are the same whatever else the model holds. Those that a layer may take as `init` are
// called with the numbers of inputs and outputs, fan_in and fan_out, which some do not use.
// `constant(c)` is that of the schedules.

/// All zero.
fn zeros(fan_in: int = 1, fan_out: int = 1) = 0.0;

/// All one.
fn ones(fan_in: int = 1, fan_out: int = 1) = 1.0;

/// The identity matrix; 1 on the diagonal of any matrix.
fn eye(n: int, m: int = n) -> [n, m] {
    let y[i in 0..n, j in 0..m] = if i == j { 1.0 } else { 0.0 };
    y
}

/// Uniform in low..high.
fn uniform(low, high) {
    assert low <= high;
    low + (high - low) * unit_uniform()
}

/// Normal with a mean and a standard deviation.
fn normal(mean, std) {
    assert std >= 0;
    mean + std * unit_normal()
}

/// Normal, drawn again while it is further than `cut` standard deviations from the mean, 2 or
/// more. After six draws (one element in a hundred million at 2) it is what lies at the cut.
fn truncated_normal(mean, std, cut = 2.0) =
    mean + std * within(cut, unit_normal(), within(cut, unit_normal(), within(cut, unit_normal(),
        within(cut, unit_normal(), within(cut, unit_normal(), clamp(unit_normal(), -cut, cut))))));

/// The first of two that lies in -cut..cut, or the second.
fn within(cut, z, other) = if abs(z) <= cut { z } else { other };

/// Uniform with variance 2 / (fan_in + fan_out); Glorot and Bengio, 2010, eq. 16.
fn glorot_uniform(fan_in, fan_out) = uniform(-sqrt(6 / (fan_in + fan_out)), sqrt(6 / (fan_in + fan_out)));

/// Normal with variance 2 / (fan_in + fan_out); Glorot and Bengio, 2010.
fn glorot_normal(fan_in, fan_out) = normal(0, sqrt(2 / (fan_in + fan_out)));

/// Uniform with variance 2 / fan_in, for relu; He et al., 2015, eq. 10. `fan_out` is not used.
fn he_uniform(fan_in, fan_out = 1) = uniform(-sqrt(6 / fan_in), sqrt(6 / fan_in));

/// Normal with variance 2 / fan_in, for relu; He et al., 2015, eq. 10. `fan_out` is not used.
fn he_normal(fan_in, fan_out = 1) = normal(0, sqrt(2 / fan_in));

/// Uniform with variance 1 / fan_in, for selu and tanh; LeCun et al., 1998. `fan_out` is not
/// used.
fn lecun_uniform(fan_in, fan_out = 1) = uniform(-sqrt(3 / fan_in), sqrt(3 / fan_in));

/// Normal with variance 1 / fan_in, for selu and tanh; LeCun et al., 1998. `fan_out` is not
/// used.
fn lecun_normal(fan_in, fan_out = 1) = normal(0, sqrt(1 / fan_in));

/// A matrix whose shorter side's vectors are orthonormal, times `gain`, every such matrix being
/// as likely as any other; Saxe et al., 2014. It is the orthogonal part of a matrix of normal
/// draws, found without a decomposition: first a polynomial that brings singular values from
/// 1e-6 up to between 0.68 and 1.14 (Jordan et al., 2024), then Newton and Schulz's iteration
/// of the third order (Bjorck and Bowie, 1971), which brings them to 1.
fn orthogonal(n: int, m: int = n, gain = 1.0) -> [n, m] {
    let draw = normal([n, m]);
    // Its own length is above its greatest singular value.
    let z = if n < m { transpose(draw) } else { draw } / norm(draw);
    let x = z;
    for i in 0..12 { x <- odd_quintic(x, 3.4445, -4.775, 2.0315); }
    for i in 12..16 { x <- odd_quintic(x, 1.875, -1.25, 0.375); }
    gain * (if n < m { transpose(x) } else { x })
}

/// a x + b x (x^T x) + c x (x^T x)^2: the polynomial of each singular value.
fn odd_quintic(x: [n, m], a, b, c) -> [n, m] {
    let s = transpose(x) @ x;
    let q = b * s + c * (s @ s);
    a * x + x @ q
}
