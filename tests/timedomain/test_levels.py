"""Driven parts over time by polynomials, against their formulas; light that its samples show to be smooth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import photosim as ps
from photosim import waveforms
from photosim.errors import ParameterError
from photosim.timedomain import beats
from photosim.timedomain.band import MADE, SHOWN
from photosim.timedomain.beats import check_driven
from photosim.timedomain.content import share_and_worst
from photosim.timedomain.engine import carried
from photosim.timedomain.levels import Levels, over_time
from photosim.timedomain.scattering import scattering
from photosim.timedomain.spectral import passed

if TYPE_CHECKING:
    from photosim.timedomain.run import Run

C_UM = 299_792_458.0e6
SAMPLES = 70_000


def run_of(component: str, settings: dict[str, Any], wave: Any, rate: float = 4e11) -> Run:
    circuit = ps.Circuit(
        {
            "instances": {
                "laser": {"component": "laser", "settings": {"power": 1e-3}},
                "part": {"component": component, "settings": settings},
                "pd": {"component": "photodetector", "settings": {"bandwidth": 20e9}},
            },
            "connections": {"laser,o1": "part,o1", "part,o2": "pd,o1"},
        }
    )
    run = carried(
        circuit, SAMPLES / rate, sample_rate=rate, drive={"part.voltage": wave}, inputs=None, wl=None,
        probes=(), noise=False, seed=0, settle=0.0, quasi_static=True, energies=False, settings={},
        corrections={},
    ).run  # fmt: skip
    assert run is not None
    return run


BITS = waveforms.prbs(10e9, low=-2.0, high=2.0, order=11)


@pytest.mark.parametrize(
    ("component", "settings", "wave"),
    [
        ("mach_zehnder_modulator", {"bias": 2.0}, BITS),
        ("mach_zehnder_modulator", {"v_pi": 1.0, "chirp": 0.7}, BITS),
        ("phase_modulator", {}, waveforms.sine(3e9, amplitude=5.0)),
    ],
)
def test_polynomials_are_the_part_to_rounding(component: str, settings: dict[str, Any], wave: Any) -> None:
    run = run_of(component, settings, wave)
    (element,) = run.cut.elements
    frequencies = C_UM / np.array([1.55, 1.5502])
    every = list(range(len(element.paths)))
    found = over_time(run.drives, element, frequencies, every)
    assert isinstance(run.drives.tables["levels", element.name, element.kind, frequencies.tobytes()], Levels)
    right = scattering(run.drives, element, np.arange(100, SAMPLES), frequencies)
    np.testing.assert_allclose(found(100, SAMPLES), right, rtol=0, atol=4e-15 * np.abs(right).max())
    for some in ([0], every[::-1]):
        few = over_time(run.drives, element, frequencies, some)
        np.testing.assert_array_equal(few(100, SAMPLES), found(100, SAMPLES)[:, :, some])


@pytest.mark.parametrize("part", ["ring_modulator", "mach_zehnder_modulator"])
def test_a_part_that_polynomials_do_not_follow_is_asked_itself(part: str) -> None:
    """Light turns hundreds of times round a ring: no polynomial follows the rounding of its phase."""
    v_pi = {"v_pi": 0.01} if part == "mach_zehnder_modulator" else {}
    wave = waveforms.sine(1e5, offset=4.0, amplitude=4.0)
    run = run_of(part, {**v_pi, "bandwidth": 0.0}, wave)
    (element,) = run.cut.elements
    frequency = np.array([C_UM / 1.55])
    right = scattering(run.drives, element, np.arange(50), frequency)
    for paths in (list(range(len(element.paths))), [0]):
        found = over_time(run.drives, element, frequency, paths)(0, 50)
        np.testing.assert_array_equal(found, right[:, :, paths])


@pytest.mark.parametrize("v_pi", [4.0, 1.0, 0.25])
@pytest.mark.parametrize("rate", [50e9, 100e9, 400e9, 1e12])
@pytest.mark.filterwarnings("ignore:The sample rate of .* is low")
def test_what_is_called_smooth_makes_nothing_that_is_said(
    monkeypatch: pytest.MonkeyPatch, v_pi: float, rate: float
) -> None:
    """The samples alone, against the light on the finer clock, from gentle to violent modulation."""
    told, shares = [], []

    def kept(*arguments: Any, **options: Any) -> tuple[float, float]:
        shares.append(share_and_worst(*arguments, **options))
        return shares[-1]

    monkeypatch.setattr(beats, "share_and_worst", kept)
    for wave in (BITS, waveforms.sine(4e9, amplitude=2.0), waveforms.pulse(at=1e-8, width=0.5e-10)):
        try:
            run = run_of("mach_zehnder_modulator", {"v_pi": v_pi, "bias": 1.0}, wave, rate)
        except ParameterError:  # too much even for the finer clock
            continue
        (element,) = run.cut.elements
        light = {0: np.array([0.03 + 0j])}
        carrier = float(run.clock.carriers[0])
        found, _, _ = passed(run.drives, element, carrier, light, run.drives.few(), {0: None})
        told.append(beats._smooth(run.drives, element, carrier, found))
        if told[-1]:
            shares.clear()
            check_driven(run.drives, element, carrier, light, "the light")
            ((share, worst),) = shares
            assert share < MADE
            assert worst < SHOWN
    if (v_pi, rate) == (4.0, 1e12):
        assert all(told)
    if (v_pi, rate) == (0.25, 100e9):
        assert not any(told)


def test_harmonics_between_the_samples_are_not_smooth() -> None:
    """A drive that turns light by a whole turn from sample to sample, which its samples do not show."""
    ramp = waveforms.Waveform(lambda t: 4e9 * np.minimum(t, 8e-9))
    with pytest.raises(ParameterError, match="too low for the light out of 'part'"):
        run_of("phase_modulator", {"v_pi": 0.005, "bandwidth": 0.0}, ramp)
