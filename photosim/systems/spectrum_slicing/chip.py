"""Circuits of the programmable chip, from stated syntheses, beside what was measured on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from photosim.analysis.result import Table
from photosim.analysis.routing import Route, Router
from photosim.systems.harness.system import Outcome, Report
from photosim.training.arrays import FloatArray

FACET_dB, ROUTING_dB, CELL_dB = 3.34, 7.0, 0.5
"""Losses of the data sheet: a facet, the way to and from the mesh, a cell."""
BUS = 0.5
"""Coupling of the outer rings to their buses."""
NOTCH_BUS = 0.6
"""The same of the notch, above the 0.5 at which one ring alone takes all light of its resonance."""
IDEAL: dict[str, Any] = {"loss_dB": 0.0, "extinction_dB": 400.0}
_STEP = 50e6
_NAMES = ("ring of six cells, free spectral range, GHz", "interferometer of two, free spectral range, GHz",
          "second-order notch, depth, dB", "third-order band pass, extinction, dB",
          "third-order lattice, extinction, dB")  # fmt: skip
_MEASURED = (14.98, 44.95, 26.0, 23.0, 21.0)


def lattice_couplings(order: int) -> list[float]:
    """Return the couplings of a lattice whose field is ((1 + z)/2)**order: maximally flat (jinguji1995).

    Its complement is the factor of 1 - |field|**2 with zeros inside the unit circle; couplers are taken off
    one by one, each by the ratio of the first coefficients of both.
    """
    a = np.poly1d([0.5, 0.5]) ** order
    field = np.asarray(a.coeffs)
    power = -np.convolve(field, field[::-1])
    power[order] += 1.0
    roots = np.roots(power)
    inner = sorted(roots, key=abs)[:order]
    other = np.real(np.poly(inner))
    other *= np.sqrt((1.0 - field @ field) / (other @ other))
    if field[0] * field[-1] * other[0] * other[-1] > 0.0:
        other = -other
    found = []
    for _ in range(order + 1):
        angle = np.arctan2(other[0], field[0])
        found.append(float(np.sin(angle) ** 2))
        field, other = (
            np.cos(angle) * field + np.sin(angle) * other, -np.sin(angle) * field + np.cos(angle) * other
        )  # fmt: skip
        field, other = field[:-1], other[1:]
    return found[::-1]


def matched(bus: float) -> float:
    """Return the coupling of two rings that leaves a bus dark on resonance, the loss of six cells counted.

    With t the fields that stay, a the amplitude of a turn: t1 = t0 (a + 1/a)/(1 + t0**2), so that what the
    second ring sends back cancels the light that passes.
    """
    a, stays = 10 ** (-6 * CELL_dB / 20), np.sqrt(1.0 - bus)
    return float(1.0 - (stays * (a + 1.0 / a) / (1.0 + stays**2)) ** 2)


def circuits(_seed: int, _path: Path, report: Report) -> Mapping[str, Any]:
    """Return spectral ranges in GHz, depths and losses in dB of routed circuits, and couplings used.

    Phases are tuned in a mesh of ideal cells; the data sheet's losses and 35 dB then give the depths.
    """
    router = Router()
    ring = router.rings([(0, 0)], [0.1, 0.1]).tune([(0.0, "drop", -1.0)], **IDEAL)
    offset = np.arange(-8e9, 16e9, _STEP)
    found = [_range(offset, ring.power(offset, "drop"))]
    report(1, 5)
    two = router.lattice([(0, 0)], [0.5, 0.5]).tune([(0.0, "cross", -1.0)], **IDEAL)
    wide = np.arange(-24e9, 48e9, 4 * _STEP)
    found.append(_range(wide, two.power(wide, "cross")))
    report(2, 5)
    notch = router.rings([(0, 0), (1, 0)], [NOTCH_BUS, matched(NOTCH_BUS), NOTCH_BUS])
    notch = notch.tune([(0.0, "drop", -1.0)], **IDEAL)
    band = np.arange(-7.4e9, 7.4e9, _STEP)
    found.append(_depth(notch.power(band, "through")))
    report(3, 5)
    # Maximally flat (little1997): from ring to ring an eighth of the square of the outer coupling.
    chain = router.rings([(-1, 0), (0, 0), (1, 0)], [BUS, BUS**2 / 8, BUS**2 / 8, BUS])
    chain = chain.tune([(0.0, "drop", -1.0)], **IDEAL)
    found.append(_depth(chain.power(band, "drop")))
    report(4, 5)
    lattice = router.lattice([(-1, -1), (0, 0), (2, -1)], lattice_couplings(3))
    goals = [(0.0, "cross", -1.0), (22.2e9, "cross", 1.0), (19e9, "cross", 1.0), (25.4e9, "cross", 1.0)]
    lattice = lattice.tune(goals, **IDEAL)
    ends = lattice.power([0.0, 22.2e9], "cross")
    found.append(float(10 * np.log10(ends[0] / ends[1])))
    report(5, 5)
    dark, cells = _path_loss(router)
    shown = {"notch": notch, "chain": chain, "lattice": lattice}
    couplings = {
        name: [float(k) for k in route.couplings.values() if 0.0 < k < 1.0] for name, route in shown.items()
    }
    return {"found": found, "path": dark + 2 * FACET_dB + ROUTING_dB, "cells": cells, **couplings}


def _path_loss(router: Router) -> tuple[float, int]:
    """Return the loss in dB of a way along cells that all keep or cross light, and their number."""
    route: Route = router.rings([(0, 0)], [0.0], drop=False)
    straight = replace(route, outputs={"through": route.outputs["through"]})
    loss = -10.0 * np.log10(straight.power([0.0], "through")[0])
    return float(loss), route.access["in"] + route.access["through"] + 1


def _range(offset: FloatArray, power: FloatArray) -> float:
    """Return the distance in GHz of the first two maxima, vertices of parabolas."""
    before, middle, after = power[:-2], power[1:-1], power[2:]
    at = (middle > before) & (middle > after)
    shift = (before - after)[at] / (2.0 * (before - 2.0 * middle + after)[at])
    peaks = offset[1:-1][at] + shift * (offset[1] - offset[0])
    return float(np.diff(peaks)[0] / 1e9)


def _depth(power: FloatArray) -> float:
    return float(10.0 * np.log10(power.max() / power.min()))


def table(outcome: Outcome) -> Table | None:
    """Return what the chip's circuits do beside what was measured."""
    if not outcome.of("mesh"):
        return None
    own = outcome.of("mesh")[0]
    rows = [
        (name, f"{measured:g}", f"{found:.2f}")
        for name, measured, found in zip(_NAMES, _MEASURED, own["found"], strict=True)
    ]
    stated = 2 * FACET_dB + ROUTING_dB + own["cells"] * CELL_dB
    label = f"loss of a way of {own['cells']} cells, facets and routing, dB (sum of the data sheet's)"
    return Table(
        "Circuits routed in the mesh", ("circuit", "measured", "ours"),
        (*rows, (label, f"{stated:.2f}", f"{own['path']:.2f}")),
    )  # fmt: skip
