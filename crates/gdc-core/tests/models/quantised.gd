fn round_ste(x) { derivative(dy) = dy; round(x) }
fn ste(x, y) = x + detach(y - x);
fn fake_quant(x, scale, bits: int = 8) = ste(x, clamp(round(x / scale), -2^(bits - 1), 2^(bits - 1) - 1) * scale);
model Q {
    input x: [3];
    target y: [2];
    param w: [3, 2] = glorot_uniform(3, 2);
    let wq = fake_quant(w, max(abs(detach(w))) / 127);
    let z = round_ste(x @ wq * 16) / 16;
    output o = z;
    loss mse(z, y);
    optimizer sgd(lr = 0.1);
    train { batch = 2; }
}
