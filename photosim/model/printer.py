"""Print a sympy formula as lines of real arithmetic that a compiler can vectorise.

Each node of the formula becomes one or two real numbers, a complex one its
real and imaginary part. Lines that depend on wavelength are kept apart from
those that do not, which run once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from photosim.errors import PhotosimError


@dataclass(frozen=True)
class Number:
    """A printed value: names of its real and imaginary part ("" is none), and whether it varies with wl."""

    re: str
    im: str
    varies: bool

    @property
    def is_real(self) -> bool:
        """Whether there is no imaginary part."""
        return self.im == ""


class Printer:
    """Turns sympy nodes into lines of real arithmetic; `outer` runs once, `inner` at every wavelength."""

    def __init__(self, inputs: Mapping[Any, str]) -> None:
        self.outer: list[str] = []
        self.inner: list[str] = []
        self._known: dict[Any, Number] = {}
        self._count = 0
        for symbol, text in inputs.items():
            self._known[symbol] = self._real(text, varies=False)

    def define(self, symbol: Any, expression: Any) -> None:
        """Print a shared subexpression and remember it under its symbol."""
        self._known[symbol] = self._print(expression)

    def store(self, place: str, expression: Any) -> None:
        """Print an expression into its element of the output."""
        value = self._print(expression)
        self.inner.append(f"{place.format(part=0)} = {value.re or '0.0'}")
        self.inner.append(f"{place.format(part=1)} = {value.im or '0.0'}")

    def _name(self, text: str, *, varies: bool) -> str:
        self._count += 1
        name = f"t{self._count}"
        (self.inner if varies else self.outer).append(f"{name} = {text}")
        return name

    def _real(self, text: str, *, varies: bool) -> Number:
        return Number(self._name(text, varies=varies), "", varies)

    def _print(self, node: Any) -> Number:
        if node not in self._known:
            self._known[node] = self._make(node)
        return self._known[node]

    def _make(self, node: Any) -> Number:
        import sympy

        if node == sympy.I:
            return Number("", "1.0", varies=False)
        if node.is_Symbol and node.name == "wl":
            return self._real("wl[w]", varies=True)
        if node.is_number and node.is_real:
            return Number(repr(float(node.evalf(25))), "", varies=False)
        if node.is_Add:
            return self._add([self._print(a) for a in node.args])
        if node.is_Mul:
            return self._mul(node)
        if node.is_Pow:
            return self._pow(node)
        return self._call(node)

    def _add(self, terms: list[Number]) -> Number:
        varies = any(t.varies for t in terms)
        parts = []
        for side in ("re", "im"):
            texts = [getattr(t, side) for t in terms if getattr(t, side)]
            parts.append(
                texts[0] if len(texts) == 1 else self._name(" + ".join(texts), varies=varies) if texts else ""
            )
        return Number(parts[0], parts[1], varies)

    def _mul(self, node: Any) -> Number:
        # Factors that do not vary first: their product leaves the loop over wavelengths.
        factors = sorted((self._print(a) for a in node.args), key=lambda n: (n.varies, not n.is_real))
        result = factors[0]
        for factor in factors[1:]:
            result = self._times(result, factor)
        return result

    def _times(self, a: Number, b: Number) -> Number:
        varies = a.varies or b.varies
        real = self._sum_of_products([(a.re, b.re, "+"), (a.im, b.im, "-")], varies=varies)
        imaginary = self._sum_of_products([(a.re, b.im, "+"), (a.im, b.re, "+")], varies=varies)
        return Number(real, imaginary, varies)

    def _sum_of_products(self, terms: list[tuple[str, str, str]], *, varies: bool) -> str:
        text = ""
        for x, y, sign in terms:
            if x and y:
                product = y if x == "1.0" else x if y == "1.0" else f"{x} * {y}"
                text = f"{text} {sign} {product}" if text else (product if sign == "+" else f"-({product})")
        if not text or text.isidentifier():
            return text
        return self._name(text, varies=varies)

    def _inverse(self, a: Number) -> Number:
        if a.is_real:
            return self._real(f"1.0 / {a.re}", varies=a.varies)
        if not a.re:
            return Number("", self._name(f"-1.0 / {a.im}", varies=a.varies), a.varies)
        scale = self._name(f"1.0 / ({a.re} * {a.re} + {a.im} * {a.im})", varies=a.varies)
        return Number(
            self._name(f"{a.re} * {scale}", varies=a.varies),
            self._name(f"-{a.im} * {scale}", varies=a.varies),
            a.varies,
        )

    def _pow(self, node: Any) -> Number:
        import sympy

        base, exponent = self._print(node.base), node.exp
        if exponent.is_Integer:
            result = self._integer_power(base, abs(int(exponent)))
            return self._inverse(result) if exponent < 0 else result
        twice = 2 * exponent
        if twice.is_Integer and base.is_real:
            root = self._real(f"math.sqrt({base.re})", varies=base.varies)
            result = self._integer_power(root, abs(int(twice)))
            return self._inverse(result) if exponent < 0 else result
        if base.is_real and exponent.is_real is not False and not exponent.has(sympy.I):
            power = self._print(exponent)
            varies = base.varies or power.varies
            return self._real(f"{base.re} ** {power.re}", varies=varies)
        message = (
            f"A formula holds {node}, a complex number to a broken power, which no kernel can be made of."
        )
        raise PhotosimError(message)

    def _integer_power(self, base: Number, exponent: int) -> Number:
        result = base
        for bit in bin(exponent)[3:]:
            result = self._times(result, result)
            if bit == "1":
                result = self._times(result, base)
        return result

    def _call(self, node: Any) -> Number:
        name = type(node).__name__
        argument = self._print(node.args[0])
        if name == "Cis":
            return self._cis(argument)
        if name == "exp" and not argument.is_real:
            size = self._real(f"math.exp({argument.re})", varies=argument.varies) if argument.re else None
            turn = self._cis(Number(argument.im, "", argument.varies))
            return turn if size is None else self._times(size, turn)
        if name in {"exp", "log", "sin", "cos", "asin", "tan", "sinh", "cosh", "tanh"} and argument.is_real:
            return self._real(f"math.{name}({argument.re})", varies=argument.varies)
        if name == "sinc" and argument.is_real:
            return self._real(f"sinc({argument.re})", varies=argument.varies)
        if name == "Abs" and argument.is_real:
            return self._real(f"abs({argument.re})", varies=argument.varies)
        message = (
            f"A formula holds {node}, which no kernel can be made of: use the functions of the algebra m."
        )
        raise PhotosimError(message)

    def _cis(self, argument: Number) -> Number:
        self._count += 1
        sine, cosine = f"s{self._count}", f"c{self._count}"
        lines = self.inner if argument.varies else self.outer
        lines.append(f"{sine}, {cosine} = sin_cos({argument.re or '0.0'})")
        return Number(cosine, sine, argument.varies)
