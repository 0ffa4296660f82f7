/// 10-10-10-1 with relu, mean squared error, gradient descent.
model Narrow {
    input  x: [10];
    target y: [1];
    let h1 = x |> dense(10) |> relu;
    let h2 = h1 |> dense(10) |> relu;
    let z = h2 |> dense(1);
    output out = z;
    loss   mse(z, y);
    optimizer sgd(lr = 0.01);
    train { batch = 32; }
}
