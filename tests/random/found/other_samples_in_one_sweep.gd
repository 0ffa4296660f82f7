// Samples' values were read, as `across` has them, in the loop over the samples that computes them.
model Found {
    input x: [1];
    param w = 0.7;
    let z = sin(w * x);
    loss info_nce(x, z, temperature = 0.5);
    output o = z;
    optimizer sgd(lr = 0.1);
    train { batch = 3; }
}
