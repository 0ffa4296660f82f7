/// The textbook two-layer network, 2-4-1 with sigmoids, trained by gradient
/// descent on the mean squared error to tell the inside of a disc from its outside.
model TwoLayerSigmoid {
    input  x: [2];
    target y: [1];
    let h = x |> dense(4) |> sigmoid;
    let p = h |> dense(1) |> sigmoid;
    output inside = p;
    loss   mse(p, y);
    metric accuracy = (p[0] > 0.5) == (y[0] > 0.5);
    optimizer sgd(lr = 2.0);
    train { batch = 100; epochs = 300; }
}
