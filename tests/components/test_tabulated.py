"""Guides by a table of indices, and parts by tables over a quantity, against formulas and other readers."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import files
from photosim import netlist as netlists
from photosim.errors import DataError, NetlistError, ParameterError, PhotosimWarning
from photosim.model import ClosedForm, IndexTable, SampledFamily, registry

WL = np.linspace(1.5, 1.6, 41)
INSIDE = np.linspace(1.503, 1.597, 57)


def strip_index(wl: Any) -> Any:
    """Return a smooth index with dispersion of all orders."""
    return 2.45 - 1.11 * (wl - 1.55) - 0.08 * (wl - 1.55) ** 2 + 0.5 * (wl - 1.55) ** 3


def write_index(folder: Path, suffix: str) -> Path:
    path = folder / f"strip{suffix}"
    if suffix == ".csv":
        rows = [f"{w:.17g},{n:.17g}" for w, n in zip(WL, strip_index(WL), strict=True)]
        path.write_text("\n".join(["wl_um,neff", *rows]) + "\n")
    else:
        np.savez(path, wl_um=WL[::-1], neff=strip_index(WL[::-1]))
    return path


def guide_of(path: Path, **settings: Any) -> Any:
    """Return the circuit of a netlist beside a table, which names it."""
    net = path.with_name("net.yml")
    written = "".join(f", {k}: {v}" for k, v in settings.items())
    net.write_text(
        f"instances:\n  g: {{component: straight_sampled, settings: {{file: {path.name}{written}}}}}\n"
        "ports: {in: 'g,o1', out: 'g,o2'}\n"
    )
    return ps.load(net)


def coupler_s(wl: Any, gap: float, length: float = 8.0) -> Any:
    """Return S of a coupler by gap with its length, from the library's closed form."""
    model = registry.get("coupler_straight")
    assert isinstance(model, ClosedForm)
    return model.s(wl, gap=gap, length=length, neff=2.45, ng=4.19)


GAPS = np.array([0.1, 0.13, 0.16, 0.2, 0.24, 0.28])


