"""The kinds of analyses: one entry each, which reads its options, computes it, and says what it files.

To add one, write a function that returns its Kind and give it a name with `@kind`. Its modules load when an
analysis of that kind is first met.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from photosim.errors import ParameterError, did_you_mean, listing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from photosim.analysis.progress import Progress
    from photosim.analysis.result import Table
    from photosim.circuit import Circuit
    from photosim.training.result import TrainingResult


class Result(Protocol):
    """What every analysis returns."""

    def numbers(self) -> dict[str, Any]:
        """Return all numbers as plain JSON types."""

    def tables(self) -> Sequence[Table]:
        """Return the tables that people read."""


@dataclass(frozen=True)
class Run:
    """What a computation may ask of the run that it is part of.

    seed: replaces that of the options; None keeps theirs.  checkpoints: folder in which a long computation
    keeps its state, and goes on from what it finds there.  client, chunks: workers of Dask distributed and
    the folder of finished chunks, for sweeps, yields and fits.
    """

    seed: int | None
    progress: Progress
    checkpoints: Path
    client: Any = None
    chunks: Path | None = None


@dataclass(frozen=True)
class Kind:
    """A kind of analysis.

    read(entry, circuit): options of an entry of `analyses`; raises ParameterError.
    compute(circuit, options, run): the result.
    pictures(result): what draws each picture, by the part of its file's name after that of the analysis.
    write(path, result): writes the data as one CSV file; None for a kind whose numbers and tables say all.
    """

    read: Callable[[Mapping[str, Any], Circuit], Any]
    compute: Callable[[Circuit, Any, Run], Result]
    pictures: Callable[[Any], Mapping[str, Callable[[], Figure]]]
    write: Callable[[Path, Any], object] | None = None


KINDS: dict[str, Callable[[], Kind]] = {}
"""What returns each kind of analysis, by its name in a netlist."""


def kind(name: str) -> Callable[[Callable[[], Kind]], Callable[[], Kind]]:
    """Register the function below as the kind of analysis called `name`."""

    def register(entry: Callable[[], Kind]) -> Callable[[], Kind]:
        KINDS[name] = cache(entry)
        return entry

    return register


def find(name: Any) -> Kind:
    """Return the kind of analysis that a netlist calls `name`; ParameterError lists what there is."""
    if not isinstance(name, str) or name not in KINDS:
        hint = did_you_mean(str(name), KINDS)
        message = f"There is no analysis of kind {name!r}. There are: {listing(KINDS)}.{hint}"
        raise ParameterError(message)
    return KINDS[name]()


def _seeded(compute: Callable[[Circuit, Any], Result]) -> Callable[[Circuit, Any, Run], Result]:
    """Return a computation in which the run's seed chooses the sample of random parts, such as speckle."""

    def seeded(circuit: Circuit, options: Any, run: Run) -> Result:
        from photosim.analysis.spectrum import with_seed

        return compute(circuit, replace(options, settings=with_seed(circuit, options.settings, run.seed)))

    return _counted(seeded)


def _counted(compute: Callable[[Circuit, Any, Run], Result]) -> Callable[[Circuit, Any, Run], Result]:
    """Return a computation that tells the progress when it starts and ends."""

    def counted(circuit: Circuit, options: Any, run: Run) -> Result:
        run.progress(options.name, 0, 1)
        result = compute(circuit, options, run)
        run.progress(options.name, 1, 1)
        return result

    return counted


def _plainly(compute: Callable[[Circuit, Any], Result]) -> Callable[[Circuit, Any, Run], Result]:
    """Return a computation in which nothing is random."""
    return lambda circuit, options, _: compute(circuit, options)


@kind("spectrum")
def _spectrum() -> Kind:
    from photosim import files, plotting
    from photosim.analysis.spectrum import SpectrumResult, read_options, spectrum

    def write(path: Path, result: SpectrumResult) -> None:
        files.write(path, result.s, result.pairs)

    return Kind(read_options, _seeded(spectrum), plotting.pictures_of, write)


@kind("sweep")
def _sweep() -> Kind:
    from photosim import plotting
    from photosim.analysis.sweeps import files
    from photosim.analysis.sweeps.options import compute, read_options
    from photosim.analysis.sweeps.result import SweepResult

    def computed(circuit: Circuit, options: Any, run: Run) -> Result:
        return compute(circuit, options, run.seed, run.progress, run.client, run.chunks)

    def write(path: Path, result: SweepResult) -> None:
        files.write(path, result)

    return Kind(read_options, computed, plotting.for_sweep, write)


