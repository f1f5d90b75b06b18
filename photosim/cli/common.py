"""The options that questions of a circuit have in common: how they are typed, and what they mean."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photosim.cli.options import (
    Chunks,
    Data,
    File,
    Json,
    Map,
    Mode,
    Named,
    Plot,
    Scheduler,
    Seed,
    Strict,
    Values,
)
from photosim.errors import ParameterError, listing

if TYPE_CHECKING:
    from photosim.circuit import Circuit


@dataclass(frozen=True)
class Common:
    """Options that every question has; names and values are as typed."""

    file: str
    analysis: str | None = None
    plot: Path | None = None
    out: Path | None = None
    values: tuple[str, ...] = ()
    seed: int | None = None
    strict: bool = False
    cells: Path | None = None
    mode: str | None = None
    scheduler: str | None = None
    chunks: Path | None = None
    json: bool = False

    def check_targets(self, suffixes: Sequence[str] | None) -> None:
        """Raise DataError for a picture or a file that could not be written, before anything is computed."""
        from photosim.files import check_target
        from photosim.plotting import PICTURE_SUFFIXES

        if self.plot is not None:
            check_target(self.plot, PICTURE_SUFFIXES)
        if self.out is not None:
            check_target(self.out, *([] if suffixes is None else [tuple(suffixes)]))

    def circuit(self) -> Circuit:
        """Return the circuit of the file."""
        from photosim import netlist as netlists
        from photosim.circuit import Circuit

        netlist = netlists.read(
            netlists.find(self.file), strict=self.strict, cell_map=self.cells, mode=self.mode
        )
        return Circuit(netlist, strict=self.strict)

    def entry(self, circuit: Circuit, kind: str) -> dict[str, Any]:
        """Return the netlist's own analysis of that kind, named or the first; an empty one if it has none."""
        own = [entry for entry in circuit.netlist.analyses if entry.get("kind") == kind]
        if self.analysis is not None:
            named = [entry for entry in own if entry.get("name", kind) == self.analysis]
            if not named:
                known = [entry.get("name", kind) for entry in own]
                message = f"{self.file} lists no {kind} called {self.analysis!r}; it has {listing(known)}."
                raise ParameterError(message)
            own = named
        return dict(own[0]) if own else {"kind": kind, "name": circuit.name}

    def settings(self, circuit: Circuit) -> dict[str, Any]:
        """Return the settings of --set by dotted name."""
        from photosim.cli.settings import read_settings

        return read_settings(self.values, circuit)

    def cluster(self) -> dict[str, Any]:
        """Return where the work is computed and kept, as the functions of the library take it."""
        return {"client": self.scheduler, "chunks": self.chunks}


def _file(file: File) -> None: ...


def _tail(
    analysis: Named = None,
    plot: Plot = None,
    out: Data = None,
    values: Values = None,
    seed: Seed = None,
    strict: Strict = False,
    cells: Map = None,
    mode: Mode = None,
    scheduler: Scheduler = None,
    chunks: Chunks = None,
    json: Json = False,
) -> None: ...


CLUSTER = ("scheduler", "chunks")


def asks(*leave_out: str, **others: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command, a function of Common and of its own options, FILE in front and the common ones behind.

    leave_out: common options that it does not have.  others: annotations of those that it says otherwise.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        own = list(_parameters(function).values())[1:]
        mine = {parameter.name for parameter in own}
        tail = [
            p.replace(annotation=others.get(name, p.annotation))
            for name, p in _parameters(_tail).items()
            if name not in leave_out
        ]
        every = [*_parameters(_file).values(), *own, *tail]

        def command(**typed: Any) -> None:
            shared = {name: _frozen(typed[name]) for name in _NAMES if name in typed}
            shared = {name: value for name, value in shared.items() if value is not None}
            function(Common(**shared), **{name: typed[name] for name in mine})

        command.__name__, command.__doc__ = function.__name__, function.__doc__
        command.__module__ = function.__module__
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in every}
        command.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
        return command

    return decorate


_NAMES = frozenset(Common.__dataclass_fields__)


def _parameters(function: Callable[..., None]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function, eval_str=True).parameters


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
