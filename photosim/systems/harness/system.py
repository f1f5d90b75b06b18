"""What a published system is: cases that are computed for several seeds, and figures to hold them against."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from photosim.analysis.chart import Curve, Picture
from photosim.analysis.result import Table
from photosim.arguments import public
from photosim.errors import DataError, ParameterError, did_you_mean, listing

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from photosim.systems.harness.data import Kind

How = Literal["read", "code", "press", "secondary", "recalled", "inferred"]
"""How a published figure reached us: read in the paper, in the authors' code, in the press, in somebody
else's account; recalled without a text at hand; or inferred from other figures."""


@public
@dataclass(frozen=True)
class Published:
    """A published figure in the unit of its row, with its `spread` if one was published.

    data: the data set of the figure, if it is not the first one of the system.  value: in the unit of its
    row. how: how it was obtained: measured, simulated, ....
    """

    value: float
    how: How
    spread: float | None = None
    data: str = ""


@public
@dataclass(frozen=True)
class Options:
    """Options of a reproduction.

    data: name of one of the system's data sets, or of a user's own.  data_dir: folder of data files, by
    default that of PHOTOSIM_DATA.  seeds: number of seeds of each case.  quick: the same steps with less
    work, for tests and a first look.  own: whether the data are a user's own.  netlists: pairs of the name of
    one of the system's netlists, and the file or gallery name that replaces it.
    """

    data: str = ""
    data_dir: Path | None = None
    seeds: int = 5
    quick: bool = False
    own: bool = False
    netlists: tuple[tuple[str, str], ...] = ()

    def netlist(self, name: str) -> str:
        """Return the netlist that replaces the system's netlist `name`, or `name` itself."""
        return dict(self.netlists).get(name, name)


Report = Callable[[int, int], None]
"""report(done, total) says how far one computation is, as in epochs."""


@public
@dataclass(frozen=True)
class Case:
    """One computation of a system, repeated for every seed.

    compute(seed, checkpoint, report) returns numbers and lists of numbers by name. It may keep its state in
    the file `checkpoint` and continue from it after an interruption.  recipe: all settings that its numbers
    depend on, apart from the seed, in plain JSON types; finished seeds of another recipe do not count.
    repeated: False for a computation that does not depend on the seed; it runs once.  uses_data: False for a
    computation that does not depend on the data set, such as the cost of hardware.
    """

    name: str
    compute: Callable[[int, Path, Report], Mapping[str, Any]]
    recipe: Mapping[str, Any] = field(default_factory=dict)
    repeated: bool = True
    uses_data: bool = True


@public
@dataclass(frozen=True)
class Row:
    """One line of the table: the number `key` that `case` returns, next to the published one, if any.

    label: name of the line.  unit: of the number.  digits: after the decimal point.
    """

    label: str
    case: str
    key: str
    unit: str = "%"
    published: Published | None = None
    digits: int = 2


@public
@dataclass(frozen=True)
class Outcome:
    """Results so far: for every case, by seed, what `compute` returned.

    found: numbers by case, seed and name.  comparable: names of the cases that were computed as published, on
    the published data in full size; published figures are drawn only beside these.  diverged: seeds whose
    training diverged, with the message.
    """

    found: Mapping[str, Mapping[int, Mapping[str, Any]]]
    comparable: frozenset[str] = frozenset()
    diverged: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    def of(self, case: str) -> list[Mapping[str, Any]]:
        """Return the numbers of a case, one mapping for each finished seed, in order of the seeds."""
        return [numbers for _, numbers in sorted(self.found.get(case, {}).items())]

    def curves(self, labels: Mapping[str, str], key: str, x: ArrayLike | None = None) -> list[Curve]:
        """Return curves of a list of numbers: means and sample standard deviations over the finished seeds.

        labels: of the cases, by name; a case without a finished seed is left out.  key: name of the list.  x:
        abscissa of the list, (points,); by default 1, 2, 3, ..., as for epochs.
        """
        found = [(label, self.values(case, key)) for case, label in labels.items()]
        return [Curve.over_seeds(label, values, x) for label, values in found if values.size]

    def values(self, case: str, key: str) -> NDArray[np.float64]:
        """Return one number, or list of numbers, of a case over the finished seeds, shape (seeds, ...)."""
        return np.array([numbers[key] for numbers in self.of(case)], dtype=np.float64)

    def known(self, case: str, key: str) -> NDArray[np.float64]:
        """Return one number of a case, (seeds,), of the seeds that have one: a level never met is nan."""
        if not all(key in numbers for numbers in self.of(case)):
            return np.empty(0)
        values = self.values(case, key)
        return values[~np.isnan(values)]


