/// A network that solves a differential equation, u'' + u = 0 with u(0) = 0 and u'(0) = 1, from
/// 0 to 2 pi, by nothing but what its own derivatives say (Raissi et al., 2019). The solution is
/// the sine, which the metric alone knows.
model Oscillator {
    input x: [];
    layer u = wave(32);
    let y    = u(x);
    let dy   = grad(y, x);
    let d2y  = grad(dy, x);
    let x0   = leaf(0.0);
    let y0   = u(x0);
    loss physics  = (d2y + y)^2;
    loss boundary = 10 * (y0^2 + (grad(y0, x0) - 1)^2);
    output solution = y;
    metric worst = across_max(abs(y - sin(x)));
    optimizer adam(lr = cosine(5e-3, steps = 20000));
    train { batch = 256; epochs = 20000; }
}
layer wave(x: [], width: int) -> [] {
    let z[i in 0..1] = x - pi;
    let y = z |> dense(width) as a |> tanh |> dense(width) as b |> tanh |> dense(1) as c;
    y[0]
}
