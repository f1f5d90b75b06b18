"""Free propagation regions of arrayed guides: slabs in which light spreads from inputs to outputs."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from photosim.components.drawn_guides import SLAB_INDEX
from photosim.conventions import standard_aliases
from photosim.model import Index, PathLength, Quantity, Wavelength, numerical

Guides = Annotated[int, Quantity("1", 1, 512, whole=True)]
"""Number of guides on one side of a slab."""
Spot = Annotated[float, Quantity("um", 0.05, 20.0)]
"""Width in um; never zero."""
_GUIDE = 0.5


def _ports(*, inputs: int, outputs: int, **_: Any) -> tuple[str, ...]:
    return tuple(f"o{k}" for k in range(1, int(inputs) + int(outputs) + 1))


def _aliases(*, inputs: int, outputs: int, **_: Any) -> dict[str, str]:
    """W0, W1, ... on the left and E0, E1, ... on the right, from below, as gdsfactory has them."""
    count = int(inputs) + int(outputs)
    west = {f"W{k}": f"o{k + 1}" for k in range(int(inputs))}
    east = {f"E{k}": f"o{count - k}" for k in range(int(outputs))}
    return standard_aliases(_ports(inputs=inputs, outputs=outputs), int(inputs)) | west | east


def _structure(*, inputs: int, outputs: int, **_: Any) -> tuple[tuple[int, int], ...]:
    left = range(int(inputs))
    right = range(int(inputs), int(inputs) + int(outputs))
    return tuple(sorted({(b, a) for a in left for b in right} | {(a, b) for a in left for b in right}))


def places(width: float, guide: float, number: int) -> Any:
    """Places (number,) in um of guides of equal pitch across an edge, from below."""
    if number == 1:
        return np.zeros(1)
    return np.linspace(-width / 2 + guide / 2, width / 2 - guide / 2, number)


def _largest(y: Any, spot: float) -> float:
    """Largest eigenvalue of the overlaps of the spots at places y: 1 where none meet."""
    overlaps = np.exp(-((y[:, np.newaxis] - y) ** 2) / (2 * spot**2))
    return float(np.linalg.eigvalsh(overlaps)[-1])


@numerical(
    source="smit1996", ports_of=_ports, aliases_of=_aliases, structure_of=_structure, reciprocal=True,
)  # fmt: skip
def free_propagation_region(
    wl: Any,
    *,
    inputs: Guides = 1,
    outputs: Guides = 10,
    length: PathLength = 20.0,
    width1: Spot = 2.0,
    width2: Spot = 20.0,
    wg_width: Spot = _GUIDE,
    spot: Spot = 0.3,
    neff: Index = SLAB_INDEX,
    ng: Index = 3.6992,
    wl0: Wavelength = 1.55,
) -> Any:
    """Star coupler: a slab in which Gaussian beams spread from `inputs` waveguides to `outputs` waveguides.

    A guide at height y sends a Gaussian of half width `spot`; what a guide at height y + d takes up over a
    length L is sqrt(1/q) exp(-d**2/(2 spot**2 q)) exp(2 pi i n L/wl), q = 1 + i wl L/(2 pi n spot**2):
    Fresnel diffraction, exact in that approximation. Guides lie at equal pitch on straight edges, as
    gdsfactory draws them; it calls them W0, W1, ... and E0, E1, ... from below. Where neighbouring spots
    overlap, all elements are reduced so that no power is made. Left out: angles beyond 30
    degrees, reflection, light that reaches a neighbour on the same side, curved edges.

    Settings:
        inputs: number of waveguides on the left, o1, o2, ... from below.
        outputs: number of waveguides on the right.
        length: distance between the left and the right edge.
        width1: width of the left edge.
        width2: width of the right edge.
        wg_width: width of each waveguide; the outermost ones lie half of it inside the end of the edge.
        spot: half width at 1/e of the field of a waveguide's mode.
        neff: effective index of the slab at wl0.
        ng: group index of the slab at wl0.
        wl0: wavelength at which neff and ng are given.
    """
    left, right = places(width1, wg_width, int(inputs)), places(width2, wg_width, int(outputs))
    index = neff - (wl - wl0) * (ng - neff) / wl0
    k = (2 * np.pi * index / wl)[:, np.newaxis, np.newaxis]
    spread = spot**2 + 1j * length / k
    apart = (right[:, np.newaxis] - left[np.newaxis, :])[np.newaxis]
    passed = spot / np.sqrt(spread) * np.exp(-(apart**2) / (2 * spread)) * np.exp(1j * k * length)
    passed /= np.sqrt(_largest(left, spot) * _largest(right, spot))
    n, count = int(inputs), int(inputs) + int(outputs)
    s = np.zeros((np.size(wl), count, count), dtype=np.complex128)
    s[:, n:, :n] = passed[:, ::-1]  # outputs are numbered downwards
    s[:, :n, n:] = np.swapaxes(s[:, n:, :n], 1, 2)
    return s
