/// 2-4-1 with sigmoids, mean squared error, gradient descent.
model Sigmoid241 {
    input  x: [2];
    target y: [1];
    let h = x |> dense(4) |> sigmoid;
    let p = h |> dense(1) |> sigmoid;
    output out = p;
    loss   mse(p, y);
    optimizer sgd(lr = 0.5);
    train { batch = 100; }
}
