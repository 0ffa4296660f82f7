// Recurrent layers over the first of two axes, the steps. They give what every step gives; with
// `last = true` what the last one does. What does not depend on the step before, such as the
// product of the inputs and their weights, is computed for all steps at once. Gates lie side by
// side in one matrix, in PyTorch's order; its matrices are the transposes of these.

/// h <- tanh(x wx + h wh + b), from zero; Elman, 1990.
layer rnn(x: [t, n], units: int, last: bool = false) {
    param wx: [n, units] = glorot_uniform(n, units);
    param wh: [units, units] = recurrent_uniform(units);
    param b: [units] = zeros;
    let y = scan (h = zeros([units])) over i in 0..t {
        h <- tanh(x[i] @ wx + h @ wh + b);
        yield h;
    };
    if last { y[t - 1] } else { y }
}

/// Long short-term memory, from zero, with the gates i, f, g, o of z = x wx + h wh + b:
/// c <- sigmoid(f) c + sigmoid(i) tanh(g), h <- sigmoid(o) tanh(c); Hochreiter and Schmidhuber,
/// 1997, with the gate f of Gers et al., 2000. `b` is the sum of PyTorch's two; that of f begins
/// as `forget`, for which Jozefowicz et al., 2015, recommend 1.
layer lstm(x: [t, n], units: int, last: bool = false, forget = 0.0) {
    const k = units;
    param wx: [n, 4 * k] = glorot_uniform(n, k);
    param wh: [k, 4 * k] = recurrent_uniform(k);
    let start[j in 0..4 * k] = if k <= j && j < 2 * k { forget } else { 0 };
    param b: [4 * k] = start;
    let y = scan (h = zeros([k]), c = zeros([k])) over i in 0..t {
        let z = x[i] @ wx + h @ wh + b;
        let kept = sigmoid(z[k..2 * k]) * c;
        c <- kept + sigmoid(z[..k]) * tanh(z[2 * k..3 * k]);
        h <- sigmoid(z[3 * k..]) * tanh(c);
        yield h;
    };
    if last { y[t - 1] } else { y }
}

/// Gated recurrent unit, from zero, with the gates r, z, n of a = x wx + bx and u = h wh + bh:
/// h <- (1 - z) n + z h with r = sigmoid(a_r + u_r), z = sigmoid(a_z + u_z) and
/// n = tanh(a_n + r u_n); Cho et al., 2014, with the reset after the product, as PyTorch has it.
layer gru(x: [t, n], units: int, last: bool = false) {
    const k = units;
    param wx: [n, 3 * k] = glorot_uniform(n, k);
    param wh: [k, 3 * k] = recurrent_uniform(k);
    param bx: [3 * k] = zeros;
    param bh: [3 * k] = zeros;
    let y = scan (h = zeros([k])) over i in 0..t {
        let a = x[i] @ wx + bx;
        let u = h @ wh + bh;
        let r = sigmoid(a[..k] + u[..k]);
        let z = sigmoid(a[k..2 * k] + u[k..2 * k]);
        let new = tanh(a[2 * k..] + r * u[2 * k..]);
        h <- (1 - z) * new + z * h;
        yield h;
    };
    if last { y[t - 1] } else { y }
}

/// One recurrent layer forwards and one backwards in time, what they give side by side:
/// `x |> bidirectional(lstm(32))`; Schuster and Paliwal, 1997.
layer bidirectional(x: [t, n], cell: layer) {
    let forwards = cell(x) as forwards;
    let backwards = cell(reversed(x)) as backwards;
    concat(forwards, reversed(backwards))
}

/// The first of two axes in the other direction.
fn reversed(x: [t, n]) -> [t, n] {
    let y[i in 0..t, j] = x[t - 1 - i, j];
    y
}

/// Uniform in -1/sqrt(units)..1/sqrt(units), as PyTorch begins its recurrent weights.
fn recurrent_uniform(units) = uniform(-1 / sqrt(units), 1 / sqrt(units));
