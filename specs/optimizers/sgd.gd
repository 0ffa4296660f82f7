/// The digits by plain gradient descent.
/// The files of this folder differ in the optimizer (and the name) alone.
model DigitsSgd {
    input  image: [8, 8];
    target label: in 0..10;
    let h      = image / 16 |> flatten |> dense(64) |> relu;
    let logits = h |> dense(10);
    output probs = softmax(logits);
    loss   cross_entropy(logits, label);
    metric accuracy = argmax(logits) == label;
    optimizer sgd(lr = 0.1);
    train { batch = 32; epochs = 10; }
}
