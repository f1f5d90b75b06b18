"""Strategies of hypothesis for photonics: settings, components, S-matrices, netlists and circuits.

from hypothesis import given
from photosim.testing import strategies as sts

@given(sts.circuits(feedback=True))
def test_something(circuit): ...
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.model import Model, registry
from photosim.testing.draws import hypothesis, wavelengths_in
from photosim.testing.netlist_draws import (
    DAMAGES,
    MODE_PARTS,
    PARTS,
    Damaged,
    WrittenCircuit,
    WrittenNetlist,
    circuits,
    damaged_netlists,
    netlists,
    settings,
)
from photosim.testing.subjects import BAND

hypothesis()

from hypothesis import strategies as st  # noqa: E402 - after the sentence for those who lack it

if TYPE_CHECKING:
    from numpy.typing import NDArray


def components(kinds: Sequence[str] = ("closed-form",)) -> st.SearchStrategy[Model]:
    """Return components of the library and of one's own, of these kinds (`photosim components --json`)."""
    found = [registry.get(name) for name in registry.names() if "." not in name]
    chosen = [model for model in found if model.kind in kinds]
    if not chosen:
        known = sorted({model.kind for model in found})
        message = f"There are no components of the kinds {', '.join(kinds)}. There are: {', '.join(known)}."
        raise ParameterError(message)
    return st.sampled_from(chosen)


def wavelengths(
    low: float = BAND[0], high: float = BAND[1], *, count: int = 5
) -> st.SearchStrategy[NDArray[np.float64]]:
    """Return rising wavelengths in um between low and high, shape (count,)."""
    return wavelengths_in((low, high), count)


@st.composite
def smatrices(
    draw: st.DrawFn,
    ports: int | st.SearchStrategy[int] = 2,
    *,
    passive: bool = True,
    reciprocal: bool = False,
    unitary: bool = False,
    count: int = 1,
) -> NDArray[np.complex128]:
    """Draw S-matrices of shape (count, ports, ports): passive, reciprocal, unitary, or any of these.

    They come from unitary matrices of a seed, so that they shrink to the identity.
    """
    size = draw(ports) if isinstance(ports, st.SearchStrategy) else ports
    seed = draw(st.integers(0, 2**31 - 1))
    if seed == 0:
        unitaries = np.broadcast_to(np.eye(size, dtype=np.complex128), (count, size, size))
    else:
        rng = np.random.default_rng(seed)
        normal = rng.standard_normal((count, size, size)) + 1j * rng.standard_normal((count, size, size))
        unitaries = np.linalg.qr(normal)[0]
    if reciprocal:  # V V^T is unitary and symmetric
        unitaries = unitaries @ np.swapaxes(unitaries, -2, -1)
    if unitary:
        return np.array(unitaries)
    top = 1.0 if passive else 4.0
    values = np.array(draw(st.lists(st.floats(0.0, top), min_size=size, max_size=size)))
    if reciprocal:  # a Takagi form keeps symmetry: U diag(values) U^T
        base = np.linalg.qr(unitaries + 0.5j * np.eye(size))[0] if seed else unitaries
        return np.array((base * values) @ np.swapaxes(base, -2, -1))
    other = np.swapaxes(unitaries, -2, -1).conj()[..., ::-1, :]
    return np.array((unitaries * values) @ other)


def waveforms(low: float = 0.0, high: float = 1.0) -> st.SearchStrategy[dict[str, Any]]:
    """Return waveforms as netlists write them, as {wave: prbs, rate: 1e10, ...}: between low and high."""
    level = st.floats(low, high)
    rate = st.sampled_from([1e8, 1e9, 1e10])

    def shape(values: tuple[str, float, float, float]) -> dict[str, Any]:
        kind, first, second, frequency = values
        bottom, top = sorted((first, second))
        if kind == "constant":
            return {"wave": "constant", "value": first}
        if kind == "sine":
            swing = {"offset": (top + bottom) / 2, "amplitude": (top - bottom) / 2}
            return {"wave": "sine", "frequency": frequency, **swing}
        return {"wave": "prbs", "rate": frequency, "low": bottom, "high": top}

    return st.tuples(st.sampled_from(["constant", "sine", "prbs"]), level, level, rate).map(shape)


__all__ = [
    "DAMAGES",
    "MODE_PARTS",
    "PARTS",
    "Damaged",
    "WrittenCircuit",
    "WrittenNetlist",
    "circuits",
    "components",
    "damaged_netlists",
    "netlists",
    "settings",
    "smatrices",
    "waveforms",
    "wavelengths",
]
