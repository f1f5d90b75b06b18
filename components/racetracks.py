"""Racetrack resonators as layouts draw them: couplers with a length, straights and Euler bends."""

from __future__ import annotations

from photosim.components.couplers import Slope
from photosim.components.guides import HEATED_STRIP, HeatedGuide
from photosim.model import (
    Fraction,
    Gap,
    Loss_dB,
    Netlist,
    PathLength,
    Phase,
    Power,
    RingRadius,
    Value,
    composite,
    links,
    part,
    ref,
)


@composite(
    ports=("o1", "o2"), inputs=1, source="bogaerts2012", aliases={"through": "o2"},
    exclusive=(("coupling", "gap"),),
)  # fmt: skip
def racetrack(
    *,
    radius: RingRadius = 5.0,
    gap: Gap = 0.2,
    coupling: Power | None = None,
    coupling_slope: Slope | None = None,
    length_x: PathLength = 4.0,
    length_y: PathLength = 2.0,
    length_extension: PathLength = 3.0,
    p: Fraction = 0.5,
    coupler_loss_dB: Loss_dB = 0.0,
    phase: Phase = 0.0,
    guide: HeatedGuide = HEATED_STRIP,
) -> Netlist:
    """Racetrack ring with one bus, as layouts draw it: a `coupler` section, Euler bends and straights.

    The loop is closed by two straights of length_y (`right`, `left`), two Euler bends (`bend_right`,
    `bend_left`) and the straight along the top, which carries the heater (`top`). Other than in `ring_single`
    the bus has a length, and the loop is as long as its bends. Left out: bending loss beyond loss_dB_cm,
    backscattering, self-heating, change of the coupling with temperature.

    Settings:
        radius: radius of the circular bends with the same end points.
        gap: distance between the walls of bus and loop.
        coupling: fraction of the power that crosses the coupler at wl0, instead of `gap`.
        coupling_slope: relative change of that coupling of the fields per um of wavelength, about wl0.
        length_x: length of each straight along the bus.
        length_y: length of each straight across it.
        length_extension: length of the bus on either side of the straight.
        p: fraction of a bend's turn made while the curvature changes.
        coupler_loss_dB: insertion loss of the coupler, on every path.
        phase: phase that the heater adds to the round trip at wl0.
        temperature: temperature of loop and bus.
    """
    warm = guide.settings()
    by: dict[str, Value] = {"gap": gap} if coupling is None else {"coupling": coupling}
    by |= {} if coupling_slope is None else {"coupling_slope": coupling_slope}
    bend = part("bend_euler", radius=radius, p=p, **warm)
    side = part("straight", length=length_y, **warm)
    return Netlist(
        instances={
            "coupler": part(
                "coupler_ring", **by, radius=radius, length_x=length_x, length_extension=length_extension,
                p=p, loss_dB=coupler_loss_dB, **warm,
            ),
            "right": side,
            "bend_right": bend,
            "top": part("straight_heater", length=length_x, phase=phase, **warm),
            "bend_left": bend,
            "left": side,
        },
        connections=links(
            "coupler,o3:right,o1", "right,o2:bend_right,o1", "bend_right,o2:top,o1", "top,o2:bend_left,o1",
            "bend_left,o2:left,o1", "left,o2:coupler,o2",
        ),
        ports={"o1": ref("coupler,o1"), "o2": ref("coupler,o4")},
        name="racetrack",
    )  # fmt: skip
