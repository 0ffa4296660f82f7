// Losses of one sample, which the `loss` statement averages over the samples. Those that
// take `[...]` average over all elements. A loss with `logits` applies the sigmoid or softmax
// itself, which is what keeps it finite: do not apply it before.

/// Mean squared error: mean of (y_hat - y)^2 over the elements.
fn mse(y_hat: [...], y: [...]) = mean((y_hat - y)^2);

/// Half the mean squared error, whose derivative is (y_hat - y) / n; the 1/2m form.
fn half_mse(y_hat: [...], y: [...]) = mean((y_hat - y)^2) / 2;

/// Mean absolute error. Its derivative where an error is 0 is taken as 0.
fn mae(y_hat: [...], y: [...]) = mean(abs(y_hat - y));

/// d^2 / 2 for errors |d| up to delta, delta (|d| - delta / 2) beyond; Huber, 1964.
fn huber(y_hat: [...], y: [...], delta = 1.0) {
    let d = abs(y_hat - y);
    mean(if d <= delta { 0.5 * d^2 } else { delta * (d - 0.5 * delta) })
}

/// log(cosh(d)) of the error d: near 0 as -log(1 - tanh(d)^2) / 2, which keeps the digits of
/// d^2 / 2, and elsewhere as |d| + log(1 + exp(-2 |d|)) - log 2, which cannot overflow.
fn log_cosh(y_hat: [...], y: [...]) {
    let d = y_hat - y;
    mean(if abs(d) < 1 { -0.5 * log(1 - tanh(d)^2) } else { abs(d) + softplus(-2 * abs(d)) - log(2) })
}

/// The error's part q above and 1 - q below; minimal where y_hat is the q-quantile of y;
/// Koenker and Bassett, 1978. Its derivative where the error is 0 is taken as (1 - q) / n.
fn quantile(y_hat: [...], y: [...], q = 0.5) {
    assert 0 <= q && q <= 1;
    let d = y - y_hat;
    mean(if d > 0 { q * d } else { (q - 1) * d })
}

/// -log softmax(logits)[label], finite for any finite logits. With smoothing s, the label
/// counts 1 - s and each of the n classes s / n; Szegedy et al., 2016, section 7.
fn cross_entropy(logits: [n], label: in 0..n, smoothing = 0.0) {
    assert 0 <= smoothing && smoothing <= 1;
    let l = lse(logits);
    (1 - smoothing) * (l - logits[label]) + smoothing * mean(l - logits)
}

/// Cross-entropy with a weight for each class; smoothing as in `cross_entropy`, each class by
/// its own weight. PyTorch divides by the batch's mean weight: divide by
/// `across_mean(weight[label])` for that.
fn weighted_cross_entropy(logits: [n], label: in 0..n, weight: [n], smoothing = 0.0) {
    assert 0 <= smoothing && smoothing <= 1;
    let l = lse(logits);
    (1 - smoothing) * weight[label] * (l - logits[label]) + smoothing * mean(weight * (l - logits))
}

/// -log_p[label], of logarithms of probabilities such as `log_softmax` gives.
fn nll(log_p: [n], label: in 0..n) = -log_p[label];

/// -(y log p + (1 - y) log(1 - p)) with p = sigmoid(logits), as softplus(z) - y z; finite and as
/// exact as its arguments for any finite logits.
fn binary_cross_entropy(y, logits) = softplus(logits) - y * logits;

/// -(y log p + (1 - y) log(1 - p)) of a probability p, with 0 log 0 = 0: finite at p = 0 for
/// y = 0 and at p = 1 for y = 1. Prefer `binary_cross_entropy`, which is always finite.
fn binary_cross_entropy_of(p, y) = -(times_log(y, p) + times_log(1 - y, 1 - p));

/// x log y, and 0 where x is 0, whatever y is.
fn times_log(x, y) = if x == 0 { 0 } else { x * log(y) };

/// (1 - p)^gamma times the cross-entropy, p being the label's probability; Lin et al., 2017,
/// eq. 4. With 1 - p as exp(lse of the others - lse), it is finite and smooth for any gamma.
/// A weight alpha for each class is `alpha[label] * focal(logits, label)`.
fn focal(logits: [n], label: in 0..n, gamma = 2.0) {
    let total = lse(logits);
    let others = lse[k](logits[k] if k != label);
    exp(gamma * (others - total)) * (total - logits[label])
}

/// The focal loss of one logit, with weight alpha for y = 1 and 1 - alpha for y = 0; Lin et
/// al., 2017, eq. 5. `y` must be 0 or 1.
fn binary_focal(y, logits, gamma = 2.0, alpha = 0.25) {
    let z = (2 * y - 1) * logits;
    (alpha * y + (1 - alpha) * (1 - y)) * exp(-gamma * softplus(z)) * softplus(-z)
}

