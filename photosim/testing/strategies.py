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

from photosim.arguments import public
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


@public
def components(kinds: str | Sequence[str] = ("closed-form",)) -> st.SearchStrategy[Model]:
    """Return components of the library and of one's own, of these kinds (`photosim components --json`).

    Raises ParameterError for a kind that does not exist.
    """
    wanted = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    found = [registry.get(name) for name in registry.names() if "." not in name]
    known = sorted({model.kind for model in found})
    for kind in wanted or ("",):
        if kind not in known:
            message = f"There are no components of kind {kind!r}. The kinds are: {', '.join(known)}."
            raise ParameterError(message)
    return st.sampled_from([model for model in found if model.kind in wanted])


@public
def wavelengths(
    low: float = BAND[0], high: float = BAND[1], *, count: int = 5
) -> st.SearchStrategy[NDArray[np.float64]]:
    """Return rising wavelengths in um between low and high, shape (count,).

    Raises ParameterError for bounds that are not positive or not in order, and a count below 1.
    """
    if not 0.0 < low <= high < np.inf or count < 1:
        message = (
            f"wavelengths: low, high and count must obey 0 < low <= high and count >= 1, "
            f"got {low}, {high} and {count}."
        )
        raise ParameterError(message)
    return wavelengths_in((low, high), count)


@public
def smatrices(
    ports: Any = 2, *, passive: bool = True, reciprocal: bool = False, unitary: bool = False, count: int = 1
) -> st.SearchStrategy[NDArray[np.complex128]]:
    """Return S-matrices of shape (count, ports, ports): passive, reciprocal, unitary, or any of these.

    ports: their number, or a strategy of it. They come from unitary matrices of a seed, so that they shrink
    to the identity. Raises ParameterError for fewer than 1 port or matrix.
    """
    sizes = ports if isinstance(ports, st.SearchStrategy) else st.just(ports)
    if not isinstance(ports, st.SearchStrategy) and not (isinstance(ports, int | np.integer) and ports >= 1):
        message = f"smatrices: ports must be a whole number, 1 or more, or a strategy of it, got {ports!r}."
        raise ParameterError(message)
    if count < 1:
        message = f"smatrices: count must be 1 or more, got {count}."
        raise ParameterError(message)
    return _smatrices(sizes, passive=passive, reciprocal=reciprocal, unitary=unitary, count=count)


@st.composite
def _smatrices(
    draw: st.DrawFn,
    sizes: st.SearchStrategy[int],
    *,
    passive: bool,
    reciprocal: bool,
    unitary: bool,
    count: int,
) -> NDArray[np.complex128]:
    """Draw one of `smatrices`."""
    size = draw(sizes)
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


@public
def waveforms(low: float = 0.0, high: float = 1.0) -> st.SearchStrategy[dict[str, Any]]:
    """Return waveforms as netlists write them, as {wave: prbs, rate: 1e10, ...}: between low and high.

    Raises ParameterError where low is above high.
    """
    if not -np.inf < low <= high < np.inf:
        message = f"waveforms: low must not be above high, got {low} and {high}."
        raise ParameterError(message)
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
