// A scalar that small models need first shared a loop nest with the loss, which they come before.
model M {
    input x: [16];
    param w: [] = uniform(-1, 1);
    let v = if w > 0.1 { w * 2 } else { 0.3 };
    let h[i in 0..5] = tanh(x[i] * 0.5);
    let out[i] = h[i] * (0.5 + x[0]^2)^tanh(v);
    loss mean((out - 0.3)^2);
    optimizer sgd(lr = 0.1);
    train { batch = 1; }
}
