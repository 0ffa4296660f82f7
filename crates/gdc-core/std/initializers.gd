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
fn uniform(low, high) = low + (high - low) * unit_uniform();

/// Normal with a mean and a standard deviation.
fn normal(mean, std) = mean + std * unit_normal();

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
