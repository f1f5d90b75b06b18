"""Mach-Zehnder interferometers."""

from __future__ import annotations

from typing import Literal

from photosim.components.guides import HEATED_PLACEHOLDER, HeatedGuide
from photosim.model import (
    Netlist,
    PathLength,
    Phase,
    composite,
    links,
    part,
    ref,
)

_TWO_INPUTS = ("coupler", "mmi2x2")


@composite(
    source="saleh2019",
    layout=("cross_section", "bend", "straight", "with_splitter", "combiner", "nbends", "min_length",
            "straight_x_top", "straight_x_bot", "straight_y", "extend_ports_straight_x", "mirror_bot",
            "add_optical_ports_arms", "port_e1_splitter", "port_e0_splitter", "port_e1_combiner",
            "port_e0_combiner", "port1", "port2", "cross_section_x_top", "cross_section_x_bot",
            "auto_rename_ports"),
)  # fmt: skip
def mzi(
    *,
    delta_length: PathLength = 10.0,
    length_y: PathLength = 2.0,
    length_x: PathLength = 0.1,
    phase: Phase = 0.0,
    splitter: Literal["mmi1x2", "splitter", "coupler", "mmi2x2"] = "mmi1x2",
    guide: HeatedGuide = HEATED_PLACEHOLDER,
) -> Netlist:
    """Mach-Zehnder interferometer: two equal splitters, an arm `top`, a longer arm `bottom` with a heater.

    With 1x2 splitters it has ports o1 and o2 and transmits
    cos**2((2 pi neff delta_length / wl + phase wl0 / wl)/2); with 2x2 ones it
    has o1 to o4, and crosses over that much (o1 to o3, o2 to o4). Both arms have
    the length 2 length_y + length_x. Left out: their equal bends, which add the
    same phase and loss to both, heat that reaches the other arm, and what
    splitters and guides leave out.

    Settings:
        delta_length: length of the bottom arm minus that of the top arm.
        length_y: length of the straight parts across, which both arms have twice.
        length_x: length of the straight part along the arms.
        phase: phase that the heater adds to the bottom arm at wl0.
        splitter: component that divides and combines the light, with its default settings.
    """
    arm = 2 * length_y + length_x
    two_inputs = splitter in _TWO_INPUTS
    ends = ("o3:top,o1", "o4:bottom,o1", "o2:top,o2", "o1:bottom,o2") if two_inputs else (
        # The combiner lies turned by half a turn: its o2 is below.
        "o2:top,o1", "o3:bottom,o1", "o3:top,o2", "o2:bottom,o2"
    )  # fmt: skip
    exposed = ("split,o1", "split,o2", "join,o3", "join,o4") if two_inputs else ("split,o1", "join,o1")
    return Netlist(
        instances={
            "split": part(splitter),
            "top": part("straight", length=arm, **guide.settings()),
            "bottom": part("straight_heater", length=arm + delta_length, phase=phase, **guide.settings()),
            "join": part(splitter),
        },
        connections=links(*(f"split,{e}" for e in ends[:2]), *(f"join,{e}" for e in ends[2:])),
        ports={f"o{k}": ref(text) for k, text in enumerate(exposed, 1)},
        name="mzi",
    )
