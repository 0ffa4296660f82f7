/// A long short-term memory of 64 units over 32 steps of 16 numbers, and one number made of its
/// last output; mean squared error, Adam.
model Lstm {
    input  x: [32, 16];
    target y: [1];
    let z = x |> lstm(64, last = true) |> dense(1);
    output value = z;
    loss   mse(z, y);
    optimizer adam(lr = 1e-3);
    train { batch = 32; }
}
