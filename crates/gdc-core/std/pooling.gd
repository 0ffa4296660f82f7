// Pooling. Channels are the last axis and are pooled each by itself; the axes before it are
// those of a sequence or an image. With `ceil_mode` there is a last window that is not full,
// as long as it begins before the padding at the end.

/// The greatest value of each window; of equal ones the first gets the gradient.
fn max_pool1d(x: [t, c], kernel: int, stride: int = kernel, padding: fn = 0, dilation: int = 1,
              ceil_mode: bool = false) -> [..., c] {
    const (before, after) = both(padding(0, t, kernel, stride, dilation));
    const ot = windows(t, before, after, dilation*(kernel - 1) + 1, stride, ceil_mode);
    let y[p in 0..ot, f] = max[i in 0..kernel](x[p*stride + i*dilation - before, f] else -inf);
    y
}

/// The greatest value of each window; of equal ones the first gets the gradient.
fn max_pool2d(x: [h, w, c], kernel: (kh, kw), stride: (sh, sw) = kernel, padding: fn = 0,
              dilation: (dh, dw) = 1, ceil_mode: bool = false) -> [..., c] {
    const (top, bottom) = both(padding(0, h, kh, sh, dh));
    const (left, right) = both(padding(1, w, kw, sw, dw));
    const oh = windows(h, top, bottom, dh*(kh - 1) + 1, sh, ceil_mode);
    const ow = windows(w, left, right, dw*(kw - 1) + 1, sw, ceil_mode);
    let y[p in 0..oh, q in 0..ow, f] =
        max[i in 0..kh, j in 0..kw](x[p*sh + i*dh - top, q*sw + j*dw - left, f] else -inf);
    y
}

/// The mean of each window. Zeros of the padding count as values unless `count_pad = false`;
/// what lies beyond the padding never does.
fn avg_pool1d(x: [t, c], kernel: int, stride: int = kernel, padding: fn = 0, ceil_mode: bool = false,
              count_pad: bool = true) -> [..., c] {
    const (before, after) = both(padding(0, t, kernel, stride, 1));
    const ot = windows(t, before, after, kernel, stride, ceil_mode);
    let s[p in 0..ot, f] = sum[i in 0..kernel](x[p*stride + i - before, f] else 0);
    if count_pad && !ceil_mode { s / kernel } else {
        let n = covered(ot, t, before, after, kernel, stride, count_pad);
        let y[p, f] = s[p, f] / n[p];
        y
    }
}

/// The mean of each window. Zeros of the padding count as values unless `count_pad = false`;
/// what lies beyond the padding never does.
fn avg_pool2d(x: [h, w, c], kernel: (kh, kw), stride: (sh, sw) = kernel, padding: fn = 0,
              ceil_mode: bool = false, count_pad: bool = true) -> [..., c] {
    const (top, bottom) = both(padding(0, h, kh, sh, 1));
    const (left, right) = both(padding(1, w, kw, sw, 1));
    const oh = windows(h, top, bottom, kh, sh, ceil_mode);
    const ow = windows(w, left, right, kw, sw, ceil_mode);
    let s[p in 0..oh, q in 0..ow, f] =
        sum[i in 0..kh, j in 0..kw](x[p*sh + i - top, q*sw + j - left, f] else 0);
    if count_pad && !ceil_mode { s / (kh * kw) } else {
        let rows = covered(oh, h, top, bottom, kh, sh, count_pad);
        let columns = covered(ow, w, left, right, kw, sw, count_pad);
        let y[p, q, f] = s[p, q, f] / (rows[p] * columns[q]);
        y
    }
}

/// The mean of each channel over all positions; Lin et al., 2014.
fn global_avg_pool(x: [h, w, c]) -> [c] { let y[f] = mean[i, j](x[i, j, f]); y }

/// The greatest value of each channel over all positions.
fn global_max_pool(x: [h, w, c]) -> [c] { let y[f] = max[i, j](x[i, j, f]); y }

/// The mean of each channel over a sequence.
fn global_avg_pool1d(x: [t, c]) -> [c] { let y[f] = mean[i](x[i, f]); y }

/// The greatest value of each channel over a sequence.
fn global_max_pool1d(x: [t, c]) -> [c] { let y[f] = max[i](x[i, f]); y }

/// Means of as many windows as are asked for: window p of n begins at floor(p * size / n) and
/// ends before ceil((p + 1) * size / n), as PyTorch has it.
fn adaptive_avg_pool1d(x: [t, c], length: int) -> [length, c] {
    let y[p in 0..length, f] = sum[i](if lies_in(i, p, t, length) { x[i, f] } else { 0 });
    let n[p in 0..length] = sum[i in 0..t](if lies_in(i, p, t, length) { 1 } else { 0 });
    let z[p, f] = y[p, f] / n[p];
    z
}

/// Means of as many windows as are asked for, in rows and columns; see `adaptive_avg_pool1d`.
fn adaptive_avg_pool2d(x: [h, w, c], shape: (oh, ow)) -> [oh, ow, c] {
    let s[p in 0..oh, j, f] = sum[i](if lies_in(i, p, h, oh) { x[i, j, f] } else { 0 });
    let y[p, q in 0..ow, f] = sum[j](if lies_in(j, q, w, ow) { s[p, j, f] } else { 0 });
    let rows[p in 0..oh] = sum[i in 0..h](if lies_in(i, p, h, oh) { 1 } else { 0 });
    let columns[q in 0..ow] = sum[j in 0..w](if lies_in(j, q, w, ow) { 1 } else { 0 });
    let z[p, q, f] = y[p, q, f] / (rows[p] * columns[q]);
    z
}

/// The greatest values of as many windows as are asked for, in rows and columns; see
/// `adaptive_avg_pool1d`.
fn adaptive_max_pool2d(x: [h, w, c], shape: (oh, ow)) -> [oh, ow, c] {
    let y[p in 0..oh, q in 0..ow, f] =
        max[i, j](x[i, j, f] if lies_in(i, p, h, oh) && lies_in(j, q, w, ow));
    y
}

/// Each element repeated in a block of rows and columns: the nearest neighbour.
fn upsample2d(x: [h, w, c], factor: (a, b)) -> [h * a, w * b, c] {
    let y[p, i in 0..a, q, j in 0..b, f] = x[p, q, f];
    reshape(y, [h * a, w * b, c])
}

/// Whether place i of an axis lies in window p of n.
fn lies_in(i, p, size: int, n: int) = p * size < (i + 1) * n && i * n < (p + 1) * size;

/// How many windows an axis has.
fn windows(size: int, before: int, after: int, window: int, stride: int, ceil_mode: bool) {
    const full = div(size + before + after - window, stride);
    const last = div(size + before + after - window + stride - 1, stride);
    if ceil_mode && last * stride < size + before { last + 1 } else { full + 1 }
}

/// How many values each window covers.
fn covered(count: int, size: int, before: int, after: int, window: int, stride: int, count_pad: bool) -> [count] {
    let n[p in 0..count] = sum[i in 0..window](
        if count_pad && p*stride + i < size + before + after
            || before <= p*stride + i && p*stride + i < size + before { 1 } else { 0 });
    n
}
