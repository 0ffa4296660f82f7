/// The digits of scikit-learn: 64-64-10, Adam.
model Digits {
    input  image: [8, 8];
    target label: in 0..10;
    let h      = image / 16 |> flatten |> dense(64) |> relu;
    let logits = h |> dense(10);
    output probs = softmax(logits);
    loss   cross_entropy(logits, label);
    optimizer adam(lr = 1e-3);
    train { batch = 32; }
}
