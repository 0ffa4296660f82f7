/// Causal attention on embedded tokens, with tied weights.
model Attention {
    const vocab = 5;
    const width = 6;
    input tokens: [4] in 0..vocab;
    target next: [4] in 0..vocab;
    param table: [vocab, width] = normal(0, 0.5);
    let h = embed(table, tokens);
    let a = h + (h |> rms_norm |> attention(2));
    let logits[i, v] = sum[j](a[i, j] * table[v, j]);
    output probs = softmax(logits);
    loss mean(cross_entropy(logits, next));
    optimizer sgd(lr = 0.1);
    train { batch = 3; }
}
