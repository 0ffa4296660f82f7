// Embeddings, positions, attention, and the blocks of Transformers. Sequences are [time, width].

/// Row `id` of a table that is learnt; an integer input of any rank gives that many rows.
layer embedding(id: in 0..v, width: int) -> [width] {
    param table: [v, width] = normal(0, 1);
    let e[j] = table[id, j];
    e
}

/// Row `id` of a given table, which may be used elsewhere too (tied weights).
fn embed(table: [v, n], id: in 0..v) -> [n] { let e[j] = table[id, j]; e }

/// Positions as waves of geometrically growing length: sin(i / 10000^(2k/n)) at place 2k of
/// position i, the cosine at place 2k + 1; Vaswani et al., 2017, section 3.5.
fn positions(length: int, n: int, base = 10000) -> [length, n] {
    let p[i in 0..length, j in 0..n] = {
        let angle = i / base^(2 * div(j, 2) / n);
        if j % 2 == 0 { sin(angle) } else { cos(angle) }
    };
    p
}

/// A vector for each position, which is learnt, added; Gehring et al., 2017, section 3.1.
layer learned_positions(x: [length, n], std = 0.02) -> [length, n] {
    param table: [length, n] = normal(0, std);
    x + table
}

/// Rotary positions: the pair (2k, 2k + 1) of position i turned by the angle i / base^(2k/n);
/// Su et al., 2021, eq. 34. Queries and keys so turned have products that depend on how far
/// apart they are alone.
fn rotary(x: [length, n], base = 10000) -> [length, n] {
    let pairs = reshape(x, [length, n / 2, 2]);
    let angle[i in 0..length, k in 0..n / 2] = i / base^(2 * k / n);
    let y[i, k, s in 0..2] = if s == 0 {
        pairs[i, k, 0] * cos(angle[i, k]) - pairs[i, k, 1] * sin(angle[i, k])
    } else {
        pairs[i, k, 0] * sin(angle[i, k]) + pairs[i, k, 1] * cos(angle[i, k])
    };
    reshape(y, [length, n])
}

/// Softmax of each row over the columns up to the diagonal: no position sees a later one.
fn causal_softmax(s: [length, u]) -> [length, u] {
    let masked[i, j] = if j <= i { s[i, j] } else { -inf };
    softmax(masked)
}

/// softmax(q k^T / sqrt(d)) v; Vaswani et al., 2017, eq. 1. With `causal` no row sees a later
/// one. `mask` is positive where a key is seen: `[keys]`, or `[queries, keys]`; each query must
/// see one key at least. Extra leading axes, such as heads, are mapped over.
fn scaled_dot_product(q: [length, d], k: [u, d], v: [u, e], mask: [...] = 1, causal: bool = false,
                      rate = 0) -> [length, e] {
    let s[i, j] = sum[a](q[i, a] * k[j, a]) / sqrt(d);
    let seen = if mask > 0 { s } else { -inf };
    let p = if causal { causal_softmax(seen) } else { softmax(seen) } |> dropout(rate);
    let y[i, b] = sum[j](p[i, j] * v[j, b]);
    y
}

/// Causal multi-head self-attention, without biases; Vaswani et al., 2017, eq. 1 with heads
/// as in section 3.2.2.
layer attention(x: [length, n], heads: int) -> [length, n] {
    x |> multi_head_attention(heads, causal = true, bias = false) as heads
}

