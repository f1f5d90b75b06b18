"""What a nonlinear part does to light that stays as it is: one formula over the power that arrives.

A formula `f(m, power, *, ...)` is evaluated with numpy for its value and with sympy, once, for its exact
derivatives. Beside the functions of the algebras, `m.saturated(h0, p)` is the exponent h of a gain that light
of the power p, relative to the saturation power, depletes: h + p (exp(h) - 1) = h0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from photosim.model.algebra import NumpyAlgebra, sympy_algebra

STEPS = 60
"""Steps of Newton at most; gains up to 60 dB take 10."""


def saturated(h0: Any, p: Any) -> Any:
    """Return h with h + p (exp(h) - 1) = h0, elementwise, p not negative.

    Newton's steps from above the root: the function is convex and rises, so that they fall towards it.
    """
    h0, p = np.broadcast_arrays(np.asarray(h0, dtype=np.float64), np.asarray(p, dtype=np.float64))
    lit = p > 0.0
    h = np.where(lit, np.log1p(np.maximum(h0, 0.0) / np.where(lit, p, 1.0)), h0)
    h = np.where(h0 > 0.0, np.minimum(h, h0), np.where(lit, 0.0, h0))
    for _ in range(STEPS):
        step = (h + p * np.expm1(h) - h0) / (1.0 + p * np.exp(h))
        h = h - step
        if np.all(np.abs(step) <= 1e-15 * (1.0 + np.abs(h))):
            break
    return h


class SteadyNumpy(NumpyAlgebra):
    """Numpy, and saturation by light."""

    saturated = staticmethod(saturated)


NUMPY = SteadyNumpy()


@cache
def steady_sympy() -> Any:
    """Return sympy's algebra with saturation by light."""
    import sympy

    class Saturated(sympy.Function):  # type: ignore[misc]
        """The exponent of a depleted gain, kept whole."""

        nargs = 2

        def fdiff(self, argindex: int = 1) -> Any:
            """By the implicit function: dh/dh0 = 1/(1 + p exp(h)), dh/dp = -(exp(h) - 1)/(1 + p exp(h))."""
            slope = 1 / (1 + self.args[1] * sympy.exp(self))
            return slope if argindex == 1 else (1 - sympy.exp(self)) * slope

    class SteadySympy(type(sympy_algebra())):  # type: ignore[misc]
        """Sympy, and saturation by light."""

        saturated = Saturated

    return SteadySympy()


@cache
def slopes_of(formula: Callable[..., Any], names: tuple[str, ...]) -> Callable[..., Any]:
    """Return g(power, *settings): derivatives of a formula by power and the settings `names`, in order."""
    import sympy

    power = sympy.Dummy("power", real=True)
    symbols = [sympy.Symbol(name, real=True) for name in names]
    value = formula(steady_sympy(), power, **dict(zip(names, symbols, strict=True)))
    found = [sympy.diff(value, symbol) for symbol in (power, *symbols)]
    known = {"Saturated": saturated, "Cis": NUMPY.cis, "sinc": NUMPY.sinc}
    made: Callable[..., Any] = sympy.lambdify([power, *symbols], found, [known, "numpy"], cse=True)
    return made


def faint(
    formula: Callable[..., Any], paths: tuple[tuple[str, str], ...]
) -> Callable[..., Mapping[tuple[str, str], Any]]:
    """Return linear(wl, *, ...): the elements of the S-matrix that light of no power meets on these paths."""

    def elements(wl: Any, **settings: Any) -> Mapping[tuple[str, str], Any]:
        return dict.fromkeys(paths, formula(NUMPY, 0.0, **settings) * np.ones_like(wl))

    return elements
