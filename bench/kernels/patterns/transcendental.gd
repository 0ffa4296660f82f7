/// Functions that have no instruction of their own, and a softmax.
model Transcendental {
    input  x: [2048];
    param w = 1;
    output t = tanh(w * x) * sigmoid(x) + erf(x);
    output p = softmax(x);
    loss mean(t);
    optimizer sgd(lr = 1e-3);
    train { batch = 1; }
}
