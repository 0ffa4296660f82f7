/// Repeated blocks with layer norm.
model Deep {
    input  x: [6];
    target y: [4];
    let h = x;
    for i in 0..2 { h <- h |> res_block; }
    let out = h |> dense(4);
    output y_hat = out;
    loss mean((out - y)^2);
    optimizer lion(lr = 1e-4) with clip_global_norm(1.0);
    train { batch = 8; epochs = 5; }
}
layer res_block(x: [n]) -> [n] { x + (x |> layer_norm as norm |> dense(2*n) as up |> gelu |> dense(n) as down) }
