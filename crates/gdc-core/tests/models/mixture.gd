/// A mixture of experts, whose outputs a gate weighs for each sample (Jacobs et al., 1991), with a
/// penalty on the slope of the loss by the input (Drucker and Le Cun, 1992).
model Mixture {
    input  x: [3];
    target y: [2];
    let gate = x |> dense(3) |> softmax;
    let experts = [x |> dense(2) as first |> tanh, x |> dense(2) as second, x |> dense(2) as third |> sigmoid];
    let y_hat = gate @ experts;
    output mixed = y_hat;
    output share = gate;
    let error = mse(y_hat, y);
    loss error + 0.1 * sum(grad(error, x)^2);
    optimizer sgd(lr = 0.05);
    precision f64;
    train { batch = 4; }
}
