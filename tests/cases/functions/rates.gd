/// Losses of positive rates. The loss is the function that `which` names by the place of its
/// parameter, and the gradient of that parameter is the function's.
model Rates {
    input which: in 0..1;
    input a: [3];
    target b: [3];
    param d_poisson_of: [3] = zeros;
    loss (if which == 0 { poisson_of(rate = a + d_poisson_of, y = b) } else { 0 });
    optimizer sgd(lr = 1.0);
    train { batch = 32; epochs = 1; }
}
