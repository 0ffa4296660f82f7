// Double precision.
model Double {
    precision f64;
    input  x: [3];
    target y: [2];
    let p = x |> dense(5) |> tanh |> dense(2) as last |> sigmoid;
    output guess = p;
    loss   mse(p, y);
    metric error = mean(abs(p - y));
    optimizer adagrad(lr = 0.1);
    train { batch = 7; }
}
