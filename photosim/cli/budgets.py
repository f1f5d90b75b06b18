"""The command `budget`: power, energy, area, latency, loss and noise of a circuit by part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from photosim.cli.asking import assignments, show
from photosim.cli.common import Common
from photosim.errors import ParameterError

if TYPE_CHECKING:
    from photosim.circuit import Circuit


@dataclass(frozen=True)
class Request:
    """Options of `budget`; names and values are as typed."""

    common: Common
    rate: float | None
    bits: float | None
    use: float | None
    training: str | None
    constants: tuple[str, ...]
    wl: float | None
    start: str | None
    end: str | None


def find_budget(request: Request) -> None:
    """Compute, write the requested files, and show the numbers; everything is checked before computing."""
    from photosim import plotting
    from photosim.analysis.budgets.options import compute, read_options
    from photosim.analysis.budgets.result import SUFFIXES, write
    from photosim.cli.progress import progress_bars
    from photosim.runner.kinds import training_of

    common = request.common
    common.check_targets(SUFFIXES)
    circuit = common.circuit()
    options = read_options(_entry(request, circuit), circuit)
    with progress_bars() as progress:
        training = training_of(circuit, options.training, common.seed, progress)
        result = compute(circuit, options, training)
    show(common, result, plotting.for_budget(result), write)


def _entry(request: Request, circuit: Circuit) -> dict[str, Any]:
    """Return the netlist's own budget with what the command line says in front."""
    entry = request.common.entry(circuit, "budget")
    typed = {"rate": request.rate, "bits": request.bits, "use": request.use, "training": request.training,
             "wl": request.wl, "from": request.start, "to": request.end}  # fmt: skip
    entry |= {key: value for key, value in typed.items() if value is not None}
    if request.constants:
        entry["constants"] = {**entry.get("constants", {}), **_constants(request.constants)}
    settings = request.common.settings(circuit)
    if settings:
        entry["settings"] = {**entry.get("settings", {}), **settings}
    return entry


def _constants(texts: tuple[str, ...]) -> dict[str, Any]:
    """Return the constants of NAME=VALUE and NAME=LOW:VALUE:HIGH texts."""
    found: dict[str, Any] = {}
    for name, text in assignments(texts, "--constant", "wall_plug_efficiency=0.2").items():
        try:
            numbers = [float(part) for part in text.split(":")]
        except ValueError:
            numbers = []
        if len(numbers) not in (1, 3):
            message = f"Cannot read --constant {name}={text}: write NAME=VALUE or NAME=LOW:VALUE:HIGH."
            raise ParameterError(message)
        keys = ("value",) if len(numbers) == 1 else ("low", "value", "high")
        found[name] = {**dict(zip(keys, numbers, strict=True)), "source": "stated"}
    return found
