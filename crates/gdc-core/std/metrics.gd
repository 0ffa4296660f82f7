// Metrics of one sample, which the `metric` statement averages over the samples.

/// Whether the label has the greatest logit; of equals, the first counts.
fn accuracy(logits: [n], label: in 0..n) = argmax(logits) == label;

/// Whether the label is among the k classes with the greatest logits; of equals, the first
/// count.
fn top_k(logits: [n], label: in 0..n, k: int = 5) {
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

/// The four cells of the confusion matrix of y (0 or 1) and the sign of a logit. Precision is
/// true_positive / (true_positive + false_positive) of the means over all samples, recall is
/// true_positive / (true_positive + false_negative).
fn true_positive(y, logits) = y > 0.5 && logits > 0;

/// y is 0, and the logit is positive. See `true_positive`.
fn false_positive(y, logits) = y <= 0.5 && logits > 0;

/// y is 1, and the logit is not positive. See `true_positive`.
fn false_negative(y, logits) = y > 0.5 && logits <= 0;

/// y is 0, and the logit is not positive. See `true_positive`.
fn true_negative(y, logits) = y <= 0.5 && logits <= 0;
