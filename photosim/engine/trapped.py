"""Wavelengths all but singular, as on resonance in a loop without loss: solved again, with pivoting.

Where a loop holds light that none of the circuit's light reaches, results and their derivatives are the
limit of small loss: with R = (1 - K)^-1 on all other light, S = R[to, from] and dS = R dK R.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.engine.guards import all_series, all_values
from photosim.engine.plan import numbers_of
from photosim.errors import PhotosimWarning, SingularCircuit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.parts import Parts, Point
    from photosim.engine.waves import Request

TRAPPED = 1e-26
"""|1 - K|^2 below which 1 - K is pure rounding error and the loop is treated as dark."""
NEARLY_SINGULAR = 1e-20
"""|1 - K|^2 below which elimination without pivoting is not trusted: ten digits of 1 - K are gone."""
MOST_EXCITED = 1e6
"""Largest wave that a unit wave excites, up to which rounding of trapped light does not count."""
DAMPING = 1e-6
"""Loss of each step round a loop with which a singular system is solved, and then refined."""
REFINEMENTS = 60
"""Most rounds of refinement after that; a loop with a loss of 1e-5 beside the dark one needs a dozen."""
EXACT = 1e-13
"""Error, to the largest wave or to 1, at which refinement ends."""
GOOD = 1e-9
"""Error up to which a solution is one; light enters a trapped mode where it is driven by more."""
NOTHING = 1e-14
"""Derivatives by S-matrix elements, to the largest, that are rounding of light that is not there."""
RESOLVED = 64
"""Wavelengths whose values are worked out together when they are solved again."""


def mend(
    parts: Parts,
    request: Request,
    point: Point,
    wl: NDArray[np.float64],
    smallest: NDArray[np.float64],
    out: NDArray[np.complex128],
    name: str,
) -> None:
    """Solve wavelengths of a circuit that are all but singular again, pivoted; say where light is trapped."""
    solve_again(parts, request, point, wl, np.nan_to_num(smallest, nan=0.0), out)
    at = wl[int(np.argmin(np.nan_to_num(smallest, nan=0.0).min(axis=0)))]
    if not np.isfinite(out).all():
        message = f"Circuit {name!r} has no solution at {at:.9g} um: a loop there has a gain of exactly 1."
        raise SingularCircuit(message)
    if np.nanmin(smallest) < TRAPPED:
        message = (
            f"Circuit {name!r} holds a lossless loop on resonance that no light reaches, "
            f"at {at:.9g} um; the light trapped in it is left out: results and derivatives there "
            "are the limit of small loss."
        )
        warnings.warn(message, PhotosimWarning, stacklevel=5)


def solve_again(
    parts: Parts,
    request: Request,
    point: Point,
    wl: NDArray[np.float64],
    smallest: NDArray[np.float64],
    out: NDArray[np.complex128],
) -> None:
    """Solve the flagged wavelengths again with pivoting, and put what is better into out (B, places, W).

    `smallest` (B, W) holds the smallest |1 - K|^2 of each. A wavelength that has
    no solution keeps the eliminated answer, in which a loop that no light
    reaches counts as dark.
    """
    flagged = np.flatnonzero((smallest < NEARLY_SINGULAR).any(axis=0))
    waves = _Waves(request)
    known: tuple[bytes, Any] = (b"", None)  # a loop without dispersion has one answer at all wavelengths
    for chunk in _chunks(flagged):
        values = all_values(parts, point, wl[chunk])
        for batch, k in np.argwhere(smallest[:, chunk] < NEARLY_SINGULAR):
            own: NDArray[np.complex128] = np.ascontiguousarray(values[batch, :, k])
            if known[0] != own.tobytes():
                known = own.tobytes(), _System(waves, own).forward()
            if known[1] is not None:
                waves.put(known[1], out[batch, :, chunk[k]])


def pull_again(
    parts: Parts,
    request: Request,
    point: Point,
    wl: NDArray[np.float64],
    flagged: NDArray[np.int64],
    cotangent: NDArray[np.complex128],
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Yield (number of a wavelength, dL/dRe and dL/dIm of every S-matrix value there (B, values, 2)).

    flagged: the numbers of the wavelengths; cotangent (B, places, W) as in the reverse pass. A wavelength
    that has no solution is left out.
    """
    waves = _Waves(request)
    known: tuple[bytes, Any] = (b"", None)
    for chunk in _chunks(flagged):
        values = all_values(parts, point, wl[chunk])
        for k, number in enumerate(chunk.tolist()):
            slopes = np.zeros((point.batch, values.shape[1], 2))
            for batch in range(point.batch):
                own: NDArray[np.complex128] = np.ascontiguousarray(values[batch, :, k])
                if known[0] != own.tobytes():
                    known = own.tobytes(), _System(waves, own).both()
                if known[1] is None:
                    break
                x, y = known[1]
                found = waves.pull(x, y, cotangent[batch, :, number], values.shape[1])
                slopes[batch, :, 0], slopes[batch, :, 1] = found.real, found.imag
            else:
                yield number, slopes


