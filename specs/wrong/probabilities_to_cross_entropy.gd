/// Warned about: `cross_entropy` takes logits and applies the softmax itself,
/// so given probabilities it trains, slowly, towards a flattened answer.
/// `cross_entropy(logits, label)` mends it.
model ProbabilitiesToCrossEntropy {
    input  x: [4];
    target label: in 0..3;
    let logits = x |> dense(3);
    output probs = softmax(logits);
    loss   cross_entropy(softmax(logits), label);
    metric accuracy = argmax(logits) == label;
    optimizer sgd(lr = 0.1);
    train { batch = 16; epochs = 100; }
}
