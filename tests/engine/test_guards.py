"""Parts that create power, loops that oscillate, wavelengths all but singular."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import pytest

import photosim as ps
from photosim.engine import compiled, trapped
from photosim.errors import PhotosimWarning, SingularCircuit, UnphysicalResult
from photosim.model.quantities import Power, Quantity

WL = np.linspace(1.545, 1.555, 201)
Gain = Annotated[float, Quantity("dB", 0.0, 60.0)]


@ps.component(ports=("o1", "o2"), source="yariv2000", active=True)
def ideal_amplifier(m: Any, wl: Any, *, gain_dB: Gain = 0.0) -> Any:
    """Amplify in both directions, without noise or saturation.

    Settings:
        gain_dB: power gain.
    """
    del wl
    return {("o1", "o2"): 1 / m.amplitude_dB(gain_dB)}


@ps.component(ports=("o1", "o2"), source="yariv2000")
def wrong_attenuator(m: Any, wl: Any, *, loss: Power = 0.5) -> Any:
    """A transmission that was meant to be an amplitude, and is one over it.

    Settings:
        loss: power lost.
    """
    del wl
    return {("o1", "o2"): 1 / m.sqrt(1 - loss)}


@ps.component(ports=("o1", "o2"), source="saleh2019")
def undefined_part(m: Any, wl: Any, *, loss: Power = 0.5) -> Any:
    """Part whose formula has no value.

    Settings:
        loss: power lost.
    """
    del wl
    return {("o1", "o2"): m.sqrt(loss - 2)}


def amplified_ring(gain_dB: float) -> dict[str, Any]:
    """A ring on one bus whose guide loses 1 dB a round, with an amplifier inside."""
    return {
        "instances": {
            "bus": {"component": "coupler", "settings": {"coupling": 0.2}},
            "guide": {"component": "straight", "settings": {"length": 200.0, "loss_dB_cm": 50.0}},
            "amplifier": {"component": "ideal_amplifier", "settings": {"gain_dB": gain_dB}},
        },
        "connections": {"bus,o3": "guide,o1", "guide,o2": "amplifier,o1", "amplifier,o2": "bus,o2"},
        "ports": {"in": "bus,o1", "out": "bus,o4"},
    }


# The coupler takes 10 log10(1/0.8) = 0.97 dB a round and the guide 1 dB: threshold at 1.97 dB.
@pytest.mark.parametrize("gain_dB", [0.5, 1.0, 1.9])
def test_below_threshold_the_ring_amplifies_as_its_formula_says(
    gain_dB: float, dense: Callable[..., Any]
) -> None:
    circuit = ps.Circuit(amplified_ring(gain_dB))
    s = circuit(WL)
    np.testing.assert_allclose(s.values, dense(circuit, WL), rtol=1e-11, atol=1e-11)
    assert s.is_passive() == (gain_dB < 1.0 + 1e-9)


@pytest.mark.parametrize("gain_dB", [2.05, 3.0, 20.0])
def test_above_threshold_the_loop_is_named(gain_dB: float) -> None:
    circuit = ps.Circuit(amplified_ring(gain_dB))
    with pytest.raises(
        SingularCircuit, match=r"Above threshold: the loop through bus, guide, amplifier oscillates"
    ):
        circuit(WL)


def test_at_one_wavelength_gain_above_the_loss_warns() -> None:
    circuit = ps.Circuit(amplified_ring(3.0))
    with pytest.warns(PhotosimWarning, match=r"Light in the loop through bus, guide, amplifier grows 1\.04"):
        circuit(1.55)


def test_an_amplifier_outside_of_loops_is_free_to_amplify() -> None:
    net = {"instances": {"a": {"component": "ideal_amplifier", "settings": {"gain_dB": 20.0}}},
           "ports": {"in": "a,o1", "out": "a,o2"}}  # fmt: skip
    assert ps.Circuit(net)(1.55)["in", "out"].power[0] == pytest.approx(100.0)


def test_a_passive_part_that_creates_power_is_blamed() -> None:
    net = {
        "instances": {
            "first": {"component": "straight", "settings": {"length": 10.0}},
            "second": {"component": "wrong_attenuator", "settings": {"loss": 0.19}},
        },
        "connections": {"first,o2": "second,o1"},
        "ports": {"in": "first,o1", "out": "second,o2"},
    }
    expected = (
        r"Instance 'second' \(wrong_attenuator\) creates power: its largest singular value is 1\.11111 at"
    )
    with pytest.raises(UnphysicalResult, match=expected):
        ps.Circuit(net)(WL)
    with pytest.raises(UnphysicalResult, match="'second'"):
        ps.Circuit(net)(WL, second={"loss": np.array([0.0, 0.5])})
    ps.Circuit(net)(WL, second={"loss": 0.0})


def resonator(coupling: float) -> tuple[dict[str, Any], float]:
    """A lossless ring of two whole waves at 1.55 um; return the netlist and that wavelength."""
    guide = {"component": "straight",
             "settings": {"length": 1.55 / 2, "neff": 2.0, "ng": 2.0, "loss_dB_cm": 0.0}}  # fmt: skip
    net = {
        "instances": {
            "cin": {"component": "coupler", "settings": {"coupling": coupling}},
            "cdrop": {"component": "coupler", "settings": {"coupling": coupling}},
            "right": guide,
            "left": guide,
        },
        "connections": {
            "cin,o3": "right,o1",
            "right,o2": "cdrop,o2",
            "cdrop,o3": "left,o1",
            "left,o2": "cin,o2",
        },
        "ports": {"in": "cin,o1", "through": "cin,o4", "add": "cdrop,o1", "drop": "cdrop,o4"},
    }
    return net, 1.55


def test_a_ring_of_vanishing_coupling_still_drops_everything_on_resonance() -> None:
    # Lossless and symmetric, so all light drops however weak the coupling; 1 - K is about the coupling.
    for coupling, tolerance in ((1e-6, 1e-8), (1e-10, 1e-4)):
        net, wl = resonator(coupling)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PhotosimWarning)
            s = ps.Circuit(net)(wl)
        assert s["in", "drop"].power[0] == pytest.approx(1.0, abs=tolerance)


def test_flagged_wavelengths_are_solved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    net, wl = resonator(1e-3)
    grid = np.array([wl, wl + 1e-5, wl + 1e-3])
    plain = ps.Circuit(net)(grid).values
    calls: list[int] = []

    def counted(*arguments: Any) -> None:
        calls.append(arguments[4].size)
        original(*arguments)

    original = trapped.solve_again
    monkeypatch.setattr(compiled, "NEARLY_SINGULAR", 1e10)
    monkeypatch.setattr("photosim.engine.trapped.NEARLY_SINGULAR", 1e10)
    monkeypatch.setattr(trapped, "solve_again", counted)
    again = ps.Circuit(net)(grid).values
    assert calls == [3]
    np.testing.assert_allclose(again, plain, rtol=0, atol=1e-10)
    assert not np.array_equal(again, plain)  # another algorithm, other rounding


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a ring"])
def test_a_part_beyond_computing_is_blamed(inside: bool) -> None:
    net = amplified_ring(0.5)
    net["instances"]["guide"] = {"component": "undefined_part"}
    if not inside:
        net = {
            "instances": {"guide": net["instances"]["guide"]},
            "ports": {"in": "guide,o1", "out": "guide,o2"},
        }
    blamed = r"Instance 'guide' \(undefined_part\) has no S-matrix at 1\.545 um"
    with np.errstate(invalid="ignore"), pytest.raises(UnphysicalResult, match=blamed):
        ps.Circuit(net)(WL)


def test_an_infinite_setting_is_out_of_bounds() -> None:
    net = {"instances": {"guide": "straight"}, "ports": {"in": "guide,o1", "out": "guide,o2"}}
    with pytest.raises(ps.ParameterError, match=r"'length' is inf um, but must be 0 to 1e\+11 um"):
        ps.Circuit(net)(WL, guide={"length": float("inf")})


def test_a_setting_that_nothing_follows_has_slope_zero() -> None:
    net = {"settings": {"unused": 1.0}, "instances": {"guide": "straight"},
           "ports": {"in": "guide,o1", "out": "guide,o2"}}  # fmt: skip
    circuit = ps.Circuit(net)
    _, slope = circuit.value_and_grad(ps.losses.power([("in", "out")]), wl=WL, parameters=["unused"])
    assert slope == {"unused": 0.0}
    _, pull = circuit.pullback(WL, ["out"], ["in"], ["unused"])
    assert not pull(np.ones((len(WL), 1, 1), dtype=complex))["unused"].any()


def test_none_is_no_setting_of_a_call() -> None:
    circuit = ps.Circuit(amplified_ring(0.5))
    with pytest.raises(ps.ParameterError, match=r"Setting 'guide.length' is None: leave it out of the call"):
        circuit(WL, guide={"length": None})
