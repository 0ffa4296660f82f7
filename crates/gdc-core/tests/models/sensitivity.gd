/// The derivative of a recurrence's end by its input, itself part of the loss: the recurrences
/// of the derivative are differentiated again.
model Sensitivity {
    input  x: [3, 2];
    target y: [];
    param w: [2, 2] = normal(0, 0.6);
    param u: [2, 2] = normal(0, 0.6);
    let nothing[i in 0..2] = 0.0;
    let h = scan (h = nothing) over v in x { h <- tanh(v @ w + h @ u); };
    let e = sum(h^2);
    let slope = grad(e, x);
    loss (e - y)^2 + 0.5 * sum(slope^2);
    optimizer sgd(lr = 0.05);
    precision f64;
    train { batch = 2; }
}
