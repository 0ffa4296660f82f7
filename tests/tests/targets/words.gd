// A table, steps in time, attention.
model Words {
    input  tokens: [6] in 0..7;
    target y: [2];
    let e = embedding(tokens, width = 8);
    let a = e |> layer_norm |> attention(heads = 2);
    let p = e + a |> lstm(8, last = true) |> dense(2);
    output guess = p;
    loss   mse(p, y);
    metric error = mean(abs(p - y));
    optimizer momentum(lr = 0.1);
    train { batch = 12; }
}
