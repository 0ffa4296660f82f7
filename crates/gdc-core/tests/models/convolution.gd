model Conv {
    input image: [7, 7, 2];
    target label: in 0..3;
    let h = image |> conv2d(4, kernel = 3, stride = 2, padding = 1) |> relu |> max_pool2d_nhwc(2) |> upsample |> flatten;
    let logits = h |> dense(3);
    output probs = softmax(logits);
    loss cross_entropy(logits, label);
    optimizer sgd(lr = 0.1);
    train { batch = 4; }
}
layer conv2d(x: [h, w, c], filters: int, kernel: (kh, kw), stride: (sh, sw) = 1,
             padding: (ph, pw) = 0, dilation: (dh, dw) = 1, groups: int = 1) -> [..., filters] {
    const oh = div(h + 2*ph - dh*(kh - 1) - 1, sh) + 1;
    const ow = div(w + 2*pw - dw*(kw - 1) - 1, sw) + 1;
    const cg = c / groups;
    const fg = filters / groups;
    param k: [kh, kw, cg, groups, fg] = he_normal(fan_in = kh*kw*cg);
    param b: [filters] = zeros;
    let y[p in 0..oh, q in 0..ow, g, f] =
        sum[i, j, m](k[i, j, m, g, f] * x[p*sh + i*dh - ph, q*sw + j*dw - pw, g*cg + m] else 0);
    reshape(y, [oh, ow, filters]) + b
}
layer max_pool2d_nhwc(x: [h, w, c], kernel: (kh, kw)) -> [h / kh, w / kw, c] {
    let y[p in 0..h/kh, q in 0..w/kw, f] = max[i in 0..kh, j in 0..kw](x[p*kh + i, q*kw + j, f]);
    y
}
layer upsample(x: [h, w, c]) -> [2*h + 1, w, c] {
    param k: [3] = uniform(-1, 1);
    let y[2*p + i, q, f]: [2*h + 1, w, c] += x[p, q, f] * k[i] else drop;
    y
}
