"""How far rounding can move a formula: an algebra whose numbers carry a bound of their own error."""

from __future__ import annotations

from typing import Any

import numpy as np

EPS = float(np.finfo(float).eps)


class Rounded:
    """A number or array with a bound of what rounding has done to it so far, in units of eps.

    Each operation passes on what its operands have, by its derivative, and rounds once more itself: running
    error analysis, higham2002, section 3.3. Given settings have no error: all who compute get the same ones.
    """

    __array_ufunc__ = None  # numpy's numbers leave the arithmetic to this class

    def __init__(self, value: Any, error: Any = 0.0) -> None:
        """Keep a value and its error in units of eps."""
        self.value, self.error = np.asarray(value), np.asarray(error, dtype=float)

    @property
    def size(self) -> Any:
        """Absolute value."""
        return np.abs(self.value)

    def __neg__(self) -> Rounded:
        """Change the sign, which is exact."""
        return Rounded(-self.value, self.error)

    def __pos__(self) -> Rounded:
        """Leave it as it is."""
        return self

    def __add__(self, other: Any) -> Rounded:
        """Add, and round."""
        b = rounded(other)
        return _once(self.value + b.value, self.error + b.error)

    def __sub__(self, other: Any) -> Rounded:
        """Subtract, and round."""
        return self + -rounded(other)

    def __rsub__(self, other: Any) -> Rounded:
        """Subtract from something else, and round."""
        return rounded(other) + -self

    def __mul__(self, other: Any) -> Rounded:
        """Multiply, and round."""
        b = rounded(other)
        return _once(self.value * b.value, self.error * b.size + self.size * b.error)

    def __truediv__(self, other: Any) -> Rounded:
        """Divide, and round; no bound where the divisor may be nothing but rounding."""
        b = rounded(other)
        value = self.value / b.value
        left = np.maximum(b.size - EPS * b.error, 0.0)
        return _once(value, (self.error + np.abs(value) * b.error) / left)

    def __rtruediv__(self, other: Any) -> Rounded:
        """Divide something else by it, and round."""
        return rounded(other) / self

    def __pow__(self, power: Any) -> Rounded:
        """Raise to a constant power, as a product of as many factors is rounded."""
        value = self.value**power
        slope = np.abs(power * self.value ** (power - 1)) if power != 1 else 1.0
        return Rounded(value, slope * self.error + abs(power) * np.abs(value))

    __radd__, __rmul__ = __add__, __mul__


def rounded(value: Any) -> Rounded:
    """Return a number as one without error, unless it has one already."""
    return value if isinstance(value, Rounded) else Rounded(value)


def _once(value: Any, error: Any) -> Rounded:
    """Return a result that is rounded once more."""
    return Rounded(value, error + np.abs(value))


class RoundedAlgebra:
    """The algebra of numbers that carry their errors; functions round once, like operations."""

    pi = Rounded(np.pi, np.pi)
    i = Rounded(1j)

    @staticmethod
    def sqrt(x: Any) -> Rounded:
        """Square root: beside 0 it moves by the root of what its argument does."""
        x = rounded(x)
        value = np.sqrt(x.value)
        steep = np.divide(x.error, 2 * value, out=np.full(np.shape(value), np.inf), where=value > 0)
        return _once(value, np.minimum(steep, np.sqrt(x.error / EPS)))

    @staticmethod
    def exp(x: Any) -> Rounded:
        """Exponential."""
        x = rounded(x)
        value = np.exp(x.value)
        return _once(value, np.abs(value) * x.error)

    @staticmethod
    def log(x: Any) -> Rounded:
        """Natural logarithm."""
        x = rounded(x)
        return _once(np.log(x.value), x.error / x.size)

    @staticmethod
    def sin(x: Any) -> Rounded:
        """Sine; rounded as a number of the size of 1, for so are sums of angles."""
        x = rounded(x)
        return Rounded(np.sin(x.value), x.error + 1.0)

    @staticmethod
    def cos(x: Any) -> Rounded:
        """Cosine; rounded as a number of the size of 1."""
        x = rounded(x)
        return Rounded(np.cos(x.value), x.error + 1.0)

    @staticmethod
    def asin(x: Any) -> Rounded:
        """Arc sine: beside 1 it moves by the root of what its argument does."""
        x = rounded(x)
        value = np.arcsin(x.value)
        left = np.sqrt(np.maximum(1 - x.size**2, 0.0))
        steep = np.divide(x.error, left, out=np.full(np.shape(value), np.inf), where=left > 0)
        return _once(value, np.minimum(steep, np.sqrt(2 * x.error / EPS)))

    @staticmethod
    def cis(x: Any) -> Rounded:
        """exp(i x)."""
        x = rounded(x)
        return Rounded(np.exp(1j * x.value), x.error + 1.0)

    @staticmethod
    def sinc(x: Any) -> Rounded:
        """sin(x)/x, whose slope is at most 0.44 and at most 2/x."""
        x = rounded(x)
        value = np.sinc(x.value / np.pi)
        with np.errstate(divide="ignore"):
            reach = np.minimum(1.0, 2 / x.size)
        return Rounded(value, reach * (x.error + 1.0 + x.size))

    def amplitude_dB(self, loss_dB: Any) -> Rounded:
        """10**(-loss_dB/20)."""
        return self.exp(rounded(loss_dB) * Rounded(-np.log(10.0) / 20.0, np.log(10.0) / 20.0))


__all__ = ["Rounded", "RoundedAlgebra", "rounded"]
