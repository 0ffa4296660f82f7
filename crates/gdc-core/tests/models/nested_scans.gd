/// Scans within the steps of others: one that begins with what the outer one carries, one that
/// reads it, one with a layer of its own and several yields, one that is apart from it.
model Nested {
    input x: [5, 2];
    input y0: [3];
    target y: [3];
    param a = 0.7;
    let h = scan (h = [0.1, a, 0.2]) over xt in x {
        let inner = scan (g = h) over d in y0 { g <- 0.5 * g + sin(d * g + xt[0]); };
        let read = scan (s = 0.0) over i in 0..3 { s <- 0.5 * s + h[i] * xt[1]; yield s; };
        let (deep, sums) = scan (u = read, v = 0.0) over i in 0..2, e in xt {
            u <- u |> dense(3) |> tanh;
            v <- v + u[i] * e;
            yield (u, v);
        };
        let apart = scan (w = a) over e in xt { w <- sin(w + e); };
        h <- 0.5 * inner + 0.1 * deep[1] + apart * sums[0];
        yield h + 0.1 * deep[0];
    };
    loss mse(h[4], y) + 0.1 * sum(h^2);
    optimizer sgd(lr = 0.05);
    train { batch = 3; }
}
