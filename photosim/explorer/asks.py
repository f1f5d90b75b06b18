"""The questions that a page asks, as forms: what a question may hold, and of which type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from photosim.netlist.forms import LIST, Count, Words

Names = Annotated[tuple[str, ...], LIST, Words("a list of names")]


@dataclass(frozen=True)
class View:
    """What the page looks at.

    key: the netlist, as the server named it.  settings: those that were moved, by dotted name.  wl: range of
    wavelengths as a text, "1.54:1.56:1001".  start: port or wave that light enters; None takes the first.
    probes: inner waves that were clicked.  at: wavelength in um of the marker; None takes the middle.
    """

    key: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    wl: str | None = None
    start: str | None = None
    probes: Names = ()
    at: float | None = None
    quantity: str = "power"


@dataclass(frozen=True)
class Signal:
    """How the circuit is driven in time.

    analysis: name of an analysis of kind transient of the netlist; without one the rest counts.  drive: the
    setting that a random pattern drives from `low` to `high` with `rate` symbols per s, or none.
    quasi_static: take parts that are slower than their drive as if they followed it.
    """

    analysis: str | None = None
    drive: str | None = None
    rate: float = 10e9
    low: float = 0.0
    high: float = 1.0
    symbols: Count = 64
    noise: bool = False
    quasi_static: bool = False


@dataclass(frozen=True)
class Turn:
    """Which page asks, and the number of its question: a newer one has a higher number."""

    page: str = ""
    number: Count = 0
