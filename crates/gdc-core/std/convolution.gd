// Convolution over sequences [time, channels], images [height, width, channels] and volumes
// [depth, height, width, channels]. `padding` is a number, one number or (before, after) for
// each axis in parentheses, `same` or `causal`: see `both`. Each group of output channels reads
// its own group of input channels; with one group for each channel it is a depthwise one.

/// y[p, f] = sum of k[i, m, f] x[p*stride + i*dilation - before, m], zero outside: the
/// cross-correlation that LeCun et al., 1998, call convolution. The result has the length
/// div(t + before + after - dilation*(kernel - 1) - 1, stride) + 1. With `padding = causal` no
/// place sees a later one; van den Oord et al., 2016, section 2.1.
layer conv1d(x: [t, c], filters: int, kernel: int, stride: int = 1, padding: fn = 0,
             dilation: int = 1, groups: int = 1, bias: bool = true) -> [..., filters] {
    const (before, after) = both(padding(0, t, kernel, stride, dilation));
    const ot = strides(t + before + after, dilation*(kernel - 1) + 1, stride);
    const cg = c / groups;
    const fg = filters / groups;
    param k: [kernel, cg, groups, fg] = he_normal(fan_in = kernel*cg);
    let y[p in 0..ot, g, f] =
        sum[i, m](k[i, m, g, f] * x[p*stride + i*dilation - before, g*cg + m] else 0);
    let z = reshape(y, [ot, filters]);
    if bias { param b: [filters] = zeros; z + b } else { z }
}

/// y[p, q, f] = sum of k[i, j, m, f] x[p*sh + i*dh - top, q*sw + j*dw - left, m], zero outside:
/// the cross-correlation that LeCun et al., 1998, call convolution. The result has the height
/// div(h + top + bottom - dh*(kh - 1) - 1, sh) + 1, and so the width.
layer conv2d(x: [h, w, c], filters: int, kernel: (kh, kw), stride: (sh, sw) = 1, padding: fn = 0,
             dilation: (dh, dw) = 1, groups: int = 1, bias: bool = true) -> [..., filters] {
    const (top, bottom) = both(padding(0, h, kh, sh, dh));
    const (left, right) = both(padding(1, w, kw, sw, dw));
    const oh = strides(h + top + bottom, dh*(kh - 1) + 1, sh);
    const ow = strides(w + left + right, dw*(kw - 1) + 1, sw);
    const cg = c / groups;
    const fg = filters / groups;
    param k: [kh, kw, cg, groups, fg] = he_normal(fan_in = kh*kw*cg);
    let y[p in 0..oh, q in 0..ow, g, f] =
        sum[i, j, m](k[i, j, m, g, f] * x[p*sh + i*dh - top, q*sw + j*dw - left, g*cg + m] else 0);
    let z = reshape(y, [oh, ow, filters]);
    if bias { param b: [filters] = zeros; z + b } else { z }
}

/// The same over volumes, such as the frames of a film.
layer conv3d(x: [d, h, w, c], filters: int, kernel: (kd, kh, kw), stride: (sd, sh, sw) = 1,
             padding: fn = 0, dilation: (dd, dh, dw) = 1, groups: int = 1,
             bias: bool = true) -> [..., filters] {
    const (front, back) = both(padding(0, d, kd, sd, dd));
    const (top, bottom) = both(padding(1, h, kh, sh, dh));
    const (left, right) = both(padding(2, w, kw, sw, dw));
    const od = strides(d + front + back, dd*(kd - 1) + 1, sd);
    const oh = strides(h + top + bottom, dh*(kh - 1) + 1, sh);
    const ow = strides(w + left + right, dw*(kw - 1) + 1, sw);
    const cg = c / groups;
    const fg = filters / groups;
    param k: [kd, kh, kw, cg, groups, fg] = he_normal(fan_in = kd*kh*kw*cg);
    let y[o in 0..od, p in 0..oh, q in 0..ow, g, f] = sum[l, i, j, m](k[l, i, j, m, g, f]
        * x[o*sd + l*dd - front, p*sh + i*dh - top, q*sw + j*dw - left, g*cg + m] else 0);
    let z = reshape(y, [od, oh, ow, filters]);
    if bias { param b: [filters] = zeros; z + b } else { z }
}

/// Each channel convolved by itself, giving `multiplier` channels; Chollet, 2017. Followed by
/// `conv2d(filters, kernel = 1)` it is the separable convolution.
layer depthwise_conv2d(x: [h, w, c], kernel: (kh, kw), multiplier: int = 1, stride: (sh, sw) = 1,
                       padding: fn = 0, dilation: (dh, dw) = 1, bias: bool = true) -> [..., c * multiplier] {
    x |> conv2d(c * multiplier, kernel, stride, padding, dilation, c, bias) as conv
}

