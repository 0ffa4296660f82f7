/// Every optimizer of the fixtures, each on a parameter of its own with the same loss. The gradient
/// of the last element is 0.
fn bowl(w: [5]) = sum([1.0, 0.25, 4.0, 0.0625, 0.0] * (w - [2.0, -1.0, 0.5, 100.0, 0.0])^2 / 2 + w^4 / 8);

model Optimizers {
    param w0: [5] = zeros;
    param w1: [5] = zeros;
    param w2: [5] = zeros;
    param w3: [5] = zeros;
    param w4: [5] = zeros;
    param w5: [5] = zeros;
    param w6: [5] = zeros;
    param w7: [5] = zeros;
    param w8: [5] = zeros;
    param w9: [5] = zeros;
    param w10: [5] = zeros;
    param w11: [5] = zeros;
    param w12: [5] = zeros;
    param w13: [5] = zeros;
    param w14: [5] = zeros;
    param w15: [5] = zeros;
    param w16: [5] = zeros;
    param w17: [5] = zeros;
    param w18: [5] = zeros;
    param w19: [5] = zeros;
    param w20: [5] = zeros;
    param w21: [5] = zeros;
    param w22: [5] = zeros;
    param w23: [5] = zeros;
    param w24: [5] = zeros;
    param w25: [5] = zeros;
    param w26: [5] = zeros;
    param w27: [5] = zeros;
    loss bowl(w0) + bowl(w1) + bowl(w2) + bowl(w3) + bowl(w4)
       + bowl(w5) + bowl(w6) + bowl(w7) + bowl(w8) + bowl(w9)
       + bowl(w10) + bowl(w11) + bowl(w12) + bowl(w13) + bowl(w14)
       + bowl(w15) + bowl(w16) + bowl(w17) + bowl(w18) + bowl(w19)
       + bowl(w20) + bowl(w21) + bowl(w22) + bowl(w23) + bowl(w24)
       + bowl(w25) + bowl(w26) + bowl(w27);
    optimizer sgd() for w0;
    optimizer sgd(lr = 0.05) for w1;
    optimizer momentum() for w2;
    optimizer momentum(lr = 0.05, momentum = 0.7) for w3;
    optimizer nesterov() for w4;
    optimizer nesterov(lr = 0.05, momentum = 0.7) for w5;
    optimizer adagrad() for w6;
    optimizer adagrad(lr = 0.1, eps = 0.001) for w7;
    optimizer adadelta() for w8;
    optimizer adadelta(lr = 10.0, rho = 0.8, eps = 0.0001) for w9;
    optimizer rmsprop() for w10;
    optimizer rmsprop(lr = 0.05, alpha = 0.9, eps = 0.001) for w11;
    optimizer rmsprop(centred = true) for w12;
    optimizer rmsprop(lr = 0.05, alpha = 0.9, centred = true) for w13;
    optimizer adam() for w14;
    optimizer adam(lr = 0.05, beta1 = 0.8, beta2 = 0.95, eps = 0.001) for w15;
    optimizer amsgrad() for w16;
    optimizer amsgrad(lr = 0.5, beta1 = 0.8, beta2 = 0.95) for w17;
    optimizer adamax() for w18;
    optimizer adamax(lr = 0.05, beta1 = 0.8, beta2 = 0.95) for w19;
    optimizer nadam() for w20;
    optimizer nadam(lr = 0.05, beta1 = 0.8, beta2 = 0.95, momentum_decay = 0.1) for w21;
    optimizer adamw() for w22;
    optimizer adamw(lr = 0.05, beta1 = 0.8, beta2 = 0.95, decay = 0.2) for w23;
    optimizer radam() for w24;
    optimizer radam(lr = 0.05, beta1 = 0.8, beta2 = 0.95) for w25;
    optimizer lion() for w26;
    optimizer lion(lr = 0.05, beta1 = 0.7, beta2 = 0.8, decay = 0.2) for w27;
    train { steps = 10; }
}
