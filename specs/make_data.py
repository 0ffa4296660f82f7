"""Writes the data files of the specs into `data/`, the same bytes every time.

    pip install numpy scikit-learn statsmodels names==0.3.0
    python3 specs/make_data.py

The invented data come from NumPy's frozen generator `RandomState`; the irises
and the digits are the copies that scikit-learn ships, the sunspots that of
statsmodels, the names those of the package `names`. A column `x[0]` of a CSV
file is element 0 of the tensor `x`; an array of an NPZ file has the name of its
tensor and the rows along its first axis.
"""

import io
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import train_test_split
from statsmodels.datasets import sunspots as yearly_sunspots

DATA = Path(__file__).resolve().parent / "data"


def write_csv(name, columns):
    """Columns in the order given: floats as short decimals, integers as they are."""
    rows = [",".join(columns)]
    for values in zip(*columns.values(), strict=True):
        rows.append(",".join(f"{v:.6g}" for v in values))
    (DATA / name).write_text("\n".join(rows) + "\n", newline="\n")


def write_npz(name, arrays):
    """An uncompressed NPZ with fixed dates, independent of clock and zlib."""
    with zipfile.ZipFile(DATA / name, "w", zipfile.ZIP_STORED) as archive:
        for key, array in arrays.items():
            body = io.BytesIO()
            np.lib.format.write_array(body, np.ascontiguousarray(array), version=(1, 0))
            entry = zipfile.ZipInfo(f"{key}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, body.getvalue())


def linear_regression():
    """y = 3x + 2 + noise of deviation 0.1, x uniform on [-1, 1]."""
    rng = np.random.RandomState(1)
    x = rng.uniform(-1, 1, 100)
    write_csv("linear_regression.csv", {"x": x, "y": 3 * x + 2 + 0.1 * rng.normal(size=100)})


def logistic_unit():
    """Two overlapping clouds, 100 rows each, in mixed order."""
    rng = np.random.RandomState(2)
    y = rng.permutation(np.repeat([0, 1], 100))
    x = rng.normal(size=(200, 2)) + np.where(y[:, None] == 1, [1.0, 1.5], [-1.0, -0.5])
    write_csv("logistic_unit.csv", {"x[0]": x[:, 0], "x[1]": x[:, 1], "y[0]": y})


def xor():
    """The truth table."""
    table = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])
    write_csv("xor.csv", dict(zip(["x[0]", "x[1]", "y[0]"], table.T)))


def two_layer_sigmoid():
    """1000 points of the square [-1, 1]^2; 1 inside the disc of radius 0.7."""
    rng = np.random.RandomState(3)
    x = rng.uniform(-1, 1, size=(1000, 2))
    inside = (np.sum(x**2, axis=1) < 0.7**2).astype(int)
    write_csv("two_layer_sigmoid.csv", {"x[0]": x[:, 0], "x[1]": x[:, 1], "y[0]": inside})


def keras_mlp():
    """1000 rows: a smooth function of 10 normal inputs, with a little noise."""
    rng = np.random.RandomState(4)
    x = rng.normal(size=(1000, 10)).astype(np.float32)
    wide = x.astype(np.float64)
    y = np.tanh(wide[:, 0] + wide[:, 1]) + np.abs(wide[:, 2]) - 0.5 * wide[:, 3:6].sum(axis=1)
    y += 0.05 * rng.normal(size=1000)
    write_npz("keras_mlp.npz", {"x": x, "y": y.astype(np.float32)[:, None]})


def iris():
    """40 rows of each class to train on and 10 to validate with."""
    source = load_iris()
    rng = np.random.RandomState(5)
    classes = [rng.permutation(np.flatnonzero(source.target == c)) for c in range(3)]
    for name, part in [("train", slice(0, 40)), ("validation", slice(40, 50))]:
        rows = rng.permutation(np.concatenate([c[part] for c in classes]))
        columns = {f"x[{i}]": source.data[rows, i] for i in range(4)}
        write_csv(f"iris_{name}.csv", columns | {"species": source.target[rows]})


def digits():
    """1437 of the 1797 digits to train on, 360 to test with, each digit in proportion."""
    source = load_digits()
    every = np.arange(len(source.target))
    train, test = train_test_split(every, test_size=360, stratify=source.target, random_state=42)
    for name, rows in [("train", train), ("test", test)]:
        images = source.images[rows].astype(np.uint8)
        labels = source.target[rows].astype(np.uint8)
        write_npz(f"digits_{name}.npz", {"image": images, "label": labels})


