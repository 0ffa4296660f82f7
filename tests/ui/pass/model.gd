/// A straight line, from x = 0 in small steps.
model Line {
    input  x: [];
    target y: [];
    param w = 0.0;
    param b = 0.0;
    output y_hat = w * x + b;
    loss   mse(y_hat, y);
    optimizer sgd(lr = 0.1);
    train { batch = 4; epochs = 300; }
}
