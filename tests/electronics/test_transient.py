"""Electrical circuits over time against closed forms, matrix exponentials and balances."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from photosim.electronics import Placed, System, assemble, response, stationary, transient
from photosim.errors import NetlistError, ParameterError
from photosim.model import elements as ideal
from photosim.model.elements import Element

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

RATE, SAMPLES = 80e9, 240
TIME = np.arange(SAMPLES) / RATE


def system(*elements: Element) -> System:
    return assemble([Placed("x", element, element.nodes) for element in elements])


def inputs(*functions: Callable[[FloatArray], FloatArray]) -> Callable[[int], FloatArray]:
    """Return inputs of a run, each a function of time."""

    def at(finer: int) -> FloatArray:
        time = np.arange((SAMPLES - 1) * finer + 1) / (RATE * finer)
        return np.stack([f(time) for f in functions], axis=1)

    return at


def edge(time: FloatArray) -> FloatArray:
    """Return a ramp from 0 to 1 V between 100 and 120 ps; its end lies between samples."""
    return np.clip((time - 1e-10) / 2e-11, 0.0, 1.0)


def exact(a: FloatArray, b: FloatArray, row: int) -> FloatArray:
    """Return a state of dx/dt = a x + b u under that edge, by the exponential of the augmented matrix."""
    from scipy.linalg import expm

    n = len(a)
    whole = np.zeros((n + 2, n + 2))
    whole[:n, :n], whole[:n, n], whole[n, n + 1] = a, b, 1 / 2e-11
    begin = np.zeros(n + 2)
    begin[n + 1] = 1.0

    def ramp(time: float) -> float:
        return float((expm(whole * time) @ begin)[row]) if time > 0 else 0.0

    return np.array([ramp(t - 1e-10) - ramp(t - 1.2e-10) for t in TIME])


def test_rc_under_a_sine_is_the_closed_form() -> None:
    tau, omega = 50.0 * 1e-12, 2 * np.pi * 5e9
    rc = system(ideal.voltage("v", "a", "gnd", 0.0), ideal.resistance("r", "a", "b", 50.0),
                ideal.capacitance("c", "b", "gnd", 1e-12))  # fmt: skip
    found = transient(rc, inputs(lambda t: np.sin(omega * t)), SAMPLES, RATE, [rc.nodes["b"]])
    h = 1 / (1 + 1j * omega * tau)
    wanted = np.imag(h * np.exp(1j * omega * TIME)) - np.imag(h) * np.exp(-TIME / tau)
    assert np.abs(found.values[:, 0] - wanted).max() < 1e-7
    assert found.error < 1e-7


@pytest.mark.parametrize("sections", [1, 6])
def test_rlc_ladder_is_its_matrix_exponential(sections: int) -> None:
    r, ell, c, load = 5.0, 1e-10, 5e-14, 50.0
    elements = [ideal.voltage("v", "n0", "gnd", 0.0), ideal.resistance("load", f"n{sections}", "gnd", load)]
    a, b = np.zeros((2 * sections, 2 * sections)), np.zeros(2 * sections)
    b[0] = 1 / ell
    for k in range(sections):
        elements += [
            ideal.resistance(f"r{k}", f"n{k}", f"m{k}", r),
            ideal.inductance(f"l{k}", f"m{k}", f"n{k + 1}", ell),
            ideal.capacitance(f"c{k}", f"n{k + 1}", "gnd", c),
        ]
        a[k, k], a[k, sections + k], a[sections + k, k] = -r / ell, -1 / ell, 1 / c
        if k:
            a[k, sections + k - 1] = 1 / ell
        if k < sections - 1:
            a[sections + k, k + 1] = -1 / c
    a[-1, -1] = -1 / (load * c)
    ladder = system(*elements)
    found = transient(ladder, inputs(edge), SAMPLES, RATE, [ladder.nodes[f"n{sections}"]])
    assert np.abs(found.values[:, 0] - exact(a, b, 2 * sections - 1)).max() < 1e-6


def test_transformer_is_its_matrix_exponential() -> None:
    l1, l2, k, r1, r2 = 1e-9, 2e-9, 0.7, 20.0, 30.0
    transformer = system(
        ideal.voltage("v", "a", "gnd", 0.0), ideal.resistance("r1", "a", "b", r1),
        ideal.inductance("l1", "b", "gnd", l1), ideal.inductance("l2", "c", "gnd", l2),
        ideal.mutual("k", "l1", "l2", k), ideal.resistance("r2", "c", "gnd", r2),
    )  # fmt: skip
    m = k * np.sqrt(l1 * l2)
    inverse = np.linalg.inv([[l1, m], [m, l2]])
    a, b = inverse @ -np.diag([r1, r2]), inverse @ [1.0, 0.0]
    found = transient(transformer, inputs(edge), SAMPLES, RATE, [transformer.branches["x.l2"]])
    assert np.abs(found.values[:, 0] - exact(a, b, 1)).max() < 1e-6 * np.abs(found.values).max()


@pytest.mark.parametrize("delay", [30e-12, 33.33e-12])
def test_mismatched_line_echoes_as_its_reflections_say(delay: float) -> None:
    z, source, load = 75.0, 20.0, 200.0
    line = system(
        ideal.voltage("v", "a", "gnd", 0.0), ideal.resistance("rs", "a", "b", source),
        ideal.line("t", "b", "gnd", "c", "gnd", z, delay), ideal.resistance("rl", "c", "gnd", load),
    )  # fmt: skip

    def smooth(time: FloatArray) -> FloatArray:
        return np.exp(-(((time - 3e-10) / 6e-11) ** 2))

    found = transient(line, inputs(smooth), SAMPLES, RATE, [line.nodes["c"]])
    at_load, at_source = (load - z) / (load + z), (source - z) / (source + z)
    wanted = sum(
        z / (z + source) * (1 + at_load) * (at_load * at_source) ** k * smooth(TIME - (2 * k + 1) * delay)
        for k in range(40)
    )
    assert np.abs(found.values[:, 0] - wanted).max() < 1e-6


def test_many_unknowns_are_solved_sparse_and_alike() -> None:
    def ladder(sections: int) -> System:
        elements = [
            ideal.voltage("v", "n0", "gnd", 0.0),
            ideal.resistance("load", f"n{sections}", "gnd", 50.0),
        ]
        for k in range(sections):
            elements += [
                ideal.resistance(f"r{k}", f"n{k}", f"n{k + 1}", 40.0 / sections),
                ideal.capacitance(f"c{k}", f"n{k + 1}", "gnd", 2e-12 / sections),
            ]
        return system(*elements)

    fine, coarse = ladder(320), ladder(160)
    assert fine.size > 300 > coarse.size
    one, two = (
        transient(s, inputs(edge), SAMPLES, RATE, [s.nodes[f"n{n}"]], tolerance=1e-5).values
        for s, n in ((fine, 320), (coarse, 160))
    )
    # The ladders differ by their number of sections, to first order.
    assert 0.0 < np.abs(one - two).max() < 2e-3


def test_junction_gives_charge_and_energy_as_it_takes_them() -> None:
    thermal, saturation = 0.02585, 1e-14
    clamp = system(
        ideal.voltage("v", "a", "gnd", 0.0), ideal.resistance("r", "a", "b", 50.0),
        ideal.junction("d", "b", "gnd", saturation, thermal, 1e-13, 0.8, 0.5, 1e-12),
        ideal.resistance("rl", "b", "gnd", 1e3),
    )  # fmt: skip

    def pulse(time: FloatArray) -> FloatArray:
        return np.exp(-(((time - 1e-9) / 1.5e-10) ** 2))

    rows = [clamp.nodes["a"], clamp.nodes["b"], clamp.branches["x.v"]]
    found = transient(clamp, inputs(pulse), SAMPLES, RATE, rows)
    a, b, current = found.values.T
    through = -current - b / 1e3  # the junction's, its charge included
    conducted = saturation * np.expm1(b / thermal)
    # Over the whole pulse the stored charge comes back: what went in has been conducted.
    assert through.sum() == pytest.approx(conducted.sum(), rel=1e-4)
    work, heat = (-current * a).sum(), ((a - b) ** 2 / 50 + b**2 / 1e3 + b * conducted).sum()
    assert work == pytest.approx(heat, rel=1e-4)
    assert found.error < 1e-6


def test_rest_of_a_diode_is_lamberts() -> None:
    from scipy.special import lambertw

    for volt in (-5.0, 0.3, 0.7, 1.5, 10.0):
        diode = system(ideal.voltage("v", "a", "gnd", volt), ideal.resistance("r", "a", "b", 100.0),
                       ideal.junction("d", "b", "gnd", 1e-14, 0.02585))  # fmt: skip
        x = stationary(diode)
        scale = 1e-14 * 100.0 / 0.02585
        wanted = 0.02585 / 100.0 * lambertw(scale * np.exp((volt + 1e-12) / 0.02585)).real - 1e-14
        assert -x[diode.branches["x.v"]] == pytest.approx(wanted, rel=1e-7, abs=1e-17)


def test_diodes_in_a_bridge_are_found_from_far_away() -> None:
    bridge = system(
        ideal.voltage("v", "a", "b", 300.0), ideal.resistance("gnd", "b", "gnd", 1e6),
        *(ideal.junction(f"d{k}", p, n, 1e-15, 0.026) for k, (p, n) in enumerate(
            [("a", "p"), ("b", "p"), ("n", "a"), ("n", "b")])),
        ideal.resistance("load", "p", "n", 100.0),
    )  # fmt: skip
    x = stationary(bridge)
    across = x[bridge.nodes["p"]] - x[bridge.nodes["n"]]
    drop = 2 * 0.026 * np.log(across / 100.0 / 1e-15 + 1)
    assert across == pytest.approx(300.0 - drop, rel=1e-9)


def test_response_of_a_junction_is_its_slope_and_charge() -> None:
    diode = system(
        ideal.current("i", "gnd", "a", 1e-3), ideal.resistance("r", "a", "gnd", 1e5),
        ideal.junction("d", "a", "gnd", 1e-14, 0.026, 1e-13, 0.8, 0.5, 5e-12),
    )  # fmt: skip
    x = stationary(diode)
    frequency = np.array([1e6, 1e9, 30e9])
    found = response(diode, x, frequency, [0], [diode.nodes["a"]])[:, 0, 0]
    v = x[diode.nodes["a"]]
    slope = 1e-14 * np.exp(v / 0.026) / 0.026
    edge_c = 1e-13 / np.sqrt(0.5)
    c = edge_c + edge_c * 0.5 / 0.4 * (v - 0.4) + 5e-12 * slope
    assert found == pytest.approx(1 / (1e-5 + slope + 2j * np.pi * frequency * c), rel=1e-12)


def test_heater_warms_its_thermal_node() -> None:
    heater = system(
        ideal.voltage("v", "a", "gnd", 2.0), ideal.resistance("r", "a", "gnd", 100.0),
        ideal.heating("p", "a", "gnd", "t", 100.0), ideal.resistance("rt", "t", "gnd", 500.0),
        ideal.capacitance("ct", "t", "gnd", 2e-13),
    )  # fmt: skip
    assert stationary(heater)[heater.nodes["t"]] == pytest.approx(0.04 * 500.0, rel=1e-12)
    found = transient(heater, inputs(lambda t: np.full(t.shape, 2.0)), SAMPLES, RATE, [heater.nodes["t"]])
    assert found.values == pytest.approx(20.0, rel=1e-9)


def test_steps_that_are_too_coarse_are_refused() -> None:
    fast = system(ideal.voltage("v", "a", "gnd", 0.0), ideal.resistance("rs", "a", "b", 50.0),
                  ideal.line("t", "b", "gnd", "c", "gnd", 50.0, 1e-15), ideal.resistance("rl", "c", "gnd",
                  50.0))  # fmt: skip
    with pytest.raises(ParameterError, match=r"Line 'x.t' is only 1e-15 s long"):
        transient(fast, inputs(edge), SAMPLES, RATE, [0])


def test_a_circuit_that_loses_its_solution_does_not_converge() -> None:
    """A mixer squares the sum of its output and a source: (v + b)**2 = v has no solution beyond b = 1/4."""
    squared = system(
        ideal.voltage("b", "in", "out", 0.2), ideal.resistance("r", "in", "gnd", 50.0),
        ideal.product("times", "gnd", "made", ("in", "gnd"), ("in", "gnd"), 1.0),
        ideal.resistance("made", "made", "gnd", 1.0),
        ideal.voltage_gain("e", "out", "gnd", "made", "gnd", 1.0),
    )  # fmt: skip
    assert stationary(squared)[squared.nodes["out"]] == pytest.approx((0.6 - np.sqrt(0.2)) / 2, rel=1e-9)
    with pytest.raises(ParameterError, match=r"No operating point at rest was found: .*low_pass_filter"):
        stationary(squared, np.array([0.5]))
    with pytest.raises(ParameterError, match=r"does not converge .* finds no value in 100 steps"):
        transient(squared, inputs(lambda t: 0.2 + 0.3 * edge(t)), SAMPLES, RATE, [0])


def test_what_is_too_fast_is_named() -> None:
    clipped = system(
        ideal.voltage("v", "a", "gnd", 0.0), ideal.resistance("r", "a", "b", 50.0),
        ideal.capacitance("c", "b", "gnd", 1e-15), ideal.junction("d", "b", "gnd", 1e-14, 0.0259),
    )  # fmt: skip
    with pytest.raises(ParameterError, match=r"for each sample the \w+ of '.*' is still wrong by"):
        transient(
            clipped,
            inputs(lambda t: 5.0 * np.sin(2 * np.pi * 7.1e12 * t)),
            SAMPLES,
            RATE,
            range(clipped.size),
        )


def test_a_controlled_source_that_cancels_its_load_is_refused() -> None:
    nothing = system(ideal.current("i", "gnd", "a", 1e-3), ideal.resistance("r", "a", "gnd", 1e3),
                     ideal.transconductance("g", "a", "gnd", "a", "gnd", -1e-3))  # fmt: skip
    with pytest.raises(NetlistError, match=r"do not determine the voltage of 'a'\. Connect it to gnd"):
        stationary(nothing)
    beside = [ideal.inductance(name, "a", "gnd", 1e-9) for name in ("l", "k")]
    with pytest.raises(NetlistError, match=r"the current of 'x\.[lk]'\. Put a resistor in series with it"):
        stationary(system(ideal.resistance("r", "a", "gnd", 50.0), *beside))


def test_line_of_many_samples_delays_by_itself() -> None:
    """A matched line of 40 samples: what enters leaves later, halved."""
    late = 40 / RATE
    circuit = system(
        ideal.voltage("v", "a", "gnd", 0.0),
        ideal.resistance("r", "a", "b", 50.0),
        ideal.line("t", "b", "gnd", "c", "gnd", 50.0, late),
        ideal.resistance("load", "c", "gnd", 50.0),
    )
    found = transient(circuit, inputs(edge), SAMPLES, RATE, [circuit.nodes["c"]])
    assert found.values[:, 0] == pytest.approx(0.5 * edge(TIME - late), abs=1e-6)
