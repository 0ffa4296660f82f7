// Activations. Scalar functions map over every axis of what they are given.

/// The argument itself.
fn identity(z) = z;

/// max(z, 0); Nair and Hinton, 2010. Its derivative at 0 is taken as 0.
fn relu(z) = if z > 0 { z } else { 0 };

/// z for positive z, slope * z otherwise; Maas et al., 2013.
fn leaky_relu(z, slope = 0.01) = if z > 0 { z } else { slope * z };

/// z for positive z, alpha * (exp(z) - 1) otherwise; Clevert et al., 2016.
fn elu(z, alpha = 1.0) = if z > 0 { z } else { alpha * expm1(z) };

/// z * sigmoid(z); Elfwing et al., 2018.
fn silu(z) = z * sigmoid(z);

/// z times the normal distribution function of z; Hendrycks and Gimpel, 2016.
fn gelu(z) = z * 0.5 * (1 + erf(z / sqrt(2)));

/// The tanh approximation of gelu; Hendrycks and Gimpel, 2016.
fn gelu_tanh(z) = z * 0.5 * (1 + tanh(sqrt(2 / pi) * (z + 0.044715 * z^3)));

/// z / (1 + |z|); Glorot and Bengio, 2010.
fn softsign(z) = z / (1 + abs(z));

/// exp(z[i]) / sum of exp(z), written so that it stays finite for any finite z.
fn softmax(z: [n]) -> [n] = exp(z - lse(z));

/// log(softmax(z)), finite for any finite z.
fn log_softmax(z: [n]) -> [n] = z - lse(z);

/// log(sum of exp(z)).
fn logsumexp(z: [n]) = lse(z);

/// The value limited to low..high.
fn clamp(x, low, high) = min(max(x, low), high);

/// The Euclidean norm of all elements.
fn norm(x: [...]) = sqrt(sum(x^2));

/// The root of the mean of the squares of all elements.
fn rms(x: [...]) = sqrt(mean(x^2));