/// The transpose of `conv1d`, which undoes its change of the length: each element of `x` adds
/// the kernel, times itself, at its place; Zeiler et al., 2010. `padding` is cut off instead of
/// added; `extra` elements more are kept at the end.
layer conv_transpose1d(x: [t, c], filters: int, kernel: int, stride: int = 1, padding: fn = 0,
                       extra: int = 0, dilation: int = 1, groups: int = 1,
                       bias: bool = true) -> [..., filters] {
    const (before, after) = both(padding(0, t*stride, kernel, stride, dilation));
    const ot = (t - 1)*stride + dilation*(kernel - 1) + 1 - before - after + extra;
    const cg = c / groups;
    const fg = filters / groups;
    param k: [kernel, cg, groups, fg] = he_normal(fan_in = kernel*cg);
    let y[p*stride + i*dilation - before, g, f]: [ot, groups, fg] += x[p, g*cg + m] * k[i, m, g, f] else drop;
    let z = reshape(y, [ot, filters]);
    if bias { param b: [filters] = zeros; z + b } else { z }
}

/// The transpose of `conv2d`, which undoes its change of height and width: each element of `x`
/// adds the kernel, times itself, at its place; Zeiler et al., 2010. `padding` is cut off
/// instead of added; `extra` rows and columns more are kept at the end.
layer conv_transpose2d(x: [h, w, c], filters: int, kernel: (kh, kw), stride: (sh, sw) = 1,
                       padding: fn = 0, extra: (eh, ew) = 0, dilation: (dh, dw) = 1, groups: int = 1,
                       bias: bool = true) -> [..., filters] {
    const (top, bottom) = both(padding(0, h*sh, kh, sh, dh));
    const (left, right) = both(padding(1, w*sw, kw, sw, dw));
    const oh = (h - 1)*sh + dh*(kh - 1) + 1 - top - bottom + eh;
    const ow = (w - 1)*sw + dw*(kw - 1) + 1 - left - right + ew;
    const cg = c / groups;
    const fg = filters / groups;
    param k: [kh, kw, cg, groups, fg] = he_normal(fan_in = kh*kw*cg);
    let y[p*sh + i*dh - top, q*sw + j*dw - left, g, f]: [oh, ow, groups, fg] +=
        x[p, q, g*cg + m] * k[i, j, m, g, f] else drop;
    let z = reshape(y, [oh, ow, filters]);
    if bias { param b: [filters] = zeros; z + b } else { z }
}

/// The transpose of `conv3d`, over volumes; see `conv_transpose2d`.
layer conv_transpose3d(x: [d, h, w, c], filters: int, kernel: (kd, kh, kw), stride: (sd, sh, sw) = 1,
                       padding: fn = 0, extra: (ed, eh, ew) = 0, dilation: (dd, dh, dw) = 1, groups: int = 1,
                       bias: bool = true) -> [..., filters] {
    const (front, back) = both(padding(0, d*sd, kd, sd, dd));
    const (top, bottom) = both(padding(1, h*sh, kh, sh, dh));
    const (left, right) = both(padding(2, w*sw, kw, sw, dw));
    const od = (d - 1)*sd + dd*(kd - 1) + 1 - front - back + ed;
    const oh = (h - 1)*sh + dh*(kh - 1) + 1 - top - bottom + eh;
    const ow = (w - 1)*sw + dw*(kw - 1) + 1 - left - right + ew;
    const cg = c / groups;
    const fg = filters / groups;
    param k: [kd, kh, kw, cg, groups, fg] = he_normal(fan_in = kd*kh*kw*cg);
    let y[o*sd + l*dd - front, p*sh + i*dh - top, q*sw + j*dw - left, g, f]: [od, oh, ow, groups, fg] +=
        x[o, p, q, g*cg + m] * k[l, i, j, m, g, f] else drop;
    let z = reshape(y, [od, oh, ow, filters]);
    if bias { param b: [filters] = zeros; z + b } else { z }
}

/// A padding: as many zeros on both sides as make the result ceil(size / stride) long, one more
/// after than before where they are odd. PyTorch has it for stride 1 alone.
fn same(axis: int, size: int, kernel: int, stride: int, dilation: int) {
    const all = (div(size + stride - 1, stride) - 1)*stride + dilation*(kernel - 1) + 1 - size;
    const before = div(all, 2);
    if all > 0 { (before, all - before) } else { (0, 0) }
}

/// A padding: zeros before alone, so that no place of the result depends on a later one.
fn causal(axis: int, size: int, kernel: int, stride: int, dilation: int) = (dilation*(kernel - 1), 0);

/// A padding: none.
fn valid(axis: int, size: int, kernel: int, stride: int, dilation: int) = 0;

/// What a padding gives for an axis, as the numbers before and after. `padding` is called with
/// the axis (0 the first), its size, and the kernel, stride and dilation there, and gives a
/// number for both sides or a tuple; a number as `padding` is that number everywhere, a tuple
/// has its element for each axis.
fn both(p: (before, after)) = (before, after);

/// How many windows begin `stride` after each other in an axis.
fn strides(size: int, window: int, stride: int) = div(size - window, stride) + 1;
