// Losses of one sample. The mean over the samples is taken by `loss`.

/// Mean squared error: mean of (y_hat - y)^2 over the elements.
fn mse(y_hat: [...], y: [...]) = mean((y_hat - y)^2);

/// Half the mean squared error, whose derivative is (y_hat - y) / n; the 1/2m form.
fn half_mse(y_hat: [...], y: [...]) = mean((y_hat - y)^2) / 2;

/// Mean absolute error.
fn mae(y_hat: [...], y: [...]) = mean(abs(y_hat - y));

/// -log softmax(logits)[label], finite for any finite logits.
/// It takes logits, not probabilities: do not apply softmax before it.
fn cross_entropy(logits: [n], label: in 0..n) = lse(logits) - logits[label];

/// -(y log p + (1 - y) log(1 - p)) with p = sigmoid(logits), as softplus(z) - y z.
fn binary_cross_entropy(y, logits) = softplus(logits) - y * logits;

/// -(y log p + (1 - y) log(1 - p)) of a probability p.
fn binary_cross_entropy_of(p, y) = -(y * log(p) + (1 - y) * log(1 - p));
