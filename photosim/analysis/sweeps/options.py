"""The kind of analysis `sweep`: its options in a netlist, and its result for people and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from photosim.analysis.options import option, read_entry
from photosim.analysis.progress import Progress, silent
from photosim.analysis.spectrum import check_waves, default_inputs
from photosim.analysis.sweeps.points import fixed_settings, make_points
from photosim.analysis.sweeps.result import SweepResult
from photosim.analysis.sweeps.run import sweep
from photosim.engine.grids import checked
from photosim.errors import ParameterError
from photosim.netlist.forms import Count, NameList, Number, PositiveList, Words, Written

if TYPE_CHECKING:
    from photosim.circuit import Circuit


Range = Annotated[
    Any, Written(Annotated[str | float, Words("a text such as 1.54:1.56:2001, or a number")], checked)
]
"""Wavelengths as a text that may end in `auto`."""


@dataclass(frozen=True)
class SweepOptions:
    """What a sweep analysis computes; see `ps.sweep`.

    vary: values of the swept settings by name.  settings: settings that stay.
    """

    name: str
    wl: Range
    vary: Mapping[str, Any] = field(default_factory=dict)
    mode: Literal["grid", "zip", "samples"] = "grid"
    samples: Annotated[Count | None, Field(ge=1)] = None
    method: Literal["sobol", "halton", "lhs", "random"] = "sobol"
    seed: Count = 0
    starts: Annotated[NameList | None, Field(alias="from")] = None
    ends: Annotated[NameList | None, Field(alias="to")] = None
    metrics: bool = False
    near: Number | None = None
    channels: PositiveList | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def read_options(entry: Mapping[str, Any], circuit: Circuit) -> SweepOptions:
    """Return the options of an entry `{kind: sweep, name, wl, vary, mode, samples, from, to, metrics, ...}`.

    Raises ParameterError for an unknown key, setting or port, and for values that a sweep cannot take.
    """
    options = read_entry(SweepOptions, entry, "sweep")
    if "method" in entry and options.mode != "samples":
        with option(options.name, "method"):
            message = (
                f"method {options.method} belongs to samples, but `samples` is not given: give it, as in "
                "1024."
            )
            raise ParameterError(message)
    with option(options.name, "from"):
        check_waves(circuit, starts=options.starts)
    with option(options.name, "to"):
        check_waves(circuit, ends=options.ends)
    with option(options.name, "vary"):
        points = make_points(
            circuit, options.vary, options.mode, options.samples, options.seed, options.method
        )
    with option(options.name, "settings"):
        fixed_settings(circuit, options.settings, points.values)
    return options


def compute(
    circuit: Circuit,
    options: SweepOptions,
    seed: int | None = None,
    progress: Progress = silent,
    client: Any = None,
    chunks: Any = None,
) -> SweepResult:
    """Return the sweep of the options; `seed` replaces theirs, client and chunks are as of the function."""
    starts = options.starts if options.starts is not None else default_inputs(circuit.ports)

    def named(_name: str, done: int, total: int) -> None:
        progress(options.name, done, total)

    data = sweep(
        circuit, options.vary, wl=options.wl, mode=options.mode, samples=options.samples,
        method=options.method, seed=options.seed if seed is None else seed, inputs=starts,
        outputs=options.ends, metrics=options.metrics, near=options.near, channels=options.channels,
        settings=options.settings, progress=named, client=client, chunks=chunks,
    )  # fmt: skip
    return SweepResult(options.name, data)
