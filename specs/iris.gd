/// Fisher's irises: three classes from four lengths in centimetres, with a
/// validation file and an epoch that ends in a partial batch (120 rows by 16).
model Iris {
    input  x: [4];
    target species: in 0..3;
    let h      = x |> dense(16) |> tanh;
    let logits = h |> dense(3);
    output probs = softmax(logits);
    loss   cross_entropy(logits, species);
    metric accuracy = argmax(logits) == species;
    optimizer adam(lr = 0.01);
    train { batch = 16; epochs = 100; }
}
