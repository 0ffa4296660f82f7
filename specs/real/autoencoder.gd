/// Handwritten digits squeezed through eight numbers and back.
model Autoencoder {
    input image: [8, 8];
    let x      = image / 16 |> flatten;
    let code   = x |> dense(48) as a |> relu |> dense(8) as b;
    let again  = code |> dense(48) as a |> relu |> dense(64) as b |> sigmoid;
    output digest = code;
    output reconstruction = again;
    loss   mse(again, x);
    optimizer adam(lr = cosine(5e-3, steps = 4500));
    train { batch = 32; epochs = 100; }
}
