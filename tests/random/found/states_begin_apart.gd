// The initial values of a number and of its optimizer's states shared a loop nest, which a model
// without its trainer cannot run: the Rust did not compile.
model M {
    input x: [2];
    param w: [] = uniform(-1, 1);
    loss mean((x * w - 0.3)^2);
    output o = x * w;
    optimizer adam(lr = 0.02, eps = 1e-2);
    train { batch = 3; }
}
