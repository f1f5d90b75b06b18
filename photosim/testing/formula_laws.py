"""Laws of closed forms: that the four algebras of one formula agree, and how lengths scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.model import ClosedForm
from photosim.model.algebra import MpmathAlgebra
from photosim.model.codegen import kernels
from photosim.testing.draws import span
from photosim.testing.law import LAWS, Example
from photosim.testing.linear_laws import sealed
from photosim.testing.roundings import EPS, Rounded, RoundedAlgebra, rounded
from photosim.testing.subjects import Formula

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGITS = 30


def formula(subject: Any) -> bool:
    """Return whether a subject is a closed form."""
    return isinstance(subject, Formula)


def compiled(model: ClosedForm, example: Example) -> NDArray[np.complex128]:
    """Return the S-matrix of the generated kernel, shape (W, P, P)."""
    kernel = kernels(model)
    out = np.zeros((1, 1, kernel.values, 2, example.wl.size))
    kernel.evaluate(example.wl[np.newaxis], _parameters(kernel.parameters, example), out)
    return _spread(model, kernel.value_of, out[0, 0])


def partials(model: ClosedForm, example: Example) -> NDArray[np.complex128]:
    """Return the compiled derivatives by all parameters and, last, wavelength: (parameters + 1, W, P, P)."""
    kernel = kernels(model)
    out = np.zeros((1, 1, len(kernel.parameters) + 1, kernel.values, 2, example.wl.size))
    kernel.partials(example.wl[np.newaxis], _parameters(kernel.parameters, example), out)
    return np.array([_spread(model, kernel.value_of, slope) for slope in out[0, 0]])


def exact(model: ClosedForm, wl: Any, settings: dict[str, Any]) -> NDArray[np.object_]:
    """Return the S-matrix at one wavelength in mpmath numbers at the working precision, shape (P, P)."""
    import mpmath

    s = np.full((len(model.ports),) * 2, mpmath.mpc(0), dtype=object)
    numbers = {name: mpmath.mpf(value) for name, value in settings.items()}
    for (a, b), value in model.entries(MpmathAlgebra(), mpmath.mpf(wl), numbers).items():
        s[model.ports.index(b), model.ports.index(a)] = mpmath.mpc(value)
    return s


def as_complex(values: NDArray[np.object_]) -> NDArray[np.complex128]:
    """Return mpmath numbers rounded to double precision."""
    return np.asarray(np.vectorize(complex, otypes=[np.complex128])(values))


def _parameters(names: tuple[str, ...], example: Example) -> NDArray[np.float64]:
    return np.array([[[float(example.settings[name]) for name in names]]])


def _spread(model: ClosedForm, value_of: Any, values: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Place distinct values of shape (V, 2, W) into S-matrices of shape (W, P, P)."""
    size = len(model.ports)
    s = np.zeros((values.shape[-1], size, size), dtype=np.complex128)
    for (a, b), v in value_of.items():
        s[:, model.ports.index(b), model.ports.index(a)] = values[v, 0] + 1j * values[v, 1]
    return s


_AT_LEAST_ONE = {"um", "rad"}
"""Units whose numbers end up in an angle: what is added there rounds as a number of the size of 1."""


def felt(subject: Formula, example: Example) -> NDArray[np.float64]:
    """Return what a rounding of every setting once does to each element, (W, P, P), in units of eps, plus 1.

    Angles, lengths and shares of one count as 1 at least, for 1 - coupling rounds as 1 does, be the coupling
    1e-6: beside a sharp resonance that is felt a thousandfold, however the formula is written.
    """
    slopes = np.abs(partials(subject.model, example))
    inputs = []
    for name, parameter in subject.model.parameters.items():
        least = 1.0 if parameter.unit in _AT_LEAST_ONE or (parameter.low, parameter.high) == (0, 1) else 0.0
        inputs.append(max(abs(float(example.settings[name])), least))
    # At 0 and 1 a square root is infinitely steep, and these settings are exact.
    slopes = np.where(np.isfinite(slopes), slopes, 0.0)
    moved = np.einsum("p,pwij->wij", np.array(inputs), slopes[:-1]) + slopes[-1] * example.wl[:, None, None]
    return np.asarray(1 + moved)


def roundings(subject: Formula, example: Example) -> NDArray[np.float64]:
    """Return how far rounding can move each element, (W, P, P), in units of eps; inf where it decides all.

    The formula itself, run on numbers that carry what every operation so far has rounded. Slopes by the
    settings alone would leave out what happens in between: beside a resonance 1 - r turn is as uncertain as
    1 is.
    """
    ports = subject.model.ports
    bound = np.zeros((example.wl.size, len(ports), len(ports)))
    numbers = {name: Rounded(value) for name, value in example.settings.items()}
    with np.errstate(all="ignore"):
        entries = subject.model.entries(RoundedAlgebra(), Rounded(example.wl), numbers)
    for (a, b), value in entries.items():
        bound[:, ports.index(b), ports.index(a)] = 1 + rounded(value).error
    return np.where(np.isnan(bound), np.inf, bound)


def _compared(found: Any, expected: Any, bound: NDArray[np.float64]) -> float:
    """Return the largest difference in bounds; where rounding alone decides there is nothing to compare."""
    known = np.isfinite(bound)
    return float((np.abs(found - expected)[known] / np.maximum(bound[known], 1.0)).max(initial=0.0))


