// Initial values of parameters. The draws are keyed by the parameter's path and element, so
// they are the same whatever else the model holds.

/// All zero.
fn zeros() = 0.0;

/// All one.
fn ones() = 1.0;

/// Uniform in low..high.
fn uniform(low, high) = low + (high - low) * unit_uniform();

/// Normal with a mean and a standard deviation.
fn normal(mean, std) = mean + std * unit_normal();

/// Uniform with variance 2 / (fan_in + fan_out); Glorot and Bengio, 2010, eq. 16.
fn glorot_uniform(fan_in, fan_out) = uniform(-sqrt(6 / (fan_in + fan_out)), sqrt(6 / (fan_in + fan_out)));

/// Normal with variance 2 / (fan_in + fan_out); Glorot and Bengio, 2010.
fn glorot_normal(fan_in, fan_out) = normal(0, sqrt(2 / (fan_in + fan_out)));

/// Uniform with variance 2 / fan_in, for relu; He et al., 2015, eq. 10. `fan_out` is not used.
fn he_uniform(fan_in, fan_out = 1) = uniform(-sqrt(6 / fan_in), sqrt(6 / fan_in));

/// Normal with variance 2 / fan_in, for relu; He et al., 2015, eq. 10. `fan_out` is not used.
fn he_normal(fan_in, fan_out = 1) = normal(0, sqrt(2 / fan_in));
