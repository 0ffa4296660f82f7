// Activations. Functions of a number map over every axis of what they are given; those of a
// vector `[n]` work along the last axis and map over the others.

/// The argument itself. (As an initial value, the identity matrix is `eye`.)
fn identity(z) = z;

/// max(z, 0); Nair and Hinton, 2010. Its derivative at 0 is taken as 0.
fn relu(z) = max(0, z);

/// min(max(z, 0), 6); Krizhevsky, 2010. Its derivative at 0 and 6 is taken as 0.
fn relu6(z) = hard_tanh(z, 0, 6);

/// z for positive z, slope * z otherwise; Maas et al., 2013. Its derivative at 0 is the slope.
fn leaky_relu(z, slope = 0.01) = if z > 0 { z } else { slope * z };

/// z for positive z, alpha * (exp(z) - 1) otherwise; Clevert et al., 2016, eq. 15. Its
/// derivative at 0 is alpha.
fn elu(z, alpha = 1.0) = if z > 0 { z } else { alpha * expm1(z) };

/// scale * elu(z, alpha) with the constants that keep mean 0 and variance 1; Klambauer et
/// al., 2017, eq. 2. Its derivative at 0 is scale * alpha.
fn selu(z) = 1.0507009873554804934 * elu(z, 1.6732632423543772848);

/// z for positive z, alpha * (exp(z / alpha) - 1) otherwise, smooth for every alpha; Barron,
/// 2017, eq. 2.
fn celu(z, alpha = 1.0) = if z > 0 { z } else { alpha * expm1(z / alpha) };

/// z times the normal distribution function of z; Hendrycks and Gimpel, 2016.
fn gelu(z) = z * 0.5 * (1 + erf(z * sqrt(0.5)));

/// The tanh approximation of gelu; Hendrycks and Gimpel, 2016. Beyond 10 its tanh is 1 to the
/// last place, and without a limit the cube would leave the range of single precision.
fn gelu_tanh(z) {
    let u = clamp(z, -10, 10);
    z * 0.5 * (1 + tanh(sqrt(2 / pi) * (u + 0.044715 * u^3)))
}

/// z * sigmoid(z); Elfwing et al., 2018. Also called swish.
fn silu(z) = z * sigmoid(z);

/// z * tanh(softplus(z)); Misra, 2019, eq. 1.
fn mish(z) = z * tanh(softplus(z));

/// log(sigmoid(z)) = -softplus(-z), finite for any finite z.
fn log_sigmoid(z) = -softplus(-z);

/// z / 6 + 1/2, limited to 0..1; Howard et al., 2019. Its derivative at -3 and 3 is taken as 0.
fn hard_sigmoid(z) = clamp(z / 6 + 0.5, 0, 1);

/// z * hard_sigmoid(z); Howard et al., 2019, section 5.2. Its derivative is taken as 0 at -3
/// and as 1 at 3.
fn hard_swish(z) = z * hard_sigmoid(z);

/// z limited to low..high; Collobert, 2004. Its derivative at low and high is taken as 0.
fn hard_tanh(z, low = -1, high = 1) = min(high, max(low, z));

/// z / (1 + |z|); Glorot and Bengio, 2010. Its derivative at 0 is 1.
fn softsign(z) = z / (1 + abs(z));

/// exp(z[i]) / sum of exp(z), written so that it stays finite for any finite z.
fn softmax(z: [n]) -> [n] = exp(z - lse(z));

/// log(softmax(z)), finite for any finite z.
fn log_softmax(z: [n]) -> [n] = z - lse(z);

/// log(sum of exp(z)), finite for any finite z.
fn logsumexp(z: [n]) = lse(z);

/// The first half times the sigmoid of the second half; Dauphin et al., 2017. The last axis
/// must have an even size.
fn glu(z: [n]) -> [n / 2] = z[0..n / 2] * sigmoid(z[n / 2..n]);

/// The value limited to low..high. Its derivative at low and high is taken as 0.
fn clamp(x, low, high) {
    assert low <= high;
    hard_tanh(x, low, high)
}

/// The Euclidean norm of all elements. Its derivative at the zero vector is taken as 0.
fn norm(x: [...]) = root(sum(x^2));

/// The vector divided by its Euclidean norm, or by eps where that is smaller.
fn unit_length(x: [n], eps = 1e-12) -> [n] = x / max(norm(x), eps);

/// The root of the mean of the squares of all elements. Its derivative at the zero vector is
/// taken as 0.
fn rms(x: [...]) = root(mean(x^2));

/// sqrt(x), with the derivative 0 where x is 0, so that the norm of zeros has a gradient.
fn root(x) = if x == 0 { 0 } else { sqrt(x) };
