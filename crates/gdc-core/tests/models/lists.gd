/// Lists of values: of numbers, of tensors, of constants among them, of integers, and one for each
/// place of an index.
model Lists {
    input x: [3];
    input label: in 0..5;
    target y: [2];
    param w: [3] = normal(0, 0.5);
    param a = 0.7;
    param table: [8, 2] = normal(0, 1);
    let speed = sum(w * x);
    let pair = [speed, a * x[1]];
    let rows = [x, w * w, [1.0, 2.0, a]];
    let ids = [label, label + 2, 7];
    let e[i, k] = table[ids[i], k];
    let q[i] = [x[i], 2 * w[i]];
    let path = scan (h = [0.1, a]) over xt in x { h <- [h[1], sin(h[0]) + xt * w[0]]; yield h; };
    loss mse(pair, y) + mean(rows^2) + sum(sin(e)) + sum(q[.., 1] * q[.., 0]);
    loss sum(exp([a, speed, 1, 2 * a, a * x[0]]));
    loss sum(path^2);
    optimizer sgd(lr = 0.01);
    train { batch = 3; }
}
