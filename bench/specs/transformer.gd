/// A decoder of two blocks over 64 of 65 tokens, width 64, 4 heads, AdamW.
layer block(x: [t, n], heads: int) -> [t, n] {
    let a = x + (x |> layer_norm as norm1 |> attention(heads));
    a + (a |> layer_norm as norm2 |> dense(4*n) as up |> gelu |> dense(n) as down)
}
model Decoder {
    input  tokens: [64] in 0..65;
    input  places: [64] in 0..64;
    target next:   [64] in 0..65;
    param table: [65, 64] = normal(0, 0.02);
    param place: [64, 64] = normal(0, 0.02);
    let h = embed(table, tokens) + embed(place, places);
    for i in 0..2 { h <- h |> block(heads = 4); }
    let f = h |> layer_norm as final_norm;
    let logits = f |> dense(65) as head;
    output probs = softmax(logits);
    loss mean(cross_entropy(logits, next));
    optimizer adamw(lr = 3e-4, decay = 0.01);
    train { batch = 8; }
}
