/// LeNet-like: two convolutions with relu and max pooling, three dense layers, Adam.
model LeNet {
    input  image: [28, 28, 1];
    target label: in 0..10;
    let logits = image
        |> conv2d(6, kernel = 5, padding = 2) as c1 |> relu |> max_pool2d(2) as s2
        |> conv2d(16, kernel = 5) as c3             |> relu |> max_pool2d(2) as s4
        |> flatten
        |> dense(120) as c5 |> relu
        |> dense(84)  as f6 |> relu
        |> dense(10)  as out;
    output probs = softmax(logits);
    loss   cross_entropy(logits, label);
    optimizer adam(lr = 1e-3);
    train { batch = 32; }
}
