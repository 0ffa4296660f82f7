/// The digits by gradient descent with momentum (the velocity takes the whole gradient).
/// The files of this folder differ in the optimizer (and the name) alone.
model DigitsMomentum {
    input  image: [8, 8];
    target label: in 0..10;
    let h      = image / 16 |> flatten |> dense(64) |> relu;
    let logits = h |> dense(10);
    output probs = softmax(logits);
    loss   cross_entropy(logits, label);
    metric accuracy = argmax(logits) == label;
    optimizer momentum(lr = 0.02, momentum = 0.9);
    train { batch = 32; epochs = 10; }
}
