"""Thermal crosstalk: heaters that warm their neighbours, as a matrix from powers to phases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from photosim.errors import ParameterError, listing
from photosim.smatrix import ByValue

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

FloatArray = NDArray[np.float64]

_WELL_POSED = 1e8
"""Largest condition number of a crosstalk matrix whose powers are computed."""


@dataclass(frozen=True, eq=False)
class HeaterArray(ByValue):
    """Heaters and what each of them does to all.

    names: dotted names of the settings that take the phases, such as "bank.row0.ring1.phase".  crosstalk:
    phase of heater i over that of heater j when power is in j alone, shape (heaters, heaters), ones on the
    diagonal.  power_pi: W for a phase of pi in a heater alone.

    Linear: temperatures add. Left out: response times, heat that reaches other parts than those named,
    conductivity that changes with temperature.
    """

    names: tuple[str, ...]
    crosstalk: FloatArray
    power_pi: float

    def __post_init__(self) -> None:
        """Raise ParameterError for a matrix that does not fit, or that no row of heaters has."""
        size = len(self.names)
        if self.crosstalk.shape != (size, size):
            message = f"{size} heaters need a crosstalk of shape {(size, size)}, got {self.crosstalk.shape}."
            raise ParameterError(message)
        if not np.all((self.crosstalk >= 0.0) & (self.crosstalk <= 1.0)):
            message = "Crosstalk of heaters lies between 0 and 1: a neighbour is warmed less than the heater."
            raise ParameterError(message)
        if not (np.isfinite(self.power_pi) and self.power_pi > 0.0):
            message = f"power_pi must be a positive number of W, got {self.power_pi!r}."
            raise ParameterError(message)

    @classmethod
    def at(
        cls,
        names: Sequence[str],
        places: ArrayLike,
        *,
        decay_length: float,
        power_pi: float,
        near: float = 1.0,
    ) -> HeaterArray:
        """Return heaters whose crosstalk is near exp(-distance/decay_length).

        places: (heaters,) or (heaters, 2) in um.  near: what a neighbour at distance 0 would feel, below 1
        where heat must first spread.
        """
        if not decay_length > 0.0:
            message = f"decay_length must be a positive length in um, got {decay_length!r}."
            raise ParameterError(message)
        spots = np.asarray(places, dtype=np.float64).reshape(len(names), -1)
        distance = np.linalg.norm(spots[:, np.newaxis] - spots, axis=-1)
        matrix = near * np.exp(-distance / decay_length)
        np.fill_diagonal(matrix, 1.0)
        return cls(tuple(names), matrix, float(power_pi))

    @classmethod
    def in_a_row(
        cls, names: Sequence[str], *, pitch: float, decay_length: float, power_pi: float, near: float = 1.0
    ) -> HeaterArray:
        """Return heaters `pitch` um apart in a row."""
        places = pitch * np.arange(len(names))
        return cls.at(names, places, decay_length=decay_length, power_pi=power_pi, near=near)

    def phases(self, powers: ArrayLike) -> FloatArray:
        """Return the phases in rad, (..., heaters), that electric powers in W of that shape make."""
        return np.asarray(np.pi / self.power_pi * self._checked(powers) @ self.crosstalk.T)

    def powers(self, phases: ArrayLike) -> FloatArray:
        """Return the electric powers in W, (..., heaters), that make phases in rad of that shape.

        Raises ParameterError where a heater would have to cool: such a phase needs a whole turn more.
        """
        if np.linalg.cond(self.crosstalk) > _WELL_POSED:
            message = (
                "These heaters cannot be distinguished: their crosstalk is nearly the same. "
                "Place them further apart."
            )
            raise ParameterError(message)
        wanted = np.asarray(phases, dtype=np.float64)
        powers = np.linalg.solve(self.crosstalk, wanted[..., np.newaxis])[..., 0] * self.power_pi / np.pi
        slack = 1e-12 * self.power_pi
        if np.any(powers < -slack):
            cold = sorted({self.names[k] for k in np.nonzero(powers < -slack)[-1]})
            message = (
                f"Their neighbours warm {listing(cold)} beyond what is wanted: add a turn of 2 pi there."
            )
            raise ParameterError(message)
        return np.asarray(np.maximum(powers, 0.0), dtype=np.float64)

    def settings(self, powers: ArrayLike) -> dict[str, FloatArray]:
        """Return the phases by dotted name, for a call of the circuit: `circuit(wl, **array.settings(p))`."""
        phases = self.phases(powers)
        return {name: phases[..., k] for k, name in enumerate(self.names)}

    def _checked(self, powers: ArrayLike) -> FloatArray:
        found = np.asarray(powers, dtype=np.float64)
        if found.shape[-1:] != (len(self.names),) or not np.all(np.isfinite(found) & (found >= 0.0)):
            message = f"{len(self.names)} heaters need as many non-negative powers in W, got {powers!r}."
            raise ParameterError(message)
        return found
