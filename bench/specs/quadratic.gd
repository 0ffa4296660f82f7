/// Plain minimisation of one parameter.
model Quadratic {
    param x = 1.0;
    loss (x - 3)^2;
    optimizer sgd(lr = 0.1);
    train { steps = 100; }
}
