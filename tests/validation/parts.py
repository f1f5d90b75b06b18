"""Single parts against their formulas in thirty digits, the textbook, and figures of mode solvers."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np

import photosim as ps
from photosim.model import ClosedForm, registry
from photosim.model.algebra import MpmathAlgebra
from photosim.model.codegen import kernels
from tests.validation.rows import PARTS, row

WL = np.array([1.31, 1.5437, 1.55, 1.6])
GUIDE = {"neff": 2.44553, "ng": 4.19088}
_EPS = float(np.finfo(float).eps)
_NEAR = mpmath.mpf("1e-18")
"""Change of a wavelength, of itself, that shows how much an element turns for a rounding."""
SOLVED_KAPPA = {0.1: 0.1114, 0.2: 0.0432, 0.3: 0.01793, 0.4: 0.00754}
"""Field coupling per um at 1.55 um of strips of 500 x 220 nm by gap in um: EMpy 2.2.3, a grid of 20 nm."""
HALF_RING = {1.50: 0.0529, 1.525: 0.0635, 1.55: 0.0763, 1.575: 0.0907, 1.60: 0.1080}
"""Power that crosses by wavelength in um: SiEPIC's half ring, gap 100 nm, radius 10 um, solved in 3-D."""


def alone(component: str, **settings: Any) -> ps.Circuit:
    """Return a circuit of one instance, `part`, with all its ports exposed."""
    ports = {p: ("part", p) for p in registry.get(component).ports_for(settings)}
    return ps.Circuit(ps.Netlist({"part": ps.part(component, **settings)}, ports=ports))


def closed_forms() -> list[ClosedForm]:
    """Return the library's components that are formulas."""
    found = [registry.get(name) for name in registry.names()]
    return [model for model in found if isinstance(model, ClosedForm)]


@row(
    PARTS,
    "kernels of all closed-form components at their defaults",
    "their formulas in 30 digits",
    measure="roundings of the wavelength",
    limit=10.0,
)
def kernels_in_thirty_digits() -> float:
    worst = 0.0
    with mpmath.workdps(30):
        for model in closed_forms():
            kernel = kernels(model)
            values = {name: float(model.defaults[name]) for name in kernel.parameters}
            out = np.zeros((1, 1, kernel.values, 2, WL.size))
            kernel.evaluate(WL[np.newaxis], np.array([[[values[name] for name in kernel.parameters]]]), out)
            numbers = {name: _number(value) for name, value in {**model.defaults, **values}.items()}
            for k, wl in enumerate(WL):
                exact, beside = (
                    model.entries(MpmathAlgebra(), mpmath.mpf(wl) * (1 + part), numbers)
                    for part in (0, _NEAR)
                )
                for pair, place in kernel.value_of.items():
                    found = complex(out[0, 0, place, 0, k], out[0, 0, place, 1, k])
                    turned = abs(complex((beside[pair] - exact[pair]) / _NEAR))
                    rounding = _EPS * (1.0 + abs(complex(exact[pair])) + turned)
                    worst = max(worst, abs(found - complex(exact[pair])) / rounding)
    return worst


