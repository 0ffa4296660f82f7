// Convolution and pooling over images of shape [height, width, channels].

/// y[p, q, f] = sum of k[i, j, m, f] x[p*sh + i*dh - ph, q*sw + j*dw - pw, m], zero outside:
/// the cross-correlation that LeCun et al., 1998, call convolution. The result has height
/// div(h + 2*ph - dh*(kh - 1) - 1, sh) + 1, and so the width. With `groups`, each group of
/// output channels reads its own group of input channels.
layer conv2d(x: [h, w, c], filters: int, kernel: (kh, kw), stride: (sh, sw) = 1,
             padding: (ph, pw) = 0, dilation: (dh, dw) = 1, groups: int = 1) -> [..., filters] {
    const oh = div(h + 2*ph - dh*(kh - 1) - 1, sh) + 1;
    const ow = div(w + 2*pw - dw*(kw - 1) - 1, sw) + 1;
    const cg = c / groups;
    const fg = filters / groups;
    param k: [kh, kw, cg, groups, fg] = he_normal(fan_in = kh*kw*cg);
    param b: [filters] = zeros;
    let y[p in 0..oh, q in 0..ow, g, f] =
        sum[i, j, m](k[i, j, m, g, f] * x[p*sh + i*dh - ph, q*sw + j*dw - pw, g*cg + m] else 0);
    reshape(y, [oh, ow, filters]) + b
}

/// The greatest value of each window; of equal ones the first gets the gradient.
layer max_pool2d(x: [h, w, c], kernel: (kh, kw), stride: (sh, sw) = kernel, padding: (ph, pw) = 0) -> [..., c] {
    const oh = div(h + 2*ph - kh, sh) + 1;
    const ow = div(w + 2*pw - kw, sw) + 1;
    let y[p in 0..oh, q in 0..ow, f] =
        max[i in 0..kh, j in 0..kw](x[p*sh + i - ph, q*sw + j - pw, f] else -inf);
    y
}

/// The mean of each window; zeros of the padding count as values, as PyTorch's do unless
/// told otherwise.
layer avg_pool2d(x: [h, w, c], kernel: (kh, kw), stride: (sh, sw) = kernel, padding: (ph, pw) = 0) -> [..., c] {
    const oh = div(h + 2*ph - kh, sh) + 1;
    const ow = div(w + 2*pw - kw, sw) + 1;
    let y[p in 0..oh, q in 0..ow, f] =
        mean[i in 0..kh, j in 0..kw](x[p*sh + i - ph, q*sw + j - pw, f] else 0);
    y
}

/// The mean of each channel over all positions; Lin et al., 2014.
fn global_avg_pool(x: [h, w, c]) -> [c] { let y[f] = mean[i, j](x[i, j, f]); y }
