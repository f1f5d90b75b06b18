"""Data files: what is read is what was written, and every kind of damage is one sentence."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from photosim.errors import DataError
from photosim.training.data.datasets import load
from photosim.training.data.files import read_idx, read_npz, read_table
from photosim.training.data.graphs import ARRAYS, cora, text

if TYPE_CHECKING:
    from numpy.typing import NDArray

RNG = np.random.default_rng(8)
PARTS = {"train": 60, "t10k": 20}


def idx(array: NDArray[np.uint8]) -> bytes:
    """The idx form of an array, not yet zipped."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes((0, 0, 8, array.ndim)) + sizes + array.tobytes()


def write_images(folder: Path, name: str = "mnist") -> dict[str, NDArray[np.uint8]]:
    """A small image set in the layout of the real one; returns its pixels by part."""
    (folder / name).mkdir()
    pixels = {}
    for part, count in PARTS.items():
        pixels[part] = RNG.integers(0, 256, (count, 5, 4)).astype(np.uint8)
        labels = (np.arange(count) % 4).astype(np.uint8)
        for kind, array in (("images-idx3", pixels[part]), ("labels-idx1", labels)):
            (folder / name / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(idx(array)))
    return pixels


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_images_keep_the_published_test_set(name: str, tmp_path: Path) -> None:
    pixels = write_images(tmp_path, name)
    data = load(name, data_dir=tmp_path)
    # A tenth of all 80 samples is taken from the 60 to validate.
    assert (len(data.train), len(data.validation), len(data.test)) == (52, 8, 20)
    assert (data.features, data.classes) == (20, 4)
    assert data.test.x.dtype == np.float32
    assert data.train.x.mean() == pytest.approx(0.0, abs=1e-6)
    assert data.train.x.std() == pytest.approx(1.0, abs=1e-6)
    # Standardising is affine: the test images are the published ones, in their order.
    wanted = pixels["t10k"].reshape(20, -1).astype(float)
    slope, offset = np.polyfit(wanted.ravel(), data.test.x.ravel(), 1)
    np.testing.assert_allclose(data.test.x, slope * wanted + offset, atol=1e-5)
    np.testing.assert_array_equal(data.test.y, np.arange(20) % 4)


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHOTOSIM_DATA", raising=False)
    with pytest.raises(DataError, match="give one as data_dir, or set PHOTOSIM_DATA"):
        load("mnist")
    monkeypatch.setenv("PHOTOSIM_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"no file .*train-images-idx3-ubyte\.gz: the images of mnist"):
        load("mnist")
    write_images(tmp_path)
    assert len(load("mnist", validation_fraction=0.0).train) == 60


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "not zipped": (gzip.decompress, "damaged or not a gzip file"),
    "cut": (lambda content: content[: len(content) // 2], "damaged or not a gzip file"),
    "empty": (lambda _content: b"", "not an idx file of unsigned bytes with 3 axes"),
    "bad sum": (lambda content: content[:-8] + bytes(8), "damaged or not a gzip file"),
    "other type": (
        lambda content: gzip.compress(b"\0\0\x0d\3" + gzip.decompress(content)[4:]),
        "it begins with 00 00 0d 03",
    ),
    "short": (
        lambda content: gzip.compress(gzip.decompress(content)[:-7]),
        "announces 1,200 bytes of data, but it holds 1,193",
    ),
    "long": (lambda content: gzip.compress(gzip.decompress(content) + b"x"), "but it holds more"),
    "bomb": (
        lambda content: gzip.compress(gzip.decompress(content)[:4] + b"\xff" * 12),
        "more than 1,000,000,000 are not read",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_images_are_one_sentence(damage: str, tmp_path: Path) -> None:
    write_images(tmp_path)
    path = tmp_path / "mnist" / "train-images-idx3-ubyte.gz"
    spoil, message = DAMAGES[damage]
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(DataError, match=message) as caught:
        load("mnist", data_dir=tmp_path)
    assert path.name in str(caught.value)


def test_images_without_their_labels_are_refused(tmp_path: Path) -> None:
    write_images(tmp_path)
    labels = np.zeros(59, dtype=np.uint8)
    (tmp_path / "mnist" / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    with pytest.raises(DataError, match=r"has 60 images, but .* has 59 labels"):
        load("mnist", data_dir=tmp_path)


def test_a_download_is_made_only_when_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(name: str, **options: object) -> tuple[NDArray[np.uint8], NDArray[np.str_]]:
        asked.append((name, options["data_home"]))
        x = np.zeros((70_000, 2), dtype=np.uint8)
        x[::2] = 100
        return x, (np.arange(70_000) % 10).astype(str)

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch)
    with pytest.raises(DataError, match="no file"):
        load("mnist", data_dir=tmp_path)
    assert asked == []
    data = load("mnist", data_dir=tmp_path, download=True, validation_fraction=0.0)
    assert asked == [("mnist_784", str(tmp_path))]
    assert (len(data.train), len(data.test), data.classes) == (60_000, 10_000, 10)


def test_a_failed_download_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_names: object, **_options: object) -> None:
        message = "no route to host"
        raise OSError(message)

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fail)
    with pytest.raises(DataError, match=r"'mnist' could not be fetched from openml.org: no route to host"):
        load("mnist", data_dir=tmp_path, download=True)
    # A folder that has the files is used, whatever is asked for.
    write_images(tmp_path)
    assert len(load("mnist", data_dir=tmp_path, download=True).test) == 20


def write_vowels(folder: Path, rows: int = 30) -> NDArray[np.float64]:
    """A small table of vowels; returns its features."""
    features = RNG.normal(size=(rows, 10)).round(3) * np.arange(1, 11)
    lines = [
        ", ".join([str(k % 2), "0", "1", *(f"{value:.6f}" for value in features[k]), str(k // 2 % 3)])
        for k in range(rows)
    ]
    (folder / "vowel-context.data").write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    return features


def test_vowels_are_standardised_feature_by_feature(tmp_path: Path) -> None:
    features = write_vowels(tmp_path)
    data = load("vowels", data_dir=tmp_path, validation_fraction=0.0)
    learnt = features[::2]
    np.testing.assert_allclose(data.train.x, (learnt - learnt.mean(axis=0)) / learnt.std(axis=0), atol=1e-9)
    np.testing.assert_array_equal(data.test.y, np.arange(30)[1::2] // 2 % 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("0, 0, 0, 1.0, x\n", "vowel-context.data:1: could not convert"),
        ("0, 0, 0, 1.0\n", r"vowel-context.data:1: 14 finite numbers are expected"),
        (", ".join(["nan"] * 14), r"vowel-context.data:1: 14 finite numbers"),
        ("\n\n", "is empty"),
        (", ".join(["7"] * 14), "its first column marks training with 0"),
    ],
)
def test_damaged_vowels_name_their_line(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "vowel-context.data").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        load("vowels", data_dir=tmp_path)


def save(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays by name."""
    np.savez(path, allow_pickle=True, **dict(arrays))


def small_graph() -> dict[str, NDArray[Any]]:
    """Five nodes with four words, in the form of cora.npz."""
    return {
        "feature_row": np.array([0, 1, 2, 3, 4]),
        "feature_col": np.array([0, 1, 2, 3, 0]),
        "n_features": np.array(4),
        "labels": np.array([0, 1, 0, 1, 0], dtype=np.int8),
        "edges": np.array([[0, 1], [1, 2], [3, 4]]),
        "train": np.array([0, 1]),
        "val": np.array([2]),
        "test": np.array([3, 4]),
    }


def test_a_graph_is_read_as_written(tmp_path: Path) -> None:
    save(tmp_path / "cora.npz", small_graph())
    graph = cora(tmp_path)
    np.testing.assert_array_equal(graph.features, np.eye(4)[[0, 1, 2, 3, 0]])
    np.testing.assert_array_equal(graph.edges, small_graph()["edges"])
    assert (graph.classes, list(graph.train), list(graph.validation), list(graph.test)) == (
        2,
        [0, 1],
        [2],
        [3, 4],
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"edges": np.array([[0, 5]])}, "array 'edges' must hold numbers from 0 to 4, found from 0 to 5"),
        ({"edges": np.array([0, 1])}, "edges two"),
        ({"feature_col": np.array([0, 1, 2, 4, 0])}, "array 'feature_col' must hold numbers from 0 to 3"),
        ({"feature_row": np.array([0, 1])}, "the latter two alike"),
        ({"n_features": np.array([4, 4])}, "n_features none"),
        ({"labels": np.array([0, 1, 0, -1, 0])}, "each node of a part needs a label"),
        ({"val": np.array([1])}, "a node is in two parts of the split, or twice in one"),
        ({"test": np.array([9])}, "array 'test' must hold numbers from 0 to 4, found from 9 to 9"),
    ],
    ids=str,
)
def test_a_graph_that_contradicts_itself_is_refused(
    change: dict[str, NDArray[Any]], told: str, tmp_path: Path
) -> None:
    save(tmp_path / "cora.npz", small_graph() | change)
    with pytest.raises(DataError, match=rf"cora\.npz: .*{told}"):
        cora(tmp_path)


def test_damaged_archives_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "cora.npz"
    with pytest.raises(DataError, match=r"no file .*cora\.npz: the citation graph"):
        cora(tmp_path)
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"damaged or not an \.npz file"):
        cora(tmp_path)
    graph = small_graph()
    save(path, {name: value for name, value in graph.items() if name != "edges"})
    with pytest.raises(DataError, match=r"lacks the array 'edges'"):
        cora(tmp_path)
    save(path, graph | {"labels": np.array([0.5] * 5)})
    with pytest.raises(DataError, match="'labels' must hold whole numbers"):
        cora(tmp_path)
    np.savez(path, labels=np.array([{}], dtype=object))
    with pytest.raises(DataError, match="damaged"):
        read_npz(path, ("labels",))
    save(path, graph)
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(DataError, match="damaged"):
        cora(tmp_path)


def test_texts_are_coded_and_cut(tmp_path: Path) -> None:
    (tmp_path / "poem.txt").write_text("abracadabra" * 10, encoding="utf-8")
    poem = text("poem", tmp_path, test=0.2)
    assert poem.alphabet == "abcdr"
    assert (poem.train.size, poem.test.size) == (88, 22)
    whole = np.concatenate([poem.train, poem.test])
    assert "".join(poem.alphabet[code] for code in whole) == "abracadabra" * 10


def test_damaged_texts_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no file .*poem\.txt: a text in UTF-8 is expected there"):
        text("poem", tmp_path)
    (tmp_path / "poem.txt").write_bytes(b"abc\xff")
    with pytest.raises(DataError, match="is not a text in UTF-8: byte 3"):
        text("poem", tmp_path)
    (tmp_path / "poem.txt").write_text("", encoding="utf-8")
    with pytest.raises(DataError, match="has 0 characters: too few"):
        text("poem", tmp_path)


@pytest.fixture(scope="session")
def real(shared: Path) -> Path:
    """The folder of real data."""
    folder = shared / "data"
    if not folder.is_dir():
        pytest.skip("the real data sets are not beside this checkout")
    return folder


def test_the_real_images(real: Path) -> None:
    path = real / "mnist" / "t10k-images-idx3-ubyte.gz"
    if not path.is_file():
        pytest.skip("the real MNIST files are not beside this checkout")
    images = read_idx(path, 3)
    labels = read_idx(real / "mnist" / "t10k-labels-idx1-ubyte.gz", 1)
    assert images.shape == (10_000, 28, 28)
    # As published: the first test image is a seven, and the classes have these sizes.
    assert labels[0] == 7
    assert list(np.bincount(labels)) == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    # The training images' mean is 0.1307; the test images' own is a little larger.
    assert images.mean() / 255 == pytest.approx(0.1325, abs=1e-4)


def test_the_real_graph(real: Path) -> None:
    if not (real / "cora.npz").is_file():
        pytest.skip("the real citation graph is not beside this checkout")
    graph = cora(real)
    assert graph.features.shape == (2708, 1433)
    assert (graph.classes, len(graph.edges)) == (7, 5278)
    assert (graph.train.size, graph.validation.size, graph.test.size) == (140, 500, 1000)
    assert list(np.bincount(graph.labels[graph.train])) == [20] * 7


def test_the_real_vowels(real: Path) -> None:
    if not (real / "vowel-context.data").is_file():
        pytest.skip("the real vowels are not beside this checkout")
    assert read_table(real / "vowel-context.data", 14).shape == (990, 14)
    data = load("vowels", data_dir=real, validation_fraction=0.0)
    assert (len(data.train), len(data.test), data.features, data.classes) == (528, 462, 10, 11)


def test_the_real_text(real: Path) -> None:
    if not (real / "tinyshakespeare.txt").is_file():
        pytest.skip("the real text is not beside this checkout")
    poem = text(data_dir=real)
    assert len(poem.alphabet) == 65
    assert "".join(poem.alphabet[code] for code in poem.train[:13]) == "First Citizen"


def test_every_array_of_the_graph_is_needed() -> None:
    assert set(ARRAYS) == set(small_graph())
