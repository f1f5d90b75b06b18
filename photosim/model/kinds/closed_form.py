"""Components that are a formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from photosim.errors import ParameterError, listing
from photosim.model.algebra import NUMPY, sympy_algebra
from photosim.model.claims import Symmetries
from photosim.model.kinds.base import Model, column
from photosim.model.parameters import Parameter, read_settings
from photosim.model.windows import Window
from photosim.units import as_wavelengths

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Entries: TypeAlias = dict[tuple[str, str], Any]
"""Elements of an S-matrix by (from port, to port)."""


@dataclass(frozen=True, eq=False)
class ClosedForm(Model):
    """A component whose S-matrix is a formula over an injected algebra."""

    reciprocal: bool = True
    lossless_when: Mapping[str, Any] | None = None
    real_when: Mapping[str, Any] | None = None
    kramers_kronig_when: Mapping[str, Any] | None = None
    symmetries: Symmetries = field(default_factory=dict)
    active: bool = False
    emission_of: Callable[..., Mapping[str, Any]] | None = None
    variants: dict[str, ClosedForm] = field(default_factory=dict)
    _structures: dict[tuple[bool, ...], tuple[tuple[int, int], ...]] = field(default_factory=dict, repr=False)

    kind = "closed-form"

    def variant(
        self,
        *,
        when: str,
        lossless_when: Mapping[str, Any] | None = None,
        real_when: Mapping[str, Any] | None = None,
        symmetries: Symmetries | None = None,
        windows: tuple[Window, ...] = (),
    ) -> Callable[[Callable[..., Entries]], ClosedForm]:
        """Declare a second formula, taken when the setting `when` is given.

        It has the same ports; its parameters join those of the component, and
        the ones that only it has default to None there.
        """

        def declare(function: Callable[..., Entries]) -> ClosedForm:
            self.variants[when] = ClosedForm.declare(
                function,
                name=f"{self.name}.{when}",
                structural=self.switches,
                windows=windows,
                ports=self.ports,
                aliases=self.aliases,
                source=self.source,
                layout_settings=self.layout_settings,
                electrical=self.electrical,
                drives=self.drives,
                reciprocal=self.reciprocal,
                lossless_when=lossless_when,
                real_when=real_when,
                symmetries=symmetries or {},
                active=self.active,
                emission_of=self.emission_of,
            )
            for kept in ("_all_parameters", "_orphans"):
                vars(self).pop(kept, None)
            return self.variants[when]

        return declare

    def select(self, settings: Mapping[str, Any], where: str | None = None) -> ClosedForm:
        """Return the formula that these settings ask for, with the settings checked against it."""
        chosen = [name for name in self.variants if settings.get(name) is not None]
        if not chosen:
            self._refuse_orphans(settings, where)
            return self
        variant = self.variants[chosen[0]]
        own = {k: v for k, v in settings.items() if k not in self.layout_settings and v is not None}
        clash = [k for k in own if k not in variant.parameters]
        if clash:
            message = (
                f"{where or f'component {self.name!r}'}: settings {chosen[0]!r} and {clash[0]!r} "
                "exclude each other: give one of them."
            )
            raise ParameterError(message)
        return variant

    def _refuse_orphans(self, settings: Mapping[str, Any], where: str | None) -> None:
        """Raise ParameterError for a setting that only a variant has when that variant is not requested."""
        if self._orphans.isdisjoint(settings):
            return
        for when, variant in self.variants.items():
            for name in variant.parameters:
                if name in self._orphans and settings.get(name) is not None:
                    message = (
                        f"{where or f'component {self.name!r}'}: setting {name!r} "
                        f"has an effect only together with {when!r}: give both or neither."
                    )
                    raise ParameterError(message)

    @cached_property
    def _orphans(self) -> frozenset[str]:
        """The settings that only variants have, one declared later included."""
        return frozenset(self._all_parameters.keys() - self.parameters.keys())

    def read(self, settings: Mapping[str, Any], where: str | None = None) -> dict[str, Any]:
        """Return settings as `Model.read`; ParameterError also for settings of two variants at once."""
        place = where or f"component {self.name!r}"
        found = read_settings(self._all_parameters, self.layout_settings, settings, place)
        self.select(found, where)
        return found

    @cached_property
    def _all_parameters(self) -> Mapping[str, Parameter]:
        """The component's own parameters and those that only its variants have."""
        others = {n: p for v in self.variants.values() for n, p in v.parameters.items()}
        return {**others, **self.parameters}

    def entries(self, m: Any, wl: Any, settings: Mapping[str, Any]) -> Entries:
        """Return the formula's elements by (from, to), mirrored ones included when reciprocal."""
        elements = self.function(m, wl, **settings)
        for pair in elements:
            if not set(pair) <= set(self.ports):
                message = f"Component {self.name!r} returns {pair}, but its ports are {listing(self.ports)}."
                raise ParameterError(message)
        if self.reciprocal:
            return {**{(b, a): v for (a, b), v in elements.items()}, **elements}
        return dict(elements)

    def s(self, wl: ArrayLike, **settings: Any) -> NDArray[np.complex128]:
        """Return the S-matrix by numpy, the vectorised reference.

        wl has shape (W,), in um; the result has shape (..., W, P, P) indexed
        [to, from]. Settings of shape (B,) put a leading axis on it. Raises
        ParameterError for a wrong setting.
        """
        known = self.read(settings)
        chosen = self.select(known)
        if chosen is not self:
            return chosen.s(wl, **known)
        grid = as_wavelengths(wl)
        values = {k: column(v) for k, v in (self.defaults | known).items()}
        entries = self.entries(NUMPY, grid, values)
        shape = np.broadcast_shapes(grid.shape, *(np.shape(v) for v in entries.values()))
        out = np.zeros((*shape, len(self.ports), len(self.ports)), dtype=np.complex128)
        for (a, b), value in entries.items():
            out[..., self.ports.index(b), self.ports.index(a)] = value
        return out

    def emission(self, wl: ArrayLike, **settings: Any) -> dict[str, Any]:
        """Return the noise light that leaves each port by itself, in W/Hz at wl (W,) in um; empty if dark."""
        if self.emission_of is None:
            return {}
        grid = np.atleast_1d(np.asarray(wl, dtype=np.float64))
        return dict(self.emission_of(NUMPY, grid, **self.full(settings)))

    def structure(self, settings: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
        """Return the (to, from) port numbers of the elements that can be non-zero.

        Depends only on which structural settings are zero.
        """
        switches = [n for n, p in self.parameters.items() if p.structural]
        off = tuple(bool(np.all(column(settings.get(n, self.parameters[n].default)) == 0)) for n in switches)
        if off not in self._structures:
            self._structures[off] = self._probe(dict(zip(switches, off, strict=True)))
        return self._structures[off]

    def _probe(self, off: Mapping[str, bool]) -> tuple[tuple[int, int], ...]:
        """Evaluate the formula at three generic points and keep the elements that are not zero at all."""
        rng = np.random.default_rng(20260)
        found: set[tuple[int, int]] = set()
        for _ in range(3):
            values = {n: 0.0 if off.get(n) else _generic(p, rng) for n, p in self.parameters.items()}
            for (a, b), value in self.entries(NUMPY, np.array([1.5437]), values).items():
                if np.any(np.asarray(value) != 0):
                    found.add((self.ports.index(b), self.ports.index(a)))
        return tuple(sorted(found))

    def symbols(self) -> dict[str, Any]:
        """Return the sympy symbol of every parameter, and "wl"."""
        import sympy

        table = {n: sympy.Symbol(n, real=True, nonnegative=True if p.low >= 0 else None)
                 for n, p in self.parameters.items()}  # fmt: skip
        return {**table, "wl": sympy.Symbol("wl", positive=True)}

    def formula(self) -> Entries:
        """Return the elements as sympy expressions by (from, to), as the function gives them."""
        table = self.symbols()
        wl = table.pop("wl")
        return dict(self.function(sympy_algebra(), wl, **table))

    def latex(self) -> str:
        """Return the formula as LaTeX, one line per element S_{to,from}."""
        import sympy

        names = {symbol: _latex_name(name) for name, symbol in self.symbols().items()}
        formula = self.formula()
        texts = {v: sympy.latex(v, symbol_names=names) for v in dict.fromkeys(formula.values())}
        rows = [
            rf"S_{{\mathrm{{{b}}},\mathrm{{{a}}}}} &= {texts[value]}" for (a, b), value in formula.items()
        ]
        return r"\begin{aligned}" + r" \\ ".join(rows or [r"S &= 0"]) + r"\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


def _latex_name(name: str) -> str:
    """Return a parameter's name as LaTeX: the field's letter where it has one, upright words elsewhere."""
    letters = {"wl": r"\lambda", "wl0": r"\lambda_0", "neff": r"n_\mathrm{eff}", "ng": "n_g", "length": "L",
               "phase": r"\varphi", "radius": "R", "temperature": "T"}  # fmt: skip
    return letters.get(name, rf"\mathrm{{{name}}}".replace("_", r"\_"))


def _generic(parameter: Parameter, rng: np.random.Generator) -> Any:
    """Return a value inside the bounds at which nothing vanishes by accident."""
    if parameter.kind in {"choice", "flag"}:
        return parameter.default
    low = parameter.low if np.isfinite(parameter.low) else -1.0
    high = min(parameter.high, low + 2.0) if np.isfinite(parameter.high) else low + 2.0
    return float(low + (high - low) * rng.uniform(0.2, 0.6))
