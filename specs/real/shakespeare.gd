/// A small decoder-only Transformer (Vaswani et al., 2017; pre-norm, rotary positions) that reads
/// Shakespeare letter by letter: 63 of them, 64 at a time. The data come by `data/fetch.py`, and
/// `crates/gdc/examples/shakespeare.rs` writes with it.
model Shakespeare {
    const letters = 63;
    const width = 64;
    input  tokens: [64] in 0..letters;
    target next:   [64] in 0..letters;
    param table: [letters, width] = normal(0, 0.02);
    let h = embed(table, tokens);
    for i in 0..2 {
        h <- h |> encoder_block(heads = 4, pre = true, causal = true, rotate = true, activation = gelu_tanh);
    }
    let f = h |> layer_norm;
    let logits[i, v] = sum[j](f[i, j] * table[v, j]);
    output scores = logits;
    loss   mean(cross_entropy(logits, next));
    optimizer adamw(lr = warmup(cosine(3e-3, steps = 2900, after = 100), steps = 100), decay = 0.1) with clip_global_norm(1.0);
    optimizer adamw(lr = warmup(cosine(3e-3, steps = 2900, after = 100), steps = 100), decay = 0) for *.bias, *.gain, *.b, table;
    train { batch = 32; steps = 3000; }
}
