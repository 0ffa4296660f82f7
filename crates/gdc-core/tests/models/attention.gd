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
fn embed(table: [v, n], id: in 0..v) -> [n] { let e[j] = table[id, j]; e }
layer rms_norm(x: [n], eps = 1e-6) -> [n] {
    param gain: [n] = ones;
    x / sqrt(mean(x^2) + eps) * gain
}
fn causal_softmax(s: [t, u]) -> [t, u] {
    let masked[i, j] = if j <= i { s[i, j] } else { -inf };
    softmax(masked)
}
layer attention(x: [t, n], heads: int) -> [t, n] {
    const d = n / heads;
    param wq: [n, heads, d] = glorot_uniform(n, n);
    param wk: [n, heads, d] = glorot_uniform(n, n);
    param wv: [n, heads, d] = glorot_uniform(n, n);
    param wo: [heads, d, n] = glorot_uniform(n, n);
    let q[h, i, e] = sum[m](x[i, m] * wq[m, h, e]);
    let k[h, i, e] = sum[m](x[i, m] * wk[m, h, e]);
    let v[h, i, e] = sum[m](x[i, m] * wv[m, h, e]);
    let s[h, i, j] = sum[e](q[h, i, e] * k[h, j, e]) / sqrt(d);
    let p = causal_softmax(s);
    let o[h, i, e] = sum[j](p[h, i, j] * v[h, j, e]);
    let y[i, m] = sum[h, e](o[h, i, e] * wo[h, e, m]);
    y
}
