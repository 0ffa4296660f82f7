/// Handwritten digits, 8 by 8 pixels of 0 to 16, with Adam and a cosine that
/// reaches zero at the last of 30 epochs of 45 steps.
model Digits {
    input  image: [8, 8];
    target label: in 0..10;
    let h      = image / 16 |> flatten |> dense(64) |> relu;
    let logits = h |> dense(10);
    output probs = softmax(logits);
    loss   cross_entropy(logits, label);
    metric accuracy = argmax(logits) == label;
    optimizer adam(lr = cosine(1e-2, steps = 1350));
    train { batch = 32; epochs = 30; }
}