def series_again(
    parts: Parts,
    request: Request,
    point: Point,
    wl: NDArray[np.float64],
    smallest: NDArray[np.float64],
    out: NDArray[np.complex128],
    name: str,
) -> None:
    """Find the Taylor coefficients of flagged wavelengths again, into out (orders, B, places, W).

    Where light enters the trapped mode as soon as the wavelength changes, they have no limit of small loss:
    they are not numbers, and a PhotosimWarning says so.
    """
    if wl.ndim > 1:  # each batch entry has wavelengths of its own
        for b in np.flatnonzero((smallest < NEARLY_SINGULAR).any(axis=1)).tolist():
            one = point.part_of_batch(b, b + 1)
            series_again(parts, request, one, wl[b], smallest[b : b + 1], out[:, b : b + 1], name)
        return
    waves = _Waves(request)
    open_at: list[float] = []
    for chunk in _chunks(np.flatnonzero((smallest < NEARLY_SINGULAR).any(axis=0))):
        values = all_series(parts, point, wl[chunk], len(out))
        for batch, k in np.argwhere(smallest[:, chunk] < NEARLY_SINGULAR):
            found = _System(waves, values[0, batch, :, k]).series(values[:, batch, :, k])
            if found is None:
                continue
            for order, solution in enumerate(found):
                waves.put(solution, out[order, batch, :, chunk[k]])
            if not np.isfinite(found).all():
                open_at.append(float(wl[chunk[k]]))
    if open_at:
        message = (
            f"Circuit {name!r} traps light without loss at {open_at[0]:.9g} um, where group delay or "
            "dispersion are not finite: give the loop a loss, or choose a wavelength off the resonance."
        )
        warnings.warn(message, PhotosimWarning, stacklevel=5)


