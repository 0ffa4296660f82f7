/// A sum over a matrix, sums over its rows, and a maximum.
model Reduction {
    input  x: [64, 256];
    param w = 1;
    output squares = w * sum(x * x);
    let r[i] = sum[j](x[i, j]);
    output rows = r;
    output most = max(x);
    loss squares;
    optimizer sgd(lr = 1e-3);
    train { batch = 1; }
}
