/// Maxima of windows that lie side by side: with edges that none covers, and with a border.
/// Activations whose derivatives need their function again.
model Windows {
    input image: [7, 5, 2];
    target y: [2];
    let a = image |> conv2d(3, kernel = 2) |> gelu |> max_pool2d((2, 3));
    let b = image |> conv2d(3, kernel = 2) |> silu |> max_pool2d(2, padding = 1);
    let z = (global_avg_pool(a) + global_max_pool(b)) |> dense(2);
    output out = z;
    loss mse(z, y);
    optimizer sgd(lr = 0.1);
    train { batch = 3; }
}
