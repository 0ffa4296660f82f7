/// One logistic unit of two inputs on four samples.
model Logistic {
    input  x: [2];
    target y: [1];
    let z = x |> dense(1);
    output p = sigmoid(z);
    loss   mean(binary_cross_entropy(logits = z, y));
    optimizer sgd(lr = 0.5);
    train { batch = 4; }
}
