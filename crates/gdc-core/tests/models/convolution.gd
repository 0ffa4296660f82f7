/// Strided, padded and grouped convolution, pooling, and a transposed one written as a scatter.
model Conv {
    input image: [7, 7, 2];
    target label: in 0..3;
    let h = image |> conv2d(4, kernel = 3, stride = 2, padding = 1) |> relu |> max_pool2d(2, padding = 0) |> upsample |> flatten;
    let logits = h |> dense(3);
    output probs = softmax(logits);
    loss cross_entropy(logits, label);
    optimizer sgd(lr = 0.1);
    train { batch = 4; }
}
layer upsample(x: [h, w, c]) -> [2*h + 1, w, c] {
    param k: [3] = uniform(-1, 1);
    let y[2*p + i, q, f]: [2*h + 1, w, c] += x[p, q, f] * k[i] else drop;
    y
}
