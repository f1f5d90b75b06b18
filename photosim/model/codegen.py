"""From a formula to a compiled kernel: print it as straight-line real arithmetic, once, into a cache file.

The formula's sympy form is walked after common subexpressions are taken out, and derived line by line.
Each node becomes one or two real numbers (a complex one its real and imaginary
part), so the compiler sees only float64 arithmetic that it can vectorise over
wavelengths; what does not depend on wavelength is computed once outside the
loop. The file is named by a hash of everything it depends on.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import marshal
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.caching import cache_folder, guard, read_text, write_text
from photosim.model.chain_rule import Code
from photosim.model.groups import SettingsGroup, group_methods
from photosim.model.printer import Printer

if TYPE_CHECKING:
    from photosim.model import ClosedForm


ORDERS = 3
"""Taylor coefficients in wavelength that a series has: enough for group delay and dispersion."""


@dataclass(frozen=True)
class Kernels:
    """The compiled forms of one formula.

    `evaluate(wl, params, out)`: wl (1, W) or, a grid for each batch entry, (B, W), params (n, B, P), out
    (n, B, V, 2, W) takes real and imaginary parts of the V distinct values. `partials(wl,
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


_GENERATOR = b"".join(
    (Path(__file__).parent / name).read_bytes()
    for name in ("algebra.py", "chain_rule.py", "codegen.py", "printer.py", "../kernels/angles.py")
)
"""The generator as it was imported: a file that is edited later must not lend its hash to older kernels."""


def _fingerprint(model: ClosedForm) -> str:
    """Return a hash of formula, generator, library versions and processor."""
    from llvmlite.binding import get_host_cpu_name

    parts = [
        *_sources(model.function, set()),
        repr(model.ports), repr(model.reciprocal), repr(list(model.parameters)),
        version("numba"), version("sympy"), get_host_cpu_name(),
    ]  # fmt: skip
    return hashlib.sha256(_GENERATOR + "\0".join(parts).encode()).hexdigest()[:20]


def _sources(function: FunctionType | Callable[..., Any], seen: set[int]) -> list[str]:
    """Return the source of a function, of its groups' methods, and of what it uses by name from outside."""
    function = inspect.unwrap(function)
    if id(function) in seen or not isinstance(function, FunctionType):
        return []
    seen.add(id(function))
    parts = [_source_of(function)]
    used_by_name = [(n, function.__globals__.get(n)) for n in sorted(_global_names(function.__code__))]
    used_by_name += _captured(function)
    for name, used in used_by_name:
        if isinstance(used, FunctionType):
            parts += _sources(used, seen)
        elif isinstance(used, int | float | complex | str | tuple | list | dict | SettingsGroup):
            parts.append(f"{name}={used!r}")
        elif isinstance(used, np.ndarray):
            parts.append(f"{name}={used.tolist()!r}")
    for used in (function, *(used for _, used in used_by_name)):
        for method in () if used is not function and isinstance(used, FunctionType) else group_methods(used):
            parts += _sources(method, seen)
    return parts


def _source_of(function: FunctionType) -> str:
    """Return the source of a function, or its code and defaults if no file holds it, as at a prompt."""
    try:
        return inspect.getsource(function)
    except OSError:
        defaults = (function.__defaults__, function.__kwdefaults__)
        return f"{marshal.dumps(function.__code__, 2).hex()} {defaults!r}"


def _captured(function: FunctionType) -> list[tuple[str, Any]]:
    """Return what a function uses of the functions around it, by name."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return [(name, cell.cell_contents) for name, cell in cells]


def _global_names(code: CodeType) -> set[str]:
    inner = [_global_names(c) for c in code.co_consts if isinstance(c, CodeType)]
    return set(code.co_names).union(*inner)


# --- files ------------------------------------------------------------------------------------------


def _load(name: str, generate: Callable[[], str]) -> ModuleType:
    """Import the generated module of that name, writing it first where it is missing or damaged."""
    path = cache_folder() / f"{name}.py"
    try:
        if read_text(path) is None:
            write_text(path, generate())
        spec = importlib.util.spec_from_file_location(f"photosim_generated_{name}", path)
    except OSError:
        spec = None
    if spec is None or spec.loader is None:
        return _in_memory(name, generate())
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # numba looks the module up by name when it reads its cache
    spec.loader.exec_module(module)
    guard(module)
    return module


def _in_memory(name: str, text: str) -> ModuleType:
    """Return the module without a file: a read-only home costs a compilation each session."""
    module = ModuleType(f"photosim_generated_{name}")
    exec(compile(text.replace("cache=True", "cache=False"), name, "exec"), module.__dict__)  # noqa: S102 - our own text
    return module


# --- text of a kernel -------------------------------------------------------------------------------

_HEADER = '''"""Generated by photosim from the component {name!r}; a changed formula gets a new file."""

import math

from numba import njit
{angles}
VALUE_OF = {value_of!r}
VALUES = {values}
DISPERSIVE = {dispersive}
'''

_KERNEL = '''

@njit(cache=True, fastmath={{"contract", "nsz"}}, error_model="numpy", nogil=True)
def {name}(grid, params, out):
    """Fill out[instance, batch, {axes}, wavelength] from params[instance, batch, parameter]."""
    for i in range(params.shape[0]):
        for b in range(params.shape[1]):
            wl = grid[b if grid.shape[0] > 1 else 0]
            p = params[i, b]
            o = out[i, b]
{outer}
            for w in range(wl.shape[0]):
{inner}
'''


def _generate(model: ClosedForm) -> str:
    """Return the text of the module that holds a model's kernels.

    By itself sympy writes 2 (a - b) as 2 a - 2 b, which rounds both before it subtracts: of a small detuning
    wl0 - wl that loses as many digits as it is smaller than wl0.
    """
    from sympy.core.parameters import distribute

    with distribute(x=False):
        return _text(model)


def _text(model: ClosedForm) -> str:
    """Return that text, with sympy set as it is."""
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
    code = Code(distinct, table["wl"])
    values = code.targets
    slopes = [slope for row in code.slopes(values, by) for slope in row]
    where = [f"o[{k}, {v}, {{part}}, w]" for k in range(len(by)) for v in range(len(distinct))]
    orders = [values]
    for _ in range(1, ORDERS):
        orders += code.slopes(orders[-1], [table["wl"]])
    series = [value / math.factorial(k) for k, row in enumerate(orders) for value in row]
    places = [f"o[{v}, {k}, {{part}}, w]" for k in range(ORDERS) for v in range(len(distinct))]
    plain = [f"o[{v}, {{part}}, w]" for v in range(len(distinct))]
    body = (
        _kernel("evaluate", "value, part", code, values, plain, inputs)
        + _kernel("partials", "parameter, value, part", code, slopes, where, inputs)
        + _kernel("series", "value, order, part", code, series, places, inputs)
    )
    used = [name for name in ("sin_cos", "sinc") if f" {name}(" in body]
    angles = f"\nfrom photosim.kernels.angles import {', '.join(used)}\n" if used else ""
    header = _HEADER.format(
        name=model.name, value_of=value_of, values=len(distinct), dispersive=dispersive, angles=angles
    )
    return header + body


def _kernel(
    name: str, axes: str, code: Code, targets: list[Any], where: list[str], inputs: Mapping[Any, str]
) -> str:
    printer = Printer(inputs)
    for symbol, expression in code.needed(targets):
        printer.define(symbol, expression)
    for place, expression in zip(where, targets, strict=True):
        printer.store(place, expression)
    outer = "\n".join(" " * 12 + line for line in printer.outer)
    inner = "\n".join(" " * 16 + line for line in printer.inner)
    return _KERNEL.format(name=name, axes=axes, outer=outer, inner=inner)
