/// The regression network that tutorials build from dense layers: 10-10-10-1
/// with relu, mean squared error, and a last batch of 8 rows instead of 32.
model KerasMlp {
    input  x: [10];
    target y: [1];
    let h1 = x |> dense(10) |> relu;
    let h2 = h1 |> dense(10) |> relu;
    let y_hat = h2 |> dense(1);
    output prediction = y_hat;
    loss   mse(y_hat, y);
    optimizer sgd(lr = 0.05);
    train { batch = 32; epochs = 50; }
}
