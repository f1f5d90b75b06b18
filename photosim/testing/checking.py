"""Trying the laws: all of them at the same examples, and those that break again for the smallest one."""

from __future__ import annotations

import warnings
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from photosim.analysis.result import Table
from photosim.arguments import public
from photosim.circuit import Circuit
from photosim.errors import ParameterError, PhotosimError, PhotosimWarning, UnphysicalResult
from photosim.testing import (  # noqa: F401 - they declare the laws
    claim_laws,
    device_laws,
    formula_laws,
    guide_laws,
    learning_laws,
    light_laws,
    limit_laws,
    linear_laws,
    noise_laws,
    stated_laws,
    time_laws,
)
from photosim.testing.draws import hypothesis, settings_of, wavelengths_in
from photosim.testing.law import LAWS, Example, Law, LawBroken, Verdict
from photosim.testing.shrinking import smallest_circuit
from photosim.testing.subjects import Subject, Whole, subject_of

EXAMPLES = 100
WAVELENGTHS = 3


@public
@dataclass(frozen=True)
class Report:
    """Results of testing a subject, law by law.

    name: of the subject.  verdicts: one for each law.
    """

    name: str
    verdicts: tuple[Verdict, ...]

    @property
    def broken(self) -> tuple[Verdict, ...]:
        """The laws that are broken."""
        return tuple(verdict for verdict in self.verdicts if verdict.broken_at is not None)

    def table(self) -> Table:
        """Return one row for each law: number of examples, worst value, tolerance, and a failing example."""
        columns = ("law", "examples", "worst", "allowed", "result", "smallest example that breaks it")
        rows = tuple(
            (
                verdict.law.name, str(verdict.tried), f"{verdict.worst:.2g}", f"{verdict.law.tolerance:.2g}",
                "kept" if verdict.broken_at is None else "BROKEN",
                "" if verdict.broken_at is None else f"{verdict.broken_at.words()}: {verdict.found:.3g}",
            )
            for verdict in self.verdicts
        )  # fmt: skip
        return Table(f"laws of {self.name}", columns, rows)

    def __repr__(self) -> str:
        """Return how many laws were tried, and the names of those that are broken."""
        names = ", ".join(verdict.law.name for verdict in self.broken)
        tried = len(self.verdicts)
        found = f"{len(self.broken)} of {tried} laws broken: {names}" if names else f"all {tried} laws kept"
        return f"Report({self.name}: {found})"

    def __str__(self) -> str:
        """Return the table as text, as the command line shows it."""
        table = self.table()
        rows = [table.columns, *(tuple(map(str, row)) for row in table.rows)]
        widths = [max(len(row[k]) for row in rows) for k in range(len(table.columns))]
        lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([table.title, *lines])

    def numbers(self) -> dict[str, Any]:
        """Return everything as plain JSON types."""
        return {
            "name": self.name,
            "kept": not self.broken,
            "laws": [
                {
                    "law": v.law.name, "statement": v.law.statement, "formula": v.law.formula,
                    "tolerance": v.law.tolerance, "tried": v.tried, "worst": _number(v.worst),
                    "kept": v.broken_at is None,
                    "example": None if v.broken_at is None else v.broken_at.words(),
                    "found": None if v.broken_at is None else _number(v.found),
                    "netlist": v.netlist,
                }
                for v in self.verdicts
            ],
        }  # fmt: skip

    def _repr_html_(self) -> str:
        """Show the report as a table in a notebook."""
        table = self.table()
        head = "".join(f"<th>{_escaped(name)}</th>" for name in table.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{_escaped(str(cell))}</td>" for cell in row) + "</tr>"
            for row in table.rows
        )
        return f"<table><caption>{_escaped(table.title)}</caption><tr>{head}</tr>{body}</table>"


@public
def laws(thing: Any = None) -> tuple[Law, ...]:
    """Return all laws, or those that apply to a component, table, file, circuit, device or rule.

    thing: a component, table, file, circuit, device or rule, or its name; None for all laws.

    >>> [law.name for law in laws("coupler")][:3]
    ['finiteness', 'passivity', 'reciprocity']
    """
    return tuple(LAWS.by_name.values()) if thing is None else LAWS.of(subject_of(thing))


@public
def check(
    thing: Any, *, examples: int = EXAMPLES, seed: int = 0, only: str | None = None, raises: bool = True
) -> Report:
    """Test `thing` against every law that applies to it, at many random examples, and return a report.

    thing: a component or its name, a table of S-parameters or its file, a circuit or its netlist, a training
    device, or a learning rule or its name.  examples: number of random wavelengths and settings, inside
    bounds and windows, with their ends likely.  seed: of the examples.  only: the name of one law.  raises:
    whether a broken law is an error.

    Raises LawBroken with the simplest example found, its value, the tolerance and the law's statement. Raises
    ParameterError if no law applies, and if hypothesis is not installed.

    >>> report = check("straight", examples=20)
    >>> report.broken
    ()
    """
    hypothesis()
    subject = subject_of(thing)
    if examples < 1:
        message = f"examples must be 1 or more, got {examples}."
        raise ParameterError(message)
    chosen = [law for law in LAWS.of(subject) if only in (None, law.name)]
    if not chosen:
        known = [law.name for law in LAWS.of(subject)]
        wanted = (
            f"The law {only!r} does not apply to {subject.name}"
            if only
            else f"No law applies to {subject.name}"
        )
        message = f"{wanted}. Laws that apply: {', '.join(known) or 'none'}."
        raise ParameterError(message)
    verdicts = _try(subject, chosen, examples, seed)
    report = Report(subject.name, tuple(verdicts))
    if report.broken and raises:
        raise LawBroken(subject.name, report.broken[0], report)
    return report


