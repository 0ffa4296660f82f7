// Learning-rate schedules. `t` counts completed updates: 0 in the first step. A schedule
// `after = k` begins after k updates and has its first value until then, so that
// `warmup(cosine(3e-4, steps = 5000, after = 100), steps = 100)` joins the two end to end.

/// The updates made since the first `after` ones.
fn updates_since(after) = if after == 0 { t } else { max(t - after, 0) };

/// Always the same rate. As an initial value: always the same number.
fn constant(base) = base;

/// base * factor^t.
fn exponential(base, factor, after = 0) = base * factor^updates_since(after);

/// base * factor^floor(t / every).
fn step_decay(base, every, factor, after = 0) = base * factor^floor(updates_since(after) / every);

/// base / (1 + rate t).
fn inverse_time(base, rate, after = 0) = base / (1 + rate * updates_since(after));

/// From base to low over `steps` updates, as the power of what remains of them; then low. With
/// power 1 it is linear.
fn polynomial(base, steps, power = 1.0, low = 0, after = 0) =
    low + (base - low) * (1 - min(updates_since(after), steps) / steps)^power;

/// From base to low over `steps` updates along half a cosine, then low; Loshchilov and Hutter,
/// 2017, eq. 5.
fn cosine(base, steps, low = 0, after = 0) {
    assert steps > 0;
    half_cosine(base, low, updates_since(after) / steps)
}

/// Cosine with warm restarts after period, period * mult, period * mult^2, ... updates, all
/// whole numbers; Loshchilov and Hutter, 2017.
fn sgdr(base, period, mult = 1, low = 0, after = 0) {
    let now = updates_since(after);
    // Restarts lie at whole numbers, so that half an update more keeps roundings away from them.
    let restarts = if mult == 1 { floor((now + 0.5) / period) } else { floor(log((now + 0.5) / period * (mult - 1) + 1) / log(mult)) };
    let start = if mult == 1 { restarts * period } else { period * (mult^restarts - 1) / (mult - 1) };
    half_cosine(base, low, (now - start) / (period * mult^restarts))
}

/// Up to base over the part `up` of the steps, beginning at base / start_div, then down to
/// base / start_div / end_div, both along half a cosine; Smith and Topin, 2018.
fn one_cycle(base, steps, up = 0.3, start_div = 25, end_div = 1e4) {
    assert 0 <= up && up <= 1;
    let top = up * steps - 1;
    let first = base / start_div;
    if t < top { half_cosine(first, base, t / max(top, 1)) } else { half_cosine(base, first / end_div, (t - top) / max(steps - 1 - top, 1)) }
}

/// From a at 0 to b at 1 along half a cosine; b beyond.
fn half_cosine(a, b, part) = b + (a - b) * 0.5 * (1 + cos(pi * min(part, 1)));

/// The rate given, rising linearly from rate / steps over the first `steps` updates.
fn warmup(rate, steps) {
    assert steps > 0;
    rate * min(1, (t + 1) / steps)
}

/// `base`, times `factor` after `patience` reports without a new best one, but not below `low`;
/// then `cooldown` reports count for nothing. A new best is below the last by the share
/// `threshold`. The caller reports, say, the loss of a validation after each epoch by writing it
/// into the state `report`, which the next step takes and sets back to infinity:
/// `let rate = reduce_on_plateau(1e-3); optimizer adam(lr = rate);`, where the state is
/// `rate.reduce_on_plateau.report`. As PyTorch has it.
layer reduce_on_plateau(base, factor = 0.1, patience = 10, threshold = 1e-4, cooldown = 0, low = 0) {
    state report = inf;
    state best = inf;
    state since = 0;
    state rest = 0;
    state rate = base;
    let new = report < inf;
    let better = report < best * (1 - threshold);
    let resting = new && rest > 0;
    let waited = if new { if better || resting { 0 } else { since + 1 } } else { since };
    let lower = max(rate * factor, low);
    let drop = waited > patience && rate - lower > 1e-8;
    best <- if better { report } else { best };
    rest <- if waited > patience { cooldown } else { if resting { rest - 1 } else { rest } };
    since <- if waited > patience { 0 } else { waited };
    rate <- if drop { lower } else { rate };
    report <- inf;
    rate
}
