// Metrics of one sample, which the `metric` statement averages over the samples.

/// Whether the label has the greatest logit; of equals, the first counts.
fn accuracy(logits: [n], label: in 0..n) = argmax(logits) == label;

/// Whether the label is among the k classes with the greatest logits; of equals, the first
/// count.
fn top_k(logits: [n], label: in 0..n, k: int = 5) {
    assert 1 <= k && k <= n;
    let mine = logits[label];
    sum[i](if logits[i] > mine || logits[i] == mine && i < label { 1 } else { 0 }) < k
}

/// Whether a logit is positive where y is 1, and not where it is 0.
fn binary_accuracy(y, logits) = (logits > 0) == (y > 0.5);

/// The mean of |y_hat - y| over the elements.
fn mean_absolute_error(y_hat: [...], y: [...]) = mae(y_hat, y);

/// The mean of (y_hat - y)^2 over the elements; its root over many samples is the root of
/// this metric.
fn mean_squared_error(y_hat: [...], y: [...]) = mse(y_hat, y);

/// The four cells of the confusion matrix of y (0 or 1) and the sign of a logit.
fn true_positive(y, logits) = y > 0.5 && logits > 0;

/// y is 0, and the logit is positive. See `true_positive`.
fn false_positive(y, logits) = y <= 0.5 && logits > 0;

/// y is 1, and the logit is not positive. See `true_positive`.
fn false_negative(y, logits) = y > 0.5 && logits <= 0;

/// y is 0, and the logit is not positive. See `true_positive`.
fn true_negative(y, logits) = y <= 0.5 && logits <= 0;

/// Of the positive logits, the share whose y is 1; 0 where none is positive. Its sums are added
/// up over all samples, in however many batches.
fn precision(y: [...], logits: [...]) = share(hits(y, logits), sum(across_sum(if logits > 0 { 1 } else { 0 })));

/// Of those whose y is 1, the share with a positive logit; 0 where there are none.
fn recall(y: [...], logits: [...]) = share(hits(y, logits), sum(across_sum(if y > 0.5 { 1 } else { 0 })));

/// The harmonic mean of precision and recall; van Rijsbergen, 1979.
fn f1(y: [...], logits: [...]) =
    share(2 * hits(y, logits), sum(across_sum((if y > 0.5 { 1 } else { 0 }) + (if logits > 0 { 1 } else { 0 }))));

/// How many have a positive logit and y = 1.
fn hits(y: [...], logits: [...]) = sum(across_sum(if y > 0.5 && logits > 0 { 1 } else { 0 }));

/// A part of a whole, which is 0 where the whole is.
fn share(part, whole) = if whole > 0 { part / whole } else { 0 };

/// 1 - sum of (y - y_hat)^2 / sum of (y - mean y)^2 over a batch, each element of y with its own
/// mean; Wright, 1921. Of samples in several batches it is the mean of each batch's. It is 1 where y does not vary and 0 where it is missed.
fn r_squared(y_hat: [...], y: [...]) {
    let left = sum(across_sum((y - y_hat)^2));
    let all = sum(across_sum((y - across_mean(y))^2));
    1 - (if all > 0 { left / all } else { if left > 0 { 1 } else { 0 } })
}
