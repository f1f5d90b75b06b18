"""Laws of what numbers are said to mean: indices, phases, dispersion, circumference, gain, power of light."""

from __future__ import annotations

from typing import Any

import numpy as np

from photosim.conventions import ROOM_TEMPERATURE_K, SPEED_OF_LIGHT_UM_S
from photosim.testing.guide_laws import HALF_DB, is_guide
from photosim.testing.law import LAWS, Example
from photosim.testing.linear_laws import sealed
from photosim.testing.subjects import Assembly, Formula, Light, Linear, Table

_SIZES = ("delta_width", "delta_height", "width", "height")
"""Settings that change indices and group index beside their own."""


def _as_drawn(subject: Linear, example: Example) -> dict[str, Any]:
    """Return an example's settings for a guide of the stated indices: as drawn, at room temperature."""
    own = {n: subject.parameters[n].default for n in _SIZES if n in subject.parameters}
    own |= {"temperature": ROOM_TEMPERATURE_K} if "temperature" in subject.parameters else {}
    return {**example.settings, **own}


def _indexed(subject: Any) -> bool:
    return is_guide(subject) and "wl0" in subject.parameters


@LAWS.declare(
    "phase constant",
    "At wl0 and 300 K the phase of a guide is 2 pi n_eff L / wl0",
    "arg S21(wl0) = 2 pi n_eff L / wl0",
    tolerance=1e-9,
    why="rounding errors of phases of thousands of radians",
    source="saleh2019",
    applies=_indexed,
)
def _phase_constant(subject: Linear, example: Example) -> float:
    settings = _as_drawn(subject, example)
    wl0, length, neff = (float(settings[name]) for name in ("wl0", "length", "neff"))
    s = subject.s(np.array([wl0]), settings)[0, 1, 0]
    if abs(s) < 1e-6:
        return 0.0  # too dark to have a phase
    return float(abs(s / abs(s) - np.exp(2j * np.pi * neff * length / wl0)))


@LAWS.declare(
    "dispersion",
    "The group delay of a guide increases by D L per unit of wavelength",
    "d tau / d wl = D L at wl0",
    tolerance=1e-4,
    why="second differences of the phase, over 1e-3 of the frequency",
    source="saleh2019",
    applies=lambda subject: _indexed(subject) and "dispersion" in subject.parameters,
    every=2,
)
def _dispersion(subject: Linear, example: Example) -> float:
    settings = _as_drawn(subject, example)
    wl0, length, stated = (float(settings[name]) for name in ("wl0", "length", "dispersion"))
    middle = SPEED_OF_LIGHT_UM_S / wl0
    step = 1e-3 * middle
    s = subject.s(SPEED_OF_LIGHT_UM_S / (middle + step * np.array([-1.0, 0.0, 1.0])), settings)[:, 1, 0]
    if np.abs(s).min() < 1e-3:
        return 0.0
    by_frequency = np.angle(s[2] * s[0] / s[1] ** 2) / (2 * np.pi * step**2)  # d tau / df
    expected = -stated * 1e-12 * length * wl0**2 / SPEED_OF_LIGHT_UM_S  # 1e-12: um**2 in a s/m**2
    least = 1e-4 * 1e-12 * 10.0 * wl0**2 / SPEED_OF_LIGHT_UM_S
    return float(abs(by_frequency - expected) / max(abs(expected), least))


_DRIVES = {"phase": None, "power": "power_pi", "voltage": "v_pi"}
"""Settings that turn a phase, and those that say how much of them turns it by pi; None: it is the phase."""


def _turns(subject: Any) -> list[str]:
    """Return the settings that do nothing to a two-port but turn its phase by a stated amount."""
    if not isinstance(subject, Formula) or len(subject.ports) != 2:
        return []
    own = set(subject.parameters)
    if own & {"extinction_dB", "radius", "coupling"}:
        return []
    return [n for n, half in _DRIVES.items() if n in own and (half is None or half in own)]


@LAWS.declare(
    "stated phase",
    "A phase shifter changes the phase by its setting, or by pi times its drive over its X_pi",
    "S21(phase + d) = S21(phase) exp(i d) at wl0",
    tolerance=1e-9,
    why="rounding errors of phases of thousands of radians",
    source="saleh2019",
    applies=lambda subject: bool(_turns(subject)),
)
def _stated_phase(subject: Linear, example: Example) -> float:
    wl = np.array([float(example.settings.get("wl0", example.wl[0]))])
    worst = 0.0
    for name in _turns(subject):
        start, half = float(example.settings[name]), _DRIVES[name]
        unit = 1.0 if half is None else float(example.settings[half]) / np.pi
        if unit <= 0.0:
            continue
        moved = (
            start + 0.7 * unit if start + 0.7 * unit <= subject.parameters[name].high else start - 0.7 * unit
        )
        settings = {**example.settings, name: moved}
        before, after = subject.s(wl, example.settings), subject.s(wl, settings)
        expected = before[0, 1, 0] * np.exp(1j * (moved - start) / unit)
        worst = max(worst, float(abs(after[0, 1, 0] - expected)))
    return worst


def _goes_round(subject: Any) -> bool:
    own = set(getattr(subject, "parameters", {}))
    round_ones = isinstance(subject, Formula | Assembly) and {"radius", "neff", "wl0"} <= own
    return round_ones and not own & {"p", "length_extension"}  # bends that are not circles


