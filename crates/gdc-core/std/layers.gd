// Layers. Each is written for one sample; extra leading axes are mapped over.

/// y = x w + b. Extra leading axes of `x` share the weights.
layer dense(x: [n], units: int, bias: bool = true, init: fn = glorot_uniform) -> [units] {
    param w: [n, units] = init(n, units);
    let z[j] = sum[i](x[i] * w[i, j]);
    if bias { param b: [units] = zeros; z + b } else { z }
}

/// z for positive z, slope * z otherwise, with a slope that is learned for each place of the
/// last axis, or one for all; He et al., 2015, eq. 1. Its derivative at 0 is the slope.
layer prelu(z: [n], start = 0.25, shared: bool = false) -> [n] {
    if shared {
        param slope: [] = start;
        if z > 0 { z } else { slope * z }
    } else {
        param slope: [n] = start;
        if z > 0 { z } else { slope * z }
    }
}

/// A draw of the normal distribution with mean `mu` and this logarithm of the variance while
/// training, through which both get their derivatives; the mean when predicting. Kingma and
/// Welling, 2014, section 2.4.
fn reparameterise(mu: [...], log_var: [...]) -> [...] {
    if training { mu + exp(log_var / 2) * normal(like = mu) } else { mu }
}

/// The nearest integer (halves to even), with the derivative 1: the straight-through estimator;
/// Bengio et al., 2013.
fn round_through(x) { derivative(dy) = dy; round(x) }

/// The nearest of the 2^bits values (i - zero) * scale that signed integers i can stand for, or
/// with `signed = false` unsigned ones; Jacob et al., 2018, eq. 12. The derivative is 1 within
/// their range and 0 outside.
fn fake_quantise(x, scale, zero = 0, bits: int = 8, signed: bool = true) {
    assert scale > 0;
    assert 1 <= bits && bits <= 32;
    const low = if signed { -(2^(bits - 1)) } else { 0 };
    const high = low + 2^bits - 1;
    let q = round_through(x / scale) + zero;
    ((if q < low { low } else { if q > high { high } else { q } }) - zero) * scale
}
