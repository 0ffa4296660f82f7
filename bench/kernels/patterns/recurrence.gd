/// A gated recurrent unit: a scan, its carries backward, and one contraction for each weight.
model Recurrence {
    input  x: [24, 8];
    target y: [32];
    let h = x |> gru(32, last = true);
    output value = h;
    loss   mse(h, y);
    optimizer sgd(lr = 1e-3);
    train { batch = 16; }
}
