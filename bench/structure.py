#!/usr/bin/env python3
"""Looks for the inner loops that reference specs must have.

usage: structure.py FOLDER   (where cargo put the release builds of this package; x86-64, objdump)

A tile is a loop without another one inside that only loads, multiplies and adds: at least 8 fused
multiply-adds of whole vectors in registers, and nothing stored. Code that lost this shape still
computes the same, up to 60 times slower. Each spec must have as many such loops, for AVX-512 and
for AVX2, as it has products that are worth a tile.
"""

import re
import subprocess
import sys
from pathlib import Path

WANTED = {"mlp_784_128_10": 4, "mlp_512x4_10": 8, "lenet": 6, "digits": 4}
JUMP = re.compile(r"^j\w+\s+([0-9a-f]+)")


def instructions(program):
    """(address, text) of all instructions, function after function."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", program], capture_output=True, text=True, check=True)
    function = []
    for line in text.stdout.splitlines():
        if line.endswith(">:"):
            yield function
            function = []
        elif match := re.match(r"^\s*([0-9a-f]+):\s+(.*)$", line):
            function.append((int(match[1], 16), match[2]))
    yield function


def tiles(function, register):
    """The number of tiles in a function, in registers of one kind."""
    place = {address: k for k, (address, _) in enumerate(function)}
    loops = []
    for k, (_, text) in enumerate(function):
        match = JUMP.match(text)
        start = place.get(int(match[1], 16)) if match else None
        if start is not None and start < k:
            loops.append((start, k))
    found = 0
    for start, end in loops:
        if any(start <= a and b <= end and (a, b) != (start, end) for a, b in loops):
            continue
        body = [text for _, text in function[start : end + 1]]
        added = sum(t.startswith("vfmadd") and t.rstrip().endswith(tuple("0123456789")) and register in t for t in body)
        stores = sum(bool(re.match(r"^v?mov\w+\s+%[xyz]mm\d+,.*\(", t)) for t in body)
        found += added >= 8 and stores == 0
    return found


def main(folder):
    failed = False
    for spec, wanted in WANTED.items():
        functions = list(instructions(Path(folder) / spec))
        for name, register in ("AVX-512", "%zmm"), ("AVX2", "%ymm"):
            found = sum(tiles(function, register) for function in functions)
            # Tiles are as wide as AVX-512 allows: on AVX2 some of what they add up is in memory.
            judged = name == "AVX-512"
            failed |= judged and found < wanted
            print(f"{spec}, {name}: {found} tiles" + (f", at least {wanted} wanted" if judged else ""))
    sys.exit(failed)


main(sys.argv[1])
