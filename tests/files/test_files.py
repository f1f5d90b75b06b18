"""Scattering matrices written to files come back bit for bit; what cannot be read or written says why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from photosim import files
from photosim.errors import DataError
from photosim.smatrix import SMatrix

PORTS = ("in", "drop_out", "add", "out_1")


def matrix(*axes: int, points: int = 7, ports: tuple[str, ...] = PORTS) -> SMatrix:
    rng = np.random.default_rng(3)
    shape = (*axes, points, len(ports), len(ports))
    values = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    return SMatrix(1.5 + 0.1 * rng.random(points).cumsum(), ports, values)


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".nc", ".CSV"])
@pytest.mark.parametrize("points", [1, 7])
def test_every_format_brings_every_bit_back(tmp_path: Path, suffix: str, points: int) -> None:
    s = matrix(points=points)
    files.write(tmp_path / f"s{suffix}", s)
    back = files.read(tmp_path / f"s{suffix}")
    assert back.ports == s.ports
    assert np.array_equal(back.values, s.values)
    assert np.array_equal(back.wl, s.wl)
    assert [path.name for path in tmp_path.iterdir()] == [f"s{suffix}"]


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_setting_axes_come_back_where_the_format_has_them(tmp_path: Path, suffix: str) -> None:
    s = matrix(2, 3)
    files.write(tmp_path / f"s{suffix}", s)
    assert np.array_equal(files.read(tmp_path / f"s{suffix}").values, s.values)


def test_csv_columns_are_named_from_to(tmp_path: Path) -> None:
    s = matrix()
    files.write(tmp_path / "s.csv", s, [("in", "drop_out"), ("add", "in")])
    lines = (tmp_path / "s.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "wavelength_um,in_drop_out_re,in_drop_out_im,add_in_re,add_in_im"
    first = [float(cell) for cell in lines[1].split(",")]
    # S is [wavelength, to, from]: from `in` (0) to `drop_out` (1).
    assert first == [s.wl[0], s.values[0, 1, 0].real, s.values[0, 1, 0].imag, s.values[0, 0, 2].real,
                     s.values[0, 0, 2].imag]  # fmt: skip
    assert len(lines) == 1 + s.wl.size


def test_names_with_commas_come_back(tmp_path: Path) -> None:
    s = matrix(ports=("in", "ring,o3"))
    files.write(tmp_path / "s.csv", s)
    back = files.read(tmp_path / "s.csv")
    assert back.ports == s.ports
    assert np.array_equal(back.values, s.values)


def test_a_selection_read_back_is_nan_elsewhere(tmp_path: Path) -> None:
    s = matrix(ports=("in", "drop", "through"))
    files.write(tmp_path / "s.csv", s, [("in", "drop"), ("in", "through")])
    back = files.read(tmp_path / "s.csv")
    assert set(back.ports) == set(s.ports)
    assert np.array_equal(back["in", "drop"].values, s["in", "drop"].values)
    assert np.isnan(back["drop", "in"].values).all()


@pytest.mark.parametrize(
    "pairs",
    [
        [("spare_in", "spare_out"), ("o1", "o_2")],
        [("spare_in", "spare_in"), ("spare_in", "spare_out"), ("o1", "spare_in")],
        [("a", "b_c"), ("a_b", "c")],
    ],
)
def test_a_selection_whose_names_have_underscores_comes_back(
    tmp_path: Path, pairs: list[tuple[str, str]]
) -> None:
    s = matrix(ports=tuple(dict.fromkeys(port for pair in pairs for port in pair)))
    files.write(tmp_path / "s.csv", s, pairs)
    header = (tmp_path / "s.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert header[1:] == [f"{start}->{end}_{part}" for start, end in pairs for part in ("re", "im")]
    back = files.read(tmp_path / "s.csv")
    assert set(back.ports) == set(s.ports)
    for pair in pairs:
        assert np.array_equal(back[pair].values, s[pair].values)


def test_npz_holds_the_documented_arrays(tmp_path: Path) -> None:
    s = matrix()
    files.write(tmp_path / "s.npz", s)
    with np.load(tmp_path / "s.npz", allow_pickle=False) as archive:
        assert set(archive) == {"wl_um", "ports", "S"}
        assert archive["S"].shape == (7, 4, 4)


def test_csv_refuses_setting_axes_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds one spectrum.*shape \(2,\).*\.npz or \.nc"):
        files.write(tmp_path / "s.csv", matrix(2))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("s.cvs", r"has the suffix '\.cvs'; known are \.csv, \.npz, \.nc, .* Did you mean '\.csv'\?"),
        ("s", r"it has no suffix; known are"),
        ("nowhere/s.csv", r"the folder .*nowhere does not exist"),
        ("file/s.csv", r"the folder .*file is a file"),
        ("folder.csv", r"it is a folder"),
    ],
)
def test_a_target_that_cannot_be_written_is_one_sentence(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.csv").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DataError, match=message):
        files.write(tmp_path / name, matrix())
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.csv", b"wavelength_um,a_b_re,a_b_im\n1.5,2.0\n", "2"),
        ("s.csv", b"wl,a_b_re,a_b_im\n1.5,2.0,3.0\n", "expected wavelength_um"),
        ("s.csv", b"wavelength_um,ab_re,ab_im\n1.5,2.0,3.0\n", "not named <from>_<to>"),
        ("s.csv", b"wavelength_um,a_b_re,a_b_im\n1.5,x,3.0\n", r"s\.csv:2: 'x' is not a number"),
        ("s.npz", b"not an archive", "numpy archive"),
        ("s.nc", b"not a file of this kind", "NetCDF"),
        ("s.doc", b"", r"known suffixes are"),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        files.read(tmp_path / name)


def test_an_archive_that_lacks_an_array_or_holds_objects_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", wl_um=np.ones(2))
    with pytest.raises(DataError, match="holds wl_um but not ports, S"):
        files.read(tmp_path / "a.npz")
    np.savez(
        tmp_path / "b.npz", wl_um=np.ones(2), ports=np.array(["a", None], dtype=object), S=np.ones((2, 2, 2))
    )
    with pytest.raises(DataError, match="numpy archive"):
        files.read(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", wl_um=np.ones(2), ports=np.array(["a"]), S=np.ones((2, 2, 2)))
    with pytest.raises(DataError, match="shape"):
        files.read(tmp_path / "c.npz")


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no file .*s\.csv"):
        files.read(tmp_path / "s.csv")
