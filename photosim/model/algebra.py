"""The algebras a component formula is evaluated in: numpy, sympy and mpmath.

A closed-form component is one plain function `f(m, wl, *, ...)`. What `m` is
decides what comes out: numbers over arrays (NumpyAlgebra), the formula itself
(SympyAlgebra) or thirty correct digits (MpmathAlgebra). All offer the same
names; a formula uses these, the arithmetic operators and imaginary literals.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol

import numpy as np


class Algebra(Protocol):
    """What a formula may ask of `m`; arguments and results are numbers of that algebra."""

    pi: Any
    i: Any

    def sqrt(self, x: Any) -> Any:
        """Square root of a real, non-negative number."""

    def exp(self, x: Any) -> Any:
        """Exponential of a real or complex number."""

    def log(self, x: Any) -> Any:
        """Natural logarithm of a positive number."""

    def sin(self, x: Any) -> Any:
        """Sine of a real number."""

    def cos(self, x: Any) -> Any:
        """Cosine of a real number."""

    def asin(self, x: Any) -> Any:
        """Arc sine of a real number from 0 to 1."""

    def cis(self, x: Any) -> Any:
        """exp(i x) of a real number: the factor of a wave that has gained the phase x."""

    def sinc(self, x: Any) -> Any:
        """sin(x)/x of a real number, 1 at x = 0."""

    def amplitude_dB(self, loss_dB: Any) -> Any:
        """Amplitude left after a loss in dB, 10**(-loss_dB/20)."""


class NumpyAlgebra:
    """The vectorised reference: float64 and complex128 arrays that broadcast."""

    pi = np.pi
    i = 1j
    sqrt = staticmethod(np.sqrt)
    exp = staticmethod(np.exp)
    log = staticmethod(np.log)
    sin = staticmethod(np.sin)
    cos = staticmethod(np.cos)
    asin = staticmethod(np.arcsin)

    @staticmethod
    def cis(x: Any) -> Any:
        """exp(i x), elementwise."""
        angle = np.asarray(x)
        if np.iscomplexobj(angle):
            return np.exp(1j * angle)
        found = np.empty(angle.shape, dtype=np.complex128)  # a third of the time of a complex exponential
        found.real, found.imag = np.cos(angle), np.sin(angle)
        return found[()]

    @staticmethod
    def sinc(x: Any) -> Any:
        """sin(x)/x, elementwise; numpy's sinc carries a factor pi in its argument."""
        return np.sinc(np.asarray(x) / np.pi)

    @staticmethod
    def amplitude_dB(loss_dB: Any) -> Any:
        """10**(-loss_dB/20), elementwise."""
        return np.exp(np.asarray(loss_dB) * (-np.log(10.0) / 20.0))


class MpmathAlgebra:
    """Arbitrary precision for the accuracy tests; set the digits with mpmath.workdps."""

    def __init__(self) -> None:
        import mpmath

        self._mp = mpmath.mp
        self.i = mpmath.mpc(0, 1)
        self.sqrt, self.exp, self.log = mpmath.sqrt, mpmath.exp, mpmath.log
        self.sin, self.cos, self.cis = mpmath.sin, mpmath.cos, mpmath.expj
        self.asin = mpmath.asin

    @property
    def pi(self) -> Any:
        """Pi at the working precision."""
        return +self._mp.pi

    def sinc(self, x: Any) -> Any:
        """sin(x)/x, 1 at 0."""
        return self._mp.sinc(x)

    def amplitude_dB(self, loss_dB: Any) -> Any:
        """10**(-loss_dB/20)."""
        return self._mp.exp(-loss_dB * self._mp.log(10) / 20)


NUMPY = NumpyAlgebra()


@cache
def sympy_algebra() -> Any:
    """Return the algebra of formulas; importing sympy is put off until somebody asks for one."""
    import sympy

    class Cis(sympy.Function):  # type: ignore[misc]
        """exp(i x) of a real argument, kept whole so that its sine and cosine are computed once."""

        nargs = 1

        def fdiff(self, argindex: int = 1) -> Any:
            """d/dx exp(i x) = i exp(i x)."""
            del argindex
            return sympy.I * self

        def _eval_rewrite_as_exp(self, x: Any, **hints: Any) -> Any:
            del hints
            return sympy.exp(sympy.I * x)

        def _eval_conjugate(self) -> Any:
            return type(self)(-self.args[0])

        def _latex(self, printer: Any, exp: Any = None) -> str:
            body = printer._print(sympy.I * self.args[0])  # noqa: SLF001 - sympy's printer protocol
            # A power of a power needs brackets, or LaTeX stops at the double superscript.
            return rf"\left(e^{{{body}}}\right)^{{{exp}}}" if exp else rf"e^{{{body}}}"

        def _eval_evalf(self, prec: int) -> Any:
            return sympy.exp(sympy.I * self.args[0])._eval_evalf(prec)  # noqa: SLF001 - sympy's protocol

    class SympyAlgebra:
        """Expressions with exact derivatives and a LaTeX form."""

        pi = sympy.pi
        i = sympy.I
        sqrt = staticmethod(sympy.sqrt)
        exp = staticmethod(sympy.exp)
        log = staticmethod(sympy.log)
        sin = staticmethod(sympy.sin)
        cos = staticmethod(sympy.cos)
        asin = staticmethod(sympy.asin)
        sinc = staticmethod(sympy.sinc)

        @staticmethod
        def cis(x: Any) -> Any:
            """exp(i x) as one function of a real argument."""
            return Cis(x)

        @staticmethod
        def amplitude_dB(loss_dB: Any) -> Any:
            """10**(-loss_dB/20), with an exact base so that it prints as people write it."""
            return sympy.Integer(10) ** (-loss_dB / 20)

    return SympyAlgebra()
