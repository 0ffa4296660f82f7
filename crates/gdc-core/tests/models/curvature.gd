/// Products of Hessian matrices with vectors, by the inputs and by the parameters, without the
/// matrices: H v = d/dx (dE/dx . v); Pearlmutter, 1994, "Fast exact multiplication by the Hessian".
model Curvature {
    input  x: [3];
    input  v: [3];
    target y: [];
    param w: [3, 4] = normal(0, 0.6);
    param u: [4] = normal(0, 0.6);
    let e = sum(tanh(x @ w) * u);
    let slope = grad(e, x);
    let curved = grad(sum(slope * v), x);
    let of_weights = grad(sum(grad(e, u) * u^2) + sum(grad(e, w) * w), w);
    output gradient = slope;
    output product = curved;
    loss (e - y)^2 + 0.5 * sum(curved^2) + 0.1 * sum(of_weights^2);
    optimizer sgd(lr = 0.05);
    precision f64;
    train { batch = 2; }
}
