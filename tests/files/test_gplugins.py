"""Tables of gdsfactory's field-solver plug-ins: keys, columns, modes, and the sign of their phase."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photosim import files
from photosim.errors import DataError, PhotosimWarning
from photosim.model import registry

WL = np.linspace(1.5, 1.6, 11)


def guide(length: float = 50.0, wl: Any = WL) -> Any:
    straight: Any = registry.get("straight")
    return straight.s(wl, length=length, neff=2.44553, ng=4.19088)[:, 1, 0]


def archive(path: Path, values: Any, wl: Any = WL, mode: str = "@0") -> Path:
    nothing = np.zeros(len(wl), dtype=complex)
    a, b = f"o1{mode}", f"o2{mode}"
    arrays: dict[str, Any] = {
        f"{a},{a}": nothing,
        f"{a},{b}": values,
        f"{b},{a}": values,
        f"{b},{b}": nothing,
    }
    np.savez(path, wavelengths=wl, **arrays)
    return path


def text(path: Path, values: Any, wl: Any = WL) -> Path:
    rows = [
        f"{w:.4f},0,0,{abs(z):.9f},{np.angle(z):.9f},{abs(z):.9f},{np.angle(z):.9f},0,0"
        for w, z in zip(wl, values, strict=True)
    ]
    header = "wavelengths,s11m,s11a,s12m,s12a,s21m,s21a,s22m,s22a"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("length", [10.0, 50.0, 110.0])
@pytest.mark.parametrize("conjugated", [False, True])
@pytest.mark.parametrize("order", [1, -1])
def test_the_sign_is_that_of_a_positive_delay(
    tmp_path: Path, length: float, conjugated: bool, order: int
) -> None:
    exact = guide(length)
    written = exact.conj() if conjugated else exact
    for path in (
        archive(tmp_path / "a.npz", written[::order], WL[::order]),
        text(tmp_path / "a.csv", written[::order], WL[::order]),
    ):
        table = files.read_table(path)
        assert table.ports == ("o1", "o2")
        np.testing.assert_allclose(table.s[::-1, 1, 0], exact, atol=1e-8)
        assert not table.s[:, 0, 0].any()
        np.testing.assert_allclose(files.read(path)["o1", "o2"].values, exact, atol=1e-8)


def test_a_sign_that_nothing_tells_is_said(tmp_path: Path) -> None:
    with pytest.warns(PhotosimWarning, match=r"a\.npz: its sign of time is not certain"):
        table = files.read_table(archive(tmp_path / "a.npz", np.full(11, 0.7j)))
    assert table.s[:, 1, 0] == pytest.approx(0.7j)
    even = 2.99792458e14 / np.linspace(188e12, 199e12, 12)  # even frequencies leave all candidates alike
    with pytest.warns(PhotosimWarning, match="sign of time is not certain"):
        files.read_table(archive(tmp_path / "a.npz", guide(110.0, even), even))


def test_ten_ports_and_modes(tmp_path: Path) -> None:
    names = [f"o{k + 1}@{mode}" for k in range(10) for mode in (0, 1)]
    rng = np.random.default_rng(2)
    arrays: dict[str, Any] = {
        f"{to},{source}": np.full(11, (1 if to == source else 0.01) * rng.random()) * guide(5.0)
        for to in names for source in names
    }  # fmt: skip
    np.savez(tmp_path / "m.npz", wavelengths=WL, **dict(reversed(arrays.items())))
    table = files.read_table(tmp_path / "m.npz")
    assert table.ports == tuple(names)
    np.testing.assert_allclose(table.s[::-1, 4, 19], arrays["o3@0,o10@1"])
    single, _ = table.of_mode("1")
    assert single.ports == tuple(f"o{k + 1}" for k in range(10))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("wavelengths,s11m", r"s11 needs two columns, s11m and s11a"),
        ("wavelengths,s12m,s12a", r"column s12m does not tell which two of 1 ports"),
        ("wave,s11m,s11a", r"its columns are wave, s11m, s11a; expected wavelength_um"),
    ],
)
def test_wrong_columns_are_one_sentence(tmp_path: Path, header: str, message: str) -> None:
    row = ",".join(["1.5", *["0.5"] * header.count(",")])
    (tmp_path / "a.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    with pytest.raises(DataError, match=message):
        files.read(tmp_path / "a.csv")


def test_wrong_archives_are_one_sentence(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", wavelengths=WL, **{"o2@0,o1@0": guide()})
    with pytest.raises(DataError, match=r"holds no element from 'o1' to 'o1'"):
        files.read(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", wavelengths=WL, **{"o1@0,o1@0": guide()[:4]})
    with pytest.raises(DataError, match=r"from 'o1' to 'o1' has \(4,\) values for 11 wavelengths"):
        files.read(tmp_path / "a.npz")
    with pytest.raises(DataError, match=r"looks like nm"):
        files.read(archive(tmp_path / "a.npz", guide(), WL * 1000))


def test_the_two_forms_of_one_guide(forms: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tables = [files.read_table(forms / f"gplugins_style{suffix}") for suffix in (".npz", ".csv")]
    own = files.read_table(forms / "guide_50um_every_10nm.npz")
    for table in tables:
        np.testing.assert_allclose(table.s, own.s, atol=2e-6)
