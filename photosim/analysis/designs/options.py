"""The kind of analysis `optimise`: its options in a netlist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from photosim.analysis.designs.result import DesignResult
from photosim.analysis.designs.run import check_chips, make, optimise
from photosim.analysis.designs.targets import SUFFIXES
from photosim.analysis.options import beside, option, read_entry
from photosim.analysis.progress import Progress, silent
from photosim.analysis.sweeps.options import Range
from photosim.netlist.forms import Count, PositiveList, Words, Written

if TYPE_CHECKING:
    from photosim.circuit import Circuit

Varied = Annotated[
    Any, Written(Annotated[Any, Words("names or patterns of settings, or a mapping of them to [low, high]")])
]


@dataclass(frozen=True)
class DesignOptions:
    """What an optimise analysis computes; see `ps.optimise`."""

    name: str
    wl: Range
    vary: Varied = ()
    specification: tuple[Mapping[str, Any], ...] | list[Any] | None = None
    target: Mapping[str, Any] | None = None
    goal: Literal["minimax", "yield"] = "minimax"
    variation: Mapping[str, Any] | None = None
    starts: Annotated[Count, Field(ge=1, le=10_000)] = 1
    constraints: tuple[Mapping[str, Any], ...] | list[Any] = ()
    scales: Mapping[str, Any] | None = None
    chips: Annotated[Count | None, Field(ge=2)] = None
    seed: Count = 0
    channels: PositiveList | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def located(entry: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    """Return an entry of a netlist in `folder` with the place of the matrix file that it names.

    Raises ParameterError for a file outside that folder, as for tables of S-parameters.
    """
    target = entry.get("target")
    if not isinstance(target, Mapping):
        return dict(entry)
    name = target.get("matrix")
    if not isinstance(name, str) or Path(name).suffix.lower() not in SUFFIXES:
        return dict(entry)
    return {**entry, "target": {**target, "matrix": beside(name, folder, entry, "optimise", "target")}}


def read_options(entry: Mapping[str, Any], circuit: Circuit) -> DesignOptions:
    """Return the options of an entry `{kind: optimise, name, wl, vary, specification, goal, ...}`.

    Raises ParameterError for an unknown key, setting or port, and for an aim that the sweep cannot judge.
    """
    options = read_entry(DesignOptions, entry, "optimise")
    with option(options.name):
        check_chips(options.chips, options.goal)
        make(
            circuit, options.vary, options.wl, options.specification, options.target, None, options.goal,
            options.variation, options.constraints, options.scales, options.channels, options.settings,
        )  # fmt: skip
    return options


def compute(
    circuit: Circuit, options: DesignOptions, seed: int | None = None, progress: Progress = silent
) -> DesignResult:
    """Return the design of the options; `seed` replaces theirs."""

    def named(_name: str, done: int, total: int) -> None:
        progress(options.name, done, total)

    data = optimise(
        circuit, options.vary, wl=options.wl, specification=options.specification, target=options.target,
        goal=options.goal, variation=options.variation, starts=options.starts,
        constraints=options.constraints, scales=options.scales, chips=options.chips,
        seed=options.seed if seed is None else seed, channels=options.channels, settings=options.settings,
        progress=named,
    )  # fmt: skip
    return DesignResult(options.name, data)
