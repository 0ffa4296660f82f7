/// The year's sunspot number from those of the 24 years before, by a gated recurrent unit.
/// `naive` is the error of the forecast that all stays as it was last year.
model SunspotsGru {
    input  x: [24];
    target y: [];
    let h = reshape(x / 100, [24, 1]) |> gru(16, last = true);
    let z = h |> dense(1);
    output next = 100 * z[0];
    loss   mse(z[0], y / 100);
    metric squared_error = (next - y)^2;
    metric naive = (x[23] - y)^2;
    optimizer adam(lr = cosine(1e-2, steps = 1500));
    train { batch = 16; epochs = 100; }
}