/// sum of p log(p / q), with 0 log 0 = 0; Kullback and Leibler, 1951. Where p is 0, nothing
/// depends on q, and the derivative by p (which is infinite) is taken as 0.
fn kl_divergence(p: [n], q: [n]) =
    sum[i](if p[i] > 0 { p[i] * (log(p[i]) - log(q[i])) } else { 0 });

/// The divergence of softmax(p_logits) from softmax(q_logits), finite for any finite logits.
fn kl_divergence_logits(p_logits: [n], q_logits: [n]) {
    let p = log_softmax(p_logits);
    let q = log_softmax(q_logits);
    sum(exp(p) * (p - q))
}

/// max(0, 1 - y s) of a score s, y being -1 or 1; Cortes and Vapnik, 1995. Its derivative
/// where the margin is 1 is taken as 0.
fn hinge(score: [...], y: [...]) = mean(relu(1 - y * score));

/// max(0, 1 - y s)^2 of a score s, y being -1 or 1.
fn squared_hinge(score: [...], y: [...]) = mean(relu(1 - y * score)^2);

/// The negative log-likelihood of a count y whose expected value is exp(log_rate), without
/// the term log(y!), which has no derivative.
fn poisson(log_rate: [...], y: [...]) = mean(exp(log_rate) - y * log_rate);

/// The same of the expected value itself, which must be positive where y is.
fn poisson_of(rate: [...], y: [...]) = mean(rate - times_log(y, rate));

/// 1 - a b / (|a| |b|). Norms below eps count as eps, so that zero vectors have the distance 1.
fn cosine_distance(a: [n], b: [n], eps = 1e-8) =
    1 - sum(a * b) / (sqrt(max(sum(a^2), eps^2)) * sqrt(max(sum(b^2), eps^2)));

/// rate times the sum of |w|, to be added to a loss: `loss l1_penalty(h.dense.w, 1e-4);`. Its
/// derivative where w is 0 is taken as 0. Penalties are not divided by the batch.
fn l1_penalty(w: [...], rate = 1.0) = rate * sum(abs(w));

/// rate times the sum of w^2, to be added to a loss; Hoerl and Kennard, 1970. PyTorch's weight
/// decay d is a rate of d / 2.
fn l2_penalty(w: [...], rate = 1.0) = rate * sum(w^2);

/// Half the squared distance of two vectors where `alike` is 1, and half of max(0, margin -
/// distance)^2 where it is 0; Hadsell et al., 2006, eq. 4.
fn contrastive(a: [n], b: [n], alike, margin = 1.0) {
    let d = norm(a - b);
    (alike * d^2 + (1 - alike) * relu(margin - d)^2) / 2
}

/// max(0, margin + distance to one of the same class - distance to one of another); Schroff et
/// al., 2015, eq. 3, of distances that are not squared. As PyTorch has it, `eps` is added to
/// each difference, which keeps the derivative finite.
fn triplet(anchor: [n], positive: [n], negative: [n], margin = 1.0, eps = 1e-6) =
    relu(margin + norm(anchor - positive + eps) - norm(anchor - negative + eps));

/// Of two vectors whose directions agree (y = 1) or not (y = -1): 1 - cosine, or max(0, cosine -
/// margin).
fn cosine_embedding(a: [n], b: [n], y, margin = 0.0, eps = 1e-8) {
    let cosine = 1 - cosine_distance(a, b, eps);
    if y > 0 { 1 - cosine } else { relu(cosine - margin) }
}

/// The divergence of a normal distribution with mean `mu` and this logarithm of the variance from
/// the standard one, added over the elements; Kingma and Welling, 2014, appendix B.
fn kl_normal(mu: [...], log_var: [...]) = sum(expm1(log_var) - log_var + mu^2) / 2;

/// The negative log-likelihood of y under normal distributions, without its constant; Nix and
/// Weigend, 1994.
fn gaussian_nll(mu: [...], y: [...], log_var: [...]) =
    mean((log_var + (y - mu)^2 * exp(-log_var)) / 2);

/// The cross-entropy of picking a sample's own `b` among those of the whole batch by its product
/// with `a`; van den Oord et al., 2018, eq. 4. Vectors of length 1 (`unit_length`) are usual:
/// Chen et al., 2020.
fn info_nce(a: [n], b: [n], temperature = 0.1) {
    let all = across(b);
    let scores[j] = sum[d](a[d] * all[j, d]) / temperature;
    cross_entropy(scores, sample_index)
}
