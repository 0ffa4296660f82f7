"""The benchmarks' data, initial weights and clock, as `src/lib.rs` has them, for peers in Python."""

import json
import time

import numpy as np

REPEATS = 11
REPEAT = 0.02
STEPS = 20


def numbers(stream, count):
    """Numbers in -1..1, the same as in Rust."""
    place = np.arange(1, count + 1, dtype=np.uint64)
    low = np.uint64(0xFFFFFFFF)
    x = (place * np.uint64(0x9E3779B1)) & low
    x ^= np.uint64(((stream + 1) * 0x85EBCA77) & 0xFFFFFFFF)
    x ^= x >> np.uint64(15)
    x = (x * np.uint64(0xC2B2AE3D)) & low
    x ^= x >> np.uint64(13)
    x = (x * np.uint64(0x27D4EB2F)) & low
    x ^= x >> np.uint64(16)
    return ((x >> np.uint64(8)).astype(np.float32) / np.float32(1 << 23) - np.float32(1)).astype(np.float32)


def integers(stream, count, bound):
    scaled = (numbers(stream, count) + np.float32(1)) * np.float32(0.5) * np.float32(bound)
    return (scaled.astype(np.uint32) % bound).astype(np.int32)


def dense(*widths):
    """Shapes of the weights of dense layers."""
    return [s for n, m in zip(widths, widths[1:]) for s in ((n, m), (m,))]


def block():
    return ["gain", (64,), (64, 4, 16), (64, 4, 16), (64, 4, 16), (4, 16, 64), "gain", (64,), *dense(64, 256, 64)]


SHAPES = {
    "quadratic": [],
    "line": [(), ()],
    "logistic": dense(2, 1),
    "mlp_2_4_1": dense(2, 4, 1),
    "mlp_10_10_10_1": dense(10, 10, 10, 1),
    "digits": dense(64, 64, 10),
    "mlp_784_128_10": dense(784, 128, 10),
    "mlp_512x4_10": dense(512, 512, 512, 512, 512, 10),
    "lenet": [(5, 5, 1, 1, 6), (6,), (5, 5, 6, 1, 16), (16,), *dense(400, 120, 84, 10)],
    "lstm": [(16, 256), (64, 256), (256,), *dense(64, 1)],
    "transformer": [(65, 64), (64, 64), *block(), *block(), "gain", (64,), *dense(64, 65)],
}
BATCH = {
    "line": 100, "logistic": 4, "mlp_2_4_1": 100, "mlp_10_10_10_1": 32, "digits": 32, "mlp_784_128_10": 64,
    "mlp_512x4_10": 128, "lenet": 32, "lstm": 32, "transformer": 8,
}


def weights(work):
    """Initial weights."""
    if work == "quadratic":
        return [np.float32(1.0)]
    result, stream = [], 100
    for shape in SHAPES[work]:
        if shape == "gain":
            result.append(np.ones(64, np.float32))
        elif len(shape) < 2:
            result.append(np.zeros(shape, np.float32))
        else:
            count = int(np.prod(shape))
            scale = np.float32(1) / np.sqrt(np.float32(max(count // shape[-1], 1)))
            result.append((numbers(stream, count) * scale).reshape(shape))
        stream += 1
    return result


def data(work):
    """Inputs and targets of the one batch."""
    if work == "quadratic":
        return np.zeros(1, np.float32), np.zeros(1, np.float32)
    n = BATCH[work]
    if work == "line":
        return numbers(1, n), numbers(2, n)
    if work == "transformer":
        return integers(1, n * 64, 65).reshape(n, 64), integers(2, n * 64, 65).reshape(n, 64)
    if work == "lenet":
        return numbers(1, n * 784).reshape(n, 28, 28), integers(2, n, 10)
    if work == "lstm":
        return numbers(1, n * 32 * 16).reshape(n, 32, 16), numbers(2, n).reshape(n, 1)
    width = SHAPES[work][0][0]
    x = numbers(1, n * width).reshape(n, width)
    if work in ("logistic", "mlp_2_4_1", "mlp_10_10_10_1"):
        return x, numbers(2, n).reshape(n, 1)
    return (x / np.float32(16) if work == "digits" else x), integers(2, n, 10)


def report(work, runner, loss, run):
    """Times `run(turns)` by the processor time of this process, and prints a line of JSON."""
    turns = 1
    while True:
        began = time.process_time()
        run(turns)
        took = time.process_time() - began
        if took >= REPEAT:
            break
        turns = max(turns + 1, int(turns * min(REPEAT / max(took, 1e-9) * 1.1, 100)))
    times = []
    for _ in range(REPEATS):
        began = time.process_time()
        run(turns)
        times.append((time.process_time() - began) / turns * 1e9)
    times.sort()
    line = {"work": work, "runner": runner, "median_ns": times[REPEATS // 2], "min_ns": times[0], "max_ns": times[-1],
            "repeats": REPEATS, "turns": turns, "loss": float(loss)}
    print(json.dumps(line), flush=True)
