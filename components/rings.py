"""Ring resonators: composed of couplers and guides, and as one formula."""

from __future__ import annotations

from typing import Any

import numpy as np

from photosim.components.couplers import Slope
from photosim.components.guides import HEATED_PLACEHOLDER, HeatedGuide
from photosim.errors import ParameterError
from photosim.model import (
    Gap,
    Instance,
    Loss_dB,
    Netlist,
    PathLength,
    Phase,
    Power,
    RingRadius,
    component,
    composite,
    links,
    part,
    ref,
)

_ALL_PASS = {"through": "o2"}
_ADD_DROP = {"in": "o1", "drop": "o2", "add": "o3", "through": "o4"}
_LAYOUT = (
    "cross_section",
    "bend",
    "straight",
    "coupler_ring",
    "coupler_ring_top",
    "length_extension",
    "npoints",
    "width",
)


def ring_length(radius: Any, length_x: Any = 0.0, length_y: Any = 0.0) -> Any:
    """Round trip in um of a racetrack: a circle, two straights along the bus and two across it."""
    return 2 * np.pi * radius + 2 * length_x + 2 * length_y


def _ring_coupler(coupling: Any, slope: Any, gap: Any, shape: dict[str, Any], **others: Any) -> Instance:
    """Coupler of bus and ring: by its gap and shape where a gap is given, else by its coupling."""
    if gap is not None:
        return part("coupler", gap=gap, **shape, loss_dB=others["loss_dB"])
    if slope is None:
        return part("coupler", coupling=coupling, loss_dB=others["loss_dB"])
    return part("coupler", coupling=coupling, coupling_slope=slope, **others)


def _scatterer(power: Any) -> dict[str, Instance]:
    """Instance that sends a power back, if there is one."""
    return {} if power is None else {"scatter": part("scatterer", reflection=power)}


def _closed(start: str, end: str, power: Any) -> tuple[str, ...]:
    """Texts of the connections that close a loop, over what scatters back."""
    return (f"{start}:{end}",) if power is None else (f"{start}:scatter,o1", f"scatter,o2:{end}")


@composite(
    ports=("o1", "o2"), inputs=1, source="bogaerts2012", aliases=_ALL_PASS, layout=_LAYOUT,
    exclusive=(("coupling", "gap"), ("coupling_slope", "gap")),
)  # fmt: skip
def ring_single(
    *,
    radius: RingRadius = 10.0,
    coupling: Power = 0.1,
    coupling_slope: Slope | None = None,
    gap: Gap | None = None,
    length_x: PathLength = 0.0,
    length_y: PathLength = 0.0,
    coupler_loss_dB: Loss_dB = 0.0,
    backscatter: Power | None = None,
    phase: Phase = 0.0,
    guide: HeatedGuide = HEATED_PLACEHOLDER,
) -> Netlist:
    """All-pass ring resonator: a bus with one coupler, `cb`, and a loop with a heater, `loop`.

    o1 is the input, o2 the through port. The coupler is a point, so the loop
    is as long as the ring. Given by gap its coupling depends on wavelength as
    that of `coupler`; given by coupling, as `coupling_slope` says. Left out: bending loss beyond
    loss_dB_cm, scattering along the ring, self-heating, the length of the bus.

    Settings:
        radius: radius of the bends.
        coupling: fraction of the power that crosses the coupler.
        coupling_slope: relative change of the coupling of the fields per um of wavelength, about wl0.
        gap: distance between the walls of bus and ring, instead of `coupling`.
        length_x: length of each straight along the bus (racetrack).
        length_y: length of each straight across the bus.
        coupler_loss_dB: insertion loss of each coupler, on every path.
        backscatter: fraction of the power that a point of the ring sends back; it splits the resonances.
        phase: phase that the heater adds to the round trip at wl0.
    """
    length, shape = ring_length(radius, length_x, length_y), {"radius": radius, "length_x": length_x}
    lost = {"loss_dB": coupler_loss_dB, "wl0": guide.wl0}
    return Netlist(
        instances={
            "cb": _ring_coupler(coupling, coupling_slope, gap, shape, **lost),
            "loop": part("straight_heater", length=length, phase=phase, **guide.settings()),
            **_scatterer(backscatter),
        },
        connections=links("cb,o3:loop,o1", *_closed("loop,o2", "cb,o2", backscatter)),
        ports={"o1": ref("cb,o1"), "o2": ref("cb,o4")},
        name="ring_single",
    )


