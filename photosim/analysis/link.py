"""A link from lasers to detectors: powers, losses along the way, currents, their noise, crosstalk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from photosim.analysis.link_result import LinkResult, Reception
from photosim.analysis.options import option, read_entry
from photosim.arguments import public
from photosim.engine.bindings import flat_settings
from photosim.engine.waves import find_wave
from photosim.netlist.forms import NameList
from photosim.signals import Contributions, Tone, contributions, operating_point, passages
from photosim.signals.contributions import check_terms
from photosim.signals.violations import doubts

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.signals import OperatingPoint


@dataclass(frozen=True)
class LinkOptions:
    """What a link analysis computes: see `link`. A tone of 0 Hz in a file is none."""

    name: str
    points: NameList = ()
    without: NameList = ()
    tone: Annotated[float, Field(ge=0)] | None = None
    depth: Annotated[float, Field(ge=0)] = 1.0
    settings: Mapping[str, Any] = field(default_factory=dict)


def read_options(entry: Mapping[str, Any], circuit: Circuit) -> LinkOptions:
    """Return the options of an entry `{kind: link, name, points, without, tone, depth, settings}`.

    All are optional. Raises ParameterError for an unknown option, wave, noise or setting.
    """
    options = read_entry(LinkOptions, entry, "link")
    with option(options.name, "without"):
        check_terms(options.without)
    with option(options.name, "points"):
        for wave in options.points:
            find_wave(circuit.graph, wave, entering=False)
    with option(options.name, "settings"):
        settings = flat_settings(options.settings)
        circuit.at(settings)
    return replace(options, tone=options.tone or None, settings=settings)


@public
def link(
    circuit: Circuit,
    *,
    points: Sequence[str] = (),
    without: Sequence[str] = (),
    tone: float | None = None,
    depth: float = 1.0,
    **settings: Any,
) -> LinkResult:
    """Return powers, losses, noise and crosstalk of a link that its own sources light.

    points: waves inside the circuit, "instance,port", whose power is returned too.  without: names of noise
    to switch off, of `photosim.signals.TERMS`.  tone, depth: frequency in Hz and relative depth of a sine on
    the currents, for which jitter is computed; without a tone there is no jitter.  settings: as in a call of
    the circuit.

    Raises ParameterError if the circuit has no source or no detector, and if light of separate lasers
    interferes at a detector: use `ps.transient`, which has their phases.

    >>> import photosim as ps
    >>> found = ps.link(ps.load("link"))
    >>> round(found["receiver"].snr_dB, 1), round(found["receiver"].bits, 1)
    (44.3, 7.1)
    """
    options = LinkOptions(circuit.name, tuple(points), tuple(without), tone, depth, settings)
    return compute(circuit, options)


def compute(circuit: Circuit, options: LinkOptions) -> LinkResult:
    """Return the result of a link analysis."""
    check_terms(options.without)
    point = operating_point(circuit, options.settings)
    remarks = [*point.remarks]
    receptions = []
    for number in range(len(point.receivers)):
        reception, found = _reception(point, number, options)
        receptions.append(reception)
        remarks += doubts(reception.detector, found)
    powers = [point.arriving[:, point.columns(k)].sum(axis=1) for k in range(len(point.receivers))]
    at_points = point.powers(options.points) if options.points else np.zeros((len(point.lines), 0))
    return LinkResult(
        options.name, point.lines, tuple(receptions), np.array(powers).T, options.points, at_points,
        tuple(remarks),
    )  # fmt: skip


def _reception(point: OperatingPoint, number: int, options: LinkOptions) -> tuple[Reception, Contributions]:
    receiver, columns = point.receivers[number], point.columns(number)
    arriving = point.arriving[:, columns]
    wanted, brightest = point.wanted(number)
    total, own = float(arriving.sum()), float(arriving[wanted].sum())
    currents = point.currents(number).sum(axis=0)
    tone = None if options.tone is None else Tone(options.tone, options.depth)
    found = contributions(point, number, without=options.without, tone=tone)
    reception = Reception(
        receiver.name, wanted, own, point.mean_current(number), float(currents[wanted]), receiver.bandwidth,
        found.variances, float(10.0 * np.log10((total - own) / own)) if total > own > 0.0 else -np.inf,
        passages(point, point.lines[wanted], brightest) if own > 0.0 else (),
    )  # fmt: skip
    return reception, found