@LAWS.declare(
    "circumference",
    "A ring whose circumference is one wavelength longer has a resonance at the same place; one "
    "that is half a wavelength longer does not",
    "|S(n_eff + wl0 / L)| = |S(n_eff)|, |S(n_eff + wl0 / 2 L)| != |S(n_eff)|, L = 2 pi radius + sides",
    tolerance=1e-6,
    why="rounding errors of an S-matrix near resonances with a finesse of up to 10,000",
    source="bogaerts2012",
    applies=_goes_round,
    every=5,
)
def _circumference(subject: Linear, example: Example) -> float:
    settings, wl = dict(example.settings), example.wl[:1]
    sides = sum(float(settings.get(name, 0.0)) for name in ("length_x", "length_y"))
    around = 2 * np.pi * float(settings["radius"]) + 2 * sides
    if around < 1.0 or sealed(subject, example):
        return 0.0
    turn = float(settings["wl0"]) / around

    def moved(part: float) -> Any:
        return np.abs(subject.s(wl, {**settings, "neff": float(settings["neff"]) + part * turn}))

    start = moved(0.0)
    if not np.isfinite(start).all() or np.abs(moved(0.3) - start).max() < 1e-3:
        return 0.0  # a bend, whose index is seen in the phase alone
    whole = np.abs(moved(1.0) - start).max()
    # Of a ring that is twice as long half a turn is a whole one, wherever on a resonance it starts.
    others = [np.abs(moved(at + 0.5) - moved(at)).max() for at in (0.0, 0.1, 0.2)]
    return float(max(whole, 1.0 if max(others) < 1e-6 else 0.0))


@LAWS.declare(
    "stated gain",
    "A gain setting 3.0103 dB higher doubles the power",
    "|S21(G + 3.0103 dB)|^2 = 2 |S21(G)|^2 at wl0",
    tolerance=1e-9,
    why="rounding errors",
    source="saleh2019",
    applies=lambda subject: isinstance(subject, Formula) and "gain_dB" in subject.parameters,
)
def _stated_gain(subject: Linear, example: Example) -> float:
    wl = np.array([float(example.settings.get("wl0", example.wl[0]))])
    less = min(float(example.settings["gain_dB"]), subject.parameters["gain_dB"].high - HALF_DB)
    once, twice = (
        np.abs(subject.s(wl, {**example.settings, "gain_dB": gain})[0, 1, 0]) ** 2
        for gain in (less, less + HALF_DB)
    )
    return float(abs(twice / (2 * once) - 1))


@LAWS.declare(
    "stated power",
    "A source with one line emits the power of its setting, in W",
    "sum P = power",
    tolerance=1e-9,
    why="rounding errors",
    source="saleh2019",
    applies=lambda subject: isinstance(subject, Light) and "power" in subject.parameters,
)
def _stated_power(subject: Light, example: Example) -> float:
    one = {"lines": 1} if "lines" in subject.model.parameters else {}
    stated = float(example.settings["power"])
    _, power = subject.model.lines(**{**example.settings, **one})
    return float(abs(np.sum(power) - stated) / max(stated, 1e-6))


POINTS, EARLY = 1024, 3
"""Points of the spectrum, and those of the response on either side of 0 that its window spreads over."""
FEWEST = 32
"""Wavelengths of a table below which its response says nothing."""


@LAWS.declare(
    "delay of a table",
    "Most of the light that enters a table leaves it after, not before, it has entered",
    "sum |h(t < 0)|^2 <= 0.7 sum |h(t)|^2, t = 0 apart",
    tolerance=0.7,
    why="measurement noise, and tables without phases, whose light is half before and half after time 0",
    source="haus1984",
    applies=lambda subject: isinstance(subject, Table) and subject.table.frequency_Hz.size >= FEWEST,
    every=50,
)
def _table_delay(subject: Table, example: Example) -> float:
    """Phases of the other sign: some programs write exp(+i omega t), and some readers forget to conjugate."""
    del example
    given, s = subject.table.frequency_Hz, subject.table.s
    frequency = np.linspace(given[0], given[-1], POINTS)
    flat = s.reshape(len(s), -1)
    grid = np.array(
        [np.interp(frequency, given, y.real) + 1j * np.interp(frequency, given, y.imag) for y in flat.T]
    )
    turns = np.abs(np.angle(flat[1:] * flat[:-1].conj()))
    strong = np.abs(flat[1:]) > 1e-2 * np.abs(flat).max(axis=0)
    told = np.max(np.where(strong, turns, 0.0), axis=0) < np.pi / 2
    told &= np.abs(flat).max(axis=0) > 0.1
    response = np.abs(np.fft.fft(grid * np.blackman(POINTS), axis=1)) ** 2
    reach = min(POINTS, given.size) // 2  # beyond it stand the images of lines drawn between points
    before = response[:, POINTS - reach : POINTS - EARLY].sum(axis=1)
    after = response[:, EARLY + 1 : reach + 1].sum(axis=1)
    told &= before + after > 1e-4 * response.sum(axis=1)
    return float(np.max(np.where(told, before / np.maximum(before + after, 1e-300), 0.0), initial=0.0))