def _no_pictures(_outcome: Outcome) -> Sequence[Picture]:
    return ()


def _no_tables(_outcome: Outcome) -> Sequence[Table]:
    return ()


@public
@dataclass(frozen=True)
class System:
    """A published system.

    name: as in `photosim reproduce NAME`.  source: its key in sources.bib.  cases, rows: what is computed,
    and the lines of the table, for the options given.  data: names of the data sets that it can be run on,
    the published one first; empty if it needs none.  reads: kinds of a user's own data that it can be run on.
    quick_data: the set of `--quick`.  pictures, tables: what else is shown of an outcome, which may be
    incomplete.  netlists: names in the gallery of the circuits simulated, the main one first; seeds finished
    with others are computed again.  remarks: what a reader must know: where the recipe departs from the
    published one, what does not add up.  large: computations of another size by name, which are run only when
    requested; each says first what memory and time it needs.  title: for tables and pictures.
    """

    name: str
    title: str
    source: str
    cases: Callable[[Options], Sequence[Case]]
    rows: Callable[[Options], Sequence[Row]]
    data: tuple[str, ...] = ()
    reads: tuple[Kind, ...] = ()
    quick_data: str = ""
    seeds: int = 5
    pictures: Callable[[Outcome], Sequence[Picture]] = _no_pictures
    tables: Callable[[Outcome], Sequence[Table]] = _no_tables
    netlists: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    large: Mapping[str, Callable[[Options, Report, Callable[[str], None]], Table]] = field(
        default_factory=dict
    )

    def options(
        self,
        *,
        data: str | None = None,
        data_dir: str | Path | None = None,
        seeds: int | None = None,
        quick: bool = False,
        netlists: Sequence[str] = (),
    ) -> Options:
        """Return the options with the system's defaults for those left out; ParameterError for wrong ones.

        data: a set of the system's, or one's own: a path, or the name of a file of the data folder without
        its suffix; DataError where there is none.  netlists: files or names of the gallery; FILE takes the
        place of the system's first netlist, NAME=FILE that of its netlist NAME. NetlistError where a file is
        missing.
        """
        folder = None if data_dir is None else Path(data_dir)
        own = data is not None and data not in self.data
        if own:
            self._check_own(str(data), folder)
        if seeds is not None and seeds < 1:
            message = f"A reproduction needs 1 seed or more, got {seeds}."
            raise ParameterError(message)
        usual = self.quick_data if quick else next(iter(self.data), "")
        count = (2 if quick else self.seeds) if seeds is None else seeds
        chosen = usual if data is None else data
        return Options(chosen, folder, count, quick, own, tuple(map(self._replaced, netlists)))

    def _check_own(self, data: str, folder: Path | None) -> None:
        """Raise ParameterError if a system reads no data of one's own, DataError if they are missing."""
        known = f"It runs on: {listing(self.data)}." if self.data else "It needs no data."
        if not self.reads:
            message = f"System {self.name!r} does not run on data {data!r}. {known}"
            raise ParameterError(message)
        from photosim.systems.harness.data import found

        try:
            found(data, folder, self.reads)
        except DataError as error:
            message = f"System {self.name!r} does not run on data {data!r}. {known} {error}"
            raise DataError(message) from None

    def _replaced(self, given: str) -> tuple[str, str]:
        """Return the name of the system's netlist and what takes its place, as FILE or NAME=FILE says."""
        from photosim.netlist import find

        name, _, file = given.partition("=") if "=" in given else (next(iter(self.netlists), ""), "", given)
        if name not in self.netlists:
            message = (
                f"System {self.name!r} has no netlist {name!r}. It has: {listing(self.netlists)}."
                f"{did_you_mean(name, self.netlists)}"
            )
            raise ParameterError(message)
        return name, str(find(file))


def is_comparable(system: System, options: Options, name: str, data: str = "") -> bool:
    """Return whether a case is computed as published: the same recipe, on the same data in full size.

    data: the data set of the published figure, the system's first if empty.
    """
    if options.netlists or options.own:
        return False
    published = data or next(iter(system.data), "")
    own = {case.name: case for case in system.cases(options)}.get(name)
    full = {case.name: case for case in system.cases(replace(options, data=published, quick=False))}.get(name)
    if own is None or full is None or own.recipe != full.recipe:
        return False
    return not system.data or not own.uses_data or (options.data == published and not options.quick)
