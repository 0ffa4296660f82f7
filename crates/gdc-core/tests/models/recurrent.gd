/// A vanilla recurrent network with a learnt beginning, read at every step and at the last.
layer cell(x: [t, n], units: int) -> [t, units] {
    param h0: [units] = normal(0, 0.3);
    param wx: [n, units] = glorot_uniform(n, units);
    param wh: [units, units] = glorot_uniform(units, units);
    param b: [units] = zeros;
    scan (h = h0) over xt in x { h <- tanh(xt @ wx + h @ wh + b); yield h; }
}
model Recurrent {
    input  x: [5, 3];
    target y: [2];
    let h = x |> cell(4);
    let last = h[4];
    let z = last |> dense(2);
    loss mse(z, y);
    loss 0.1 * mean(h^2);
    optimizer adam(lr = 0.01);
    precision f64;
    train { batch = 3; }
}