def write_family(folder: Path, suffix: str) -> Path:
    path = folder / f"couplers{suffix}"
    if suffix == ".npz":
        s = np.array([coupler_s(WL, gap) for gap in GAPS])
        np.savez(path, wl_um=WL, ports=np.array(["o1", "o2", "o3", "o4"]), S=s, gap=GAPS)
        return path
    lines = ["gap,file"]
    (folder / "tables").mkdir(exist_ok=True)
    for gap in GAPS[::-1]:  # any order
        name = f"tables/gap{1000 * gap:.0f}.npz"
        files.write(folder / name, ps.SMatrix(WL, ("o1", "o2", "o3", "o4"), coupler_s(WL, gap)))
        lines.append(f"{gap},{name}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
def test_guide_follows_its_table(suffix: str, tmp_path: Path) -> None:
    circuit = guide_of(write_index(tmp_path, suffix), length=120.0, loss_dB_cm=3.0)
    s = circuit(INSIDE)["in", "out"]
    expected = 10 ** (-3.0 * 120e-4 / 20) * np.exp(2j * np.pi * 120.0 * strip_index(INSIDE) / INSIDE)
    np.testing.assert_allclose(s.values, expected, atol=1e-8)
    slope = -1.11 - 0.16 * (INSIDE - 1.55) + 1.5 * (INSIDE - 1.55) ** 2
    group_index = strip_index(INSIDE) - INSIDE * slope
    np.testing.assert_allclose(s.group_delay, group_index * 120.0 / 299_792_458.0e6, rtol=1e-6)
    curvature = -0.16 + 3.0 * (INSIDE - 1.55)  # dispersion: d delay/d wl, per um
    np.testing.assert_allclose(s.dispersion, -INSIDE * curvature * 120.0 / 299_792_458.0e6, rtol=1e-3)


def test_guide_warms_as_others_do(tmp_path: Path) -> None:
    circuit = guide_of(write_index(tmp_path, ".csv"), length=50.0, dneff_dT=2e-4)
    turned = circuit(INSIDE, temperature=310.0)["in", "out"].values / circuit(INSIDE)["in", "out"].values
    np.testing.assert_allclose(turned, np.exp(2j * np.pi * 50.0 * 2e-3 / INSIDE), atol=1e-12)
    batch = circuit(INSIDE, g={"length": np.array([50.0, 60.0])})["in", "out"].values
    np.testing.assert_allclose(batch[0], circuit(INSIDE)["in", "out"].values, atol=1e-14)


@pytest.mark.parametrize("wl", [1.49, 1.61, 8.0])
def test_guide_is_refused_outside_of_its_table(wl: float, tmp_path: Path) -> None:
    circuit = guide_of(write_index(tmp_path, ".csv"))
    with pytest.raises(
        ParameterError, match=rf"'strip.csv' has indices from 1.5 to 1.6 um, but {wl:g} um is"
    ):
        circuit([1.55, wl])


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
def test_part_over_a_quantity_is_smooth_between_its_tables(suffix: str, tmp_path: Path) -> None:
    write_family(tmp_path, suffix)
    net = tmp_path / "net.yml"
    net.write_text(
        f"settings: {{gap: 0.2}}\ninstances:\n  dc:\n    component: sampled_over\n"
        f"    settings: {{file: couplers{suffix}, at: gap}}\n"
        "ports: {in: 'dc,o1', add: 'dc,o2', cross: 'dc,o3', bar: 'dc,o4'}\n"
    )
    circuit = ps.load(net)
    np.testing.assert_allclose(circuit(WL).values, coupler_s(WL, 0.2), atol=1e-12)  # a table itself
    for gap in (0.113, 0.15, 0.222, 0.265):
        s = circuit(INSIDE, gap=gap)
        np.testing.assert_allclose(s.values, coupler_s(INSIDE, gap), atol=2e-3)
        assert np.linalg.norm(s.values, 2, axis=(1, 2)).max() < 1 + 2e-3
    both = circuit(INSIDE, dc={"at": np.array([0.15, 0.2])})
    np.testing.assert_allclose(both.values[1], circuit(INSIDE).values, atol=1e-12)
    delay = circuit(INSIDE, gap=0.15)["in", "bar"].group_delay
    np.testing.assert_allclose(delay, 4.19 * 8.0 / 299_792_458.0e6, rtol=5e-3)
    # Written again, it names its file.
    assert netlists.to_yaml(circuit.netlist).count(f"couplers{suffix}") == 1


@pytest.mark.parametrize("gap", [0.05, 0.3, -1.0])
def test_part_over_a_quantity_is_refused_outside_of_its_tables(gap: float, tmp_path: Path) -> None:
    path = write_family(tmp_path, ".csv")
    expected = rf"'couplers.csv' has gap from 0.1 to 0.28, but {gap:g} is requested"
    net: dict[str, Any] = {
        "instances": {"dc": {"component": "sampled_over",
                             "settings": {"file": files.read_family(path), "at": 0.2}}},
        "ports": {"in": "dc,o1", "bar": "dc,o4"}, "terminate": ["dc,o2", "dc,o3"],
    }  # fmt: skip
    with pytest.raises(ParameterError, match=expected):
        ps.Circuit(net)([1.55], dc={"at": gap})
    net["instances"]["dc"]["settings"]["at"] = gap
    with pytest.raises(NetlistError, match=rf"instance 'dc' \(sampled_over\): table {expected}"):
        ps.Circuit(net)
    del net["instances"]["dc"]["settings"]["at"]
    with pytest.raises(
        NetlistError, match=r"'at' is missing: table 'couplers\.csv' needs a value of gap from"
    ):
        ps.Circuit(net)


def test_a_length_between_tables_turns_the_phase_by_itself() -> None:
    """Phases step by 1 rad from table to table, and by 3 rad in tables further apart, which is a guess."""
    lengths = np.array([10.0, 10.1, 10.2, 10.3])
    s = np.array([coupler_s(WL, 0.2, length) for length in lengths])
    order = np.argsort(WL)[::-1]
    family = SampledFamily(
        "length", lengths, 299_792_458.0e6 / WL[order], s[:, order], ("o1", "o2", "o3", "o4")
    )
    np.testing.assert_allclose(family.at(10.17).s, coupler_s(WL, 0.2, 10.17)[order], atol=1e-5)
    longer = np.array([coupler_s(WL, 0.2, 3 * length) for length in lengths])
    wide = SampledFamily("length", lengths * 3, family.frequency_Hz, longer[:, order], family.ports)
    assert wide.coarse
    assert not family.coarse
    settings = {"file": wide, "at": 30.0, "enforce": "passive"}
    net = {"instances": {"it": {"component": "sampled_over", "settings": settings}},
           "ports": {f"o{k}": f"it,o{k}" for k in range(1, 5)}}  # fmt: skip
    with pytest.warns(PhotosimWarning, match="from one length to the next a phase steps by more than pi/2"):
        ps.Circuit(net)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wl_um,neff\n1.5,2.4\n1.51,2.39\n1.5,2.4\n1.53,2.38\n", "wavelengths do not rise"),
        ("wl_um,neff\n1.5,2.4\n1.51,2.39\n", "it has 2 points; the bounds are 4"),
        ("wl_um,nef\n1.5,2.4\n", "has wl_um?, nef but not neff|has nef but not neff. Did you mean 'nef'"),
        ("wl_um,neff\n1500,2.4\n1510,2.4\n1520,2.4\n1530,2.4\n", "wavelength of 1500; the bounds are 0.1"),
        ("wl_um,neff\n1.5,x\n1.6,2\n1.7,2\n1.8,2\n", "has an entry that is not a number"),
        ("wl_um,neff\n1.5\n", r":2: this row has 1 columns, the header 2"),
        ("", r":1: the file holds no rows"),
    ],
)
def test_damaged_index_is_one_sentence(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "strip.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        files.read_index(path)
    with pytest.raises(
        NetlistError, match=r"net.yml:2:\d+: instance 'g' \(straight_sampled\), setting 'file'"
    ):
        guide_of(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gap,file\n0.1,../outside.npz\n0.2,b.npz\n", r":2: the file '../outside.npz' lies outside"),
        ("gap,file\nwide,a.npz\n0.2,b.npz\n", r":2: 'wide' is not a number"),
        ("gap,width,file\n0.1,0.5,a.npz\n", "has the columns gap, width, file: a family"),
        ("gap\n0.1\n", "has the columns gap: a family"),
        ("gap,file\n0.1,nothing.npz\n0.2,b.npz\n", "There is no file"),
    ],
)
def test_damaged_family_is_one_sentence(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "family.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        files.read_family(path)


def test_tables_of_the_wrong_sort_are_refused() -> None:
    table = IndexTable(WL, strip_index(WL), file="strip.csv")
    with pytest.raises(
        ParameterError, match=r"must be a table of S-parameters over a quantity, got IndexTable"
    ):
        registry.get("sampled_over").check({"file": table})
    assert table == IndexTable(WL.copy(), strip_index(WL))
    assert table != IndexTable(WL, strip_index(WL) + 1e-3)


def test_family_of_foundry_files_takes_frequencies_that_all_have(siepic: Path, tmp_path: Path) -> None:
    half = files.read_table(siepic / "dc_halfring_gap100nm_radius10um.dat")
    files.write(tmp_path / "a.sparam", half)
    inner = type(half)(half.frequency_Hz[2:-2], half.s[2:-2] * 0.9, half.ports)
    files.write(tmp_path / "b.sparam", inner)
    (tmp_path / "gaps.csv").write_text("gap_nm,file\n100,a.sparam\n150,b.sparam\n")
    family = files.read_family(tmp_path / "gaps.csv")
    assert family.frequency_Hz[0] >= inner.frequency_Hz[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PhotosimWarning)
        assert np.isfinite(family.at(125.0).s).all()
    np.testing.assert_allclose(family.at(100.0).s, half.s[2:-2], atol=1e-12)
