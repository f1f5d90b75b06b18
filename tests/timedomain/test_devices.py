"""Nonlinear and dynamic parts against closed forms: steady states, pulses, oscillations, noise, switching."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import photosim as ps
from photosim import waveforms
from photosim.analysis import traces
from photosim.conventions import ELEMENTARY_CHARGE_C
from photosim.errors import ParameterError
from photosim.model import Nonlinear, registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLANCK, CHARGE, C_UM = 6.626_070_15e-34, 1.602_176_634e-19, 299_792_458.0e6
MODELS = [m for m in map(registry.get, registry.names()) if isinstance(m, Nonlinear)]


def alone(component: str, out: str = "o2", terminate: Any = (), **settings: Any) -> ps.Circuit:
    instances = {"part": {"component": component, "settings": settings}}
    return ps.Circuit(
        {
            "instances": instances,
            "ports": {"in": "part,o1", "out": f"part,{out}"},
            "terminate": [f"part,{p}" for p in terminate],
        }
    )


def through(one: ps.Circuit, light: Any, duration: float, rate: float, **more: Any) -> Any:
    return ps.transient(
        one, duration, sample_rate=rate, inputs={"in": light}, wl=more.pop("wl", 1.55), probes=["out"], **more
    )


def power(out: Any) -> NDArray[np.float64]:
    return np.asarray(np.abs(out.wave.values[0, 0]) ** 2)


# --- the kind ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_step_reads_nothing_but_its_own_file(model: Nonlinear) -> None:
    """The cache of numba sees no other file: a step may call jitted functions of its own and numpy."""
    home = inspect.getmodule(model.step)
    for name in model.step.__code__.co_names:
        value = getattr(home, name, None)
        if value is None or inspect.ismodule(value) or isinstance(value, int | float):
            continue
        assert getattr(value, "py_func", value).__module__ in {home.__name__, "builtins"}, name  # type: ignore[union-attr]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_paths_and_emission_are_of_its_ports(model: Nonlinear) -> None:
    assert {port for path in model.paths for port in path} | set(model.emits) <= set(model.ports)
    constants = model.constants({})
    assert np.isfinite(constants).all()
    assert np.isfinite(model.start_state(constants[:, 0], 2)).all()


@pytest.mark.parametrize("ask", ["matrix", "waves", "gradient", "fields"])
def test_frequency_question_across_a_nonlinear_part_says_what_to_do(ask: str) -> None:
    one = behind_a_guide()
    loss = ps.losses.power([("in", "out")])
    questions: dict[str, Callable[[], Any]] = {
        "matrix": lambda: one([1.55]),
        "waves": lambda: one.transfer([1.55], ["out"], ["in"]),
        "fields": lambda: one.fields([1.55], {"in": 1e-3}, ["out"]),
        "gradient": lambda: one.value_and_grad(loss, wl=[1.55], parameters=["guide.length"]),
    }
    with pytest.raises(ParameterError, match=r"'part' \(dynamic_soa\) is nonlinear and has no S-matrix: use"):
        questions[ask]()


def behind_a_guide() -> ps.Circuit:
    return ps.Circuit(
        {
            "instances": {
                "guide": {"component": "straight", "settings": {"length": 50.0}},
                "part": "dynamic_soa",
            },
            "connections": {"guide,o2": "part,o1"},
            "ports": {"in": "guide,o1", "out": "part,o2"},
        }
    )


def test_waves_on_one_side_of_a_nonlinear_part_keep_their_s_matrix() -> None:
    one = behind_a_guide()
    assert one.nonlinear == ("part",)
    guide = alone("straight", length=50.0)([1.55])["in", "out"].values
    np.testing.assert_allclose(one.transfer([1.55], ["part,o1:in"], ["in"])[:, 0, 0], guide)


# --- amplifier and absorber ------------------------------------------------------------------------------


def test_amplifier_saturates_as_its_steady_state_says() -> None:
    one = alone("dynamic_soa", gain_dB=20.0, saturation_power=5e-3, lifetime=100e-12)
    out = through(one, waveforms.step(at=0.2e-9, low=1e-7, high=2e-3, rise=20e-12), 2e-9, 4e11)
    h = math.log(power(out)[-1] / 2e-3)
    assert math.log(100) - h == pytest.approx(2e-3 / 5e-3 * math.expm1(h), rel=1e-6)
    assert power(out)[10] / 1e-7 == pytest.approx(100, rel=1e-2)


def test_amplifier_of_a_short_pulse_is_agrawals_closed_form_and_shifts_to_the_red() -> None:
    """agrawal1989, eq. 3.13: h = -ln(1 - (1 - 1/G0) exp(-U/E)), without recovery."""
    one = alone("dynamic_soa", gain_dB=20.0, saturation_power=1e-3, lifetime=1e-9, linewidth_enhancement=5.0)
    light = waveforms.pulse(at=20e-12, width=4e-12, high=50e-3)
    out = through(one, light, 40e-12, 4e12)
    entered = light.sample(out.time.values)
    u = np.cumsum(entered) / 4e12 - entered / 8e12
    h = -np.log(1 - (1 - 1 / 100) * np.exp(-u / 1e-12))
    inner = entered > 1e-3 * entered.max()
    np.testing.assert_allclose(power(out)[inner], (entered * np.exp(h))[inner], rtol=0.02)
    phase = np.unwrap(np.angle(out.wave.values[0, 0]))[inner]
    np.testing.assert_allclose(phase - phase[0], -2.5 * (h[inner] - h[inner][0]), atol=0.05)
    assert phase[-1] > phase[0]  # exp(-i omega t): a rising phase is a lower frequency


def test_spontaneous_emission_of_an_amplifier_has_its_density() -> None:
    one = alone("dynamic_soa", gain_dB=20.0, saturation_power=1.0, noise_figure_dB=7.0)
    rate, samples = 1e11, 20_000
    out = through(one, waveforms.constant(0.0), samples / rate, rate, noise=True, seed=3)
    inner = power(out)[300:-300]
    n_sp = 10**0.7 / 2
    # White up to the pass band's edge and the roll-off: 0.9 of the sample rate in all.
    expected = n_sp * PLANCK * C_UM / 1.55 * 99 * 0.9 * rate
    # 19,400 samples, 0.9 of them independent: 0.76 % spread; 4 of it is a false alarm in 16,000.
    assert inner.mean() == pytest.approx(expected, rel=0.03)


def test_absorber_bleaches_as_its_steady_state_says() -> None:
    one = alone("saturable_absorber", absorbance=2.0, saturation_power=1e-3, lifetime=10e-12, loss_dB=1.0)
    out = through(one, waveforms.step(at=0.1e-9, low=1e-8, high=3e-3, rise=10e-12), 0.5e-9, 1e12)
    q = -math.log(power(out)[-1] / 3e-3 * 10**0.1)
    assert q + 3.0 * -math.expm1(-q) == pytest.approx(2.0, rel=1e-6)
    assert power(out)[5] / 1e-8 == pytest.approx(math.exp(-2.0) * 10**-0.1, rel=1e-4)


def test_activation_is_its_closed_form_for_slow_light_and_lags_behind_fast() -> None:
    settings: dict[str, Any] = {
        "tap": 0.1,
        "responsivity": 0.8,
        "transimpedance": 2e4,
        "v_pi": 10.0,
        "bias": 8.5,
    }
    one = alone("electro_optic_activation", bandwidth=20e9, **settings)
    out = through(one, waveforms.step(at=1e-9, low=0.0, high=2e-3, rise=10e-12), 2e-9, 1e12)
    g = math.pi * 0.1 * 2e4 * 0.8 / 10.0
    half = (g * 2e-3 + math.pi * 0.85) / 2
    expected = 1j * math.sqrt(0.9) * np.exp(-1j * half) * math.cos(half) * math.sqrt(2e-3)
    assert out.wave.values[0, 0, -200] == pytest.approx(expected, rel=1e-5)
    drive = out.state.values[0] / 2e-3
    late = (out.time.values > 1.01e-9) & (out.time.values < 1.03e-9)
    expected_rise = 1 - np.exp(-2 * math.pi * 20e9 * (out.time.values[late] - 1e-9))
    np.testing.assert_allclose(drive[late], expected_rise, atol=0.02)


def test_activation_absorbs_light_that_arrives_at_its_output() -> None:
    one = alone("electro_optic_activation", bias=5.0)
    forward, backward = waveforms.constant(1e-3), waveforms.constant(5e-3)
    runs = [
        ps.transient(one, 1e-9, sample_rate=1e11, inputs=light, wl=1.55, probes=["out"])
        for light in ({"in": forward}, {"in": forward, "out": backward})
    ]
    np.testing.assert_allclose(runs[1].wave.values, runs[0].wave.values, rtol=1e-12)


# --- lasers -------------------------------------------------------------------------------------------


def laser(component: str = "rate_equation_laser", **settings: Any) -> ps.Circuit:
    return ps.Circuit(
        {
            "instances": {
                "laser": {"component": component, "settings": settings},
                "end": {"component": "photodetector", "settings": {"bandwidth": 0.0}},
            },
            "connections": {"laser,o1": "end,o1"},
        }
    )


def constants_of(component: str, **settings: float) -> dict[str, float]:
    model = registry.get(component)
    return {**model.defaults, **settings}


def threshold(s: dict[str, float]) -> tuple[float, float]:
    """Carriers and current at threshold."""
    carriers = s["transparency"] + 1 / (s["differential_gain"] * s["photon_lifetime"])
    return carriers, CHARGE * carriers / (s["carrier_lifetime"] * s["injection_efficiency"])


@pytest.mark.parametrize("component", ["rate_equation_laser", "vcsel"])
def test_laser_emits_by_its_slope_above_threshold(component: str) -> None:
    s = constants_of(component, gain_compression=0.0, spontaneous=1e-7)
    _, least = threshold(s)
    one = laser(component, gain_compression=0.0, spontaneous=1e-7, current=3 * least)
    out = ps.transient(one, 0.2e-9, sample_rate=1e12, settle=5e-9)
    energy = PLANCK * C_UM / 1.55
    slope = s["injection_efficiency"] * s["output"] * energy / CHARGE  # W/A
    assert out.current.values[0, -1] == pytest.approx(slope * 2 * least, rel=1e-3)


def test_laser_turns_on_after_the_carriers_have_filled_up() -> None:
    s = constants_of("rate_equation_laser")
    carriers, least = threshold(s)
    low, high = 0.5 * least, 2.5 * least
    drive = {"laser.current": waveforms.step(at=0.2e-9, low=low, high=high, rise=2e-12)}
    out = ps.transient(laser(), 2e-9, sample_rate=2e12, drive=drive)
    time = out.time.values
    filled = time[np.argmax(out.state.sel(state_name="laser.carriers").values > carriers)] - 0.2e-9
    delay = s["carrier_lifetime"] * math.log((high - low) / (high - least))
    assert filled == pytest.approx(delay, rel=5e-3)
    half = time[np.argmax(out.current.values[0] > out.current.values[0, -1] / 2)] - 0.2e-9
    assert delay < half < delay + 0.15e-9  # and light grows from noise within a few photon lifetimes more


def test_laser_rings_at_the_relaxation_frequency() -> None:
    """coldren2012, chapter 5: w_R**2 = g S/tau_p and damping g S + 1/tau_n, without compression and noise."""
    quiet: dict[str, Any] = {"gain_compression": 0.0, "spontaneous": 1e-9, "linewidth_enhancement": 3.0}
    s = constants_of("rate_equation_laser", **quiet)
    _, least = threshold(s)
    drive = {"laser.current": waveforms.step(at=0.3e-9, low=2.5 * least, high=2.52 * least, rise=4e-12)}
    out = ps.transient(laser(**quiet), 1.6e-9, sample_rate=2e12, drive=drive, settle=6e-9)
    rate_s = s["differential_gain"]
    photons = s["photon_lifetime"] * s["injection_efficiency"] * 1.52 * least / CHARGE
    damping = rate_s * photons + 1 / s["carrier_lifetime"]
    expected = math.sqrt(rate_s * photons / s["photon_lifetime"] - damping**2 / 4) / (2 * math.pi)
    after = out.current.values[0][out.time.values > 0.305e-9]
    swing = after - after[-1]
    crossings = np.flatnonzero(np.diff(np.sign(swing[:1600])))
    places = crossings - swing[crossings] / (swing[crossings + 1] - swing[crossings])
    found = 2e12 / (2 * np.diff(places).mean())
    assert found == pytest.approx(expected, rel=0.01)


def test_laser_line_is_as_wide_as_henry_says() -> None:
    """The width is R/(4 pi S) (1 + alpha**2) for R photons of spontaneous emission a second among S."""
    current = 30e-3
    loud: dict[str, Any] = {"gain_compression": 0.0, "spontaneous": 1e-3}
    s = constants_of("rate_equation_laser", **loud)
    carriers, least = threshold(s)
    out = ps.transient(
        laser(**loud, current=current), 1e-6, sample_rate=1e12, settle=5e-9, noise=True, seed=5
    )
    field = out.state.values[1] + 1j * out.state.values[2]
    photons = s["photon_lifetime"] * s["injection_efficiency"] * (current - least) / CHARGE
    emitted = s["spontaneous"] * carriers / s["carrier_lifetime"]
    expected = emitted / (4 * math.pi * photons) * (1 + s["linewidth_enhancement"] ** 2)
    # One run of a microsecond tells the width to 6 %; 25 % is four of it.
    assert traces.linewidth(field, 1e12) == pytest.approx(expected, rel=0.25)


def noisy_source(**settings: float) -> NDArray[np.complex128]:
    one = ps.Circuit(
        {
            "instances": {
                "laser": {"component": "laser", "settings": settings},
                "end": {"component": "photodetector", "settings": {"bandwidth": 1e8}},
            },
            "connections": {"laser,o1": "end,o1"},
        }
    )
    out = ps.transient(one, 5e-4, sample_rate=1e9, noise=True, seed=11, probes=["end,o1"])
    return np.asarray(out.wave.values[0, 0])


def test_source_has_the_line_and_the_intensity_noise_it_is_set_to() -> None:
    # Half a million samples tell the width to 6 %; 25 % is four of it.
    assert traces.linewidth(noisy_source(linewidth=1e6), 1e9) == pytest.approx(1e6, rel=0.25)
    power = np.abs(noisy_source(linewidth=0.0, rin_dB_Hz=-140.0)) ** 2
    # RIN is white over half the sample rate, of which 0.891 pass: up to 0.86 all of it, then less and less.
    # The samples tell it to 0.2 %.
    assert np.var(power) / np.mean(power) ** 2 == pytest.approx(1e-14 * 0.891 * 1e9 / 2, rel=0.008)


def injected(detuning: float, watts: float) -> Any:
    one = ps.Circuit(
        {
            "instances": {
                "seed": {"component": "laser", "settings": {"power": watts}},
                "turn": {"component": "circulator"},
                "vcsel": {"component": "vcsel", "settings": {"wl": C_UM / (C_UM / 1.55 - detuning)}},
                "end": {"component": "photodetector", "settings": {"bandwidth": 0.0}},
            },
            "connections": {"seed,o1": "turn,o1", "turn,o2": "vcsel,o1", "turn,o3": "end,o1"},
        }
    )
    return ps.transient(one, 8e-9, sample_rate=1e12, settle=8e-9, wl=1.55)


@pytest.mark.parametrize("component", ["rate_equation_laser", "vcsel"])
@pytest.mark.parametrize("many", [1.5, 5.0, 20.0])
def test_laser_starts_in_its_steady_state_at_every_current(component: str, many: float) -> None:
    s = constants_of(component)
    instances = {"part": {"component": component, "settings": {"current": many * threshold(s)[1]}}}
    one = ps.Circuit({"instances": instances, "ports": {"out": "part,o1"}})
    out = ps.transient(one, 3e-9, sample_rate=4e11, probes=["out"])
    np.testing.assert_allclose(power(out), power(out)[0], rtol=1e-5)
    np.testing.assert_allclose(out.state.values[0], out.state.values[0, 0], rtol=1e-6)


def followed(component: str, setting: str, rate: float, **settings: Any) -> Any:
    """Light behind a part of which a setting goes up and down, at instants 0.1 ns apart."""
    high = {"current": 40e-3, "gain_dB": 12.0, "absorbance": 2.0, "detuning": 4e9, "bias": 8.0}[setting]
    wave = waveforms.pulse(at=1e-9, width=0.3e-9, low=0.6 * high, high=high)
    drive = {f"part.{setting}": wave}
    if setting == "current":
        instances = {"part": {"component": component, "settings": settings}}
        one = ps.Circuit({"instances": instances, "ports": {"out": "part,o1"}})
        out = ps.transient(one, 2e-9, sample_rate=rate, drive=drive, probes=["out"])
    else:
        ring_ports: dict[str, Any] = (
            {"out": "o4", "terminate": ("o2", "o3")} if component == "nonlinear_ring" else {}
        )
        one = alone(component, **ring_ports, **settings)
        light = {"in": {"power": waveforms.constant(1e-3)}}
        out = ps.transient(
            one, 2e-9, sample_rate=rate, drive=drive, inputs=light, wl=1.55, probes=["out"], settle=1e-9
        )
    return power(out)[:: round(rate * 1e-10)]


@pytest.mark.parametrize(
    ("component", "setting", "rates"),
    [
        ("rate_equation_laser", "current", (4e10, 8e10)),
        ("dynamic_soa", "gain_dB", (4e10, 8e10)),
        ("saturable_absorber", "absorbance", (4e10, 8e10)),
        ("nonlinear_ring", "detuning", (8e10, 1.6e11)),  # below, it takes smaller steps of its own
        ("electro_optic_activation", "bias", (4e10, 8e10)),
    ],
)
def test_driven_part_is_right_to_second_order_in_the_step(
    component: str, setting: str, rates: tuple[float, float]
) -> None:
    """The error against a far smaller step falls fourfold where the step is halved."""
    quick = {"thermal_time": 1e-9} if component == "nonlinear_ring" else {}
    exact = followed(component, setting, 3.2e11, **quick)
    coarse, fine = (np.abs(followed(component, setting, r, **quick) - exact).max() for r in rates)
    assert fine < 0.35 * coarse or coarse < 1e-6 * exact.max()


@pytest.mark.parametrize(
    ("component", "setting", "settings"),
    [
        ("rate_equation_laser", "current", {"differential_gain": 1e8}),
        ("dynamic_soa", "gain_dB", {"lifetime": 1e-12}),
        ("saturable_absorber", "absorbance", {"lifetime": 1e-14}),
        ("nonlinear_ring", "detuning", {"coupling": 0.3, "radius": 30.0, "thermal_time": 1e-9}),
    ],
)
def test_part_that_is_faster_than_the_samples_follows_its_drive_of_now(
    component: str, setting: str, settings: dict[str, float]
) -> None:
    """Such a part followed its drive as it was in the middle of the step, off by several per cent."""
    exact, coarse = (followed(component, setting, rate, **settings) for rate in (3.2e11, 4e10))
    assert np.abs(coarse - exact).max() < 2e-3 * exact.max()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"differential_gain": 1e9},
        {"carrier_lifetime": 1e-13, "current": 200.0},
        {"gain_compression": 0.0, "current": 500.0},
        {"photon_lifetime": 1e-13, "differential_gain": 2e6},
    ],
)
@pytest.mark.filterwarnings("ignore:.*the usual values")
def test_laser_follows_its_equations_however_fast_it_is(settings: dict[str, float]) -> None:
    """Carriers and photons by an implicit method; steps that were too long for the carriers ran away."""
    k = {
        "current": 20e-3, "carrier_lifetime": 1e-9, "photon_lifetime": 2e-12, "differential_gain": 2e4,
        "gain_compression": 1e-7, "linewidth_enhancement": 0.0,
    } | settings  # fmt: skip

    def pumped(t: Any) -> Any:
        return k["current"] * (1 + 0.25 * (1 - np.cos(2 * np.pi * 2e9 * t)))

    def slopes(t: float, y: Any) -> list[float]:
        carriers, photons = y
        gain = k["differential_gain"] * (carriers - 4e7) / (1 + k["gain_compression"] * photons)
        lost = carriers / k["carrier_lifetime"]
        pump = 0.8 * pumped(t) / ELEMENTARY_CHARGE_C
        return [pump - lost - gain * photons, (gain - 1 / k["photon_lifetime"]) * photons + 1e-4 * lost]

    one = ps.Circuit(
        {"instances": {"l": {"component": "rate_equation_laser", "settings": k}}, "ports": {"o": "l,o1"}}
    )
    out = ps.transient(one, 1e-9, sample_rate=2e11, drive={"l.current": waveforms.Waveform(pumped)})
    carriers, *field = out.state.values
    photons = field[0] ** 2 + field[1] ** 2
    right = solve_ivp(
        slopes, (0.0, 1e-9), [carriers[0], photons[0]], method="Radau", t_eval=out.time.values, rtol=1e-8,
        max_step=5e-12,
    ).y  # fmt: skip
    assert photons == pytest.approx(right[1], abs=4e-4 * right[1].max())
    assert carriers == pytest.approx(right[0], abs=1e-4 * right[0].max())


def test_injected_laser_locks_inside_its_range_and_beats_outside() -> None:
    """Without back-reflection the range is sqrt(1 + alpha**2) kappa sqrt(P_in/P), on the side of the red."""
    inside = injected(-2e9, 20e-6)
    phase = np.unwrap(np.angle(inside.state.values[1] + 1j * inside.state.values[2]))
    assert abs(phase[-1] - phase[len(phase) // 2]) < 1e-3
    outside = injected(40e9, 20e-6)
    phase = np.unwrap(np.angle(outside.state.values[1] + 1j * outside.state.values[2]))
    turns = (phase[-1] - phase[len(phase) // 2]) / (2 * np.pi * 4e-9)
    assert turns == pytest.approx(40e9, rel=0.1)  # below the seed, as exp(-i omega t) has it


# --- ring -------------------------------------------------------------------------------------------------

LINEAR = {"kerr": 0.0, "two_photon": 0.0, "thermal_resistance": 0.0}


def ring(**settings: float) -> ps.Circuit:
    return alone("nonlinear_ring", out="o4", terminate=("o2", "o3"), **settings)


def test_ring_of_weak_light_is_its_coupled_mode_line() -> None:
    """Through = 1 - bus/(decay/2 + i 2 pi shift): rates k FSR and v alpha."""
    for beside in (0.0, 2e9, -7e9):
        one = ring(coupling=0.02, loss_dB_cm=10.0, **LINEAR)
        out = through(
            one, waveforms.constant(1e-6), 1e-9, 1e12, settle=1e-9, wl=C_UM / (C_UM / 1.55 + beside)
        )
        fsr = C_UM / (4.19088 * 2 * math.pi * 10.0)
        bus, loss = 0.02 * fsr, 10.0 * math.log(10) / 10 * 1e-4 * C_UM / 4.19088
        # Light beside the resonance by `beside`: the field turns at (resonance - light).
        expected = 1 - bus / ((bus + loss) / 2 + 1j * 2 * math.pi * -beside)
        assert out.wave.values[0, 0, -1] / 1e-3 == pytest.approx(expected, abs=1e-6)


def test_ring_near_resonance_is_the_ring_of_guides() -> None:
    linear = ps.Circuit(
        {
            "instances": {
                "ring": {
                    "component": "ring_single_ideal",
                    "settings": {"coupling": 0.01, "loss_dB_cm": 5.0, "neff": 2.44553, "ng": 4.19088},
                }
            },
            "ports": {"in": "ring,o1", "out": "ring,o2"},
        }
    )
    wl = np.linspace(1.545, 1.555, 100_001)
    at = float(wl[np.argmin(linear(wl)["in", "out"].power)])
    beside = at + 2e-5
    one = ring(coupling=0.01, loss_dB_cm=5.0, wl0=at, **LINEAR)
    out = through(one, waveforms.constant(1e-6), 1e-9, 1e12, settle=2e-9, wl=beside)
    expected = linear([beside])["in", "out"].power[0]
    assert power(out)[-1] / 1e-6 == pytest.approx(expected, rel=0.02)


def test_kerr_ring_is_bistable_and_both_branches_obey_the_cubic() -> None:
    """With y = energy: y ((decay/2)**2 + (shift - slope y)**2) = bus P, two stable ends for one power."""
    settings = {
        "coupling": 0.01,
        "loss_dB_cm": 2.5,
        "kerr": 1e-16,
        "two_photon": 0.0,
        "thermal_resistance": 0.0,
    }
    fsr = C_UM / (4.19088 * 2 * math.pi * 10.0)
    bus, loss = 0.01 * fsr, 2.5 * math.log(10) / 10 * 1e-4 * C_UM / 4.19088
    beside = -3.0 * (bus + loss) / (4 * math.pi)  # the light lies three half widths to the red
    wl = C_UM / (C_UM / 1.55 + beside)
    slope = 2 * math.pi * C_UM / 1.55 * 1e-16 * fsr / 1e-13 / 4.19088
    top = 2.0 * (bus + loss) / 2 / slope * 2 * ((bus + loss) / 2) ** 2 / bus
    ends = []
    for first in (0.05, 3.0):  # up to the middle from below, and down to it from above
        light = waveforms.step(at=4e-9, low=first * top, high=0.8 * top, rise=2e-9)
        out = through(ring(**settings), light, 14e-9, 4e11, settle=4e-9, wl=wl)
        re, im = (out.state.sel(state_name=f"part.field_{p}[0]").values[-1] for p in ("re", "im"))
        energy = re**2 + im**2
        shift = -2 * math.pi * beside - slope * energy
        assert energy * (((bus + loss) / 2) ** 2 + shift**2) == pytest.approx(bus * 0.8 * top, rel=1e-3)
        ends.append(energy)
    assert ends[1] > 2 * ends[0]


def test_hot_ring_moves_to_the_red_by_the_heat_it_absorbs() -> None:
    settings = {"coupling": 0.01, "kerr": 0.0, "two_photon": 0.0, "thermal_time": 20e-9, "absorbed": 0.5}
    out = through(ring(**settings), waveforms.constant(2e-4), 2e-7, 1e10, settle=2e-7)
    names = list(out.state_name.values)
    last = dict(zip(names, out.state.values[:, -1], strict=True))
    energy = last["part.field_re[0]"] ** 2 + last["part.field_im[0]"] ** 2
    loss = 2.5 * math.log(10) / 10 * 1e-4 * C_UM / 4.19088
    heat = 0.5 * loss * energy
    assert last["part.temperature_rise"] == pytest.approx(1e4 * heat, rel=1e-6)
    assert heat > 1e-5


def test_carriers_of_two_photon_absorption_balance_their_decay() -> None:
    settings = {"coupling": 0.01, "kerr": 0.0, "thermal_resistance": 0.0, "carrier_lifetime": 0.5e-9}
    out = through(ring(**settings), waveforms.constant(5e-4), 1e-8, 4e11, settle=1e-8)
    last = dict(zip(out.state_name.values, out.state.values[:, -1], strict=True))
    energy = last["part.field_re[0]"] ** 2 + last["part.field_im[0]"] ** 2
    fsr = C_UM / (4.19088 * 2 * math.pi * 10.0)
    circulating = energy * fsr
    # Pairs per s and m: beta P**2/(2 h nu A), over the area A: per m**3.
    pairs = 7.9e-12 * circulating**2 / (2 * PLANCK * C_UM / 1.55 * 1e-13**2) * 1e-6
    assert last["part.carrier_density"] == pytest.approx(pairs * 0.5e-9, rel=1e-3)
    # What enters leaves, is scattered, or is absorbed: energy is constant, so powers balance.
    speed = C_UM * 1e-6 / 4.19088
    density = last["part.carrier_density"]
    absorbed = 100 * (8.88e-21 * density**1.167 + 5.84e-20 * density**1.109)
    loss = 2.5 * math.log(10) / 10 * 100 * speed
    spent = energy * (loss + speed * (7.9e-12 * circulating / 1e-13 + absorbed))
    assert 5e-4 - power(out)[-1] == pytest.approx(spent, rel=1e-3)


def test_nonlinear_ring_far_faster_than_the_samples_takes_one_step_where_its_light_stays() -> None:
    """All light coupled: the field lives for half a picosecond, 23 steps a sample, and heat for nanoseconds.

    Faint light in closed form; strong light, which stays, rises and stays, at four times the rate.
    """
    settings = {"coupling": 1.0, "thermal_time": 2e-9}
    one = ps.Circuit(
        {
            "instances": {"ring": {"component": "nonlinear_ring", "settings": settings}},
            "ports": {"in": "ring,o1", "out": "ring,o4"},
            "terminate": ["ring,o2", "ring,o3"],
        },
        windows="ignore",
    )
    faint = ps.transient(one, 1e-10, sample_rate=1e11, inputs={"in": 1e-9}, wl=1.55, probes=["out"])
    speed, ng = 299_792_458.0, 4.19088
    bus = speed / (ng * 2 * np.pi * 10e-6)
    loss = 2.5 * 100 * np.log(10) / 10 * speed / ng
    expected = np.sqrt(1e-9) * (1 - 2 * bus / (bus + loss))
    assert faint.wave.values[0, 0, -1] == pytest.approx(expected, rel=1e-6)
    light = waveforms.step(at=1e-9, low=1e-3, high=0.1, rise=300e-12, bandwidth=3e9)
    waves = []
    for rate in (1e11, 4e11):
        out = ps.transient(one, 4e-9, sample_rate=rate, inputs={"in": light}, wl=1.5505, probes=["out"])
        waves.append(out.wave.values[0, 0, :: round(rate / 1e11)])
    np.testing.assert_allclose(waves[0], waves[1], rtol=0, atol=1e-3 * np.abs(waves[1]).max())
