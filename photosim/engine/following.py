"""What the electrical equations follow, and what follows them: signals and settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from photosim.model.elements import GROUND

if TYPE_CHECKING:
    from photosim.electronics import System


@dataclass(frozen=True)
class Signal:
    """What an input of the electrical equations follows.

    kind: "setting" of a source, "detector" (its current), "light" (of its current what the light alone
    makes, in a control loop) or "stage" (what a converter puts out).  part: which.  setting: of a source
    alone.  tone: amplitude, frequency in Hz and phase in rad of a sine on top of a setting.
    """

    kind: str
    part: str
    setting: str = ""
    tone: tuple[float, float, float] | None = None

    @property
    def name(self) -> str:
        """The setting by dotted name, or the part."""
        return f"{self.part}.{self.setting}" if self.setting else self.part


@dataclass(frozen=True)
class Read:
    """A setting of an optical part that follows the electronics: a voltage between nodes, or a current."""

    part: str
    setting: str
    nodes: tuple[str, str] = (GROUND, GROUND)
    branch: str = ""

    @property
    def name(self) -> str:
        """The driven setting by dotted name."""
        return f"{self.part}.{self.setting}"


@dataclass(frozen=True)
class Equations:
    """One set of electrical equations: the system, and what each of its inputs follows."""

    system: System
    signals: tuple[Signal, ...]

    def row(self, node: str) -> int:
        """Return the number of a node's voltage; -1 for ground."""
        return self.system.nodes.get(node, -1)


def value_of(equations: Equations, read: Read, x: Any) -> Any:
    """Return what a setting reads off unknowns x (n + 1, ...), the last of them 0."""
    if read.branch:
        return x[equations.system.branches[read.branch]]
    plus, minus = (equations.row(node) for node in read.nodes)
    return x[plus] - x[minus]
