/// Whether a point of the plane lies inside of the ring around the origin, from its two
/// coordinates: a small network with one hidden layer.
model Ring {
    input  x: [2];
    target inside: [1];
    let h = x |> dense(16) |> tanh;
    let z = h |> dense(1);
    output p = sigmoid(z);
    loss   mean(binary_cross_entropy(logits = z, inside));
    metric accuracy = (z[0] > 0) == (inside[0] > 0.5);
    optimizer adam(lr = 0.03);
    train { batch = 16; epochs = 200; }
}
