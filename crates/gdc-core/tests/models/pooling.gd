/// Overlapping and padded pooling, dilation, groups.
model Pooling {
    input image: [6, 7, 2];
    target y: [4];
    let h = image |> conv2d(4, kernel = (3, 2), padding = (1, 0), dilation = (2, 1), groups = 2) |> tanh;
    let top = h |> max_pool2d(3, stride = 2, padding = 1);
    let even = h |> avg_pool2d((2, 3), stride = (2, 1), padding = (0, 1));
    let z = global_avg_pool(top) + global_avg_pool(even);
    output out = z;
    loss mse(z, y);
    optimizer sgd(lr = 0.1);
    train { batch = 3; }
}
