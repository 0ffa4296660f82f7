/// Two convolutions: forward, for the weights and for what they read.
model Convolution {
    input  x: [16, 16, 4];
    target y: [16];
    let z = x |> conv2d(8, kernel = 3, padding = 1) as a |> relu |> conv2d(16, kernel = 3) as b;
    let f[c] = mean[i, j](z[i, j, c]);
    output value = f;
    loss   mse(f, y);
    optimizer sgd(lr = 1e-3);
    train { batch = 24; }
}
