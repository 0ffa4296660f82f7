// Rearranging. These work on the axes that they name, which are the last ones, and map over
// the others. `reshape(x, [n, m])`, slices `x[a..b]` and index notation are part of the
// language itself.

/// All elements in row-major order as one axis.
fn flatten(x: [...]) -> [size(x)] = reshape(x, [size(x)]);

/// Rows become columns.
fn transpose(x: [n, m]) -> [m, n] {
    let y[j, i] = x[i, j];
    y
}

/// `b` after `a` along the last axis. For three tensors: `concat(concat(a, b), c)`.
fn concat(a: [n], b: [m]) -> [n + m] {
    let y[i in 0..n + m] = if i < n { a[i] else 0 } else { b[i - n] else 0 };
    y
}

/// The rows of `b` after those of `a`: along the first of two axes.
fn concat_rows(a: [n, k], b: [m, k]) -> [n + m, k] {
    let y[i in 0..n + m, j] = if i < n { a[i, j] else 0 } else { b[i - n, j] else 0 };
    y
}

/// Two tensors of one shape, side by side along a new last axis: `[...]` gives `[..., 2]`.
fn stack(a, b) -> [2] {
    let y[k in 0..2] = if k == 0 { a } else { b };
    y
}

/// Three tensors of one shape, side by side along a new last axis.
fn stack3(a, b, c) -> [3] {
    let y[k in 0..3] = if k == 0 { a } else { if k == 1 { b } else { c } };
    y
}

/// What stands before the place `at` of the last axis, and the rest.
fn split(x: [n], at: int) = (x[0..at], x[at..n]);

/// `before` and `after` times the value around the last axis.
fn pad(x: [n], before: int, after: int, value = 0) -> [before + n + after] {
    let y[i in 0..before + n + after] = x[i - before] else value;
    y
}

/// A border of the value, `p` rows and `q` columns wide, around the first two of three axes.
fn pad2d(x: [h, w, c], border: (p, q), value = 0) -> [h + 2 * p, w + 2 * q, c] {
    let y[i in 0..h + 2 * p, j in 0..w + 2 * q, k] = x[i - p, j - q, k] else value;
    y
}

/// 1 at the place of the label, 0 elsewhere; as long as the label's range.
fn one_hot(label: in 0..n) -> [n] {
    let y[k in 0..n] = if k == label { 1.0 } else { 0.0 };
    y
}
