/// A straight line through 100 points.
model Line {
    input  x: [];
    target y: [];
    param w = 0.0;
    param b = 0.0;
    output y_hat = w * x + b;
    loss   (y_hat - y)^2;
    optimizer sgd(lr = 0.05);
    train { batch = 100; }
}