/// Attention in `heads` parts of the width, from `x` to `memory`, which is `x` itself unless
/// another sequence is given; Vaswani et al., 2017, section 3.2.2. `mask`, `causal` and the
/// dropout `rate` are those of `scaled_dot_product`; with `rotate`, queries and keys have rotary
/// positions.
layer multi_head_attention(x: [length, n], heads: int, memory: [u, m] = x, mask: [...] = 1, causal: bool = false,
                           bias: bool = true, rotate: bool = false, rate = 0) -> [length, n] {
    const d = n / heads;
    let q = x |> into_heads(heads, d, bias) as q;
    let k = memory |> into_heads(heads, d, bias) as k;
    let v = memory |> into_heads(heads, d, bias) as v;
    let (turned_q, turned_k) = if rotate { (rotary(q), rotary(k)) } else { (q, k) };
    let o = scaled_dot_product(turned_q, turned_k, v, mask, causal, rate);
    param w: [heads, d, n] = glorot_uniform(n, n);
    let y[i, c] = sum[h, a](o[h, i, a] * w[h, a, c]);
    if bias { param b: [n] = zeros; y + b } else { y }
}

/// A sequence as `heads` sequences of width `d`, each by weights of its own.
layer into_heads(x: [length, n], heads: int, d: int, bias: bool = true) -> [heads, length, d] {
    param w: [n, heads, d] = glorot_uniform(n, heads * d);
    let y[h, i, e] = sum[c](x[i, c] * w[c, h, e]);
    if bias {
        param b: [heads, d] = zeros;
        let z[h, i, e] = y[h, i, e] + b[h, e];
        z
    } else { y }
}

/// Two dense layers, for each position by itself; Vaswani et al., 2017, eq. 2.
layer feed_forward(x: [n], hidden: int, activation: fn = relu, rate = 0) -> [n] {
    x |> dense(hidden) as up |> activation |> dropout(rate) |> dense(n) as down
}

/// A block of an encoder: self-attention, then `feed_forward`, each added to what it is given;
/// Vaswani et al., 2017, section 3.1. Normalised after each sum, or with `pre` before each part:
/// Xiong et al., 2020. With `causal` it is a block of a decoder without an encoder.
layer encoder_block(x: [length, n], heads: int, hidden: int = 4 * n, rate = 0, pre: bool = false, activation: fn = relu,
                    mask: [...] = 1, causal: bool = false, rotate: bool = false) -> [length, n] {
    if pre {
        let a = x + (x |> layer_norm as norm1
                       |> multi_head_attention(heads, mask = mask, causal = causal, rotate = rotate, rate = rate) as attend
                       |> dropout(rate));
        a + (a |> layer_norm as norm2 |> feed_forward(hidden, activation, rate) |> dropout(rate))
    } else {
        let s = x |> multi_head_attention(heads, mask = mask, causal = causal, rotate = rotate, rate = rate) as attend;
        let a = x + dropout(s, rate) |> layer_norm as norm1;
        a + (a |> feed_forward(hidden, activation, rate) |> dropout(rate)) |> layer_norm as norm2
    }
}

/// A block of a decoder: causal self-attention, attention to the encoder's result `memory`, then
/// `feed_forward`, each added to what it is given; Vaswani et al., 2017, section 3.1. `mask` is
/// that of the memory's positions.
layer decoder_block(x: [length, n], memory: [u, m], heads: int, hidden: int = 4 * n, rate = 0, pre: bool = false,
                    activation: fn = relu, mask: [...] = 1) -> [length, n] {
    if pre {
        let a = x + (x |> layer_norm as norm1 |> multi_head_attention(heads, causal = true, rate = rate) as attend
                       |> dropout(rate));
        let b = a + (a |> layer_norm as norm2 |> multi_head_attention(heads, memory, mask, rate = rate) as cross
                       |> dropout(rate));
        b + (b |> layer_norm as norm3 |> feed_forward(hidden, activation, rate) |> dropout(rate))
    } else {
        let s = x |> multi_head_attention(heads, causal = true, rate = rate) as attend;
        let a = x + dropout(s, rate) |> layer_norm as norm1;
        let c = a |> multi_head_attention(heads, memory, mask, rate = rate) as cross;
        let b = a + dropout(c, rate) |> layer_norm as norm2;
        b + (b |> feed_forward(hidden, activation, rate) |> dropout(rate)) |> layer_norm as norm3
    }
}
