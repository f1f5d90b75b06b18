"""What every kind of component has: name, ports, parameters, source and documentation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np

from photosim.conventions import aliases_with_modes, port_places, ports_by_mode, standard_aliases
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.model import registry
from photosim.model.claims import check_claims
from photosim.model.groups import grouped, groups_of
from photosim.model.parameters import Parameter, read_parameters, read_settings
from photosim.model.windows import Window, usual_windows, windows_of


@dataclass(frozen=True)
class Remark:
    """A finding about an instance: `serious` ones are warnings, the others are shown by `check` alone.

    A guess stands for what the settings could have said: with `--strict` it is an error.
    """

    text: str
    serious: bool = False
    guess: bool = False


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
    drives: Mapping[str, str] = field(default_factory=dict)
    """The setting that each electrical input drives; its own value holds while nothing is wired there."""
    windows: tuple[Window, ...] = ()
    """Where the model holds; outside it computes, and a warning says so."""

    kind = "model"
    scalar_settings = False
    """Whether no setting of the kind takes a batch."""

    @classmethod
    def declare(
        cls,
        function: Callable[..., Any],
        *,
        structural: Iterable[str] = (),
        name: str | None = None,
        windows: tuple[Window, ...] = (),
        **fields: Any,
    ) -> Self:
        """Return the component that a function describes, registered under its name or the one given.

        Parameters come from signature and docstring, groups of settings spread out; `fields` are those of
        the kind. Raises ParameterError for an incomplete declaration.
        """
        flat = grouped(function)
        parameters = read_parameters(flat, structural, scalar=cls.scalar_settings)
        holds = windows_of(function, groups_of(function), windows, parameters)
        model = cls(
            name=name or function.__name__,
            function=flat,
            parameters=parameters,
            windows=(*holds, *usual_windows(parameters, holds)),
            **fields,
        )
        check_claims(model)
        registry.register(model)
        return model

    @property
    def origin(self) -> str:
        """Where the function was declared, as module.name."""
        return f"{self.module}.{self.function.__qualname__}"

    @property
    def module(self) -> str:
        """The module of the function; that of a script for code which was run without a name of its own."""
        return self.function.__module__ or "__main__"

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

    @cached_property
    def switches(self) -> tuple[str, ...]:
        """Names of the structural parameters."""
        return tuple(name for name, p in self.parameters.items() if p.structural)

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

    def electrical_unit(self, port: str, settings: Mapping[str, Any]) -> str:
        """Return the unit of the signal at an electrical port: that of the setting which it drives."""
        del settings
        return self.parameters[self.drives[port]].unit if port in self.drives else ""

    def domain_of(self, port: str, settings: Mapping[str, Any]) -> str:
        """Return what a pin carries, "electrical" or "thermal"; empty for a port that is not a pin."""
        del port, settings
        return ""

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

    def read(self, settings: Mapping[str, Any], where: str | None = None) -> dict[str, Any]:
        """Return settings in the form that the component's function takes: 4.0 is 4 where it counts.

        Those of the layout, and those that are None, are left out. Raises ParameterError for a setting that
        is unknown, of the wrong kind or out of bounds.
        """
        place = where or f"component {self.name!r}"
        return read_settings(self.parameters, self.layout_settings, settings, place)

    def full(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return every setting, as `read` does, with the default of each that is not written."""
        return self.defaults | self.read(settings)

    def check(self, settings: Mapping[str, Any], where: str | None = None) -> None:
        """Raise ParameterError for a setting that is wrong, alone or beside the others."""
        self.read(settings, where)

    def remarks(self, settings: Mapping[str, Any]) -> tuple[Remark, ...]:
        """Return what a reader should know about an instance with these settings, which are checked."""
        del settings
        return ()

    def __reduce__(self) -> tuple[Callable[[str], Model], tuple[str]]:
        """Pickle as a name to look up, so that the record crosses processes as the same object."""
        return registry.get, (self.name,)


@dataclass(frozen=True, eq=False)
class Judged(Model):
    """A model whose settings are judged together, beside each by its own bounds."""

    judge: Callable[..., tuple[Remark, ...]] | None = None
    """Sees all settings together: it returns remarks or raises ParameterError."""

    def check(self, settings: Mapping[str, Any], where: str | None = None) -> None:
        """Raise ParameterError for a setting that is wrong, alone or together with the others."""
        super().check(settings, where)
        if self.judge is not None:
            try:
                self.judge(**self.full(settings))
            except ParameterError as error:
                message = f"{where or f'component {self.name!r}'}: {error}"
                raise ParameterError(message) from None

    def remarks(self, settings: Mapping[str, Any]) -> tuple[Remark, ...]:
        """Return what judging the settings together has found."""
        return () if self.judge is None else tuple(self.judge(**self.full(settings)))


def column(value: Any) -> Any:
    """Return a batch of shape (B,) as (B, 1), ready to broadcast against wavelengths."""
    array = np.asarray(value)
    return array[..., np.newaxis] if array.ndim else value


def port_names(
    ports: tuple[str, ...], inputs: int | None, aliases: Mapping[str, str] | None
) -> dict[str, str]:
    """Return the other names of ports: standard ones by position, then `aliases`, for each mode."""
    left = len(port_places(ports)) // 2 if inputs is None else inputs
    return aliases_with_modes({**standard_aliases(ports, left), **(aliases or {})}, ports)
