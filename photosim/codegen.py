"""From a formula to a compiled kernel: print it as straight-line real arithmetic, once, into a cache file.

The formula's sympy form is walked after common subexpressions are taken out.
Each node becomes one or two real numbers (a complex one its real and imaginary
part), so the compiler sees only float64 arithmetic that it can vectorise over
wavelengths; what does not depend on wavelength is computed once outside the
loop. The file is named by a hash of everything it depends on.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import math
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from photosim.caching import cache_folder
from photosim.errors import PhotosimError

if TYPE_CHECKING:
    from photosim.model import ClosedForm


ORDERS = 3
"""Taylor coefficients in wavelength that a series has: enough for group delay and dispersion."""


@dataclass(frozen=True)
class Kernels:
    """The compiled forms of one formula.

    `evaluate(wl, params, out)`: wl (W,), params (n, B, P), out (n, B, V, 2, W)
    takes real and imaginary parts of the V distinct values. `partials(wl,
    params, dout)`: dout (n, B, P + 1, V, 2, W) takes derivatives by every
    parameter in order and, last, by wavelength. `series(wl, params, out)`: out
    (n, B, V, 3, 2, W) takes the Taylor coefficients in wavelength: value,
    slope, half the curvature. `value_of` maps each S-matrix
    element (from, to) to its value. Without `dispersive` no value depends on
    wavelength and W = 1 is enough.
    """

    evaluate: Callable[..., None]
    partials: Callable[..., None]
    series: Callable[..., None]
    value_of: Mapping[tuple[str, str], int]
    values: int
    dispersive: bool
    parameters: tuple[str, ...]


@cache
def kernels(model: ClosedForm) -> Kernels:
    """Return the kernels of a model, generated on first use on this machine and cached on disk."""
    key = _fingerprint(model)
    module = _load(f"{model.name.replace('.', '_')}_{key}", lambda: _generate(model))
    return Kernels(
        module.evaluate,
        module.partials,
        module.series,
        module.VALUE_OF,
        module.VALUES,
        module.DISPERSIVE,
        tuple(model.parameters),
    )


# --- what a generated file depends on ------------------------------------------------------------


def _fingerprint(model: ClosedForm) -> str:
    """Return a hash of formula, generator, library versions and processor."""
    from llvmlite.binding import get_host_cpu_name

    generator = Path(__file__).read_bytes() + (Path(__file__).parent / "algebra.py").read_bytes()
    parts = [
        *_sources(model.function, set()),
        repr(model.ports), repr(model.reciprocal), repr(list(model.parameters)),
        version("numba"), version("sympy"), get_host_cpu_name(),
    ]  # fmt: skip
    return hashlib.sha256(generator + "\0".join(parts).encode()).hexdigest()[:20]


def _sources(function: FunctionType | Callable[..., Any], seen: set[int]) -> list[str]:
    """Return the source of a function and of the functions and constants it uses by global name."""
    if id(function) in seen or not isinstance(function, FunctionType):
        return []
    seen.add(id(function))
    parts = [inspect.getsource(function)]
    for name in sorted(_global_names(function.__code__)):
        used = function.__globals__.get(name)
        if isinstance(used, FunctionType):
            parts += _sources(used, seen)
        elif isinstance(used, int | float | complex | str | tuple | dict):
            parts.append(f"{name}={used!r}")
    return parts


def _global_names(code: CodeType) -> set[str]:
    inner = [_global_names(c) for c in code.co_consts if isinstance(c, CodeType)]
    return set(code.co_names).union(*inner)


# --- files ------------------------------------------------------------------------------------------


def _load(name: str, generate: Callable[[], str]) -> ModuleType:
    """Import the generated module of that name, writing it first where it is missing."""
    path = cache_folder() / f"{name}.py"
    try:
        if not path.exists():
            _write(path, generate())
        spec = importlib.util.spec_from_file_location(f"photosim_generated_{name}", path)
    except OSError:
        spec = None
    if spec is None or spec.loader is None:
        return _in_memory(name, generate())
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # numba looks the module up by name when it reads its cache
    spec.loader.exec_module(module)
    return module


def _write(path: Path, text: str) -> None:
    """Write a file under a temporary name and rename it, so that no reader sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).replace(path)


def _in_memory(name: str, text: str) -> ModuleType:
    """Return the module without a file: a read-only home costs a compilation each session."""
    module = ModuleType(f"photosim_generated_{name}")
    exec(compile(text.replace("cache=True", "cache=False"), name, "exec"), module.__dict__)  # noqa: S102 - our own text
    return module


# --- text of a kernel -------------------------------------------------------------------------------

