"""What no passive circuit can do: send out more power than came in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from photosim.errors import ParameterError
from photosim.model import ClosedForm, Detector, Network, Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit

_ROUNDING = 1e-6
"""Power above 1 that a matrix written with six digits may have."""


def may_amplify(circuit: Circuit) -> bool:
    """Return whether something in a circuit amplifies light; tables and nonlinear parts may."""
    if circuit.compiled.parts.active:
        return True
    known = ClosedForm | Detector | Network | Source
    return not all(isinstance(part.model, known) for part in circuit.graph.parts)


def check_matrix(
    circuit: Circuit,
    matrix: NDArray[np.complex128],
    starts: Sequence[str],
    ends: Sequence[str],
    *,
    powers: bool,
) -> None:
    """Raise ParameterError for a wanted matrix (ends, starts) that needs gain, where nothing amplifies.

    powers: whether it holds transmitted powers; else complex amplitudes.
    """
    if may_amplify(circuit):
        return
    if not powers:
        gain = float(np.linalg.norm(matrix, ord=2))
        if gain > 1.0 + _ROUNDING:
            message = (
                f"target: the matrix has a largest singular value of {gain:.6g}, but nothing in the circuit "
                f"amplifies, so at most 1 is possible: divide the matrix by {gain:.6g}."
            )
            raise ParameterError(message)
        return
    for axis, names, words in ((0, starts, "from input"), (1, ends, "to output")):
        sums = np.abs(matrix).sum(axis=axis)
        if sums.max() > 1.0 + _ROUNDING:
            name = names[int(sums.argmax())]
            message = (
                f"target: the powers {words} {name!r} add up to {sums.max():.6g}, but nothing in the "
                "circuit amplifies, so at most 1 is possible."
            )
            raise ParameterError(message)


def check_level(circuit: Circuit, low_dB: float, start: str, end: str, where: str) -> None:
    """Raise ParameterError where a transmission of more than 0 dB is wanted and nothing amplifies."""
    ports = circuit.ports  # inside of a resonator there is more power than comes in
    if low_dB > 0.0 and start in ports and end in ports and not may_amplify(circuit):
        message = (
            f"{where}: the power from {start} to {end} cannot be {low_dB:g} dB: nothing in the circuit "
            "amplifies, so at most 0 dB is possible."
        )
        raise ParameterError(message)
