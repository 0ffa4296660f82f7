// Layers. Each is written for one sample; extra leading axes are mapped over.

/// y = x w + b. Extra leading axes of `x` share the weights.
layer dense(x: [n], units: int, bias: bool = true, init: fn = glorot_uniform) -> [units] {
    param w: [n, units] = init(n, units);
    let z[j] = sum[i](x[i] * w[i, j]);
    if bias { param b: [units] = zeros; z + b } else { z }
}

/// All elements in row-major order as one axis.
fn flatten(x: [...]) -> [size(x)] = reshape(x, [size(x)]);
