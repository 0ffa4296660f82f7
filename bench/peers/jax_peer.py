"""JAX: `jit` of one step, and a whole loop of steps in `lax.scan`. Usage: jax_peer.py WORK..."""

import os
import sys

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"
import jax
import jax.numpy as jnp
from jax import lax
from work import STEPS, data, report, weights


def mlp(w, x, act, last=lambda z: z):
    for k in range(0, len(w) - 2, 2):
        x = act(x @ w[k] + w[k + 1])
    return last(x @ w[-2] + w[-1])


def cross_entropy(logits, y):
    log_p = jax.nn.log_softmax(logits)
    return -jnp.mean(jnp.take_along_axis(log_p, y[..., None], -1))


def conv(x, k, padding):
    return lax.conv_general_dilated(x, k[:, :, :, 0, :], (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))


def pool(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def lenet(w, x):
    x = x[..., None]
    x = pool(jax.nn.relu(conv(x, w[0], [(2, 2), (2, 2)]) + w[1]))
    x = pool(jax.nn.relu(conv(x, w[2], "VALID") + w[3]))
    return mlp(w[4:], x.reshape(x.shape[0], -1), jax.nn.relu)


def norm(x, gain, bias):
    d = x - x.mean(-1, keepdims=True)
    return d / jnp.sqrt((d * d).mean(-1, keepdims=True) + 1e-5) * gain + bias


def transformer(w, tokens):
    h = w[0][tokens] + w[1][jnp.arange(64)]
    mask = jnp.tril(jnp.ones((64, 64), bool))
    for b in w[2:14], w[14:26]:
        x = norm(h, b[0], b[1])
        q, k, v = (jnp.einsum("bim,mhe->bhie", x, m) for m in b[2:5])
        s = jnp.where(mask, jnp.einsum("bhie,bhje->bhij", q, k) / 4.0, -jnp.inf)
        o = jnp.einsum("bhij,bhje->bhie", jax.nn.softmax(s), v)
        h = h + jnp.einsum("bhie,hem->bim", o, b[5])
        x = norm(h, b[6], b[7])
        h = h + jax.nn.gelu(x @ b[8] + b[9], approximate=False) @ b[10] + b[11]
    return norm(h, w[26], w[27]) @ w[28] + w[29]


def lstm(w, x):
    def cell(carried, x):
        h, c = carried
        i, f, g, o = jnp.split(x + h @ w[1], 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    zeros = jnp.zeros((x.shape[0], 64))
    # The products with the inputs do not wait for the steps.
    (h, _), _ = lax.scan(cell, (zeros, zeros), jnp.swapaxes(x @ w[0] + w[2], 0, 1))
    return h @ w[3] + w[4]


def bce(z, y):
    return jnp.mean(jax.nn.softplus(z) - y * z)


LOSS = {
    "quadratic": lambda w, x, y: (w[0] - 3) ** 2,
    "line": lambda w, x, y: jnp.mean((w[0] * x + w[1] - y) ** 2),
    "logistic": lambda w, x, y: bce(mlp(w, x, None), y),
    "mlp_2_4_1": lambda w, x, y: jnp.mean((mlp(w, x, jax.nn.sigmoid, jax.nn.sigmoid) - y) ** 2),
    "mlp_10_10_10_1": lambda w, x, y: jnp.mean((mlp(w, x, jax.nn.relu) - y) ** 2),
    "lstm": lambda w, x, y: jnp.mean((lstm(w, x) - y) ** 2),
    "lenet": lambda w, x, y: cross_entropy(lenet(w, x), y),
    "transformer": lambda w, x, y: cross_entropy(transformer(w, x), y),
}
RATE = {"quadratic": 0.1, "line": 0.05, "logistic": 0.5, "mlp_2_4_1": 0.5, "mlp_10_10_10_1": 0.01, "transformer": 3e-4}


def stepper(work, x, y):
    """One step: the state is (weights, moments, count)."""
    loss_of = LOSS.get(work, lambda w, x, y: cross_entropy(mlp(w, x, jax.nn.relu), y))
    lr = RATE.get(work, 1e-3)

    def step(state):
        w, m, v, t = state
        loss, g = jax.value_and_grad(loss_of)(w, x, y)
        if work in ("quadratic", "line", "logistic", "mlp_2_4_1", "mlp_10_10_10_1"):
            return ([a - lr * b for a, b in zip(w, g)], m, v, t), loss
        if work == "mlp_512x4_10":
            m = [0.9 * a + b for a, b in zip(m, g)]
            return ([a - lr * b for a, b in zip(w, m)], m, v, t), loss
        if work == "transformer":
            w = [a * (1 - lr * 0.01) for a in w]
        t = t + 1
        m = [0.9 * a + 0.1 * b for a, b in zip(m, g)]
        v = [0.999 * a + 0.001 * b * b for a, b in zip(v, g)]
        c1, c2 = 1 / (1 - 0.9**t), 1 / (1 - 0.999**t)
        w = [a - lr * (b * c1) / (jnp.sqrt(c * c2) + 1e-8) for a, b, c in zip(w, m, v)]
        return (w, m, v, t), loss

    return step


def main(work):
    x, y = map(jnp.asarray, data(work))
    w = [jnp.asarray(a) for a in weights(work)]
    start = (w, [jnp.zeros_like(a) for a in w], [jnp.zeros_like(a) for a in w], jnp.float32(0))
    step = stepper(work, x, y)
    jitted = jax.jit(step)
    state = start
    for _ in range(STEPS):
        state, loss = jitted(state)
    held = [state]

    def run(turns):
        state = held[0]
        for _ in range(turns):
            state, loss = jitted(state)
        jax.block_until_ready(loss)
        held[0] = state

    report(work, "jax jit", loss, run)
    inner = 10 if x.size > 5000 else 1000
    loop = jax.jit(lambda s: lax.scan(lambda s, _: step(s), s, None, length=inner))
    loss = jax.jit(lambda s: lax.scan(lambda s, _: step(s), s, None, length=STEPS))(start)[1][-1]
    held = [loop(start)[0]]

    def run(turns):
        state = held[0]
        for _ in range(turns):
            state, losses = loop(state)
        jax.block_until_ready(losses)
        held[0] = state

    from work import REPEATS
    import io, contextlib, json
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        report(work, "jax scan", loss, run)
    line = json.loads(out.getvalue())
    for key in "median_ns", "min_ns", "max_ns":
        line[key] /= inner
    print(json.dumps(line), flush=True)


for name in sys.argv[1:]:
    main(name)
