/// A model in a file beside the code that uses it.
model InFile {
    param x = 1.0;
    loss (x - 3)^2;
    optimizer sgd(lr = 0.1);
    train { steps = 100; }
}
