// Learning-rate schedules. `t` counts completed updates: 0 in the first step.

/// Always the same rate.
fn constant(base) = base;

/// base * factor^t.
fn exponential(base, factor) = base * factor^t;

/// base * factor^floor(t / every).
fn step_decay(base, every, factor) = base * factor^floor(t / every);

/// base / (1 + rate t).
fn inverse_time(base, rate) = base / (1 + rate * t);

/// From base to low over `steps` along half a cosine; Loshchilov and Hutter, 2017, eq. 5.
fn cosine(base, steps, low = 0) = low + (base - low) * 0.5 * (1 + cos(pi * min(t, steps) / steps));

/// Cosine with warm restarts after period, period * mult, period * mult^2, ... steps;
/// Loshchilov and Hutter, 2017.
fn sgdr(base, period, mult = 1, low = 0) {
    let n = if mult == 1 { floor(t / period) } else { floor(log(t / period * (mult - 1) + 1) / log(mult) + 1e-9) };
    let start = if mult == 1 { n * period } else { period * (mult^n - 1) / (mult - 1) };
    let length = period * mult^n;
    low + (base - low) * 0.5 * (1 + cos(pi * (t - start) / length))
}

/// The rate given, rising linearly from rate / steps over the first `steps` updates.
fn warmup(rate, steps) = rate * min(1, (t + 1) / steps);