def _number(value: Any) -> Any:
    return mpmath.mpf(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


@row(
    PARTS,
    "`ring_single` and `ring_double`, composed of their parts",
    "Airy sums of all round trips",
    measure="amplitude",
    limit=1e-11,
)
def rings_against_airy() -> float:
    wl, worst = np.linspace(1.53, 1.57, 401), 0.0
    for radius, coupling, loss in ((5.0, 0.03, 12.0), (10.0, 0.5, 0.0), (7.3, 0.9, 50.0)):
        single = {"radius": radius, "coupling": coupling, "loss_dB_cm": loss, **GUIDE}
        for name, settings in (("ring_single", single), ("ring_double", {**single, "coupling_drop": 0.2})):
            ideal: Any = registry.get(f"{name}_ideal")
            exact = ideal.s(wl, **settings)
            worst = max(worst, float(np.abs(alone(name, **settings)(wl).values - exact).max()))
    return worst


@row(
    PARTS,
    "`bragg_grating` of 40 periods, apodised and shifted",
    "transfer matrices, layer by layer",
    measure="amplitude",
    limit=1e-11,
)
def grating_against_layers() -> float:
    wl, periods, kappa, apodization, shift = np.linspace(1.54, 1.56, 11), 40, 0.3, 2.0, 1.0
    model: Any = registry.get("bragg_grating")
    shape = {"periods": periods, "kappa": kappa, "apodization": apodization, "shift": shift}
    exact = np.array([_layers(float(w), periods, kappa, apodization, shift) for w in wl])
    return float(np.abs(model.s(wl, **shape) - exact).max())


def _layers(wl: float, periods: int, kappa: float, apodization: float, shift: float) -> Any:
    index = 2.44553 - (wl - 1.55) * (4.19088 - 2.44553) / 1.55
    total, before = np.eye(2, dtype=complex), index

    def enter(n: float) -> Any:
        ratio = np.sqrt(n / before)
        return np.array([[ratio + 1 / ratio, 1 / ratio - ratio], [1 / ratio - ratio, ratio + 1 / ratio]]) / 2

    for p in range(periods):
        if p == periods // 2:
            total = total @ enter(index)
            total, before = total @ np.diag(np.exp(np.array([-1j, 1j]) * shift * 1.55 / wl)), index
        step = kappa * 1.55 / 4 * np.exp(-apodization * ((2 * p + 1 - periods) / periods) ** 2)
        for n in (index + step, index - step):
            total, before = total @ enter(n), n
            total = total @ np.diag(np.exp(np.array([-1j, 1j]) * 2 * np.pi * n * 1.55 / (4 * 2.44553) / wl))
    total = total @ enter(index)
    through = 1 / total[0, 0]
    return np.array([[total[1, 0] * through, through], [through, -total[0, 1] * through]])


@row(
    PARTS,
    "group index of `straight_strip` at 1.55 um",
    "EMpy 2.2.3, silicon 500 x 220 nm in oxide: 4.170",
    measure="relative",
    limit=0.01,
)
def strip_against_mode_solver() -> float:
    delay = alone("straight_strip", length=100.0)([1.55])["o1", "o2"].group_delay[0]
    return float(abs(delay * ps.conventions.SPEED_OF_LIGHT_UM_S / 100.0 / 4.170 - 1))


@row(
    PARTS,
    "`coupler_straight`, kappa at gaps of 0.1 to 0.4 um",
    "EMpy 2.2.3, supermodes of two strips",
    measure="relative",
    limit=0.03,
)
def gaps_against_mode_solver() -> float:
    model, worst = registry.get("coupler_straight"), 0.0
    assert isinstance(model, ClosedForm)
    for gap, kappa in SOLVED_KAPPA.items():
        length = 0.5 / kappa
        power = np.abs(model.s([1.55], gap=gap, length=length)[0, 2, 0]) ** 2
        worst = max(worst, abs(np.arcsin(np.sqrt(power)) / length / kappa - 1))
    return float(worst)


@row(
    PARTS,
    "`coupler_ring`: gap 100 nm, radius 10 um",
    "SiEPIC's half ring, solved in 3-D",
    measure="power",
    limit=0.005,
)
def half_ring_against_foundry() -> float:
    model = registry.get("coupler_ring")
    assert isinstance(model, ClosedForm)
    wl = np.array(list(HALF_RING))
    power = np.abs(model.s(wl, gap=0.1, radius=10.0, length_x=0.0)[:, 2, 0]) ** 2
    return float(np.abs(power - np.array(list(HALF_RING.values()))).max())


@row(PARTS, "resonance of a warmed `ring_double`, 10 K", "wl dneff_dT / ng", measure="relative", limit=0.005)
def resonance_against_slope() -> float:
    ring = alone(
        "ring_double", coupling=0.01, coupling_drop=0.01, phase=0.0, temperature=300.0, dneff_dT=2e-4, **GUIDE
    )
    grid = np.linspace(1.548, 1.556, 80_001)
    at = [float(grid[ring(grid, part={"temperature": t})["o1", "o2"].power.argmax()]) for t in (300.0, 310.0)]
    return abs((at[1] - at[0]) / (10 * 2e-4 * at[0] / GUIDE["ng"]) - 1)
