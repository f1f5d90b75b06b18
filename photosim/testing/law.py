"""What a law is: a statement that can be measured, with its tolerance, and what breaks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from photosim.arguments import public
from photosim.errors import PhotosimError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Example:
    """What a law is tried at: wavelengths in um, (W,), settings by name, and a seed for what is random."""

    wl: NDArray[np.float64]
    settings: Mapping[str, Any]
    seed: int = 0
    known: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What laws have found at it, so that each need not ask again: S by the name of the subject."""

    def words(self) -> str:
        """Return the example as people write it, as "wl = 1.55, length = 10"."""
        grid = ", ".join(f"{value:.9g}" for value in self.wl)
        named = [f"{name} = {_plain(value)}" for name, value in self.settings.items()]
        return ", ".join([f"wl = {grid}", *named] if self.wl.size else named)


@public
@dataclass(frozen=True)
class Law:
    """A law of physics, or a claim of a declaration.

    name: one word or two.  statement: in words.  formula: the same as a formula.  tolerance: the largest
    value of `measure` that obeys the law.  why: reason for the tolerance.  source: reference.  applies:
    function that says whether the law applies to a subject.  measure: function that returns the deviation of
    a subject from the law at an example; nan breaks it.  every: one in so many examples is tested, for slow
    laws.  refusal: whether the law is broken if the engine rejects a part as unphysical.
    """

    name: str
    statement: str
    formula: str
    tolerance: float
    why: str
    source: str
    applies: Callable[[Any], bool]
    measure: Callable[[Any, Example], float]
    every: int = 1
    refusal: bool = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross processes as a name to look up."""
        return (_law, (self.name,))

    def keeps(self, value: float) -> bool:
        """Return whether a measured value obeys the law; nan does not."""
        return bool(value <= self.tolerance)


@public
@dataclass(frozen=True)
class Verdict:
    """Result of testing one law: the worst value, and the simplest example that breaks it.

    netlist: for a circuit, the smallest one that breaks the law, as YAML that `photosim check` reads.  said:
    the message of the engine, if it rejected the example as unphysical.  tried: number of examples.
    broken_at: the simplest example that breaks the law, None if none does.
    """

    law: Law
    tried: int
    worst: float
    broken_at: Example | None = None
    found: float = 0.0
    netlist: str | None = None
    said: str = ""

    @property
    def margin(self) -> float:
        """The worst value divided by the tolerance: above 1 the law is broken."""
        if self.law.tolerance > 0:
            return self.worst / self.law.tolerance
        return 0.0 if self.worst == 0 else float("inf")


class LawBroken(PhotosimError):  # noqa: N818 - what is broken, not an error of whoever asks
    """A law that a component, table, circuit, device or rule breaks.

    verdict: the law, the smallest example found, and the value there; of a circuit also the smallest one
    that breaks it, as YAML.  report: all other laws too.
    """

    def __init__(self, name: str, verdict: Verdict, report: Any = None) -> None:
        law, example = verdict.law, verdict.broken_at
        at = f" at {example.words()}" if example is not None and example.words() else ""
        found = f"found {verdict.found:.6g}, allowed {law.tolerance:.3g}."
        sentence = f"{name} breaks the law of {law.name}{at}: {verdict.said or found}"
        super().__init__(f"{sentence} {law.statement}: {law.formula}.")
        if verdict.netlist is not None:
            self.args = (f"{self} The smallest circuit that breaks it:\n{verdict.netlist}",)
        self.verdict = verdict
        self.report = report

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross processes as the sentence and what it was made of."""
        return (_again, (str(self), self.verdict))


def _again(text: str, verdict: Verdict) -> LawBroken:
    error = LawBroken.__new__(LawBroken)
    Exception.__init__(error, text)
    error.verdict, error.report = verdict, None
    return error


@dataclass
class Laws:
    """All laws by name, in the order in which they are declared."""

    by_name: dict[str, Law] = field(default_factory=dict)

    def declare(  # noqa: PLR0913 - keyword options of a declaration
        self, name: str, statement: str, formula: str, *, tolerance: float, why: str, source: str,
        applies: Callable[[Any], bool], every: int = 1, refusal: bool = False,
    ) -> Callable[[Callable[[Any, Example], float]], Callable[[Any, Example], float]]:  # fmt: skip
        """Return a decorator that makes a law of a function (subject, example) -> how far it is off."""

        def take(measure: Callable[[Any, Example], float]) -> Callable[[Any, Example], float]:
            self.by_name[name] = Law(
                name, statement, formula, tolerance, why, source, applies, measure, every, refusal
            )
            return measure

        return take

    def of(self, subject: Any) -> tuple[Law, ...]:
        """Return the laws that apply to a subject."""
        return tuple(law for law in self.by_name.values() if law.applies(subject))


LAWS = Laws()


def _law(name: str) -> Law:
    return LAWS.by_name[name]


def _plain(value: Any) -> str:
    return (
        f"{value:.9g}" if isinstance(value, float) else repr(value) if isinstance(value, str) else str(value)
    )