@composite(
    ports=("o1", "o2", "o3", "o4"), inputs=2, source="bogaerts2012", aliases=_ADD_DROP, layout=_LAYOUT,
    exclusive=(("coupling", "gap"), ("coupling_drop", "gap"), ("coupling_slope", "gap"),
               ("coupling", "gap_bot"), ("coupling_drop", "gap_top")),
    symmetries={("o4", "o3", "o2", "o1"): {}},
)  # fmt: skip
def ring_double(
    *,
    radius: RingRadius = 10.0,
    coupling: Power = 0.1,
    coupling_drop: Power | None = None,
    coupling_slope: Slope | None = None,
    gap: Gap | None = None,
    gap_bot: Gap | None = None,
    gap_top: Gap | None = None,
    length_x: PathLength = 0.0,
    length_y: PathLength = 0.0,
    coupler_loss_dB: Loss_dB = 0.0,
    backscatter: Power | None = None,
    phase: Phase = 0.0,
    guide: HeatedGuide = HEATED_PLACEHOLDER,
) -> Netlist:
    """Add-drop ring resonator: couplers `cb` and `ct` to two buses, and two half rings, `right` and `left`.

    in = o1, drop = o2, add = o3, through = o4: the lower bus runs from o1 to
    o4, the upper one from o3 to o2. Each half ring carries half of the heater
    phase. Couplings given by gap depend on wavelength as that of `coupler`, others as `coupling_slope` says.
    Left out: bending loss beyond loss_dB_cm, scattering along the ring,
    self-heating, the length of the buses.

    Settings:
        radius: radius of the bends.
        coupling: power fraction that crosses the coupler of the lower bus, and by default of the upper one.
        coupling_drop: power fraction that crosses the coupler of the upper bus; `coupling` by default.
        coupling_slope: relative change of both couplings of the fields per um of wavelength, about wl0.
        gap: distance between the walls of ring and both buses, instead of `coupling`.
        gap_bot: distance between ring and lower bus, if it is not `gap`.
        gap_top: distance between ring and upper bus, if it is not `gap`.
        length_x: length of each straight along the buses (racetrack).
        length_y: length of each straight across the buses.
        coupler_loss_dB: insertion loss of each coupler, on every path.
        backscatter: fraction of the power that a point of the ring sends back; it splits the resonances.
        phase: phase that the heater adds to the round trip at wl0.
    """
    length, shape = ring_length(radius, length_x, length_y) / 2, {"radius": radius, "length_x": length_x}
    lost = {"loss_dB": coupler_loss_dB, "wl0": guide.wl0}
    half = part("straight_heater", length=length, phase=phase / 2, **guide.settings())
    upper = coupling if coupling_drop is None else coupling_drop
    lower_gap, upper_gap = (gap if own is None else own for own in (gap_bot, gap_top))
    if coupling_slope is not None and lower_gap is not None and upper_gap is not None:
        message = (
            "ring_double: setting 'coupling_slope' has no effect if gap_bot and gap_top are set: remove it."
        )
        raise ParameterError(message)
    return Netlist(
        instances={
            "cb": _ring_coupler(coupling, coupling_slope, lower_gap, shape, **lost),
            "ct": _ring_coupler(upper, coupling_slope, upper_gap, shape, **lost),
            "right": half,
            "left": half,
            **_scatterer(backscatter),
        },
        # ct lies upside down: its o1 is the add port at the upper right, its o4 the drop at the upper left.
        connections=links(
            "cb,o3:right,o1", "right,o2:ct,o2", "ct,o3:left,o1", *_closed("left,o2", "cb,o2", backscatter)
        ),
        ports={"o1": ref("cb,o1"), "o2": ref("ct,o4"), "o3": ref("ct,o1"), "o4": ref("cb,o4")},
        name="ring_double",
    )


@component(
    ports=("o1", "o2"), inputs=1, source="bogaerts2012", aliases=_ALL_PASS, lossless_when={"loss_dB_cm": 0.0},
    symmetries={("o2", "o1"): {}},
)  # fmt: skip
def ring_single_ideal(
    m: Any,
    wl: Any,
    *,
    radius: RingRadius = 10.0,
    coupling: Power = 0.1,
    phase: Phase = 0.0,
    guide: HeatedGuide = HEATED_PLACEHOLDER,
) -> Any:
    """All-pass ring as a formula: (r - x)/(1 - r x), x the factor of one round trip, r**2 = 1 - coupling.

    Bogaerts et al. 2012, eq. 1, up to a phase of pi + phi that their bus adds.
    Left out: what `ring_single` leaves out, racetracks and gaps. A lossless
    ring without coupling is 0/0 on resonance.

    Settings:
        radius: radius of the ring.
        coupling: fraction of the power that crosses the coupler.
        phase: phase that the heater adds to the round trip at wl0.
    """
    turn = guide.heated_wave(m, wl, 2 * m.pi * radius, phase)
    r = m.sqrt(1 - coupling)
    return {("o1", "o2"): (r - turn) / (1 - r * turn)}


@component(
    ports=("o1", "o2", "o3", "o4"), inputs=2, source="bogaerts2012", aliases=_ADD_DROP,
    lossless_when={"loss_dB_cm": 0.0}, symmetries={("o4", "o3", "o2", "o1"): {}},
)  # fmt: skip
def ring_double_ideal(
    m: Any,
    wl: Any,
    *,
    radius: RingRadius = 10.0,
    coupling: Power = 0.1,
    coupling_drop: Power = 0.1,
    phase: Phase = 0.0,
    guide: HeatedGuide = HEATED_PLACEHOLDER,
) -> Any:
    """Add-drop ring as a formula, with x the factor of one round trip and r_j**2 = 1 - k_j**2.

    Through (r1 - r2 x)/(1 - r1 r2 x), from add to drop (r2 - r1 x)/(1 - r1 r2 x),
    drop -k1 k2 sqrt(x)/(1 - r1 r2 x), where sqrt(x) is the factor of half a
    ring. Left out: what `ring_double` leaves out, racetracks and gaps. A lossless
    ring without coupling is 0/0 on resonance.

    Settings:
        radius: radius of the ring.
        coupling: fraction of the power that crosses the coupler of the lower bus.
        coupling_drop: fraction of the power that crosses the coupler of the upper bus.
        phase: phase that the heater adds to the round trip at wl0.
    """
    half = guide.heated_wave(m, wl, m.pi * radius, phase / 2)
    turn = half * half
    r1, r2 = m.sqrt(1 - coupling), m.sqrt(1 - coupling_drop)
    left = 1 - r1 * r2 * turn  # what the feedback leaves
    drop = -m.sqrt(coupling) * m.sqrt(coupling_drop) * half / left
    return {
        ("o1", "o4"): (r1 - r2 * turn) / left,
        ("o3", "o2"): (r2 - r1 * turn) / left,
        ("o1", "o2"): drop,
        ("o3", "o4"): drop,
    }
