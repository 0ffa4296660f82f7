// Dense layers, functions of every kind, random draws, a schedule, moments of gradients.
model Dense {
    input  x: [9];
    target label: in 0..4;
    let h = x |> dense(21) |> gelu |> dropout(0.2) |> dense(16) as wide |> tanh;
    let logits = h |> dense(4);
    output probs = softmax(logits);
    loss   cross_entropy(logits, label);
    loss   1e-3 * sum(probs * log(probs));
    metric accuracy = argmax(logits) == label;
    optimizer adam(lr = cosine(1e-2, steps = 40)) with clip_global_norm(0.5);
    train { batch = 24; }
}
