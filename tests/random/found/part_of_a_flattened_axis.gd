// An index over half of a flattened axis ran over all of it.
model M {
    input x: [4, 4];
    param w: [4] = uniform(-1, 1);
    let l = flatten(x) |> glu;
    let h[i] = l[i] * (w[3*i - 3] else 0.5);
    let m = max[j](h[j]);
    loss (m - 0.3)^2;
    optimizer sgd(lr = 0.1);
    train { batch = 1; }
}
