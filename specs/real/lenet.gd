/// A network like LeNet-5 (LeCun et al., 1998) for images of 28 by 28 bytes: MNIST's digits and
/// the clothes of Fashion-MNIST. The data come by `data/fetch.py`.
model LeNet {
    input  image: [28, 28, 1];
    target label: in 0..10;
    let scaled = (image / 255 - 0.1307) / 0.3081;
    let h = scaled |> conv2d(6, kernel = 5, padding = same) as c1 |> relu |> max_pool2d(2)
        |> conv2d(16, kernel = 5) as c3 |> relu |> max_pool2d(2)
        |> flatten |> dense(120) as c5 |> relu |> dense(84) as f6 |> relu;
    let logits = h |> dense(10);
    output probs = softmax(logits);
    loss   cross_entropy(logits, label);
    metric accuracy = accuracy(logits, label);
    optimizer adam(lr = cosine(1e-3, steps = 9375));
    train { batch = 64; epochs = 10; }
}
