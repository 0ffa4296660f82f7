/// 784-128-10 with relu, cross-entropy and Adam.
model Mlp {
    input  x: [784];
    target label: in 0..10;
    let h = x |> dense(128) |> relu;
    let logits = h |> dense(10);
    output probs = softmax(logits);
    loss   cross_entropy(logits, label);
    optimizer adam(lr = 1e-3);
    train { batch = 64; }
}
