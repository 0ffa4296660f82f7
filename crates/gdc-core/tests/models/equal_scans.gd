/// Equal scans, of a shared layer and written out, and some that differ in where they begin or in what
/// they read; evaluated otherwise than trained.
model Twice {
    input x: [5, 2];
    target y: [3];
    layer cell = lstm(3);
    let a = cell(x)[4];
    let b = cell(x)[4];
    let c = scan (s = 0.0) over e in x { s <- 0.5 * s + e[0]; };
    let d = scan (s = 0.0) over e in x { s <- 0.5 * s + e[0]; };
    let f = scan (s = 0.0) over e in x { s <- 0.5 * s + e[1]; };
    let g = scan (s = 1.0) over e in x { s <- 0.5 * s + e[0]; };
    loss mse(a * c + f, y) + mse(b * d + g, 2 * y);
    output p = if training { a } else { b };
    optimizer sgd(lr = 0.1);
    train { batch = 3; }
}
