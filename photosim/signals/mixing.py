"""Control loops that act by products of tones have no response about their rest: found and refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from photosim.errors import ParameterError, listing

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from photosim.engine.following import Equations

    FloatArray = NDArray[np.float64]
    ComplexArray = NDArray[np.complex128]

_MOVED = 0.1
"""Part of a factor's value at rest by which tones may move it where its product counts as that at rest."""


class Resting(Protocol):
    """Equations and the unknowns (n,) at which they rest."""

    @property
    def equations(self) -> Equations:
        """The equations."""

    @property
    def x(self) -> FloatArray:
        """The unknowns."""


def refuse_mixing(
    resting: Resting, loop: str, moved: Callable[[str, float], ComplexArray], kind_of: Callable[[str], str]
) -> None:
    """Raise ParameterError for a product whose factors are moved by tones.

    loop: words for the loop.  moved: from an element and a frequency in Hz to the unknowns (n + 1,) per unit
    of it.  kind_of: name of a part's component.
    """
    system = resting.equations.system
    ends = system.products[0][:, 2:].reshape(-1, 2, 2)
    if not len(ends):
        return
    padded = np.append(resting.x, 0.0)
    rest = np.abs(padded[ends[..., 0]] - padded[ends[..., 1]])
    turned, tones = np.zeros(rest.shape), []
    for element, signal in zip(system.inputs, resting.equations.signals, strict=True):
        if signal.tone is not None and signal.tone[0] != 0.0:
            by = moved(element, signal.tone[1]) * signal.tone[0]
            turned += np.abs(by[ends[..., 0]] - by[ends[..., 1]])
            tones.append(signal.part)
    mixed = np.flatnonzero((turned > _MOVED * rest).any(axis=1))
    if mixed.size:
        sent = listing([repr(tone) for tone in tones])
        part = [one.part for one in system.placed if one.element.kind == "product"][int(mixed[0])]
        message = (
            f"{part!r} ({kind_of(part)}) multiplies what tones move ({sent}), so the control loop of "
            f"{loop} has no gain at rest and no small-signal response about it: send a second tone "
            "through the loop (dither_source) in ps.transient."
        )
        raise ParameterError(message)
