"""How long light takes through the chip, by stated lengths."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.systems.harness.system import Options, Report
from photosim.systems.single_chip.chip import MODES, NETLIST, Chip
from photosim.training.layers.ring_activation import RingActivation

SHIFTER_UM = 61.6
"""Length of a heated shifter (harris2014); a column has two in a row."""
COUPLER_UM = 40.0
"""Length of a coupler with its bends, ours; a column has two in a row."""
RING_UM = 2.0 * np.pi * 10.0
"""Round trip of a ring, ours."""
GROUP_INDEX = 4.19
"""Of a strip guide of 500 x 220 nm."""
PUBLISHED_PS = 410.0


def delay(options: Options, _seed: int, _path: Path, _report: Report) -> Mapping[str, Any]:
    """Return times in ps: of columns, of rings on resonance, both together; and what 410 ps would be.

    At resonance an all-pass ring delays light by its round trip times a (1 - r**2)/((a - r)(1 - r a)).
    """
    chip = Chip.read(options.netlist(NETLIST))
    columns = MODES * len(chip.meshes)
    length = columns * 2.0 * (SHIFTER_UM + COUPLER_UM)
    rings = [layer for layer in chip.layers_as_drawn() if isinstance(layer, RingActivation)]
    turns = sum(
        ring.kept * (1.0 - ring.stays**2) / ((ring.kept - ring.stays) * (1.0 - ring.stays * ring.kept))
        for ring in rings
    )
    per_um = 1e12 * GROUP_INDEX / SPEED_OF_LIGHT_UM_S
    straight, slow = per_um * length, per_um * RING_UM * turns
    return {
        "straight": straight, "rings": slow, "total": straight + slow,
        "column": (PUBLISHED_PS - slow) / per_um / columns, "own column": length / columns,
    }  # fmt: skip
