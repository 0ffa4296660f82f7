/// Every schedule of the fixtures. Each parameter has the gradient 1, so that a step changes it by
/// the rate of its own schedule.
model Schedules {
    param x0 = 0.0;
    param x1 = 0.0;
    param x2 = 0.0;
    param x3 = 0.0;
    param x4 = 0.0;
    param x5 = 0.0;
    param x6 = 0.0;
    param x7 = 0.0;
    param x8 = 0.0;
    param x9 = 0.0;
    param x10 = 0.0;
    param x11 = 0.0;
    param x12 = 0.0;
    param x13 = 0.0;
    param x14 = 0.0;
    param x15 = 0.0;
    param x16 = 0.0;
    param x17 = 0.0;
    loss x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10 + x11 + x12 + x13 + x14 + x15 + x16 + x17;
    optimizer sgd(lr = constant(0.1)) for x0;
    optimizer sgd(lr = exponential(0.1, factor = 0.9)) for x1;
    optimizer sgd(lr = step_decay(0.1, every = 10, factor = 0.5)) for x2;
    optimizer sgd(lr = cosine(0.1, steps = 49)) for x3;
    optimizer sgd(lr = sgdr(0.1, period = 10, mult = 2, low = 0.0)) for x4;
    optimizer sgd(lr = sgdr(0.1, period = 15, mult = 1, low = 0.001)) for x5;
    optimizer sgd(lr = inverse_time(0.1, rate = 0.25)) for x6;
    optimizer sgd(lr = polynomial(0.1, steps = 40, power = 1.0)) for x7;
    optimizer sgd(lr = polynomial(0.1, steps = 49, power = 3.0)) for x8;
    optimizer sgd(lr = cosine(0.1, steps = 49, low = 0.01)) for x9;
    optimizer sgd(lr = one_cycle(0.1, steps = 50, up = 0.3, start_div = 25, end_div = 10000.0)) for x10;
    optimizer sgd(lr = warmup(0.1, steps = 10)) for x11;
    optimizer sgd(lr = warmup(cosine(0.1, steps = 30, after = 10), steps = 10)) for x12;
    optimizer sgd(lr = warmup(exponential(0.1, 0.9, after = 10), steps = 10)) for x13;
    optimizer sgd(lr = warmup(step_decay(0.1, 7, 0.5, after = 10), steps = 10)) for x14;
    optimizer sgd(lr = warmup(inverse_time(0.1, 0.25, after = 10), steps = 10)) for x15;
    optimizer sgd(lr = warmup(polynomial(0.1, steps = 40, power = 2, after = 10), steps = 10)) for x16;
    optimizer sgd(lr = warmup(sgdr(0.1, 8, mult = 2, after = 10), steps = 10)) for x17;
    train { steps = 50; }
}
