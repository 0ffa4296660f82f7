/// A model that uses others as layers, one of them twice with the same parameters; constants
/// of the source, calls given as initialisers, elements of tuples, and an entry point.
model Composed {
    input x: [4];
    target y: [2];
    layer base = Trunk(width);
    let a = base(x);
    let b = base(2 * x).h;
    let c = Trunk(x, units = q) |> dense(2);
    let z = a.h + b |> dense(2, init = uniform(-0.5, 0.5)) as head;
    let first = split(z, 1)[0];
    let scaled[..., j] = z[..., j] * weights[j];
    let grid = reshape(z, [1, 2]);
    let rows[i, ...] = grid[i] + c;
    loss mse(rows[0] + scaled, y) + sum(first);
    loss 0.1 * sum(base.h.dense.w ^ 2);
    output out = z;
    entry from_hidden(h: [width]) -> [2] = h |> dense(2);
    optimizer sgd(lr = 0.01);
    train { batch = 3; }
    assert params < 200;
}

const width = 3;
const (p, q) = (2, width + 1);
const weights = [1.0, p];

/// What reads the target, and the loss, are left out where it is used as a layer.
model Trunk(units: int = 5) {
    input x: [4];
    target label: [units];
    let h = x |> dense(units) |> tanh;
    let wrong = h - label;
    for i in 0..2 { h <- h + (h |> dense(units) as d |> tanh); }
    output p = h;
    loss sum(wrong^2);
    optimizer sgd(lr = 0.1);
}