_HEADER = '''"""Generated by photosim from the component {name!r}; a changed formula gets a new file."""

import math

from numba import njit

VALUE_OF = {value_of!r}
VALUES = {values}
DISPERSIVE = {dispersive}


@njit(cache=True, fastmath={{"contract", "nsz"}}, error_model="numpy", inline="always")
def _sin_cos(x):
    """Sine and cosine in plain arithmetic, so that the loop over wavelengths vectorises.

    Reduction by pi/2 in four parts of 27 bits (exact up to 1e8 quarter turns),
    then the Taylor series on [-pi/4, pi/4], cut where the next term is below 1e-17.
    """
    n = (x * 0.6366197723675814 + 6755399441055744.0) - 6755399441055744.0
    r = x - n * {p1!r}
    r = r - n * {p2!r}
    r = r - n * {p3!r}
    r = r - n * {p4!r}
    z = r * r
    s = {sin_series}
    s = r + r * z * s
    c = {cos_series}
    c = 1.0 - 0.5 * z + z * z * c
    quarter = n - 4.0 * math.floor(n * 0.25)
    swap = (quarter == 1.0) or (quarter == 3.0)
    sine = c if swap else s
    cosine = s if swap else c
    return (-sine if quarter >= 2.0 else sine), (-cosine if (quarter == 1.0 or quarter == 2.0) else cosine)


@njit(cache=True, fastmath={{"contract", "nsz"}}, error_model="numpy")
def _sinc(x):
    """sin(x)/x, by its series near 0 where the quotient loses digits."""
    return 1.0 - x * x / 6.0 + x * x * x * x / 120.0 if abs(x) < 1e-3 else math.sin(x) / x
'''

_KERNEL = '''

@njit(cache=True, fastmath={{"contract", "nsz"}}, error_model="numpy")
def {name}(wl, params, out):
    """Fill out[instance, batch, {axes}, wavelength] from params[instance, batch, parameter]."""
    for i in range(params.shape[0]):
        for b in range(params.shape[1]):
            p = params[i, b]
            o = out[i, b]
{outer}
            for w in range(wl.shape[0]):
{inner}
'''


def _generate(model: ClosedForm) -> str:
    """Return the text of the module that holds a model's two kernels."""
    import sympy

    names = list(model.parameters)
    table = model.symbols()
    formula = {pair: sympy.sympify(value) for pair, value in model.formula().items()}
    distinct = list(dict.fromkeys(formula.values()))
    value_of = {pair: distinct.index(value) for pair, value in formula.items()}
    if model.reciprocal:
        value_of |= {(b, a): v for (a, b), v in value_of.items()}
    dispersive = any(table["wl"] in value.free_symbols for value in distinct)
    inputs = {table[n]: f"p[{k}]" for k, n in enumerate(names)}
    by = [table[n] for n in names] + [table["wl"]]
    slopes = [sympy.diff(value, x) for x in by for value in distinct]
    where = [f"o[{k}, {v}, {{part}}, w]" for k in range(len(by)) for v in range(len(distinct))]
    series = [
        sympy.diff(value, table["wl"], k) / math.factorial(k) for value in distinct for k in range(ORDERS)
    ]
    places = [f"o[{v}, {k}, {{part}}, w]" for v in range(len(distinct)) for k in range(ORDERS)]
    header = _HEADER.format(
        name=model.name,
        value_of=value_of,
        values=len(distinct),
        dispersive=dispersive,
        **_sin_cos_constants(),
    )
    return (
        header
        + _kernel(
            "evaluate",
            "value, part",
            distinct,
            [f"o[{v}, {{part}}, w]" for v in range(len(distinct))],
            inputs,
        )
        + _kernel("partials", "parameter, value, part", slopes, where, inputs)
        + _kernel("series", "value, order, part", series, places, inputs)
    )


def _kernel(name: str, axes: str, targets: list[Any], where: list[str], inputs: Mapping[Any, str]) -> str:
    import sympy

    shared, reduced = sympy.cse(targets, order="none")
    printer = _Printer(inputs)
    for symbol, expression in shared:
        printer.define(symbol, expression)
    for place, expression in zip(where, reduced, strict=True):
        printer.store(place, expression)
    outer = "\n".join(" " * 12 + line for line in printer.outer)
    inner = "\n".join(" " * 16 + line for line in printer.inner)
    return _KERNEL.format(name=name, axes=axes, outer=outer, inner=inner)


def _sin_cos_constants() -> dict[str, Any]:
    """Return pi/2 in four parts of 27 bits and the two Taylor series in Horner form."""
    import mpmath

    parts: dict[str, Any] = {}
    with mpmath.workprec(300):
        rest = mpmath.pi / 2
        for name in ("p1", "p2", "p3"):
            scale = mpmath.mpf(2) ** (26 - int(mpmath.floor(mpmath.log(abs(rest), 2))))
            head = mpmath.floor(rest * scale) / scale
            parts[name] = float(head)
            rest -= head
        parts["p4"] = float(rest)
    odd = [float((-1) ** k / mpmath.factorial(2 * k + 1)) for k in range(1, 9)]
    even = [float((-1) ** k / mpmath.factorial(2 * k)) for k in range(2, 10)]
    return {**parts, "sin_series": _horner(odd), "cos_series": _horner(even)}


