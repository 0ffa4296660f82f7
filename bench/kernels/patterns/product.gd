/// Two dense layers: products forward, for the weights and for what they read.
model Product {
    input  x: [256];
    target y: [256];
    let z = x |> dense(256) as first |> relu |> dense(256) as second;
    output value = z;
    loss   mse(z, y);
    optimizer sgd(lr = 1e-3);
    train { batch = 64; }
}
