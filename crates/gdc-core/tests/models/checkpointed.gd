/// Blocks whose insides are computed again for the derivative, one of them with a scan, and a
/// checkpoint within another.
model Checkpointed {
    input  x: [5, 3];
    target y: [4];
    let h = x |> dense(4);
    for i in 0..2 { h <- h + checkpoint(h |> layer_norm |> dense(6) as up |> gelu |> dense(4) as down); }
    let s = h |> gru(4) |> tanh |> checkpoint;
    let last = checkpoint(checkpoint(s[4] |> dense(5) |> silu) |> dense(4) as out);
    output y_hat = last;
    loss mean((last - y)^2);
    optimizer momentum(lr = 0.05);
    precision f64;
    train { batch = 2; }
}
