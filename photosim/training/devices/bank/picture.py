"""What a notebook shows of a weight bank."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from photosim.display import figure, plotting, properties

if TYPE_CHECKING:
    from photosim.training.devices.bank.weight_bank import WeightBank


def html_blocks(bank: WeightBank) -> Iterator[str]:
    """Yield the weights held, if there are any, and the bank in a few words."""
    hardware = bank.hardware
    if bank.tiles is not None:
        yield figure(plotting().matrix_map(bank.matrix(), title=f"weights held by {hardware.name}"))
    yield properties(
        f"Weight bank {hardware.name!r}",
        {
            "rows": hardware.rows,
            "channels": hardware.channels,
            "wavelengths": f"{hardware.wl.min():.6g} to {hardware.wl.max():.6g} um",
            "light": f"{1e3 * float(hardware.power.sum()):.4g} mW",
            "holds": "nothing yet" if bank.tiles is None else " x ".join(map(str, bank.matrix().shape)),
            "noise": bank.noise or "none",
        },
    )