def _chunks(flagged: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    return (flagged[k : k + RESOLVED] for k in range(0, len(flagged), RESOLVED))


class _Waves:
    """The waves of a request, numbered as rows and columns of one sparse matrix K [to, from]."""

    def __init__(self, request: Request) -> None:
        self.wanted = request.wanted
        ends = {w for pair in request.edges for w in pair}
        waves = sorted(ends.union(*((w.input, w.output) for w in request.wanted)))
        number = {wave: k for k, wave in enumerate(waves)}
        self.size = len(waves)
        self.rows = np.array([number[b] for _, b in request.edges], dtype=np.int64)
        self.columns = np.array([number[a] for a, _ in request.edges], dtype=np.int64)
        self.values = numbers_of(request.edges)
        self.inputs = {w: k for k, w in enumerate(dict.fromkeys(w.input for w in request.wanted))}
        self.outputs = {w: k for k, w in enumerate(dict.fromkeys(w.output for w in request.wanted))}
        self.excited = self._units([number[i] for i in self.inputs])
        self.observed = self._units([number[o] for o in self.outputs])

    def _units(self, at: list[int]) -> NDArray[np.complex128]:
        units = np.zeros((self.size, len(at)), dtype=np.complex128)
        units[at, np.arange(len(at))] = 1.0
        return units

    def matrix(self, values: NDArray[np.complex128]) -> Any:
        """Return K for the values of all parts, sparse."""
        from scipy.sparse import coo_array

        entries = (values[self.values], (self.rows, self.columns))
        return coo_array(entries, shape=(self.size, self.size)).tocsc()

    def put(self, found: NDArray[np.complex128], out: NDArray[np.complex128]) -> None:
        """Put the wanted elements of a matrix (outputs, inputs) into out (places,)."""
        for w in self.wanted:
            value = found[self.outputs[w.output], self.inputs[w.input]]
            out[w.place] = value
            if w.mirror >= 0:
                out[w.mirror] = value

    def pull(
        self,
        solution: NDArray[np.complex128],
        adjoint: NDArray[np.complex128],
        cotangent: NDArray[np.complex128],
        count: int,
    ) -> NDArray[np.complex128]:
        """Return the adjoints of all values (count,) from those of the wanted elements (places,)."""
        weights = np.zeros((len(self.outputs), len(self.inputs)), dtype=np.complex128)
        for wanted in self.wanted:
            of = cotangent[wanted.place] + (cotangent[wanted.mirror] if wanted.mirror >= 0 else 0.0)
            weights[self.outputs[wanted.output], self.inputs[wanted.input]] += of
        carried = np.conj(adjoint) @ weights  # (waves, inputs)
        each = np.sum(carried[self.rows] * np.conj(solution[self.columns]), axis=1)
        each[np.abs(each) <= NOTHING * np.abs(each).max(initial=0.0)] = 0.0
        found = np.zeros(count, dtype=np.complex128)
        np.add.at(found, self.values, each)
        return found


class _System:
    """1 - K for one set of values, and what solves it.

    A system that is singular but for rounding, as where light is trapped without loss, is solved with a
    little loss and refined: what light reaches converges at once, and what is trapped is reached by none.
    """

    def __init__(self, waves: _Waves, values: NDArray[np.complex128]) -> None:
        from scipy.sparse import identity

        self.waves = waves
        self.k = waves.matrix(values)
        self.system = identity(waves.size, format="csc") - self.k

    def forward(self) -> NDArray[np.complex128] | None:
        """Return the outputs per input, undamped where rounding does no harm; None without a solution."""
        solution = self._solve(self.waves.excited, damped=False)
        if solution is None or np.abs(solution).max() > MOST_EXCITED:
            damped = self._solve(self.waves.excited, damped=True)
            solution = solution if damped is None else damped
        return None if solution is None else self.waves.observed.T @ solution

    def both(self) -> tuple[NDArray[np.complex128], NDArray[np.complex128]] | None:
        """Return the waves per input (waves, inputs) and the outputs per wave (waves, outputs)."""
        for damped in (True, False):
            solution = self._solve(self.waves.excited, damped=damped)
            adjoint = self._solve(self.waves.observed, damped=damped, transposed=True)
            if solution is not None and adjoint is not None:
                return solution, adjoint
        return None

    def series(self, values: NDArray[np.complex128]) -> NDArray[np.complex128] | None:
        """Return the Taylor coefficients (orders, outputs, inputs) up to the second, or None.

        values (orders, values): those of all parts. S_1 = y K_1 x and S_2 = y (K_1 x_1 + K_2 x), where x are
        the waves per input, y the outputs per wave and x_1 = R K_1 x; not numbers where K_1 couples x or y
        to a trapped mode.
        """
        for damped in (True, False):
            x = self._solve(self.waves.excited, damped=damped)
            y = self._solve(self.waves.observed, damped=damped, transposed=True)
            if x is not None and y is not None:
                break
        else:
            return None
        first, second = (self.waves.matrix(own) for own in values[1:])
        found = np.full((3, y.shape[1], x.shape[1]), np.nan, dtype=np.complex128)
        found[0] = self.waves.observed.T @ x
        after = self._solve(first @ x, damped=damped, exact=GOOD)
        before = self._solve(first.T @ y, damped=damped, exact=GOOD, transposed=True)
        if after is not None and before is not None:
            found[1] = y.T @ (first @ x)
            found[2] = y.T @ (first @ after + second @ x)
        return found

    def _solve(
        self,
        excited: NDArray[np.complex128],
        *,
        damped: bool,
        transposed: bool = False,
        exact: float = EXACT,
    ) -> NDArray[np.complex128] | None:
        """Return what solves the system, or its transpose, refined until `exact`; None where nothing does."""
        from scipy.sparse.linalg import splu

        system, k = (self.system.T, self.k.T) if transposed else (self.system, self.k)
        try:
            factors = splu((system + DAMPING * k if damped else system).tocsc())
        except RuntimeError:  # exactly singular
            return None
        solution = factors.solve(excited)
        scale = max(1.0, float(np.abs(excited).max(initial=0.0)))
        for _ in range(REFINEMENTS if damped else 0):
            left = excited - system @ solution
            if np.abs(left).max() <= exact * scale:
                break
            solution = solution + factors.solve(left)
        error = np.abs(system @ solution - excited).max()
        most = scale if damped else max(scale, float(np.abs(solution).max()))
        good = np.isfinite(solution).all() and error <= GOOD * most
        return np.asarray(solution) if good else None
