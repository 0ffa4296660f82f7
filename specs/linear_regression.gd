/// A straight line by full-batch gradient descent on half the squared error.
/// The data are y = 3x + 2 with noise; the fit is the least-squares line.
model Line {
    input  x: [];
    target y: [];
    param w = 0.0;
    param b = 0.0;
    output y_hat = w * x + b;
    loss   (y_hat - y)^2 / 2;
    optimizer sgd(lr = 0.5);
    train { batch = 100; epochs = 200; }
}