@kind("yield")
def _yield() -> Kind:
    from photosim import plotting
    from photosim.analysis.yields.options import compute, read_options
    from photosim.analysis.yields.result import write

    def computed(circuit: Circuit, options: Any, run: Run) -> Result:
        return compute(circuit, options, run.seed, run.progress, run.client, run.chunks)

    return Kind(read_options, computed, plotting.for_yield, write)


@kind("optimise")
def _optimise() -> Kind:
    from photosim import plotting
    from photosim.analysis.designs.options import compute, located, read_options
    from photosim.analysis.designs.result import write

    def read(entry: Mapping[str, Any], circuit: Circuit) -> Any:
        return read_options(located(entry, circuit.netlist.folder), circuit)

    def computed(circuit: Circuit, options: Any, run: Run) -> Result:
        return compute(circuit, options, run.seed, run.progress)

    return Kind(read, computed, plotting.for_optimise, write)


@kind("budget")
def _budget() -> Kind:
    from photosim import plotting
    from photosim.analysis.budgets.options import compute, read_options
    from photosim.analysis.budgets.result import write

    def computed(circuit: Circuit, options: Any, run: Run) -> Result:
        run.progress(options.name, 0, 1)
        result = compute(circuit, options, training_of(circuit, options.training, run.seed, run.progress))
        run.progress(options.name, 1, 1)
        return result

    return Kind(read_options, computed, plotting.for_budget, write)


def training_of(
    circuit: Circuit, name: str | None, seed: int | None, progress: Progress
) -> TrainingResult | None:
    """Return one epoch of one seed of a training of the netlist: what it asks of hardware goes with these."""
    if name is None:
        return None
    from photosim.analysis.budgets.options import circuit_training
    from photosim.training.job import read_options, train

    entry = {**circuit_training(circuit, name), "epochs": 1, "seeds": 1}
    return train(circuit, read_options(entry, circuit), seed=seed, progress=progress)


@kind("fit")
def _fit() -> Kind:
    from photosim import plotting
    from photosim.analysis.fits.options import compute, located, read_options
    from photosim.analysis.fits.result import write

    def read(entry: Mapping[str, Any], circuit: Circuit) -> Any:
        return read_options(located(entry, circuit.netlist.folder), circuit)

    def computed(circuit: Circuit, options: Any, run: Run) -> Result:
        return compute(circuit, options, run.seed, run.progress, run.client, run.chunks)

    return Kind(read, computed, plotting.for_fit, write)


@kind("link")
def _link() -> Kind:
    from photosim import plotting
    from photosim.analysis.link import compute, read_options

    return Kind(read_options, _seeded(compute), plotting.for_charts)


@kind("transient")
def _transient() -> Kind:
    from photosim import plotting
    from photosim.analysis import streams
    from photosim.analysis.transient import TransientResult, transient
    from photosim.analysis.transient_options import located, read_options
    from photosim.timedomain import files

    def write(path: Path, result: TransientResult | streams.StreamResult) -> None:
        if isinstance(result, TransientResult):
            files.write(path, result.data)
        else:
            streams.write(path, result)

    def compute(circuit: Circuit, options: Any, run: Run) -> Result:
        if not options.stream:
            return _counted(lambda c, o, r: transient(c, o, r.seed))(circuit, options, run)
        run.checkpoints.mkdir(parents=True, exist_ok=True)
        file = run.checkpoints / f"{options.name}{streams.SUFFIX}"
        return streams.streamed(circuit, options, run.seed, checkpoint=file, progress=run.progress)

    def read(entry: Mapping[str, Any], circuit: Circuit) -> Any:
        return read_options(located(entry, circuit.netlist.folder), circuit)

    def pictures(result: TransientResult | streams.StreamResult) -> Mapping[str, Callable[[], Figure]]:
        if isinstance(result, TransientResult):
            return plotting.for_transient(result)
        return plotting.for_stream(result)

    return Kind(read, compute, pictures, write)


@kind("response")
def _response() -> Kind:
    from photosim import plotting
    from photosim.analysis.response import ResponseResult, compute, read_options
    from photosim.files import responses

    def write(path: Path, result: ResponseResult) -> None:
        responses.write(path, result.data)

    return Kind(read_options, _counted(_plainly(compute)), plotting.for_response, write)


@kind("train")
def _train() -> Kind:
    from photosim import plotting
    from photosim.training.job import read_options, train

    def compute(circuit: Circuit, options: Any, run: Run) -> Result:
        return train(circuit, options, seed=run.seed, progress=run.progress, checkpoints=run.checkpoints)

    return Kind(read_options, compute, plotting.for_training)
