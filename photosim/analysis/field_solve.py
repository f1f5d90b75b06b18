"""A small 2-D field solve in the frequency domain: E_z of a coupler, with absorbing layers all around."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photosim.analysis.slabs import TwoSlabs
from photosim.errors import ParameterError

FloatArray = NDArray[np.floating]
ComplexArray = NDArray[np.complex128]

MOST = 400_000
"""Cells of the largest grid: its factors take about 1 GB."""
SOURCE_BEHIND = 5
"""Cells between the absorber and the source."""


@dataclass(frozen=True)
class Absorber:
    """Layers in which coordinates turn complex (a PML), `width` um of them, ever stronger towards the rim.

    order: power of the depth with which they grow.  reflection: power that comes back from the rim, for a
    wave at right angles in the glass of highest index.
    """

    width: float = 0.75
    order: float = 3.0
    reflection: float = 1e-6

    def cells(self, step: float) -> int:
        """Return the number of cells of a size in um that they take."""
        return int(np.ceil(self.width / step))

    def stretch(self, place: FloatArray, total: float, k: float) -> ComplexArray:
        """Return the factor by which coordinates stretch at places in um on an axis of `total` um.

        k: largest wavenumber in 1/um. With exp(-i omega t) waves that leave decay where the factor has a
        positive imaginary part.
        """
        deep = np.maximum(self.width - place, place - (total - self.width)) / self.width
        most = -np.log(self.reflection) * (self.order + 1.0) / (4.0 * k * self.width)
        return np.asarray(1.0 + 1j * most * np.clip(deep, 0.0, None) ** self.order)


def solve_field(
    permittivity: FloatArray,
    source: ComplexArray | FloatArray,
    wl: float,
    steps: tuple[float, float],
    absorber: Absorber | None = None,
) -> ComplexArray:
    """Return E_z (X, Y) of currents `source` (X, Y) along z, in units of omega mu0 times the current.

    permittivity: of each cell, shape (X, Y).  wl: in vacuum, um.  steps: of the cells along x and y, um.
    (d2/dx2 + d2/dy2 + k0**2 permittivity) E = -i source in differences of the second order and stretched
    coordinates, solved directly. Left out: H_z polarisation, materials that disperse or lose.
    """
    from scipy.sparse import diags, identity, kron
    from scipy.sparse.linalg import splu

    absorber = absorber or Absorber()
    x_cells, y_cells = permittivity.shape
    if permittivity.size > MOST:
        message = f"A grid of {x_cells} x {y_cells} cells is more than the {MOST:,} that are solved directly."
        raise ParameterError(message)
    rims = [2 * absorber.cells(step) for step in steps]
    if x_cells <= rims[0] or y_cells <= rims[1]:
        message = (
            f"A grid of {x_cells} x {y_cells} cells leaves no room between absorbers of "
            f"{absorber.width:g} um, which take {rims[0]} and {rims[1]} of them."
        )
        raise ParameterError(message)
    k0 = 2.0 * np.pi / wl
    k = k0 * float(np.sqrt(permittivity.max()))
    along, across = (
        _second_derivative(cells, step, k, absorber)
        for cells, step in zip(permittivity.shape, steps, strict=True)
    )
    operator: Any = (
        kron(along, identity(y_cells))
        + kron(identity(x_cells), across)
        + diags(k0**2 * permittivity.ravel(), dtype=complex)
    )
    # Each column's neighbours lie one row of cells away: the order of the grid is what fills in least here.
    solved = splu(operator.tocsc(), permc_spec="COLAMD")
    return np.asarray(solved.solve(-1j * np.asarray(source, dtype=complex).ravel())).reshape(x_cells, y_cells)


def _second_derivative(count: int, step: float, k: float, absorber: Absorber) -> Any:
    """Return the sparse d/dx d/dx in stretched coordinates; the field is zero beyond the rim."""
    from scipy.sparse import diags

    stencil: Any
    walls = step * np.arange(count + 1)
    at = absorber.stretch(walls[:-1] + step / 2, walls[-1], k)
    between = absorber.stretch(walls, walls[-1], k)
    left, right = 1.0 / (at * between[:-1]), 1.0 / (at * between[1:])
    stencil = [left[1:], -(left + right), right[:-1]]
    return diags(stencil, [-1, 0, 1]) / step**2


@dataclass(frozen=True)
class CouplerField:
    """E_z of a coupler into whose guide 0 the mode of one guide alone was sent.

    x, y: middles of the cells in um, x counted from the source, absorbers cut off.  field: shape (X, Y).
    amplitudes: of the modes of guide 0 and guide 1 alone, shape (2, X).
    """

    slabs: TwoSlabs
    x: FloatArray
    y: FloatArray
    field: ComplexArray
    amplitudes: ComplexArray

    def crossed(self) -> FloatArray:
        """Return the share of the light that is in guide 1, at each x."""
        power = np.abs(self.amplitudes) ** 2
        return np.asarray(power[1] / power.sum(axis=0))

    def supermodes(self) -> tuple[float, float]:
        """Return the effective indices of the even and odd wave: the slopes of their phases in x."""
        even, odd = self.amplitudes.sum(axis=0), self.amplitudes[0] - self.amplitudes[1]
        slopes = [np.polyfit(self.x, np.unwrap(np.angle(wave)), 1)[0] for wave in (even, odd)]
        return float(slopes[0] * self.slabs.wl / (2 * np.pi)), float(slopes[1] * self.slabs.wl / (2 * np.pi))

    def beat_length(self) -> float:
        """Return the length in um over which all light crosses, from the supermodes seen in the field."""
        even, odd = self.supermodes()
        return self.slabs.wl / (2.0 * (even - odd))


def solve_coupler(
    slabs: TwoSlabs,
    length: float,
    steps: tuple[float, float] = (0.25 / 18, 0.25 / 12),
    margin: float = 0.5,
    absorber: Absorber | None = None,
) -> CouplerField:
    """Return the field of two guides side by side over `length` in um, light sent into guide 0.

    steps: of the cells along and across the guides.  margin: of cladding beside the guides, um. Differences
    of the second order make the coupling too strong by the square of the steps: 6.5 % with the cells of 42 nm
    of the public simulation, 1.2 % with those here.
    """
    absorber = absorber or Absorber()
    rim_x, rim_y = (absorber.cells(step) for step in steps)
    half = round((slabs.gap / 2 + slabs.width + margin) / steps[1]) + rim_y
    y = steps[1] * (np.arange(2 * half) - half + 0.5)
    count = round(length / steps[0]) + 1
    start = rim_x + SOURCE_BEHIND
    cells = start + count + rim_x
    permittivity = np.broadcast_to(slabs.permittivity(y), (cells, y.size))
    source = np.zeros((cells, y.size))
    source[start] = slabs.profile(y, 0)
    field = solve_field(np.ascontiguousarray(permittivity), source, slabs.wl, steps, absorber)
    seen = field[start : start + count]
    modes = np.array([slabs.profile(y, guide) for guide in (0, 1)])
    inside = slice(rim_y, y.size - rim_y)
    return CouplerField(slabs, steps[0] * np.arange(count), y[inside], seen[:, inside], modes @ seen.T)
