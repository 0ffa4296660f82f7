/// Layer norm and batch norm in one network, with a clipped gradient; evaluated apart from training.
model Norm {
    input x: [20];
    target y: [1];
    let h = x |> layer_norm |> dense(16) |> gelu;
    let k = h |> batch_norm |> dense(1);
    output z = sigmoid(k);
    loss mean(binary_cross_entropy(y, logits = k));
    optimizer momentum(lr = 0.01) with clip_global_norm(1.0);
    train { batch = 32; epochs = 10; }
}
