/// The digits by RMSprop, which divides by a running root mean square.
/// The files of this folder differ in the optimizer (and the name) alone.
model DigitsRmsprop {
    input  image: [8, 8];
    target label: in 0..10;
    let h      = image / 16 |> flatten |> dense(64) |> relu;
    let logits = h |> dense(10);
    output probs = softmax(logits);
    loss   cross_entropy(logits, label);
    metric accuracy = argmax(logits) == label;
    optimizer rmsprop(lr = 1e-3, alpha = 0.99);
    train { batch = 32; epochs = 10; }
}