def _try(subject: Subject, chosen: list[Law], examples: int, seed: int) -> list[Verdict]:
    tried = {law.name: 0 for law in chosen}
    worst = {law.name: -np.inf for law in chosen}
    broken: set[str] = set()
    count = 0

    def all_laws(example: Example) -> None:
        nonlocal count
        for law in chosen:
            if count % law.every == 0 and law.name not in broken:
                value = _measured(law, subject, example)
                tried[law.name] += 1
                worst[law.name] = value if np.isnan(value) else max(worst[law.name], value)
                if not law.keeps(value):
                    broken.add(law.name)
        count += 1

    _draw(subject, all_laws, examples, seed)
    smallest = {name: _smallest(subject, LAWS.by_name[name], examples, seed) for name in broken}
    verdicts = []
    for law in chosen:
        example = smallest.get(law.name)
        found = _measured(law, subject, example) if example is not None else 0.0
        netlist = None if example is None else _smallest_circuit(subject, law, example)
        said = "" if example is None or np.isfinite(found) else _refusal(law, subject, example)
        most = worst[law.name] if np.isnan(worst[law.name]) else max(worst[law.name], 0.0)
        verdicts.append(Verdict(law, tried[law.name], most, example, found, netlist, said))
    return verdicts


def _refusal(law: Law, subject: Subject, example: Example) -> str:
    """Return what the engine says where it refuses an example as unphysical."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", PhotosimWarning)
            law.measure(subject, example)
    except UnphysicalResult as error:
        return str(error)
    except (PhotosimError, ArithmeticError, ValueError):
        pass
    return ""


def _smallest_circuit(subject: Subject, law: Law, example: Example) -> str | None:
    """Return the smallest circuit that breaks a law at an example, as YAML, or None for a plain part."""
    if not isinstance(subject, Whole):
        return None
    from photosim.netlist import to_yaml

    def breaks(circuit: Circuit) -> bool:
        smaller = subject_of(circuit)
        at = Example(example.wl, example.settings, example.seed)
        return law.applies(smaller) and not law.keeps(_measured(law, smaller, at))

    try:
        return to_yaml(smallest_circuit(subject.circuit, breaks).netlist)
    except PhotosimError:
        return None  # it holds what no file does, as a table from memory


def _measured(law: Law, subject: Subject, example: Example) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PhotosimWarning)
        with np.errstate(all="ignore"):
            try:
                return float(law.measure(subject, example))
            except UnphysicalResult:
                return float("nan") if law.refusal else 0.0
            except PhotosimError:
                if not example.settings:
                    raise
                return 0.0  # settings that are refused together break no law
            except (ArithmeticError, ValueError, np.linalg.LinAlgError):
                return float("nan")  # what the bounds allow must have an answer


def _draw(subject: Subject, take: Any, examples: int, seed: int) -> None:
    """Call `take` with so many examples."""
    hyp = hypothesis()
    run = hyp.given(_examples_of(subject))(take)
    run = hyp.settings(
        max_examples=examples, deadline=None, database=None, derandomize=False,
        suppress_health_check=list(hyp.HealthCheck), phases=[hyp.Phase.generate, hyp.Phase.shrink],
        report_multiple_bugs=False, print_blob=False, verbosity=hyp.Verbosity.quiet,
    )(run)  # fmt: skip
    hyp.seed(seed)(run)()


def _smallest(subject: Subject, law: Law, examples: int, seed: int) -> Example:
    """Return the smallest example found that breaks a law."""
    last: list[Example] = []

    def one_law(example: Example) -> None:
        if not law.keeps(_measured(law, subject, example)):
            last.append(example)
            raise _Found

    with suppress(_Found):
        _draw(subject, one_law, examples, seed)
    found = last[-1]
    return Example(found.wl, found.settings, found.seed)


class _Found(Exception):  # noqa: N818 - a signal to hypothesis, not an error
    """An example breaks the law."""


def _examples_of(subject: Subject) -> Any:
    from hypothesis import strategies as st

    band = subject.band
    grid = st.just(np.empty(0)) if band is None else wavelengths_in(band, WAVELENGTHS)
    drawn = settings_of(getattr(subject, "model", None), subject.parameters)
    return st.builds(Example, grid, drawn, st.integers(0, 2**16))


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
