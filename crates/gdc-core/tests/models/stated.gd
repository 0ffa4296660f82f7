/// Stated derivatives are differentiated again: the loss holds first and second derivatives of
/// functions that state theirs.
model Stated {
    input x: [3];
    param a = 0.7;
    param w: [3] = normal(0, 0.5);
    let u = sum(cube(a * x + w));
    let du = grad(u, x);
    let d2u = grad(sum(du^2), x);
    loss 0.1 * sum(du^2) + 0.01 * sum(d2u * x) + product(a, u);
    optimizer sgd(lr = 0.001);
    train { batch = 3; }
}
fn cube(z) { derivative(dy) = 3 * z^2 * dy; z * z * z }
fn product(x, y) { derivative(dy) = (dy * y, dy * x); x * y }
