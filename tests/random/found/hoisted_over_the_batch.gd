// Work moved out of a sum over the batch had the batch as a later axis, and a prediction needed it.
model M {
    input x: [2, 2, 1];
    let y = x |> conv2d(1, kernel = (2, 2), stride = (1, 2)) |> dense(2) |> gelu;
    loss mean(log(1 + y^2));
    output o = y;
    optimizer sgd(lr = 0.02);
    train { batch = 2; }
}
