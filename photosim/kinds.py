"""The kinds of component: what all have, and what each can be asked.

`photosim.model` declares them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from photosim import registry
from photosim.algebra import NUMPY, sympy_algebra
from photosim.conventions import (
    aliases_with_modes,
    exposed_names,
    port_places,
    ports_by_mode,
    standard_aliases,
)
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.parameters import Parameter, check_settings, read_parameters
from photosim.wiring import Netlist

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Entries: TypeAlias = dict[tuple[str, str], Any]
"""Elements of an S-matrix by (from port, to port)."""


@dataclass(frozen=True)
class Remark:
    """A finding about an instance: `serious` ones are warnings, the others are shown by `check` alone."""

    text: str
    serious: bool = False


@dataclass(frozen=True, eq=False)
class Model:
    """What all components have: name, ports, parameters, source and documentation."""

    name: str
    function: Callable[..., Any]
    ports: tuple[str, ...]
    aliases: Mapping[str, str]
    parameters: Mapping[str, Parameter]
    source: str
    layout_settings: tuple[str, ...] = ()
    electrical: tuple[str, ...] = ()

    kind = "model"

    @property
    def origin(self) -> str:
        """Where the function was declared, as module.name."""
        return f"{self.function.__module__}.{self.function.__qualname__}"

    @property
    def doc(self) -> str:
        """The docstring of the declaring function."""
        return inspect.getdoc(self.function) or ""

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return self.doc.partition("\n")[0]

    @property
    def defaults(self) -> dict[str, Any]:
        """Default of every parameter."""
        return {name: p.default for name, p in self.parameters.items()}

    def ports_for(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the optical ports of an instance with these settings."""
        del settings
        return self.ports

    def aliases_for(self, settings: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the other names of the ports of an instance with these settings."""
        del settings
        return self.aliases

    def electrical_for(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the electrical ports of an instance with these settings."""
        del settings
        return self.electrical

    def port(self, name: str, settings: Mapping[str, Any], where: str) -> str:
        """Return the port that a name or alias means; ParameterError lists what there is.

        A port with modes named as a whole, o1 where there are o1@TE and
        o1@TM, is itself.
        """
        ports = (*self.ports_for(settings), *self.electrical_for(settings))
        aliases = self.aliases_for(settings)
        if name in ports:
            return name
        if name in aliases:
            return aliases[name]
        if name in ports_by_mode(ports):
            return name
        both = (*ports, *aliases)
        message = f"{where} has no port {name!r}. It has: {listing(both, 16)}.{did_you_mean(name, both)}"
        raise ParameterError(message)

    def modes(self, port: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the modes of a port named as a whole; none for any other port, o1@TE included."""
        by_mode = ports_by_mode(self.ports_for(settings))
        if not by_mode:
            return ()
        return tuple(by_mode.get(self.aliases_for(settings).get(port, port), ()))

    def check(self, settings: Mapping[str, Any], where: str | None = None) -> None:
        """Raise ParameterError for a setting that is unknown, of the wrong kind or out of bounds."""
        check_settings(self.parameters, self.layout_settings, settings, where or f"component {self.name!r}")

    def remarks(self, settings: Mapping[str, Any]) -> tuple[Remark, ...]:
        """Return what a reader should know about an instance with these settings, which are checked."""
        del settings
        return ()

    def __reduce__(self) -> tuple[Callable[[str], Model], tuple[str]]:
        """Pickle as a name to look up, so that the record crosses processes as the same object."""
        return registry.get, (self.name,)


@dataclass(frozen=True, eq=False)
class ClosedForm(Model):
    """A component whose S-matrix is a formula over an injected algebra."""

    reciprocal: bool = True
    lossless_when: Mapping[str, Any] | None = None
    active: bool = False
    variants: dict[str, ClosedForm] = field(default_factory=dict)
    _structures: dict[tuple[bool, ...], tuple[tuple[int, int], ...]] = field(default_factory=dict, repr=False)

    kind = "closed-form"

    def variant(
        self, *, when: str, lossless_when: Mapping[str, Any] | None = None
    ) -> Callable[[Callable[..., Entries]], ClosedForm]:
        """Declare a second formula, taken when the setting `when` is given.

        It has the same ports; its parameters join those of the component, and
        the ones that only it has default to None there.
        """

        def declare(function: Callable[..., Entries]) -> ClosedForm:
            other = ClosedForm(
                f"{self.name}.{when}", function, self.ports, self.aliases,
                read_parameters(function, [n for n, p in self.parameters.items() if p.structural]),
                self.source, self.layout_settings, self.electrical, self.reciprocal, lossless_when,
                self.active,
            )  # fmt: skip
            self.variants[when] = other
            registry.register(other)
            return other

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
        """Raise ParameterError for a setting that only a variant has when that variant is not asked for."""
        for when, variant in self.variants.items():
            for name in variant.parameters:
                if name not in self.parameters and settings.get(name) is not None:
                    message = (
                        f"{where or f'component {self.name!r}'}: setting {name!r} "
                        f"has an effect only together with {when!r}: give both or neither."
                    )
                    raise ParameterError(message)

    def check(self, settings: Mapping[str, Any], where: str | None = None) -> None:
        """Raise ParameterError for a wrong setting, or for settings of two variants at once."""
        extra = {
            n: p for v in self.variants.values() for n, p in v.parameters.items() if n not in self.parameters
        }
        check_settings(
            {**self.parameters, **extra}, self.layout_settings, settings, where or f"component {self.name!r}"
        )
        self.select(settings, where)

    def entries(self, m: Any, wl: Any, settings: Mapping[str, Any]) -> Entries:
        """Return the formula's elements by (from, to), mirrored ones included when reciprocal."""
        given = self.function(m, wl, **settings)
        for pair in given:
            if not set(pair) <= set(self.ports):
                message = f"Component {self.name!r} returns {pair}, but its ports are {listing(self.ports)}."
                raise ParameterError(message)
        if self.reciprocal:
            return {**{(b, a): v for (a, b), v in given.items()}, **given}
        return dict(given)

    def s(self, wl: ArrayLike, **settings: Any) -> NDArray[np.complex128]:
        """Return the S-matrix by numpy, the vectorised reference.

        wl has shape (W,), in um; the result has shape (..., W, P, P) indexed
        [to, from]. Settings of shape (B,) put a leading axis on it. Raises
        ParameterError for a wrong setting.
        """
        self.check(settings)
        chosen = self.select(settings)
        if chosen is not self:
            return chosen.s(wl, **{k: v for k, v in settings.items() if v is not None})
        grid = np.atleast_1d(np.asarray(wl, dtype=np.float64))
        values = {k: _column(settings.get(k, p.default)) for k, p in self.parameters.items()}
        entries = self.entries(NUMPY, grid, values)
        shape = np.broadcast_shapes(grid.shape, *(np.shape(v) for v in entries.values()))
        out = np.zeros((*shape, len(self.ports), len(self.ports)), dtype=np.complex128)
        for (a, b), value in entries.items():
            out[..., self.ports.index(b), self.ports.index(a)] = value
        return out

    def structure(self, settings: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
        """Return the (to, from) port numbers of the elements that can be non-zero.

        Depends only on which structural settings are zero.
        """
        switches = [n for n, p in self.parameters.items() if p.structural]
        off = tuple(bool(np.all(_column(settings.get(n, self.parameters[n].default)) == 0)) for n in switches)
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
        rows = [
            rf"S_{{\mathrm{{{b}}},\mathrm{{{a}}}}} &= {sympy.latex(value, symbol_names=names)}"
            for (a, b), value in self.formula().items()
        ]
        return r"\begin{aligned}" + r" \\ ".join(rows or [r"S &= 0"]) + r"\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


@dataclass(frozen=True, eq=False)
class Composite(Model):
    """A component made of components: its function returns a Netlist, which the engine flattens.

    `exclusive` holds pairs of settings of which at most one may be given.
    """

    exclusive: tuple[tuple[str, str], ...] = ()

    kind = "composite"

    def check(self, settings: Mapping[str, Any], where: str | None = None) -> None:
        """Raise ParameterError for a wrong setting, or for two settings that exclude each other."""
        super().check(settings, where)
        for first, second in self.exclusive:
            if settings.get(first) is not None and settings.get(second) is not None:
                message = (
                    f"{where or f'component {self.name!r}'}: settings {first!r} and {second!r} "
                    "exclude each other: give one of them."
                )
                raise ParameterError(message)

    def build(self, settings: Mapping[str, Any]) -> Netlist:
        """Return the inner netlist for these settings; real ones may be expressions."""
        known_settings = {
            k: v for k, v in settings.items() if k not in self.layout_settings and v is not None
        }
        return self.function(**{**self.defaults, **known_settings})  # type: ignore[no-any-return]

    def ports_for(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the declared ports, or those that the inner netlist exposes."""
        if self.ports:
            return self.ports
        optical, _ = self._exposed(settings)
        return optical

    def aliases_for(self, settings: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the other names of the ports; ports that the inner netlist exposes are half on the left."""
        if self.ports:
            return self.aliases
        optical, _ = self._exposed(settings)
        return port_names(optical, (len(port_places(optical)) + 1) // 2, self.aliases)

    def electrical_for(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the electrical ports that the inner netlist exposes."""
        if self.ports:
            return self.electrical
        _, electrical = self._exposed(settings)
        return electrical

    def _exposed(self, settings: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        structural = {
            k: v for k, v in settings.items() if k in self.parameters and self.parameters[k].structural
        }
        net = self.build(structural)
        optical: list[str] = []
        electrical: list[str] = []
        for outer, (instance, port) in net.ports.items():
            inner = net.instances[instance]
            model = registry.get(inner.component)
            if port in model.electrical_for(inner.settings):
                electrical.append(outer)
            else:
                optical += exposed_names(outer, model.modes(port, inner.settings))
        return tuple(optical), tuple(electrical)


@dataclass(frozen=True, eq=False)
class Detector(Model):
    """A photodetector: its optical ports absorb all light; its function says what current each watt gives."""

    kind = "detector"

    def responsivity(self, wl: ArrayLike, **settings: Any) -> dict[str, Any]:
        """Return the signed responsivity in A/W of each optical port, each broadcastable to (..., W)."""
        self.check(settings)
        values = {k: _column(settings.get(k, p.default)) for k, p in self.parameters.items()}
        return dict(self.function(NUMPY, np.atleast_1d(np.asarray(wl, dtype=np.float64)), **values))


@dataclass(frozen=True, eq=False)
class Source(Model):
    """A light source: matched to what comes back; its function gives wavelengths and powers of its lines."""

    kind = "source"

    def lines(self, **settings: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (wavelengths in um, powers in W) of the lines, each of shape (lines,)."""
        self.check(settings)
        wl, power = self.function(**{**self.defaults, **settings})
        return np.atleast_1d(wl), np.atleast_1d(power)


@dataclass(frozen=True, eq=False)
class Numerical(Model):
    """A component that is no closed form: its function returns the S-matrix as an array."""

    reciprocal: bool = False
    lossless_when: Mapping[str, Any] | None = None
    ports_of: Callable[..., tuple[str, ...]] | None = None
    aliases_of: Callable[..., Mapping[str, str]] | None = None
    structure_of: Callable[..., tuple[tuple[int, int], ...]] | None = None
    judge: Callable[..., tuple[Remark, ...]] | None = None
    reciprocal_when: Callable[..., bool] | None = None
    series_of: Callable[..., NDArray[np.complex128]] | None = None

    kind = "numerical"

    def check(self, settings: Mapping[str, Any], where: str | None = None) -> None:
        """Raise ParameterError for a setting that is wrong, alone or together with the others."""
        super().check(settings, where)
        if self.judge is not None:
            try:
                self.judge(**self._full(settings))
            except ParameterError as error:
                message = f"{where or f'component {self.name!r}'}: {error}"
                raise ParameterError(message) from None

    def remarks(self, settings: Mapping[str, Any]) -> tuple[Remark, ...]:
        """Return what judging the settings together has found."""
        return () if self.judge is None else tuple(self.judge(**self._full(settings)))

    def reciprocal_for(self, settings: Mapping[str, Any]) -> bool:
        """Return whether every path of an instance with these settings is equal in both directions."""
        if self.reciprocal_when is None:
            return self.reciprocal
        return self.reciprocal_when(**self._full(settings))

    def ports_for(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the ports for these settings."""
        return self.ports if self.ports_of is None else tuple(self.ports_of(**self._full(settings)))

    def aliases_for(self, settings: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the other names of the ports for these settings."""
        return self.aliases if self.aliases_of is None else self.aliases_of(**self._full(settings))

    def structure(self, settings: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
        """Return the (to, from) port numbers of the elements that can be non-zero; all, unless declared."""
        if self.structure_of is not None:
            return tuple(self.structure_of(**self._full(settings)))
        size = len(self.ports_for(settings))
        return tuple((a, b) for a in range(size) for b in range(size))

    def s(self, wl: ArrayLike, **settings: Any) -> NDArray[np.complex128]:
        """Return the S-matrix, shape (W, P, P) indexed [to, from], at wavelengths wl (W,) in um."""
        self.check(settings)
        grid = np.atleast_1d(np.asarray(wl, dtype=np.float64))
        return np.asarray(self.function(grid, **self._full(settings)), dtype=np.complex128)

    def series(self, wl: ArrayLike, orders: int, **settings: Any) -> NDArray[np.complex128]:
        """Return the Taylor coefficients in wavelength of the S-matrix, shape (orders, W, P, P).

        Raises ParameterError for a part that declared none.
        """
        if self.series_of is None:
            message = (
                f"A {self.name} has no exact derivative in wavelength, so group delay and dispersion "
                "of a circuit that holds one are not known."
            )
            raise ParameterError(message)
        grid = np.atleast_1d(np.asarray(wl, dtype=np.float64))
        return np.asarray(self.series_of(grid, orders, **self._full(settings)), dtype=np.complex128)

    def _full(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        return {**self.defaults, **{k: v for k, v in settings.items() if k not in self.layout_settings}}


def _latex_name(name: str) -> str:
    """Return a parameter's name as LaTeX: the field's letter where it has one, upright words elsewhere."""
    letters = {"wl": r"\lambda", "wl0": r"\lambda_0", "neff": r"n_\mathrm{eff}", "ng": "n_g", "length": "L",
               "phase": r"\varphi", "radius": "R", "temperature": "T"}  # fmt: skip
    return letters.get(name, rf"\mathrm{{{name}}}".replace("_", r"\_"))


def _column(value: Any) -> Any:
    """Return a batch of shape (B,) as (B, 1), ready to broadcast against wavelengths."""
    array = np.asarray(value)
    return array[..., np.newaxis] if array.ndim else value


def _generic(parameter: Parameter, rng: np.random.Generator) -> Any:
    """Return a value inside the bounds at which nothing vanishes by accident."""
    if parameter.kind in {"choice", "flag"}:
        return parameter.default
    low = parameter.low if np.isfinite(parameter.low) else -1.0
    high = min(parameter.high, low + 2.0) if np.isfinite(parameter.high) else low + 2.0
    return float(low + (high - low) * rng.uniform(0.2, 0.6))


def port_names(
    ports: tuple[str, ...], inputs: int | None, aliases: Mapping[str, str] | None
) -> dict[str, str]:
    """Return the other names of ports: standard ones by position, then `aliases`, for each mode."""
    left = len(port_places(ports)) // 2 if inputs is None else inputs
    return aliases_with_modes({**standard_aliases(ports, left), **(aliases or {})}, ports)
