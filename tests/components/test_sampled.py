"""Parts given by tables: power, symmetry, range and files, each in one sentence where it is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photosim import netlist
from photosim.circuit import Circuit
from photosim.errors import NetlistError, ParameterError, PhotosimWarning
from photosim.files import read_table
from photosim.model import Numerical, part, registry
from photosim.model.conditioning import condition
from photosim.model.interpolation import Interpolant
from photosim.model.sampled import SampledData

FREQUENCY = np.linspace(187e12, 200e12, 51)
REAL = ("ybranch_te1550.sparam", "bdc_te1550.sparam", "dc_halfring_gap100nm_radius10um.dat", "gc_te1550.txt")


def table(s: Any = None, file: str = "made.sparam") -> SampledData:
    """A reciprocal two-port of 57 um of guide with a ripple, or the matrices given."""
    if s is None:
        s = np.zeros((FREQUENCY.size, 2, 2), dtype=complex)
        turn = np.exp(2j * np.pi * FREQUENCY * 8e-13)
        s[:, 0, 1] = s[:, 1, 0] = (0.8 + 0.1 * np.cos((FREQUENCY - 190e12) / 2e12)) * turn
        s[:, 0, 0] = s[:, 1, 1] = 0.05 * (FREQUENCY - 193.4e12) / 1e13
    return SampledData(FREQUENCY, s, ("o1", "o2"), file=file)


def model() -> Numerical:
    found = registry.get("sampled")
    assert isinstance(found, Numerical)
    return found


def test_real_coupler_reports_its_excess_and_its_asymmetry(siepic: Path) -> None:
    found = read_table(siepic / "bdc_te1550.sparam")
    assert (np.abs(found.s) ** 2).sum(axis=1).max() == pytest.approx(0.9993, abs=1e-4)
    state = condition(found)
    assert state.largest_singular_value == pytest.approx(1.0069, abs=1e-4)
    assert state.asymmetry == pytest.approx(3e-3, abs=4e-4)
    (gain, asymmetry) = model().remarks({"file": found})
    assert gain.serious
    assert "largest singular value is 1.0069 at 1.5425 um, which is tolerated" in gain.text
    assert "differs between the two directions of a path by up to 0.0033" in asymmetry.text


def test_excess_above_the_tolerance_is_refused_with_the_way_out(siepic: Path) -> None:
    found = read_table(siepic / "bdc_te1550.sparam")
    with pytest.raises(
        ParameterError, match=r"1\.0069 at 1\.5425 um, above the passivity_tolerance of 0\.005; enforce"
    ):
        model().check({"file": found, "passivity_tolerance": 0.005}, "instance 'dc'")
    model().check({"file": found, "passivity_tolerance": 0.005, "enforce": "passive"})


@pytest.mark.parametrize("enforce", ["none", "passive", "reciprocal", "both"])
@pytest.mark.parametrize("name", REAL)
def test_what_is_enforced_holds_between_the_points(siepic: Path, name: str, enforce: str) -> None:
    found = read_table(siepic / name)
    state = condition(found, enforce)
    at = np.linspace(found.frequency_Hz[0], found.frequency_Hz[-1], 3001)
    s = state.interpolant(at)
    if enforce in {"passive", "both"}:
        assert np.linalg.norm(s, 2, axis=(1, 2)).max() <= 1 + 2e-9
    if enforce in {"reciprocal", "both"}:
        assert np.array_equal(s, np.swapaxes(s, 1, 2))
    original = Interpolant(found.frequency_Hz, found.s)(at)
    change = np.linalg.norm(s - original, 2, axis=(1, 2)).max()
    assert change <= 1.3 * state.removed + 1e-12
    assert (state.removed == 0) == (
        enforce == "none" or (enforce == "passive" and state.largest_singular_value < 1)
    )


def test_enforced_reciprocity_lets_the_circuit_plan_half(siepic: Path) -> None:
    found = read_table(siepic / "gc_te1550.txt")
    assert not model().reciprocal_for({"file": found})
    assert model().reciprocal_for({"file": found, "enforce": "reciprocal"})
    wl = np.linspace(1.5, 1.6, 9)
    values = [
        Circuit(netlist.from_dict({
            "instances": {"a": part("sampled", file=found, enforce=enforce), "b": part("straight")},
            "connections": {"a,o2": "b,o1"}, "ports": {"in": "a,o1", "out": "b,o2"},
        }))(wl).values
        for enforce in ("none", "reciprocal")
    ]  # fmt: skip
    assert np.abs(values[0] - np.swapaxes(values[0], 1, 2)).max() > 1e-3
    assert np.array_equal(values[1], np.swapaxes(values[1], 1, 2))


def test_wavelength_outside_names_file_and_range(siepic: Path) -> None:
    found = read_table(siepic / "ybranch_te1550.sparam")
    with pytest.raises(
        ParameterError, match=r"'ybranch_te1550\.sparam' spans 1\.499997 to 1\.600002 um, but 1\.45"
    ):
        model().s(np.array([1.55, 1.45]), file=found)
    # The file rounds its frequencies: the whole of 1.5 to 1.6 um is inside.
    assert np.isfinite(model().s(np.array([1.5, 1.6]), file=found)).all()


def test_table_too_coarse_is_reported() -> None:
    rng = np.random.default_rng(2)
    s = np.zeros((FREQUENCY.size, 2, 2), dtype=complex)
    s[:, 1, 0] = s[:, 0, 1] = 0.5 * np.exp(1j * rng.uniform(-np.pi, np.pi, FREQUENCY.size))
    remarks = model().remarks({"file": table(s)})
    assert any(r.serious and "phase steps are above pi/2" in r.text for r in remarks)
    assert model().remarks({"file": table()}) == ()


def test_netlist_finds_its_files_and_warns_once(siepic: Path, tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "dc.sparam").write_bytes((siepic / "bdc_te1550.sparam").read_bytes())
    text = (
        "instances:\n  a: {component: sampled, settings: {file: parts/dc.sparam}}\n"
        "  b: {component: sampled, settings: {file: parts/dc.sparam}}\n"
        "connections: {'a,o3': 'b,o1', 'a,o4': 'b,o2'}\n"
        "ports: {in0: 'a,o1', in1: 'a,o2', out1: 'b,o3', out0: 'b,o4'}\n"
    )
    (tmp_path / "two.yml").write_text(text, encoding="utf-8")
    read = netlist.read(tmp_path / "two.yml")
    (warning,) = netlist.check(read)
    assert "two.yml:2:3: instance 'a' (sampled): table 'parts/dc.sparam' creates power" in warning
    (note,) = netlist.notes(read)
    assert "differs between the two directions" in note
    with pytest.warns(PhotosimWarning, match="creates power"):
        s = Circuit(read)(np.linspace(1.53, 1.57, 11))
    assert s.largest_singular_value().max() < 1.0069**2
    (tmp_path / "again.yml").write_text(netlist.to_yaml(read), encoding="utf-8")
    assert netlist.read(tmp_path / "again.yml").instances == read.instances


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("{file: gone.sparam}", r"a\.yml:1:54: instance 'a' \(sampled\), setting 'file': .*gone\.sparam"),
        ("{file: ../x.sparam}", r"a\.yml:1:54: .*'\.\./x\.sparam' lies outside the netlist's folder"),
        ("{file: /x.sparam}", r"lies outside"),
        ("{file: link/x.sparam}", r"lies outside"),
        ("{file: 3}", r"must be a table of S-parameters, got 3"),
        ("{enforce: all}", r"'enforce' must be one of none, passive, reciprocal, both, got 'all'"),
        ("{}", r"setting 'file' is missing"),
    ],
)  # fmt: skip
def test_wrong_files_of_a_netlist_are_one_sentence(tmp_path: Path, settings: str, message: str) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "link").symlink_to(tmp_path)
    (tmp_path / "x.sparam").touch()
    file = tmp_path / "inside" / "a.yml"
    file.write_text(f"instances: {{a: {{component: sampled, settings: {settings}}}}}", encoding="utf-8")
    with pytest.raises(NetlistError, match=message):
        netlist.check(netlist.read(file))


def test_table_without_a_file_cannot_be_written_as_yaml() -> None:
    read = netlist.from_dict({"instances": {"a": part("sampled", file=table(file=""))}})
    with pytest.raises(NetlistError, match=r"a table without a file"):
        netlist.to_yaml(read)


def undersampled(length: float = 50.0, count: int = 11) -> SampledData:
    """A straight of the library at wavelengths every 10 nm."""
    straight: Any = registry.get("straight")
    wl = np.linspace(1.6, 1.5, count)
    s = straight.s(wl, length=length, neff=2.44553, ng=4.19088)
    return SampledData(2.99792458e14 / wl, s, ("o1", "o2"), file="guide.npz")


@pytest.mark.parametrize("settings", [{}, {"delay": 7.2e-13}, {"length": 50.0, "ng": 4.19}])
def test_an_undersampled_guide_is_the_guide(settings: dict[str, float]) -> None:
    straight: Any = registry.get("straight")
    wl = np.linspace(1.505, 1.595, 91)
    exact = straight.s(wl, length=50.0, neff=2.44553, ng=4.19088)
    assert np.abs(model().s(wl, file=undersampled(), **settings) - exact).max() < 1e-4
    circuit = Circuit(netlist.from_dict({
        "instances": {"a": part("sampled", file=undersampled(), **settings)},
        "ports": {"in": "a,o1", "out": "a,o2"},
    })) if settings else None  # fmt: skip
    if circuit is not None:  # nothing is guessed, so nothing is said
        delay = circuit(wl)["in", "out"].group_delay
        assert delay == pytest.approx(np.full(91, 50 * 4.19088 / 2.99792458e14), rel=1e-3)


def test_a_guess_is_named_with_its_candidates_and_is_an_error_when_strict() -> None:
    read = netlist.from_dict({
        "instances": {"a": part("sampled", file=undersampled())}, "ports": {"in": "a,o1", "out": "a,o2"},
    })  # fmt: skip
    (warning,) = netlist.check(read)
    assert "undersampled from o1 to o2: its points allow delays of 7e-13, 1.5e-12" in warning
    assert "the guess is 6.99e-13 s. Settings decide: delay, or length and ng." in warning
    with pytest.raises(NetlistError, match=r"instance 'a' \(sampled\): table 'guide\.npz' is undersampled"):
        netlist.check(read, strict=True)
    remark = model().remarks({"file": undersampled(110.0)})[0]
    assert remark.guess
    assert "smoothest with 1.54e-12" in remark.text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"delay": 7e-13, "length": 50.0}, r"'delay' excludes 'length' and 'ng'"),
        ({"length": 50.0}, r"'length' also needs 'ng'"),
        ({"ng": 4.2}, r"'ng' also needs 'length'"),
        ({"delay": 3e-13}, r"the delay given is 3e-13 s, but from o1 to o2 .* allows 6\.99e-13, 1\.5e-12 s"),
    ],
)
def test_delays_that_cannot_be_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        model().check({"file": undersampled(), **settings}, "instance 'a'")


def test_what_varies_is_kept_and_said() -> None:
    guide = undersampled(75.0)
    fading = SampledData(
        guide.frequency_Hz, guide.s * np.linspace(0.2, 0.9, 11)[:, None, None], guide.ports, file="f"
    )
    (remark,) = model().remarks({"file": fading})
    assert remark.serious
    assert not remark.guess
    assert (
        "from o1 to o2: the phase steps by more than pi/2 from point to point, and the magnitude varies"
        in remark.text
    )
    (unused, _) = model().remarks({"file": fading, "delay": 1e-12})
    assert "decides nothing" in unused.text
