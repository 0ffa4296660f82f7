/// Batch norm over samples and over positions, dropout, and running statistics.
model Normalised {
    input x: [3, 4];
    target y: in 0..3;
    let h = x |> dense(6) |> batch_norm |> tanh |> dropout(0.25) |> flatten;
    let z = h |> dense(3);
    output p = softmax(z);
    loss cross_entropy(z, y);
    metric right = argmax(z) == y;
    optimizer adam(lr = 0.01);
    train { batch = 5; }
}
