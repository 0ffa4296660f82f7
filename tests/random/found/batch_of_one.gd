// With one sample, reads at its own sample became reads at sample 0.
model M {
    input x: [1, 1];
    input z: [2];
    let l = z |> layer_norm(eps = 0.1);
    loss mean(sin(x + 0.4)) + mean(l^2);
    output o = l;
    optimizer lamb(lr = 0.02, eps = 1e-2);
    train { batch = 1; }
}
