/// The other samples of the batch are the negatives: logits of each sample against all.
model Contrastive {
    input a: [5];
    input b: [5];
    target rank: [];
    layer encoder = encode(3);
    let za = normalise(encoder(a));
    let zb = normalise(encoder(b));
    let all_b = across(zb);
    let logits[j] = sum[d](za[d] * all_b[j, d]) / 0.5;
    let others = logits |> softmax;
    loss cross_entropy(logits, sample_index);
    // Every reduction skips lanes without a sample: sums, means, extremes, products.
    let score = across(sum(za * encoder.head.v));
    loss 0.1 * (max(score) - min(score) + mean(score)^2 + prod[s](1 + 0.1 * score[s]));
    // A pairwise loss over all other samples.
    let r = across(rank);
    let mine = sum(zb);
    let theirs = across(mine);
    loss mean[s](if r[s] < rank { softplus(theirs[s] - mine) } else { 0 });
    loss sum(mean(across(za), axis = 0)^2) + 0.1 * sum(others^2);
    // Batch statistics of what is mapped over all samples.
    loss 0.01 * sum(across(zb) |> centred);
    output embedding = za;
    optimizer sgd(lr = 0.1);
    train { batch = 6; }
}
layer encode(x: [n], out: int) -> [out] { x |> dense(4) |> tanh |> dense(out, bias = false) as project |> scaled as head }
layer scaled(x: [n]) -> [n] { param v: [n] = ones; x * v }
layer centred(x: [n]) -> [n] { (x - across_mean(x))^2 }
fn normalise(x: [n]) -> [n] = x / sqrt(sum(x^2) + 1e-2);
