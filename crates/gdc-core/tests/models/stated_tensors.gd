/// Stated derivatives of functions of tensors.
model StatedTensors {
    input x: [3];
    input image: [4, 3];
    target label: in 0..3;
    param w: [3, 3] = normal(0, 0.5);
    param v: [4] = normal(0, 0.5);
    param s = 0.8;
    let z = soft(x @ w);
    let rows = soft(image @ w);
    let c = mixed(w, x, s);
    let g = smoothed(v);
    let r = running(w[0] * x);
    let t = taps(x @ w, v[0..2]);
    let e = picked(w, label);
    let u = sum(soft(2 * x) * z);
    let du = grad(u, x);
    loss sum(z^2) + sum(sin(rows)) + sum(c * z) + sum(g^3) + sum(r * r * c) + sum(t^2) + sum(e^2);
    loss sum(du^2);
    optimizer sgd(lr = 0.01);
    train { batch = 3; }
}
/// exp(z) / sum of exp(z), whose Jacobian is diag(p) - p p^T.
fn soft(z: [n]) -> [n] {
    let p = softmax(z);
    derivative(dy) = p * (dy - sum(p * dy));
    p
}
/// A matrix, a vector and a number, each with its derivative.
fn mixed(m: [n, k], x: [n], scale) -> [k] {
    derivative(dy) = {
        let dm[i, j] = scale * x[i] * dy[j];
        let dx[i] = sum[j](scale * m[i, j] * dy[j]);
        let ds = sum[j](dy[j] * sum[i](x[i] * m[i, j]));
        (dm, dx, ds)
    };
    let y[j] = scale * sum[i](x[i] * m[i, j]);
    y
}
/// A moving sum of squares, whose derivative reads its neighbours.
fn smoothed(x: [n]) -> [n] {
    derivative(dy) = {
        let dx[i] = 2 * x[i] * (dy[i] + (dy[i + 1] else 0));
        dx
    };
    let y[i] = x[i]^2 + (square(x)[i - 1] else 0);
    y
}
fn square(z) = z * z;
/// Running sums, whose derivative is running sums from behind.
fn running(x: [n]) -> [n] {
    derivative(dy) = {
        let back = scan (s = 0.0) over i in 0..n { s <- s + (dy[n - 1 - i]); yield s; };
        let dx[i in 0..n] = back[n - 1 - i];
        dx
    };
    scan (s = 0.0) over e in x { s <- s + e; yield s; }
}
/// A transposed convolution of stride 2, by scatter, with a shared kernel.
fn taps(x: [n], k: [m]) -> [2 * n + m] {
    derivative(dy) = {
        let dx[p in 0..n] = sum[i](k[i] * dy[2 * p + i]);
        let dk[i in 0..m] = sum[p](x[p] * dy[2 * p + i]);
        (dx, dk)
    };
    let y[2 * p + i]: [2 * n + m] += x[p] * k[i];
    y
}
/// A row of a table, whose derivative is scattered into it.
fn picked(table: [v, n], id: in 0..v) -> [n] {
    derivative(dy) = { let d[id, j in 0..n]: [v, n] += dy[j]; d };
    let y[j] = table[id, j];
    y
}
