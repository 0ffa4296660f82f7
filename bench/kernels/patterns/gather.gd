/// Rows of a table read at computed places, and their gradients added there.
model Gather {
    input  id: [16] in 0..512;
    target y: [64];
    param table: [512, 64] = normal(0, 1);
    let rows[t, j] = table[id[t], j];
    let f[j] = mean[t](rows[t, j]);
    output value = f;
    loss   mse(f, y);
    optimizer sgd(lr = 1e-3);
    train { batch = 32; }
}
