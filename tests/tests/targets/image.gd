// Convolutions, statistics across the batch, states.
model Image {
    input  image: [12, 12, 1];
    target label: in 0..3;
    let logits = image
        |> conv2d(4, kernel = 3) as c1 |> batch_norm |> relu |> max_pool2d(2)
        |> conv2d(6, kernel = 2) as c2 |> silu |> avg_pool2d(2)
        |> flatten |> dense(3);
    output probs = softmax(logits);
    loss   cross_entropy(logits, label);
    metric accuracy = argmax(logits) == label;
    optimizer sgd(lr = 0.05);
    train { batch = 16; }
}
