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
