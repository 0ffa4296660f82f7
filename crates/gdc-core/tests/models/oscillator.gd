/// u'' + u = 0, u(0) = 0, u'(0) = 1.
model Oscillator {
    input x: [];
    layer mlp = net(4);
    let u   = mlp(x);
    let du  = grad(u, x);
    let d2u = grad(du, x);
    let x0 = leaf(0.0);
    let u0 = mlp(x0);
    loss physics  = (d2u + u)^2;
    loss boundary = 10 * (u0^2 + (grad(u0, x0) - 1)^2);
    output solution = u;
    optimizer adam(lr = 1e-3);
    train { batch = 8; steps = 10; }
}
layer net(x: [], width: int) -> [] {
    let first[i in 0..1] = x;
    let y = first |> dense(width) as a |> tanh |> dense(width) as b |> tanh |> dense(1) as c;
    y[0]
}
