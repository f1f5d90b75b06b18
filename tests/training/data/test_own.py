"""Data of one's own: arrays, files and folders, their splits, and trainings that read them."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imsave

from photosim import runner
from photosim.errors import DataError, PhotosimError
from photosim.training.data.datasets import Dataset
from photosim.training.data.own import read_data

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 3)) * [1.0, 100.0, 0.0] + [0.0, 5.0, 2.0]
KINDS = np.array(["cat", "dog"])[(X[:, 0] > 0.0).astype(int)]
NUMBERS = X[:, 0] + 0.01 * X[:, 1]


def test_arrays_are_split_class_by_class_and_standardised() -> None:
    data = Dataset.from_arrays(X, KINDS, name="pets")
    assert (data.classes, data.features, data.regression) == (2, 3, False)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [70, 10, 20]
    for part in (data.validation, data.test):
        assert abs(part.y.mean() - (KINDS == "dog").mean()) < 0.11
    np.testing.assert_allclose(data.train.x.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(data.train.x.std(axis=0), [1.0, 1.0, 0.0], atol=1e-12)
    again = Dataset.from_arrays(X, KINDS)
    np.testing.assert_array_equal(again.test.x, data.test.x)


def test_numbers_are_regression_and_given_tests_are_kept() -> None:
    data = Dataset.from_arrays(X, NUMBERS, X[:7], NUMBERS[:7], validation_fraction=0.0)
    assert (data.regression, data.classes, len(data.test), len(data.validation)) == (True, 1, 7, 0)
    raw = Dataset.from_arrays(X, np.stack([NUMBERS, -NUMBERS], 1), standardise=False, test=0.0)
    assert (raw.classes, len(raw.test)) == (2, 0)
    np.testing.assert_allclose(np.sort(raw.train.y[:, 0] + raw.train.y[:, 1]), 0.0, atol=1e-12)


def write_csv(path: Path, target: Any) -> Path:
    lines = ["a,b,c,kind", *(f"{','.join(map(str, row))},{t}" for row, t in zip(X, target, strict=True))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_files_and_folders_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", x=X, y=KINDS, x_test=X[:9], y_test=KINDS[:9])
    assert len(read_data(tmp_path / "own.npz").test) == 9
    table = write_csv(tmp_path / "own.csv", KINDS)
    assert read_data(table).classes == 2
    assert read_data(table, target="kind").features == 3
    assert not read_data(write_csv(tmp_path / "whole.csv", (NUMBERS > 0).astype(int))).regression
    assert read_data(write_csv(tmp_path / "numbers.csv", NUMBERS)).regression
    for kind, level in (("dark", 0.1), ("light", 0.9)):
        (tmp_path / "pictures" / kind).mkdir(parents=True)
        for k in range(10):
            picture = np.clip(level + 0.05 * RNG.normal(size=(4, 5)), 0.0, 1.0)
            imsave(tmp_path / "pictures" / kind / f"{k}.png", picture, vmin=0.0, vmax=1.0, cmap="gray")
    pictures = read_data(tmp_path / "pictures")
    assert (pictures.classes, pictures.features) == (2, 60)  # red, green and blue
    (tmp_path / "idx").mkdir()
    for part, count in (("train", 30), ("t10k", 8)):
        header = bytes((0, 0, 8, 3)) + np.array([count, 2, 2], ">u4").tobytes()
        with gzip.open(tmp_path / "idx" / f"{part}-images-idx3-ubyte.gz", "wb") as file:
            file.write(header + RNG.integers(0, 255, 4 * count, dtype=np.uint8).tobytes())
        with gzip.open(tmp_path / "idx" / f"{part}-labels-idx1-ubyte.gz", "wb") as file:
            file.write(
                bytes((0, 0, 8, 1)) + np.array([count], ">u4").tobytes() + bytes(k % 3 for k in range(count))
            )
    images = read_data(tmp_path / "idx")
    assert (images.classes, images.features, len(images.test)) == (3, 4, 8)
    for name in ("-idx", ".idx"):  # unpacked, as other libraries leave them
        plain = tmp_path / f"plain{name}"
        plain.mkdir()
        for packed in (tmp_path / "idx").iterdir():
            (plain / packed.stem.replace("-idx", name)).write_bytes(gzip.decompress(packed.read_bytes()))
        np.testing.assert_array_equal(read_data(plain).train.x, images.train.x)


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.csv", "a,b\n1,2\n1\n", "row 3 has 1 columns, but the header has 2"),
        ("a.csv", "a,b\nx,2\n", "row 2, column 'a' must be a finite number, got 'x'"),
        ("a.csv", "a,b\n1,nan\n", "row 2, column 'b': the target must be finite"),
        ("a.csv", "a,b\n", "has no samples"),
        ("a.npz", "no zip", r"a.npz is damaged or not an .npz file"),
        (
            "a.csv",
            "1,2\n3,4\n",
            "must be a header with a name for each column, but it holds numbers, '1' first",
        ),
        ("a.csv", "a,a\n3,4\n", "but it names the column 'a' twice"),
        ("a.txt", "1", "is not data: .npz, .csv and folders are read"),
    ],
)
def test_damaged_data_are_one_sentence(tmp_path: Path, name: str, content: str, text: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=text):
        read_data(tmp_path / name)


def test_what_does_not_fit_is_one_sentence(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "own.csv", KINDS)
    np.savez(tmp_path / "half.npz", x=X, y=KINDS, x_test=X)
    np.savez(tmp_path / "none.npz", a=X)
    cases: list[tuple[Any, str]] = [
        (lambda: read_data(table, target="knd"), r"no column 'knd'\. It has.*Did you mean 'kind'"),
        (lambda: read_data(tmp_path / "half.npz"), "one of x_test and y_test: they come together"),
        (lambda: read_data(tmp_path / "none.npz"), "lacks the array 'x': it has a"),
        (lambda: read_data(tmp_path / "own.cvs"), "Did you mean 'own.csv'"),
        (lambda: Dataset.from_arrays(X, KINDS[:5]), "100 rows of inputs, but 5 labels or targets"),
        (lambda: Dataset.from_arrays(X, np.where(NUMBERS > 0, np.nan, 1.0)), "every target must be finite"),
        (lambda: Dataset.from_arrays(X, KINDS, X, np.full(100, "fox")), "fox"),
        (
            lambda: Dataset.from_arrays(X, KINDS, X[:, :2], KINDS),
            "2 features, but the training samples have 3",
        ),
        (lambda: Dataset.from_arrays(X + 1j, KINDS), "inputs are complex"),
    ]
    for make, text in cases:
        with pytest.raises(DataError, match=text):
            make()


@pytest.mark.parametrize(("target", "title"), [(KINDS, "test accuracy in %"), (NUMBERS, "test R2 in %")])
def test_netlists_train_on_files_beside_them(tmp_path: Path, target: Any, title: str) -> None:
    write_csv(tmp_path / "own.csv", target)
    outputs = 2 if target is KINDS else 1
    netlist = tmp_path / "own.yml"
    netlist.write_text(
        "instances: {guide: straight}\nports: {in: 'guide,o1', out: 'guide,o2'}\nanalyses:\n"
        f"  - {{kind: train, data: ./own.csv, target: kind, network: [3, 8, {outputs}], rules: [backprop],\n"
        "     seeds: 1, epochs: 15, batch_size: 8, optimiser: {method: adam, learning_rate: 0.02}}\n",
        encoding="utf-8",
    )
    report = runner.run(netlist, out=tmp_path / "out")
    assert title in report.tables[0].title
    assert float(str(report.tables[0].rows[0][1])) > 80.0
    netlist.write_text(netlist.read_text(encoding="utf-8").replace("./own.csv", "digts"), encoding="utf-8")
    with pytest.raises(PhotosimError, match=r"own\.yml:4:\d+: .*no data set 'digts'.*Did you mean 'digits'"):
        runner.run(netlist, out=tmp_path / "out")
