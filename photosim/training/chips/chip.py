"""The interface of a chip: voltages are set, and powers at the outputs are read."""

from __future__ import annotations

import os
from collections import Counter
from importlib import metadata
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from photosim.errors import NetlistError, ParameterError, did_you_mean, listing

if TYPE_CHECKING:
    from photosim.training.arrays import FloatArray
    from photosim.training.chips.wiring import Wiring

GROUP = "photosim.chips"
"""Entry point group under which installed packages offer chips of a laboratory."""


@runtime_checkable
class Chip(Protocol):
    """A mesh with a driver for each heater, light in one input at a time, and a detector at each output.

    An implementation counts readings and their time in `counters`; one reading has the powers of all outputs.
    """

    @property
    def wiring(self) -> Wiring:
        """Design of the chip: arrangement of the mesh, order of the heaters, nominal values of drivers."""

    @property
    def counters(self) -> Counter[str]:
        """Numbers of operations so far, such as `readings`."""

    def set_voltages(self, voltages: FloatArray) -> None:
        """Set the voltages in V, (heaters,), in the order of `wiring.heaters`, and wait until they settle."""

    def read_powers(self, entrance: int) -> FloatArray:
        """Return the power at each output divided by that at the one lit input, shape (outputs,)."""

    def wait(self, seconds: float) -> None:
        """Wait without a reading."""


def open_chip(name: str | os.PathLike[str], **options: Any) -> Chip:
    """Return a chip by name: a netlist with a `chip:` block, or a chip that an installed package offers.

    A package offers a chip by an entry point of the group `photosim.chips`, a function that returns a Chip
    and takes `options`; no file names code. Raises ParameterError with the nearest name for an unknown one.
    """
    from photosim.training.chips.simulated import SimulatedChip

    text = os.fspath(name)
    found = {entry.name: entry for entry in metadata.entry_points(group=GROUP)}
    if text in found:
        chip = found[text].load()(**options)
        if not isinstance(chip, Chip):
            message = (
                f"The entry point {text!r} of {GROUP} gave a {type(chip).__name__}, which is not a Chip."
            )
            raise ParameterError(message)
        return chip
    try:
        return SimulatedChip.load(text, **options)
    except NetlistError as error:
        if error.mark is not None or not found:
            raise
        message = f"There is no chip {text!r} among those of installed packages ({listing(found)}): {error}"
        raise ParameterError(message + did_you_mean(text, found)) from None