@LAWS.declare(
    "compiled kernel",
    "The compiled formula and numpy agree, within the largest possible rounding error",
    "|S_kernel - S_numpy| <= 2 eps (1 + E), E what the roundings of all operations can do",
    tolerance=2 * EPS,
    why="both round after each operation, and a compiler may reorder sums and products",
    source="higham2002",
    applies=formula,
)
def _kernel(subject: Formula, example: Example) -> float:
    if sealed(subject, example):
        return 0.0
    return _compared(compiled(subject.model, example), subject.at(example), roundings(subject, example))


@LAWS.declare(
    "thirty digits",
    "Double precision agrees with a computation in thirty digits, within the error that rounding "
    "the settings once makes",
    "|S - S_30| <= 64 eps (1 + sum |p dS/dp|)",
    tolerance=64 * EPS,
    why="the effect of a few rounding errors of every setting; a good formula adds little to it",
    source="higham2002",
    applies=formula,
    every=5,
)
def _digits(subject: Formula, example: Example) -> float:
    import mpmath

    if sealed(subject, example):
        return 0.0
    with mpmath.workdps(DIGITS):
        reference = as_complex(exact(subject.model, example.wl[0], dict(example.settings)))
    one = Example(example.wl[:1], example.settings)
    return _compared(subject.at(one)[0], reference, felt(subject, one)[0])


def _differentiable(subject: Any) -> bool:
    return isinstance(subject, Formula) and bool(subject.parameters)


@LAWS.declare(
    "exact derivatives",
    "The compiled derivative with respect to every setting is the limit of a finite difference",
    "dS/dp = lim (S(p + h) - S(p - h)) / 2h",
    tolerance=1e-8,
    why="phases of 1e5 rad and a finesse of 100 leave 11 of 16 digits",
    source="griewank2008",
    applies=_differentiable,
    every=20,
)
def _derivatives(subject: Formula, example: Example) -> float:
    """Central differences in forty digits: no rounding, and no error of the step."""
    names = (*subject.model.parameters, "wl")
    inside = Example(example.wl[:1], {n: _inside(subject, n, v) for n, v in example.settings.items()})
    if sealed(subject, inside):
        return 0.0
    slopes = partials(subject.model, inside)[:, 0]
    worst = 0.0
    for k, name in enumerate(names):
        expected = _difference(subject, inside, name)
        if expected is not None and np.isfinite(expected).all():
            worst = max(worst, float(np.abs(slopes[k] - expected).max() / (1 + np.abs(expected).max())))
    return worst


def _inside(subject: Formula, name: str, value: float) -> float:
    """Return a value a little inside the span: at the very edge a formula may have a slope on one side."""
    low, high = span(subject.model.parameters[name], subject.model)
    return float(np.clip(value, low + 0.02 * (high - low), high - 0.02 * (high - low)))


def _difference(subject: Formula, example: Example, name: str) -> NDArray[np.complex128] | None:
    """Return the central difference of S by a setting or by wl, at the first wavelength, shape (P, P)."""
    import mpmath

    width = 1.0
    if name != "wl":
        parameter = subject.model.parameters[name]
        low, high = span(parameter, subject.model)
        width = high - low
        if parameter.structural or parameter.kind != "real" or width <= 0:
            return None
    with mpmath.workdps(40):
        step = mpmath.mpf(10) ** -14 * mpmath.mpf(width)
        ends = []
        for sign in (1, -1):
            moved: dict[str, Any] = {**example.settings, "wl": mpmath.mpf(example.wl[0])}
            moved[name] = mpmath.mpf(moved[name]) + sign * step
            ends.append(exact(subject.model, moved.pop("wl"), moved))
        return as_complex((ends[0] - ends[1]) / (2 * step))


_SCALES = {"um": 1.0, "dB/cm": -1.0, "rad/um": -1.0, "1/um": -1.0, "s": 1.0, "Hz": -1.0, "dB": 0.0, "1": 0.0,
           "rad": 0.0, "-": 0.0, "rad/V": 0.0, "1/K": 0.0, "K": 0.0, "V": 0.0, "dB/V": 0.0}  # fmt: skip
"""Power of a scale that a setting of a unit is multiplied by when all lengths are."""


def _scales(subject: Any) -> bool:
    return (
        isinstance(subject, Formula)
        and not subject.model.windows
        and all(p.unit in _SCALES for p in subject.model.parameters.values())
    )


@LAWS.declare(
    "scaling",
    "A device twice as large has the same S-matrix at twice the wavelength",
    "S(2 L, 2 wl, loss / 2, ...) = S(L, wl, loss, ...)",
    tolerance=1e-9,
    why="rounding errors of phases of thousands of radians",
    source="joannopoulos2008",
    applies=_scales,
)
def _scaling(subject: Formula, example: Example) -> float:
    settings = dict(example.settings)
    for name, parameter in subject.parameters.items():
        settings[name] = example.settings[name] * 2.0 ** _SCALES[parameter.unit]
        if not parameter.low <= settings[name] <= parameter.high:
            return 0.0
    if sealed(subject, example):
        return 0.0
    return float(np.abs(subject.s(2 * example.wl, settings) - subject.at(example)).max())


__all__ = ["as_complex", "compiled", "exact", "felt", "partials", "roundings"]