def _horner(coefficients: list[float]) -> str:
    text = repr(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        text = f"({c!r} + z * {text})"
    return text


# --- printing --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Number:
    """A printed value: names of its real and imaginary part ("" is none), and whether it varies with wl."""

    re: str
    im: str
    varies: bool

    @property
    def is_real(self) -> bool:
        return self.im == ""


class _Printer:
    """Turns sympy nodes into lines of real arithmetic; `outer` runs once, `inner` at every wavelength."""

    def __init__(self, inputs: Mapping[Any, str]) -> None:
        self.outer: list[str] = []
        self.inner: list[str] = []
        self._known: dict[Any, _Number] = {}
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

    def _real(self, text: str, *, varies: bool) -> _Number:
        return _Number(self._name(text, varies=varies), "", varies)

    def _print(self, node: Any) -> _Number:
        if node not in self._known:
            self._known[node] = self._make(node)
        return self._known[node]

    def _make(self, node: Any) -> _Number:
        import sympy

        if node == sympy.I:
            return _Number("", "1.0", varies=False)
        if node.is_Symbol and node.name == "wl":
            return self._real("wl[w]", varies=True)
        if node.is_number and node.is_real:
            return _Number(repr(float(node.evalf(25))), "", varies=False)
        if node.is_Add:
            return self._add([self._print(a) for a in node.args])
        if node.is_Mul:
            return self._mul(node)
        if node.is_Pow:
            return self._pow(node)
        return self._call(node)

    def _add(self, terms: list[_Number]) -> _Number:
        varies = any(t.varies for t in terms)
        parts = []
        for side in ("re", "im"):
            given = [getattr(t, side) for t in terms if getattr(t, side)]
            parts.append(
                given[0] if len(given) == 1 else self._name(" + ".join(given), varies=varies) if given else ""
            )
        return _Number(parts[0], parts[1], varies)

    def _mul(self, node: Any) -> _Number:
        # Factors that do not vary first: their product leaves the loop over wavelengths.
        factors = sorted((self._print(a) for a in node.args), key=lambda n: (n.varies, not n.is_real))
        result = factors[0]
        for factor in factors[1:]:
            result = self._times(result, factor)
        return result

    def _times(self, a: _Number, b: _Number) -> _Number:
        varies = a.varies or b.varies
        real = self._sum_of_products([(a.re, b.re, "+"), (a.im, b.im, "-")], varies=varies)
        imaginary = self._sum_of_products([(a.re, b.im, "+"), (a.im, b.re, "+")], varies=varies)
        return _Number(real, imaginary, varies)

    def _sum_of_products(self, terms: list[tuple[str, str, str]], *, varies: bool) -> str:
        text = ""
        for x, y, sign in terms:
            if x and y:
                product = y if x == "1.0" else x if y == "1.0" else f"{x} * {y}"
                text = f"{text} {sign} {product}" if text else (product if sign == "+" else f"-({product})")
        if not text or text.isidentifier():
            return text
        return self._name(text, varies=varies)

    def _inverse(self, a: _Number) -> _Number:
        if a.is_real:
            return self._real(f"1.0 / {a.re}", varies=a.varies)
        if not a.re:
            return _Number("", self._name(f"-1.0 / {a.im}", varies=a.varies), a.varies)
        scale = self._name(f"1.0 / ({a.re} * {a.re} + {a.im} * {a.im})", varies=a.varies)
        return _Number(
            self._name(f"{a.re} * {scale}", varies=a.varies),
            self._name(f"-{a.im} * {scale}", varies=a.varies),
            a.varies,
        )

    def _pow(self, node: Any) -> _Number:
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

    def _integer_power(self, base: _Number, exponent: int) -> _Number:
        result = base
        for bit in bin(exponent)[3:]:
            result = self._times(result, result)
            if bit == "1":
                result = self._times(result, base)
        return result

    def _call(self, node: Any) -> _Number:
        name = type(node).__name__
        argument = self._print(node.args[0])
        if name == "Cis":
            return self._cis(argument)
        if name == "exp" and not argument.is_real:
            size = self._real(f"math.exp({argument.re})", varies=argument.varies) if argument.re else None
            turn = self._cis(_Number(argument.im, "", argument.varies))
            return turn if size is None else self._times(size, turn)
        if name in {"exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh"} and argument.is_real:
            return self._real(f"math.{name}({argument.re})", varies=argument.varies)
        if name == "sinc" and argument.is_real:
            return self._real(f"_sinc({argument.re})", varies=argument.varies)
        if name == "Abs" and argument.is_real:
            return self._real(f"abs({argument.re})", varies=argument.varies)
        message = (
            f"A formula holds {node}, which no kernel can be made of: use the functions of the algebra m."
        )
        raise PhotosimError(message)

    def _cis(self, argument: _Number) -> _Number:
        self._count += 1
        sine, cosine = f"s{self._count}", f"c{self._count}"
        lines = self.inner if argument.varies else self.outer
        lines.append(f"{sine}, {cosine} = _sin_cos({argument.re or '0.0'})")
        return _Number(cosine, sine, argument.varies)
