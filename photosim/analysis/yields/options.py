"""The kind of analysis `yield`: its options in a netlist, and its result for people and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from photosim.analysis.options import option, read_entry
from photosim.analysis.progress import Progress, silent
from photosim.analysis.sweeps.options import Range
from photosim.analysis.yields.result import YieldResult
from photosim.analysis.yields.run import MOST_SAMPLES, make, montecarlo
from photosim.netlist.forms import Count, NameList, PositiveList

if TYPE_CHECKING:
    from photosim.circuit import Circuit


@dataclass(frozen=True)
class YieldOptions:
    """What a yield analysis computes; see `ps.montecarlo`.

    specification: entries in place of those of the netlist.  follow: true, or the ports of the line to
    follow.
    """

    name: str
    wl: Range
    variation: Mapping[str, Any] = field(default_factory=dict)
    specification: tuple[Mapping[str, Any], ...] | list[Any] | None = None
    samples: Annotated[Count, Field(ge=2, le=MOST_SAMPLES)] = 1000
    seed: Count = 0
    method: Literal["random", "sobol", "halton", "lhs"] = "random"
    follow: bool | NameList = False
    channels: PositiveList | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    tuning: Mapping[str, Any] | None = None
    sobol: Count = 0
    rare: bool = False


def read_options(entry: Mapping[str, Any], circuit: Circuit) -> YieldOptions:
    """Return the options of an entry `{kind: yield, name, wl, variation, specification, samples, ...}`.

    Raises ParameterError for an unknown key, setting or port, a distribution that leaves bounds, and a
    specification that the sweep cannot judge.
    """
    options = read_entry(YieldOptions, entry, "yield")
    with option(options.name):
        make(
            circuit, options.variation, options.specification, options.wl, options.follow, options.channels,
            options.settings, options.tuning,
        )  # fmt: skip
    return options


def compute(
    circuit: Circuit,
    options: YieldOptions,
    seed: int | None = None,
    progress: Progress = silent,
    client: Any = None,
    chunks: Any = None,
) -> YieldResult:
    """Return the yield of the options; `seed` replaces theirs, client and chunks are as of the function."""

    def named(_name: str, done: int, total: int) -> None:
        progress(options.name, done, total)

    data = montecarlo(
        circuit, options.variation, wl=options.wl, specification=options.specification,
        samples=options.samples, seed=options.seed if seed is None else seed, method=options.method,
        follow=options.follow, channels=options.channels, settings=options.settings, tuning=options.tuning,
        sobol=options.sobol, rare=options.rare, progress=named, client=client, chunks=chunks,
    )  # fmt: skip
    return YieldResult(options.name, data)
