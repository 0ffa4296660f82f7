/// Losses of two vectors. The loss is the function that `which` names by the place of its
/// parameter, and the gradient of that parameter is the function's.
model Threes {
    input which: in 0..14;
    input a: [3];
    target b: [3];
    param d_mse: [3] = zeros;
    param d_half_mse: [3] = zeros;
    param d_mae: [3] = zeros;
    param d_huber: [3] = zeros;
    param d_huber_half: [3] = zeros;
    param d_log_cosh: [3] = zeros;
    param d_quantile: [3] = zeros;
    param d_quantile_tenth: [3] = zeros;
    param d_hinge: [3] = zeros;
    param d_squared_hinge: [3] = zeros;
    param d_poisson: [3] = zeros;
    param d_cosine_distance: [3] = zeros;
    param d_l1_penalty: [3] = zeros;
    param d_l2_penalty: [3] = zeros;
    loss (if which == 0 { mse(y_hat = a + d_mse, y = b) } else { 0 })
       + (if which == 1 { half_mse(y_hat = a + d_half_mse, y = b) } else { 0 })
       + (if which == 2 { mae(y_hat = a + d_mae, y = b) } else { 0 })
       + (if which == 3 { huber(y_hat = a + d_huber, y = b, delta = 1.0) } else { 0 })
       + (if which == 4 { huber(y_hat = a + d_huber_half, y = b, delta = 0.5) } else { 0 })
       + (if which == 5 { log_cosh(y_hat = a + d_log_cosh, y = b) } else { 0 })
       + (if which == 6 { quantile(y_hat = a + d_quantile, y = b) } else { 0 })
       + (if which == 7 { quantile(y_hat = a + d_quantile_tenth, y = b, q = 0.1) } else { 0 })
       + (if which == 8 { hinge(score = a + d_hinge, y = b) } else { 0 })
       + (if which == 9 { squared_hinge(score = a + d_squared_hinge, y = b) } else { 0 })
       + (if which == 10 { poisson(log_rate = a + d_poisson, y = b) } else { 0 })
       + (if which == 11 { cosine_distance(a = a + d_cosine_distance, b = b) } else { 0 })
       + (if which == 12 { l1_penalty(w = a + d_l1_penalty, rate = 0.5) } else { 0 })
       + (if which == 13 { l2_penalty(w = a + d_l2_penalty, rate = 0.5) } else { 0 });
    optimizer sgd(lr = 1.0);
    train { batch = 32; epochs = 1; }
}
