// Embeddings and attention.

/// Row `id` of a table that is learnt.
layer embedding(id: in 0..v, width: int) -> [width] {
    param table: [v, width] = normal(0, 1);
    let e[j] = table[id, j];
    e
}

/// Row `id` of a given table, which may be used elsewhere too (tied weights).
fn embed(table: [v, n], id: in 0..v) -> [n] { let e[j] = table[id, j]; e }

/// Softmax of each row over the columns up to the diagonal: no position sees a later one.
fn causal_softmax(s: [t, u]) -> [t, u] {
    let masked[i, j] = if j <= i { s[i, j] } else { -inf };
    softmax(masked)
}

/// Causal multi-head self-attention, without biases; Vaswani et al., 2017, eq. 1 with heads
/// as in section 3.2.2.
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
