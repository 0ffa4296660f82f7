/// Four hidden layers of 512 with relu, cross-entropy and momentum.
model Deep {
    input  x: [512];
    target label: in 0..10;
    let h1 = x |> dense(512) |> relu;
    let h2 = h1 |> dense(512) |> relu;
    let h3 = h2 |> dense(512) |> relu;
    let h4 = h3 |> dense(512) |> relu;
    let logits = h4 |> dense(10);
    output probs = softmax(logits);
    loss   cross_entropy(logits, label);
    optimizer momentum(lr = 1e-3, momentum = 0.9);
    train { batch = 128; }
}
