"""Laws of guides and of what is made of them: delay, composition, loss, heat, and no length at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from photosim.conventions import ROOM_TEMPERATURE_K, SPEED_OF_LIGHT_UM_S
from photosim.testing.law import LAWS, Example
from photosim.testing.linear_laws import sealed
from photosim.testing.subjects import Assembly, Formula, Linear

HALF_DB = 3.0102999566398120
"""Loss in dB that leaves half of the power."""


def is_guide(subject: Any) -> bool:
    """Return whether a subject is a guide: two matched ports, a length, an index and a group index."""
    if not isinstance(subject, Formula) or len(subject.ports) != 2 or subject.active:
        return False
    own = set(subject.parameters)
    extra = {
        "loss_dB",
        "phase",
        "power",
        "voltage",
        "resistance",
        "current",
        "reflection",
        "delay",
        "angle",
        "turns",
    }
    return {"length", "ng", "neff"} <= own and not own & extra


@LAWS.declare(
    "composition",
    "Two halves of a guide in series are equal to the whole guide",
    "S21(L) = S21(L/2)^2",
    tolerance=1e-10,
    why="rounding errors of phases of thousands of radians",
    source="saleh2019",
    applies=is_guide,
)
def _composition(subject: Linear, example: Example) -> float:
    length = float(example.settings["length"])
    whole = subject.at(example)[:, 1, 0]
    half = subject.at(example, length=length / 2)[:, 1, 0]
    return float(np.abs(whole - half**2).max())


@LAWS.declare(
    "group delay",
    "The group delay of a guide is n_g L / c, which is positive",
    "tau = n_g L / c at the guide's own wavelength",
    tolerance=1e-5,
    why="central differences of the phase",
    source="saleh2019",
    applies=is_guide,
    every=2,
)
def _group_delay(subject: Linear, example: Example) -> float:
    wl0, length = float(example.settings.get("wl0", 1.55)), float(example.settings["length"])
    frequency = SPEED_OF_LIGHT_UM_S / wl0 * (1.0 + np.array([-1e-7, 1e-7]))
    sizes = ("delta_width", "delta_height", "width", "height")
    drawn = {name: subject.parameters[name].default for name in sizes if name in subject.parameters}
    s = subject.s(SPEED_OF_LIGHT_UM_S / frequency, {**example.settings, **drawn})[:, 1, 0]
    delay = np.angle(s[1] / s[0]) / (2 * np.pi * (frequency[1] - frequency[0]))
    ng = float(example.settings["ng"])
    warm = float(example.settings.get("temperature", 0.0)) != 0.0 and "dneff_dT" in example.settings
    if warm:
        ng += float(example.settings["dneff_dT"]) * (
            float(example.settings["temperature"]) - ROOM_TEMPERATURE_K
        )
    expected = ng * length / SPEED_OF_LIGHT_UM_S
    return float(abs(delay - expected) / max(10.0 / SPEED_OF_LIGHT_UM_S, expected))


def _warms(subject: Any) -> bool:
    return is_guide(subject) and {"temperature", "dneff_dT"} <= set(subject.parameters)


@LAWS.declare(
    "temperature",
    "The phase of a guide changes by 2 pi L (dn_eff/dT) dT / wl with its temperature",
    "d phi / dT = 2 pi L (dn_eff/dT) / wl",
    tolerance=1e-9,
    why="rounding errors of phases of thousands of radians",
    source="komma2012",
    applies=_warms,
)
def _temperature(subject: Formula, example: Example) -> float:
    kelvin = 10.0
    cold = float(example.settings["temperature"])
    before = subject.at(example)[:, 1, 0]
    after = subject.at(example, temperature=cold + kelvin)[:, 1, 0]
    slope, length = float(example.settings["dneff_dT"]), float(example.settings["length"])
    expected = 2 * np.pi * length * slope * kelvin / example.wl
    return float(np.abs(after - before * np.exp(1j * expected)).max())


@LAWS.declare(
    "zero length",
    "A guide of length 0 does not change the light",
    "S21(L = 0) = 1",
    tolerance=1e-12,
    why="rounding errors",
    source="saleh2019",
    applies=is_guide,
)
def _zero_length(subject: Linear, example: Example) -> float:
    s = subject.at(example, length=0.0)
    return float(np.abs(s - np.array([[0, 1], [1, 0]])).max())


def _loses(subject: Any) -> bool:
    if not isinstance(subject, Formula) or subject.active:
        return False
    own = set(subject.parameters)
    per_length = (is_guide(subject) and "loss_dB_cm" in own) or {"loss_dB_km", "length_km"} <= own
    return "loss_dB" in own or per_length


@LAWS.declare(
    "energy balance",
    "A loss setting of 3.0103 dB halves the power, of a component or along a guide",
    "sum |S(3.0103 dB)|^2 = sum |S(0)|^2 / 2",
    tolerance=1e-9,
    why="rounding errors",
    source="saleh2019",
    applies=_loses,
)
def _energy_balance(subject: Linear, example: Example) -> float:
    own, worst = subject.parameters, 0.0
    mirrors = {n: 0.0 for n in example.settings if "reflection" in n or "isolation" in n}
    for name, length in (
        ("loss_dB", {}),
        ("loss_dB_cm", {"length": 1e4}),
        ("loss_dB_km", {"length_km": 1.0}),
    ):
        if name not in own or not set(length) <= set(own) or (name == "loss_dB_cm" and not is_guide(subject)):
            continue
        fixed = {**mirrors, **length}
        full = np.sum(np.abs(subject.at(example, **{**fixed, name: 0.0})) ** 2, axis=(-2, -1))
        half = np.sum(np.abs(subject.at(example, **{**fixed, name: HALF_DB})) ** 2, axis=(-2, -1))
        worst = max(worst, float(np.abs(half - full / 2).max()))
    return worst


_LOSSES = ("dB", "dB/cm", "dB/km")


def _losses(subject: Any) -> list[str]:
    """Return the settings of a part that take power away."""
    if not isinstance(subject, Formula | Assembly) or subject.active:
        return []
    found = subject.parameters.items()
    return [n for n, p in found if "loss" in n and p.unit in _LOSSES and p.kind == "real" and p.low == 0]


@LAWS.declare(
    "no loss",
    "With all loss settings at 0, a component loses the least",
    "sum_j |S_ji(loss = 0)|^2 >= sum_j |S_ji(loss)|^2",
    tolerance=1e-9,
    why="rounding errors of an S-matrix near resonances with a finesse of up to 10,000",
    source="haus1984",
    applies=lambda subject: bool(_losses(subject)),
    every=2,
)
def _no_loss(subject: Linear, example: Example) -> float:
    none = dict.fromkeys(_losses(subject), 0.0)
    if sealed(subject, example) or sealed(subject, Example(example.wl, {**example.settings, **none})):
        return 0.0
    least, power = (
        np.sum(np.abs(s) ** 2, axis=-2) for s in (subject.at(example, **none), subject.at(example))
    )
    more = power - least
    if isinstance(subject, Assembly):
        # Where light ends inside even without loss, loss may turn interference towards the ports.
        more = np.where(least > 1.0 - 1e-9, more, 0.0)
    return float(more.max())


def _resonates(subject: Any) -> bool:
    own = set(getattr(subject, "parameters", {}))
    shifted = isinstance(subject, Formula | Assembly) and {"temperature", "dneff_dT", "ng", "neff"} <= own
    shifted = shifted and not any(n.startswith("ng_") for n in own)  # of two guides each has a shift
    # What a coupler, a gain curve or a drive does at a wavelength does not shift with the index.
    return shifted and not own & {
        "gap",
        "fwhm",
        "detuning",
        "power_pi",
        "gap_top",
        "gap_bot",
        "phase",
        "power",
        "voltage",
        "coupling_slope",
    }


@LAWS.declare(
    "shift with temperature",
    "Spectra shift by wl (dn_eff/dT) / n_g per kelvin",
    "S(wl + wl dn_eff/dT dT/n_g, T + dT) = S(wl, T)",
    tolerance=1e-2,
    why="first order in a shift of 1e-4 K, relative to the change without the shift",
    source="komma2012",
    applies=_resonates,
    every=5,
)
def _shift(subject: Linear, example: Example) -> float:
    kelvin = 1e-4
    drawn = {n: subject.parameters[n].default for n in ("width", "height") if n in subject.parameters}
    settings = {**example.settings, **drawn, **{n: 0.0 for n in _FIXED if n in subject.parameters}}
    wl0 = float(settings.get("wl0", example.wl[0]))
    slope, warm = float(settings["dneff_dT"]), float(settings["temperature"])
    group = float(settings["ng"]) + slope * (warm - ROOM_TEMPERATURE_K)
    here = np.array([wl0])
    hot = {**settings, "temperature": warm + kelvin}
    before, after = subject.s(here, settings), subject.s(here, hot)
    moved = subject.s(here * (1 + slope * kelvin / group), hot)
    return float(np.abs(moved - before).max() / (np.abs(after - before).max() + 1e-9))


_FIXED = ("delta_width", "delta_height", "dispersion", "phase", "shift")
"""Settings that change the group index beside its own, and phases that do not move with the index."""
