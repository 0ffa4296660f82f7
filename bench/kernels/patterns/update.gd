/// An update by Adam, of which the gradient is next to nothing.
model Update {
    param w: [16384] = normal(0, 1);
    loss sum(w * w);
    optimizer adam(lr = 1e-3);
}