def sunspots():
    """The year's sunspot number by those of the 24 years before: the years to 1949 to train
    on, those from 1950 to 2008 to test with."""
    years = yearly_sunspots.load_pandas().data["YEAR"].to_numpy().astype(int)
    numbers = yearly_sunspots.load_pandas().data["SUNACTIVITY"].to_numpy()
    at = np.arange(24, len(numbers))
    for name, rows in [("train", at[years[at] < 1950]), ("test", at[years[at] >= 1950])]:
        columns = {f"x[{i}]": numbers[rows - 24 + i] for i in range(24)}
        write_csv(f"sunspots_{name}.csv", columns | {"y": numbers[rows]})


def points():
    """256 places of the interval from 0 to 2 pi, evenly spaced."""
    write_csv("points.csv", {"x": np.linspace(0, 2 * np.pi, 256)})


def kinship():
    """Two families of twelve with the same tree (Hinton, 1986): who is whose aunt, and so on.
    104 questions of a person and a relation, each with its one or two answers; a question of
    the second family is held back for testing where the first family's is trained on."""
    # Of each family: couples, and the children of each couple.
    couples = [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)]
    children = {(0, 1): [4, 7], (2, 3): [6, 9], (6, 7): [10, 11]}
    men = {0, 2, 4, 6, 8, 10}
    relations = ["father", "mother", "husband", "wife", "son", "daughter",
                 "uncle", "aunt", "brother", "sister", "nephew", "niece"]
    parents = {c: p for p, list_ in children.items() for c in list_}
    spouse = {a: b for pair in couples for a, b in (pair, pair[::-1])}
    siblings = {c: [d for d in children[parents[c]] if d != c] for c in parents}
    found = {}

    def add(person, name, other):
        man, woman = name
        found.setdefault((person, relations.index(man if other in men else woman)), []).append(other)

    for child, pair in parents.items():
        for parent in pair:
            add(child, ("father", "mother"), parent)
            add(parent, ("son", "daughter"), child)
            for other in siblings.get(parent, []):
                for elder in [other, spouse[other]]:
                    add(child, ("uncle", "aunt"), elder)
                    add(elder, ("nephew", "niece"), child)
        for other in siblings[child]:
            add(child, ("brother", "sister"), other)
    for person, other in spouse.items():
        add(person, ("husband", "wife"), other)
    rows = [(p + 12 * family, r, {a + 12 * family for a in answers})
            for family in (0, 1) for (p, r), answers in sorted(found.items())]
    assert len(rows) == 104
    order = np.random.RandomState(6).permutation(52) + 52
    for name, chosen in [("train", sorted(set(range(104)) - set(order[:4]))), ("test", sorted(order[:4]))]:
        table = [rows[i] for i in chosen]
        columns = {"person": [r[0] for r in table], "relation": [r[1] for r in table]}
        columns |= {f"answer[{k}]": [int(k in r[2]) for r in table] for k in range(24)}
        write_csv(f"kinship_{name}.csv", columns)


def names():
    """The first names of women in the census of the United States of 1990, in mixed order, 400 of
    them held back: 12 letters each, a to z as 1 to 26, with 0 before the name and after its end.
    `next` is one letter ahead."""
    lines = (Path(find_spec("names").origin).parent / "dist.female.first").read_text().splitlines()
    found = sorted({line.split()[0].lower() for line in lines})
    found = [name for name in found if len(name) <= 11]
    order = np.random.RandomState(7).permutation(len(found))
    for part, chosen in [("train", order[400:]), ("test", order[:400])]:
        letters = np.zeros((len(chosen), 13), np.uint8)
        for row, k in zip(letters, chosen, strict=True):
            row[1 : len(found[k]) + 1] = [ord(c) - ord("a") + 1 for c in found[k]]
        write_npz(f"names_{part}.npz", {"letters": letters[:, :12], "next": letters[:, 1:]})


if __name__ == "__main__":
    DATA.mkdir(exist_ok=True)
    for make in [
        linear_regression, logistic_unit, xor, two_layer_sigmoid, keras_mlp, points, kinship, iris, digits, sunspots,
        names,
    ]:
        make()
