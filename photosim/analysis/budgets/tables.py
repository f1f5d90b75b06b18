"""The Dataset of a budget: rows with their intervals, the way of the light, detectors, constants."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.budgets.costs import BOUNDS, CYCLE, STATIC
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.netlist.forms import NameList, Positive
from photosim.netlist.mappings import read

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray

    from photosim.analysis.budgets.constants import Constant
    from photosim.analysis.budgets.costs import Costs, Intervals
    from photosim.analysis.budgets.optics import Optics

    FloatArray = NDArray[np.float64]

CATEGORIES = ("laser", *STATIC, *CYCLE)
"""What rows that cost power may be."""


@dataclass(frozen=True)
class Published:
    """A published energy to compare with, in J.

    per: operation, bit or cycle.  without: categories that the published number leaves out.
    """

    name: str
    value: Positive
    per: str = "operation"
    without: NameList = field(default_factory=tuple)
    source: str = ""


def read_published(
    entries: Sequence[Mapping[str, Any]], present: Collection[str], per_cycle: Mapping[str, float]
) -> tuple[Published, ...]:
    """Return published energies; ParameterError for what the budget does not have."""
    found = tuple(
        entry if isinstance(entry, Published) else read(Published, entry, f"published, entry {number}")
        for number, entry in enumerate(entries, 1)
    )
    for entry in found:
        known = ("cycle", *per_cycle)
        if entry.per not in known:
            message = f"published: this budget has no energy per {entry.per!r}. It has: {listing(known)}."
            raise ParameterError(message + did_you_mean(entry.per, known))
        for name in entry.without:
            if name not in CATEGORIES:
                message = f"published: there is no category {name!r}. There are: {listing(CATEGORIES, 20)}."
                raise ParameterError(message + did_you_mean(name, CATEGORIES))
    del present
    return found


def dataset(
    costs: Costs,
    of: Intervals,
    constants: Mapping[str, Constant],
    optics: Optics,
    published: Sequence[Published],
) -> xarray.Dataset:
    """Return the Dataset of a budget."""
    import xarray

    rows = costs.rows
    per = [name.removeprefix("energy ") for name in of.found if name.startswith("energy ")]
    energies = np.array([of.found[f"energy {name}"][: len(rows)] for name in per])
    totals = np.array([of.found[f"energy {name}"][-1] for name in per])
    digital = [
        [0.0] * 3 if len(of.found[f"energy {n}"]) == len(rows) + 1 else of.found[f"energy {n}"][-2]
        for n in per
    ]
    bound = ("bound",)
    variables: dict[str, Any] = {
        "power": (("part", "bound"), of.found["power"][:-1], {"units": "W", "long_name": "electric power"}),
        "static_power": (("part", "bound"), of.found["static_power"][:-1],
                         {"units": "W", "long_name": "electric power whether used or not"}),
        "area": (("part", "bound"), of.found["area"][:-1], {"units": "um^2"}),
        "energy": (("per", "part", "bound"), energies, {"units": "J"}),
        "digital_energy": (("per", "bound"), np.array(digital), {"units": "J", "long_name": "of a computer"}),
        "total_power": (bound, of.found["power"][-1], {"units": "W"}),
        "total_area": (bound, of.found["area"][-1], {"units": "um^2"}),
        "total_energy": (("per", "bound"), totals, {"units": "J"}),
        "absorbed": (("part",), _absorbed(costs, optics), {"units": "W", "long_name": "absorbed light"}),
        "latency": (("stage", "bound"), of.found["latency"][:-1], {"units": "s"}),
        "total_latency": (bound, of.found["latency"][-1], {"units": "s"}),
        "loss_dB": (("element",), np.array([e.loss_dB for e in optics.elements]), {"units": "dB"}),
        "delay": (("element",), np.array([e.delay for e in optics.elements]), {"units": "s"}),
        "power_behind": (("element",), np.array([e.power for e in optics.elements]), {"units": "W"}),
        "snr_dB": (("detector",), np.array([h.snr_dB for h in optics.heard]), {"units": "dB"}),
        "effective_bits": (("detector",), np.array([h.bits for h in optics.heard]), {"units": "1"}),
        "constant_value": (("constant", "bound"),
                           np.array([[c.value, c.low, c.high] for c in constants.values()]), {}),
    }  # fmt: skip
    variables |= _effects(constants, of, per)
    coords: dict[str, Any] = {
        "part": [row.name for row in rows],
        "component": ("part", [row.component for row in rows]),
        "category": ("part", [row.category for row in rows]),
        "count": ("part", [row.count for row in rows]),
        "bound": list(BOUNDS),
        "per": per,
        "stage": [stage.name for stage in costs.stages],
        "element": [e.name for e in optics.elements],
        "detector": [h.name for h in optics.heard],
        "constant": list(constants),
        "constant_units": ("constant", [c.unit for c in constants.values()]),
        "source": ("constant", [c.source for c in constants.values()]),
    }
    if published:
        variables |= _compared(costs, of, published)
        coords["published"] = [entry.name for entry in published]
        coords["published_per"] = ("published", [entry.per for entry in published])
        coords["published_source"] = ("published", [entry.source for entry in published])
    return xarray.Dataset(variables, coords=coords)


def _absorbed(costs: Costs, optics: Optics) -> FloatArray:
    if optics.flows is None:
        return np.full(len(costs.rows), np.nan)
    return np.array([sum(optics.flows[0].absorbed(*p) for p in row.ports) for row in costs.rows])


def _effects(constants: Mapping[str, Constant], of: Intervals, per: Sequence[str]) -> dict[str, Any]:
    """Return what the total energies do over the interval of each constant alone."""
    out = np.empty((len(per), len(constants), 2))
    for n, name in enumerate(per):
        out[n] = of.found[f"energy {name}"][-1, 0]
        for k, constant in enumerate(constants):
            out[n, k] = of.effect[f"energy {name}"].get(constant, out[n, k])
    words = {"units": "J", "long_name": "total energy with this constant at low and at high"}
    return {"energy_over": (("per", "constant", "end"), out, words)}


def _compared(costs: Costs, of: Intervals, published: Sequence[Published]) -> dict[str, Any]:
    ours = []
    for entry in published:
        kept = [n for n, row in enumerate(costs.rows) if row.category not in entry.without]
        ours.append(of.found[f"energy {entry.per}"][kept].sum(axis=0))
    return {
        "published_energy": (("published",), np.array([e.value for e in published]), {"units": "J"}),
        "our_energy": (("published", "bound"), np.array(ours), {"units": "J"}),
    }
