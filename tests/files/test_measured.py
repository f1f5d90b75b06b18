"""Measured spectra in the forms that instruments write: columns, rows, units, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import DataError
from photosim.files.measured import measured_of, read_measured

WL = np.linspace(1.5, 1.6, 41)
DB = -20.0 - 5.0 * np.cos(60.0 * WL)


def written(path: Path, lines: list[str]) -> Path:
    """Write lines."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def columns(header: str, axis: Any, values: Any, between: str = ",") -> list[str]:
    """Return a header and a row a wavelength."""
    return [header, *(f"{a:.12g}{between}{v:.12g}" for a, v in zip(axis, values, strict=True))]


@pytest.mark.parametrize(
    ("header", "axis", "values", "unit"),
    [
        ("wavelength_um,port1_dbm", WL, DB, "dBm"),
        ("Wavelength (nm),Power (dBm)", 1e3 * WL[::-1], DB[::-1], "dBm"),
        ("wavelength,detector", 1e3 * WL, DB, "dB"),
        ("lambda [m],through_mW", 1e-6 * WL, 10.0 ** (DB / 10.0), "mW"),
        ("frequency_THz,drop", 299.792458 / WL, 10.0 ** (DB / 10.0), "1"),
        ("freq,T", 299.792458e12 / WL, 10.0 ** (DB / 10.0), "1"),
        ("wl,power_uW", WL, 10.0 ** (DB / 10.0 + 3.0), "uW"),
    ],
)
def test_units_are_read_from_names_and_numbers(
    header: str, axis: Any, values: Any, unit: str, tmp_path: Path
) -> None:
    """Whatever unit and order a file has, the spectra are the same."""
    found = read_measured(written(tmp_path / "a.csv", columns(header, axis, values)))
    (name,) = found.columns
    assert found.units[name] == unit
    assert np.allclose(found.wl, WL, rtol=1e-10)
    assert np.allclose(found.power_dB(name), DB, atol=1e-6)


def test_rows_of_a_probe_station_are_read(tmp_path: Path) -> None:
    """Lines of comments, then one row for each quantity, however long."""
    axis = np.linspace(1500.0, 1600.0, 30_001)
    lines = ["# Test date,2026-05-01", "# user: nobody", "wavelength," + ",".join(f"{v:.4f}" for v in axis)]
    lines += [f"channel_{k}," + ",".join(f"{-20.0 - k + 0.001 * v:.4f}" for v in axis) for k in (1, 2)]
    found = read_measured(written(tmp_path / "a.csv", lines))
    assert list(found.columns) == ["channel_1", "channel_2"]
    assert found.wl[-1] == 1.6
    assert found.units["channel_1"] == "dB"
    assert found.columns["channel_2"][0] == pytest.approx(-20.5)


def test_an_instrument_s_lines_and_other_separators_are_read(tmp_path: Path) -> None:
    """Lines before the table that are no table, tabs and semicolons, names behind a #."""
    head = ["Instrument: laser 81960A", "Sweep speed 40 nm/s"]
    for between in ("\t", ";", " "):
        lines = [*head, *columns(between.join(("# wavelength_nm", "dBm")), 1e3 * WL, DB, between)]
        found = read_measured(written(tmp_path / "a.txt", lines))
        assert np.allclose(found.columns["dBm"], DB, atol=1e-6)
    bare = read_measured(written(tmp_path / "b.txt", columns("", 1e3 * WL, DB, " ")[1:]))
    assert np.allclose(bare.columns["column_2"], DB, atol=1e-6)


@pytest.mark.parametrize("between", [";", "\t"])
def test_decimal_commas_are_read(between: str, tmp_path: Path) -> None:
    """As instruments write that are set to other languages."""
    lines = columns(between.join(("Wavelength (nm)", "P (dBm)")), 1e3 * WL, DB, between)
    found = read_measured(written(tmp_path / "a.csv", [line.replace(".", ",") for line in lines]))
    assert np.allclose(found.wl, WL)
    assert np.allclose(found.columns["P (dBm)"], DB, atol=1e-6)


def test_files_of_s_parameters_are_powers_between_ports(tmp_path: Path) -> None:
    """Columns are called from->to."""
    s = ps.load("add_drop_ring")(ps.wavelengths(1.54, 1.56, 31))
    ps.files.write(tmp_path / "a.csv", s)
    ps.files.write(tmp_path / "a.npz", s)
    for name in ("a.csv", "a.npz"):
        found = read_measured(tmp_path / name)
        assert np.allclose(found.columns["in->drop"], s["in", "drop"].power)


@pytest.mark.parametrize(
    ("header", "axis", "values", "said"),
    [
        (
            "wavelength_nm,p_dbm",
            WL,
            DB,
            "'wavelength_nm' has the unit nm, but 1.5 to 1.6 nm is not light",
        ),
        ("x,p_dbm", WL, DB, "no column has the name of a wavelength"),
        ("wavelength_um,p_mW", WL, DB, "it looks like dB"),
        ("wavelength_um,p_dbm", WL, 10.0 ** (DB / 10.0), "it looks like a linear scale"),
        ("wavelength_um,loss_dB", WL, -DB, "it looks like a loss"),
        ("wavelength_um,p", WL, -DB, "give the unit"),
        ("wavelength_um,p_dbm", WL, 100.0 * DB, "has the unit dBm, but runs from"),
        ("wavelength,p_dbm", 7.0 * WL, DB, "which is not light in any unit"),
        ("frequency_THz,p_dbm", 1e3 * WL, DB, "1500 to 1600 THz is light of .* It looks like nm"),
    ],
)
def test_other_units_are_refused(header: str, axis: Any, values: Any, said: str, tmp_path: Path) -> None:
    """A number that cannot be what its name says is never taken."""
    with pytest.raises(DataError, match=said):
        read_measured(written(tmp_path / "a.csv", columns(header, axis, values)))


def test_damage_is_named_by_its_line(tmp_path: Path) -> None:
    """Text, nan and short rows."""
    lines = columns("wavelength_um,p_dbm", WL, DB)
    for bad, said in (
        ("1.6,x", "'x' is not a number"),
        ("1.6,nan", "not finite"),
        ("1.6", "1 columns, the first"),
    ):
        with pytest.raises(DataError, match=f"a.csv:43: .*{said}"):
            read_measured(written(tmp_path / "a.csv", [*lines, bad]))
    with pytest.raises(DataError, match="There is no file"):
        read_measured(tmp_path / "none.csv")
    with pytest.raises(DataError, match="no row of numbers"):
        read_measured(written(tmp_path / "a.csv", ["nothing", "here"]))


def test_arrays_by_name_are_measured_spectra() -> None:
    """A mapping, with units from names, options, and a column named as the axis."""
    found = measured_of({"x": 1e3 * WL, "y": 10.0 ** (DB / 10.0)}, "x", {"y": "mW"})
    assert found.units == {"y": "mW"}
    assert np.allclose(found.power_dB("y"), DB)
    with pytest.raises(DataError, match="differ in length"):
        measured_of({"wavelength": WL, "y": DB[1:]})
    with pytest.raises(DataError, match=r"there is no column 'z'.*did you mean|there is no column 'z'"):
        measured_of({"wavelength": WL, "y": DB}, units={"z": "dB"})
