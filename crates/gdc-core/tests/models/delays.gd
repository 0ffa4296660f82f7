/// What is carried but depends on no step before: a delay, one carry handed to another, a scan
/// of a scan's yields that runs backwards in time, and a dead end.
model Delays {
    input  x: [4, 2];
    target y: [4];
    param w: [2] = normal(0, 0.5);
    param a = 0.8;
    let u = x @ w;
    let (one, two) = scan (p = 0.0, q = 0.1, dead = 1.0) over v in u {
        yield (p, q + v);
        q <- p;
        p <- v;
        dead <- dead * a;
    };
    let back = scan (s = 0.0) over i in 0..4 { s <- a * s + one[3 - i] * two[i]; yield s; };
    loss mean((back - y)^2) + two[2]^2 + 0.1 * one[3];
    optimizer sgd(lr = 0.05);
    precision f64;
    train { batch = 2; }
}
