// Names of the compiler's own: the weights of the samples, sums, initial values.
model M {
    input x: [3];
    param weight: [3] = uniform(-1, 1);
    let h = x |> own;
    loss mean((h * weight)^2);
    optimizer sgd(lr = 0.1);
    train { batch = 3; }
}
layer own(x: [n]) -> [n] {
    let m = mean(x * x);
    param sum: [n] = uniform(-1, 1);
    param part: [n] = uniform(-1, 1);
    tanh(x * sum + m * part)
}
