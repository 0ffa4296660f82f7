/// A long short-term memory over words, whose final carries are read, mapped over two sentences,
/// and a running mean beside it, carried as one number.
layer memory(x: [t, n], units: int) -> [units] {
    const k = units;
    param wx: [n, 4 * k] = glorot_uniform(n, k);
    param wh: [k, 4 * k] = glorot_uniform(k, k);
    param b: [4 * k] = normal(0, 0.1);
    let nothing[i in 0..k] = 0.0;
    let (s, c) = scan (s = nothing, c = nothing) over i in 0..t {
        let z = x[i] @ wx + s @ wh + b;
        c <- sigmoid(z[k..2 * k]) * c + sigmoid(z[..k]) * tanh(z[2 * k..3 * k]);
        s <- sigmoid(z[3 * k..]) * tanh(c);
    };
    s + 0.1 * c
}
model Memory {
    input  words: [2, 4] in 0..7;
    target label: in 0..3;
    param table: [7, 3] = normal(0, 0.5);
    let x[p, i, k] = table[words[p, i], k];
    let s = x |> memory(3);
    let level = scan (m = 0.5) over xi in x[0] { m <- 0.7 * m + 0.3 * mean(xi)^2; yield m; };
    let logits = flatten(s) |> dense(3);
    loss cross_entropy(logits, label);
    loss mean(level^2);
    optimizer momentum(lr = 0.05);
    precision f64;
    train { batch = 2; }
}
