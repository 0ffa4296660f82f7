#!/usr/bin/env python3
"""Runs all benchmarks and writes docs/performance.md.

usage: run.py [--rounds N] [--venv FOLDER] [--works A,B] [--keep] [--built] [--page]

Builds the compiler and the runners, makes a virtual environment for the peers in Python unless
`--venv` names one that has them, and then runs every runner of every piece of work in turn,
round after round, each on one processor and by processor time, so that what else the machine
does meanwhile weighs on all alike. What a runner printed goes to results.jsonl; `--keep` adds to
the file and writes the page from all of it. A peer that cannot run is left out.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = HERE / "results.jsonl"
WORKS = ["quadratic", "line", "logistic", "mlp_2_4_1", "mlp_10_10_10_1", "digits", "mlp_784_128_10", "mlp_512x4_10",
         "lenet", "lstm", "transformer"]
COMPILED = ["mlp_784_128_10", "mlp_512x4_10", "lenet", "lstm", "transformer"]
SHARED = ["mlp_784_128_10", "mlp_512x4_10", "lenet", "transformer"]
BY_HAND = ["line", "mlp_2_4_1", "mlp_10_10_10_1", "mlp_784_128_10"]
WHAT = {
    "quadratic": "one parameter, gradient descent",
    "line": "linear regression, batch 100",
    "logistic": "logistic unit, batch 4",
    "mlp_2_4_1": "2-4-1 sigmoid, MSE, SGD, batch 100",
    "mlp_10_10_10_1": "10-10-10-1 relu, MSE, SGD, batch 32",
    "digits": "64-64-10, Adam, batch 32",
    "mlp_784_128_10": "784-128-10, Adam, batch 64",
    "mlp_512x4_10": "512 x 4 - 10, momentum, batch 128",
    "lenet": "LeNet-like, Adam, batch 32",
    "lstm": "LSTM 32 x 16 - 64, Adam, batch 32",
    "transformer": "decoder of 2 blocks, width 64, context 64, AdamW, batch 8",
    "logistic.predict": "one sample: logistic unit",
    "mlp_2_4_1.predict": "one sample: 2-4-1",
    "mlp_10_10_10_1.predict": "one sample: 10-10-10-1",
    "digits.predict": "one sample: 64-64-10",
    "mlp_784_128_10.predict": "one sample: 784-128-10",
    "mlp_512x4_10.predict": "one sample: 512 x 4 - 10",
    "lenet.predict": "one sample: LeNet-like",
    "lstm.predict": "one sample: LSTM 32 x 16 - 64",
}
# How many times faster than the best peer, and which share of the peak, a step should be.
TARGETS = {
    "mlp_2_4_1": (10, None), "logistic": (3, None), "quadratic": (3, None), "mlp_10_10_10_1": (10, None),
    "line": (1.3, None), "mlp_784_128_10": (1.6, 0.85), "lenet": (5, 0.80), "lstm": (2, 0.65), "transformer": (2, 0.70),
    "mlp_512x4_10": (1.4, 0.92),
}


def build(target):
    """The compiler, the generated code and the runners; how long each spec takes."""
    env = dict(os.environ, CARGO_TARGET_DIR=str(target))
    subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "gdc-cli"], cwd=ROOT, env=env, check=True)
    subprocess.run([HERE / "generate.sh", target / "release/gdc"], check=True)
    subprocess.run(["cargo", "build", "--quiet", "--release", "--bins"], cwd=HERE, env=env, check=True)


def environment():
    """A Python with the peers."""
    venv = HERE / "venv"
    if not venv.is_dir():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin/pip", "install", "--quiet", "numpy", "torch", "jax"], check=True)
    return venv / "bin/python"


def once(command, limit, cwd=None, pinned=True):
    """The lines that one runner prints, pinned to one processor unless it is to use several."""
    pin = ["taskset", "-c", "0"] if sys.platform == "linux" and pinned else []
    try:
        done = subprocess.run(pin + [str(c) for c in command], cwd=cwd, capture_output=True, text=True, timeout=limit)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line for line in done.stdout.splitlines() if line.startswith("{")]


def versions(python):
    found = {}
    for name, command in {
        "rustc": ["rustc", "--version"],
        "jax": [python, "-c", "import jax; print(jax.__version__)"],
        "torch": [python, "-c", "import torch; print(torch.__version__)"],
    }.items():
        try:
            found[name] = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout.strip()
        except OSError:
            found[name] = "absent"
    return found


def processor():
    try:
        text = Path("/proc/cpuinfo").read_text()
        return next(line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def nanoseconds(x):
    for size, unit in (1e6, "ms"), (1e3, "us"):
        if x >= size:
            return f"{x / size:.3g} {unit}"
    return f"{x:.3g} ns"


def threads(rows):
    """The table of two threads, from the rows that `threads` printed."""
    out = ["## Two threads", "",
           "By the clock on the wall, so what else the machine does counts: the least of all turns, a whole step on one "
           "thread beside the same step in pieces on one and on two, whose weights are the same to the bit. What pieces cost "
           "on one thread and which share of a step threads can share are by the processor's time. The target is for steps "
           "above 100 us.", "",
           "| work | whole | in pieces | two threads | speed-up | target | pieces cost | shared |", "|---" * 8 + "|"]
    for work in WORKS:
        mine = [r for r in rows if r["work"] == work]
        if not mine:
            continue
        whole, one, two = (min(r[k] for r in mine) for k in ("whole_ns", "one_ns", "two_ns"))
        cost, share = (statistics.median(r[k] for r in mine) for k in ("cost", "share"))
        verdict = "-" if whole < 1e5 else f"1.8 x: {'reached' if whole / two >= 1.8 else 'missed'}"
        out.append(f"| {WHAT[work]} | {nanoseconds(whole)} | {nanoseconds(one)} | {nanoseconds(two)} | {whole / two:.2f} x "
                   f"| {verdict} | {cost - 1:+.0%} | {share:.0%} |")
    return out + [""]


def page(rows, found):
    """The page, from all rows."""
    shared = [r for r in rows if r["runner"] == "threads"]
    rows = [r for r in rows if r["runner"] != "threads"]
    best = {}
    for row in rows:
        best.setdefault((row["work"], row["runner"]), []).append(row)
    median = {key: statistics.median(r["median_ns"] for r in all) for key, all in best.items()}
    least = {key: min(r["min_ns"] for r in all) for key, all in best.items()}
    runners = [r for r in ("gdc", "ndarray", "jax jit", "jax scan", "torch eager", "torch compiled")
               if any(k[1] == r for k in median)]
    peers = runners[1:]
    peak = max(r["peak_gflops"] for r in rows if r["runner"] == "gdc")
    level = next(r["level"] for r in rows if r["runner"] == "gdc")
    out = ["# Performance", "",
           "This page is written by `bench/run.py`; do not edit it. All figures are medians over rounds of the medians "
           "of 11 repeats, of one thread and in processor time, runners taking turns. Data and initial weights are the "
           "same for all, and the last column of the first table says how far their losses after 20 steps lie apart. A "
           "dash: not measured, or not done within the time given to it; the best peer is the best of those that are there.", "",
           f"* machine: {processor()}, {os.cpu_count()} processors, shared with other work while this ran",
           f"* date: {datetime.date.today()}; rounds: {max(len(v) for v in best.values())}",
           f"* {found['rustc']}; JAX {found['jax']}; PyTorch {found['torch']}; ndarray 0.17 (its own products)",
           f"* instruction set: {level}; peak of fused multiply-adds measured in the same runs: {peak:.0f} GFLOP/s", "",
           "## A training step", "",
           "| work | " + " | ".join(runners) + " | against the best peer | target | losses differ by |",
           "|---" * (len(runners) + 4) + "|"]
    for work in WORKS:
        if (work, "gdc") not in median:
            continue
        cells = [nanoseconds(median[work, r]) if (work, r) in median else "-" for r in runners]
        losses = [best[work, r][0]["loss"] for r in runners if (work, r) in best]
        apart = (max(losses) - min(losses)) / max(abs(losses[0]), 1e-9)
        others = [median[work, r] for r in peers if (work, r) in median]
        times = min(others) / median[work, "gdc"] if others else None
        target = TARGETS.get(work, (None, None))[0]
        verdict = "-" if target is None or times is None else f"{target} x: {'reached' if times >= target else 'missed'}"
        out.append(f"| {WHAT[work]} | " + " | ".join(cells)
                   + f" | {'-' if times is None else f'{times:.1f} x'} | {verdict} | {apart:.0e} |")
    loops = [w for w in WORKS if (w + ".loop", "gdc") in median and (w, "jax scan") in median]
    if loops:
        out += ["", "## Many steps in one call", "",
                "`repeat` of the trainers of small models beside the loop inside of JAX, for each step.", "",
                "| work | gdc | jax scan | against it |", "|---|---|---|---|"]
    for work in loops:
        mine, other = median[work + ".loop", "gdc"], median[work, "jax scan"]
        out.append(f"| {WHAT[work]} | {nanoseconds(mine)} | {nanoseconds(other)} | {other / mine:.1f} x |")
    out += ["", "## Share of the peak", "",
            "Multiply-adds that the mathematics asks for, by the time of the whole step, updates included.", "",
            "| work | median | least | share of peak | target | workspace |", "|---|---|---|---|---|---|"]
    for work in WORKS:
        shares = [r["share"] for r in best.get((work, "gdc"), [])]
        if not shares or max(shares) == 0:
            continue
        share, target = statistics.median(shares), TARGETS.get(work, (None, None))[1]
        verdict = "-" if target is None else f"{target:.0%}: {'reached' if share >= target else 'missed'}"
        space = best[work, "gdc"][0]["workspace"]
        out.append(f"| {WHAT[work]} | {nanoseconds(median[work, 'gdc'])} | {nanoseconds(least[work, 'gdc'])} | {share:.0%} "
                   f"| {verdict} | {space:,} bytes |")
    out += ["", "## One sample", "", "| work | median | least |", "|---|---|---|"]
    for work in WHAT:
        if work.endswith(".predict") and (work, "gdc") in median:
            out.append(f"| {WHAT[work]} | {nanoseconds(median[work, 'gdc'])} | {nanoseconds(least[work, 'gdc'])} |")
    out.append("")
    if shared:
        out += threads(shared)
    out += ["## What is not measured", "",
            "Keras, TensorFlow, ONNX Runtime, burn, candle, dfdx and tract; more than two threads; aarch64, wasm32 and "
            "machines without AVX-512. `ndarray` is code by hand, in `bench/src/bin/ndarray_peer.rs`; PyTorch runs with "
            "its own optimizers (fused where it has them), JAX one step at a time (`jit`) and as a whole loop (`scan`).", ""]
    return "\n".join(out)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--venv", type=Path)
    arguments.add_argument("--works", default=",".join(WORKS))
    arguments.add_argument("--keep", action="store_true")
    arguments.add_argument("--built", action="store_true", help="run what was built before")
    arguments.add_argument("--page", action="store_true", help="only write the page from results.jsonl")
    chosen = arguments.parse_args()
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target"))
    python = chosen.venv / "bin/python" if chosen.venv else environment()
    if not chosen.page:
        if not chosen.built:
            build(target)
        if not chosen.keep:
            RESULTS.unlink(missing_ok=True)
        for turn in range(chosen.rounds):
            for work in chosen.works.split(","):
                lines = once([target / "release" / work], 300)
                if work in BY_HAND:
                    lines += once([target / "release/ndarray_peer", work], 300)
                lines += once([python, "jax_peer.py", work], 600, HERE / "peers")
                lines += once([python, "torch_peer.py", work], 300, HERE / "peers")
                # Compiling takes a minute, and what it could save on tiny steps is lost in calls.
                if turn == 0 and work in COMPILED:
                    lines += once([python, "torch_peer.py", "--compile", work], 600, HERE / "peers")
                if work in SHARED:
                    lines += once([target / "release/threads", work], 300, pinned=False)
                with RESULTS.open("a") as file:
                    file.writelines(line + "\n" for line in lines)
                print(f"round {turn + 1}: {work}: {len(lines)} results", file=sys.stderr)
    rows = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    (ROOT / "docs/performance.md").write_text(page(rows, versions(python)))


main()
