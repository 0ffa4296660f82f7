/// Plain minimisation: no input, one parameter, the smallest thing that trains.
/// From x = 1 at rate 0.1 each step shrinks the distance to 3 by a factor 0.8.
model Quadratic {
    param x = 1.0;
    loss (x - 3)^2;
    optimizer sgd(lr = 0.1);
    train { steps = 100; until = mean_loss < 1e-6; }
}
