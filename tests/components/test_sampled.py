"""Parts given by tables: interpolation against its twin, held-out points, and what a table may do wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from photosim import netlist
from photosim.circuit import Circuit
from photosim.components.sampled import condition
from photosim.errors import DataError, NetlistError, ParameterError, PhotosimWarning
from photosim.files import read_table
from photosim.model import Numerical, part, registry
from photosim.model.interpolation import Interpolant, delays
from photosim.model.sampled import SampledData, port_names

FREQUENCY = np.linspace(187e12, 200e12, 51)
REAL = ("ybranch_te1550.sparam", "bdc_te1550.sparam", "dc_halfring_gap100nm_radius10um.dat", "gc_te1550.txt")


def table(s: Any = None, file: str = "made.sparam") -> SampledData:
    """A reciprocal two-port of 200 um of guide with a ripple, or the matrices given."""
    if s is None:
        s = np.zeros((FREQUENCY.size, 2, 2), dtype=complex)
        turn = np.exp(2j * np.pi * FREQUENCY * 2.8e-12)
        s[:, 0, 1] = s[:, 1, 0] = (0.8 + 0.1 * np.cos((FREQUENCY - 190e12) / 2e12)) * turn
        s[:, 0, 0] = s[:, 1, 1] = 0.05 * (FREQUENCY - 193.4e12) / 1e13
    return SampledData(FREQUENCY, s, ("o1", "o2"), file=file)


def model() -> Numerical:
    found = registry.get("sampled")
    assert isinstance(found, Numerical)
    return found


@pytest.mark.parametrize("count", [2, 3, 4, 5, 30])
def test_spline_is_the_one_of_scipy(count: int) -> None:
    rng = np.random.default_rng(count)
    frequency = 190e12 + 1e12 * np.cumsum(0.2 + rng.random(count))
    s = rng.normal(size=(count, 2, 2)) + 1j * rng.normal(size=(count, 2, 2))
    ours = Interpolant(frequency, s)
    at = np.linspace(frequency[0], frequency[-1], 77)
    middle = frequency[count // 2]

    def turn(f: Any) -> Any:
        return np.exp(2j * np.pi * (f - middle)[:, np.newaxis, np.newaxis] * ours.delay_s)

    x = (frequency - middle) / 1e12
    twin = CubicSpline(x, s / turn(frequency))((at - middle) / 1e12) * turn(at)
    np.testing.assert_allclose(ours(at), twin, atol=1e-12)
    np.testing.assert_allclose(ours(frequency), s, atol=1e-12)


def test_derivatives_are_those_of_the_curve_and_continuous() -> None:
    curve = Interpolant(FREQUENCY, table().s)
    at = np.array([188.031e12, 193.77e12, 199.4e12])
    step = 1e9
    for order in (1, 2):
        slope = (curve(at + step, order - 1) - curve(at - step, order - 1)) / (2 * step)
        exact = curve(at, order)
        assert np.abs(exact - slope).max() < 1e-5 * np.abs(exact).max()
    # Left and right of a point of the table the second derivative is one.
    knot = FREQUENCY[20:21]
    left, right = curve(knot - 1e3, 2), curve(knot + 1e3, 2)
    assert np.abs(left - right).max() < 1e-6 * np.abs(left).max()


def test_delay_of_a_guide_is_found_although_its_phase_wraps_between_points() -> None:
    # A phase of 4.57 rad from point to point is -1.72 rad to the eye: the delay is known modulo one turn.
    step = FREQUENCY[1] - FREQUENCY[0]
    found = delays(FREQUENCY, table().s)[1, 0]
    assert (found - 2.8e-12) * step == pytest.approx(np.round((found - 2.8e-12) * step), abs=1e-9)


@pytest.mark.parametrize(("name", "bound"), list(zip(REAL, (5e-4, 3.5e-3, 5e-5, 6.5e-3), strict=True)))
def test_held_out_points_of_real_tables(siepic: Path, name: str, bound: float) -> None:
    # Half of the points predict the other half; what is left is the tables' own noise and too wide a step.
    found = read_table(siepic / name)
    half = Interpolant(found.frequency_Hz[::2], found.s[::2])
    between = np.arange(1, 2 * (len(half.frequency_Hz) - 1), 2)
    error = np.abs(half(found.frequency_Hz[between]) - found.s[between])
    assert error.max() < bound


def test_taking_delays_out_is_what_makes_it_accurate(siepic: Path) -> None:
    found = read_table(siepic / "bdc_te1550.sparam")
    between = np.arange(1, len(found.frequency_Hz) - 1, 2)
    strong = np.abs(found.s).min(axis=0) > 0.5
    ours = Interpolant(found.frequency_Hz[::2], found.s[::2])(found.frequency_Hz[between])
    x = (found.frequency_Hz - found.frequency_Hz[0]) / 1e12
    plain = CubicSpline(x[::2], found.s[::2])(x[between])
    errors = [np.abs(s - found.s[between])[:, strong].max() for s in (ours, plain)]
    assert errors[0] < 0.05 * errors[1]


def test_passage_near_zero_is_followed_where_amplitude_and_phase_are_not() -> None:
    exact = (FREQUENCY - 193.47e12) / 1e13
    s = np.zeros((FREQUENCY.size, 2, 2), dtype=complex)
    s[:, 1, 0] = exact
    at = np.linspace(193.2e12, 193.7e12, 21)
    polar = CubicSpline(FREQUENCY / 1e12, np.abs(exact))(at / 1e12) * np.exp(
        1j * CubicSpline(FREQUENCY / 1e12, np.unwrap(np.angle(exact + 0j)))(at / 1e12)
    )
    truth = (at - 193.47e12) / 1e13
    assert np.abs(Interpolant(FREQUENCY, s)(at)[:, 1, 0] - truth).max() < 1e-12
    assert np.abs(polar - truth).max() > 1e-3


def test_real_coupler_reports_its_excess_and_its_asymmetry(siepic: Path) -> None:
    found = read_table(siepic / "bdc_te1550.sparam")
    assert (np.abs(found.s) ** 2).sum(axis=1).max() == pytest.approx(0.9993, abs=1e-4)
    state = condition(found)
    assert state.largest_singular_value == pytest.approx(1.0069, abs=1e-4)
    assert state.asymmetry == pytest.approx(3e-3, abs=4e-4)
    (gain, asymmetry) = model().remarks({"file": found})
    assert gain.serious
    assert "largest singular value is 1.0069 at 1.5424 um, which is tolerated" in gain.text
    assert "differs between the two directions of a path by up to 0.0033" in asymmetry.text


def test_excess_above_the_tolerance_is_refused_with_the_way_out(siepic: Path) -> None:
    found = read_table(siepic / "bdc_te1550.sparam")
    with pytest.raises(
        ParameterError, match=r"1\.0069 at 1\.5424 um, above the passivity_tolerance of 0\.005; enforce"
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
        assert np.linalg.norm(s, 2, axis=(1, 2)).max() <= 1 + 1e-6
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


@pytest.mark.parametrize(
    ("frequency", "s", "ports", "message"),
    [
        ([1e14, 2e14], np.zeros((2, 1, 2)), ("a",), r"S has shape \(2, 1, 2\) for 2 frequencies and 1 ports"),
        ([2e14, 1e14], np.zeros((2, 1, 1)), ("a",), r"frequencies do not rise"),
        ([1e14, 1e14], np.zeros((2, 1, 1)), ("a",), r"frequencies do not rise"),
        ([1e14], np.full((1, 1, 1), np.nan), ("a",), r"not finite"),
        ([1e14], np.zeros((1, 2, 2)), ("a", "a"), r"two of its ports have one name"),
        ([], np.zeros((0, 1, 1)), ("a",), r"1 ports and 0 numbers"),
    ],
)
def test_what_is_no_table_is_refused(frequency: Any, s: Any, ports: tuple[str, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        SampledData(np.array(frequency), s, ports, file="x")


def test_tables_are_equal_when_they_hold_the_same() -> None:
    assert table() == table(file="other")
    assert hash(table()) == hash(table(file="other"))
    assert table() != table(0.5 * table().s)
    with pytest.raises(ValueError, match="read-only"):
        table().s[0, 0, 0] = 1


def test_port_names_are_what_netlists_can_write() -> None:
    assert port_names(["port 1", "Port 12"]) == ("o1", "o12")
    assert port_names(["in", "drop, left", ""]) == ("in", "drop_left", "o3")
