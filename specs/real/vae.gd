/// A variational autoencoder of handwritten digits (Kingma and Welling, 2014): eight numbers for
/// an image, drawn while training; `generate` makes images of such draws.
model Vae {
    const latent = 8;
    input image: [8, 8];
    let x  = image / 16 |> flatten;
    let h  = x |> dense(64) |> relu;
    let mu = h |> dense(latent);
    let log_var = h |> dense(latent);
    layer decoder = decode(64);
    let logits = decoder(reparameterise(mu, log_var));
    output reconstruction = sigmoid(logits);
    loss picture    = sum(binary_cross_entropy(x, logits));
    loss divergence = kl_normal(mu, log_var);
    metric error = mse(sigmoid(logits), x);
    optimizer adam(lr = cosine(5e-3, steps = 4500));
    train { batch = 32; epochs = 100; }
    /// An image that was never drawn.
    entry generate(z: [latent]) -> [64] = sigmoid(decoder(z));
}
layer decode(z: [n], out: int) -> [out] { z |> dense(64) as a |> relu |> dense(out) as b }
