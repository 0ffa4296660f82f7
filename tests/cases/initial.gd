/// Every initial value of the library.
model Initial {
    param zeros: [2, 3] = zeros;
    param ones: [2, 3] = ones;
    param constant: [2, 3] = constant(0.3);
    param eye: [2, 3] = eye(2, 3);
    param uniform: [2, 3] = uniform(-1, 3);
    param normal: [2, 3] = normal(1, 2);
    param truncated: [20, 10] = truncated_normal(0, 1);
    param glorot_uniform: [2, 3] = glorot_uniform(2, 3);
    param glorot_normal: [2, 3] = glorot_normal(2, 3);
    param he_uniform: [2, 3] = he_uniform(2);
    param he_normal: [2, 3] = he_normal(2);
    param lecun_uniform: [2, 3] = lecun_uniform(2);
    param lecun_normal: [2, 3] = lecun_normal(2);
    param orthogonal: [4, 3] = orthogonal(4, 3);
    loss sum(zeros) + sum(ones) + sum(constant) + sum(eye) + sum(uniform) + sum(normal) + sum(truncated)
       + sum(glorot_uniform) + sum(glorot_normal) + sum(he_uniform) + sum(he_normal) + sum(lecun_uniform)
       + sum(lecun_normal) + sum(orthogonal);
    optimizer sgd(lr = 0.1);
    train { steps = 1; }
}
