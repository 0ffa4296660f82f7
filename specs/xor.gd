/// Exclusive or: the four rows that no single unit separates and a hidden layer does.
model Xor {
    input  x: [2];
    target y: [1];
    let h = x |> dense(8) |> tanh;
    let z = h |> dense(1);
    output p = sigmoid(z);
    loss   mean(binary_cross_entropy(logits = z, y));
    metric accuracy = (z[0] > 0) == (y[0] > 0.5);
    optimizer adam(lr = 0.05);
    train { batch = 4; epochs = 500; shuffle = false; }
}
