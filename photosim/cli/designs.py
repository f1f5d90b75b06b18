"""The command `optimise`: settings that meet a specification best, match a target, or yield most."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photosim.cli.asking import show, usual_wl
from photosim.cli.common import Common
from photosim.cli.progress import progress_bars
from photosim.cli.yields import specified, varied
from photosim.errors import ParameterError

if TYPE_CHECKING:
    from photosim.circuit import Circuit


@dataclass(frozen=True)
class Request:
    """Options of `optimise`; names and values are as typed."""

    common: Common
    vary: tuple[str, ...]
    specification: tuple[str, ...]
    variation: tuple[str, ...]
    goal: str | None
    starts: int | None
    chips: int | None
    matrix: str | None
    wl: str | None
    save: Path | None


def find_design(request: Request) -> None:
    """Compute, write the requested files, and show the numbers; everything is checked before computing."""
    from photosim import plotting
    from photosim.analysis.designs.options import compute, read_options
    from photosim.analysis.designs.result import SUFFIXES, write
    from photosim.files import check_target
    from photosim.netlist.save import SUFFIXES as NETLISTS

    common = request.common
    common.check_targets(SUFFIXES)
    if request.save is not None:
        check_target(request.save, NETLISTS)
    circuit = common.circuit()
    options = read_options(_entry(request, circuit), circuit)
    with progress_bars() as progress:
        result = compute(circuit, options, common.seed, progress)
    more = {}
    if request.save is not None:
        more[request.save] = lambda path: circuit.save(path, settings=result.data)
    show(common, result, plotting.for_optimise(result), write, more)


def _entry(request: Request, circuit: Circuit) -> dict[str, Any]:
    """Return the netlist's own design with what the command line says in front."""
    from photosim.analysis.designs.options import located

    entry = located(request.common.entry(circuit, "optimise"), circuit.netlist.folder)
    typed: dict[str, Any] = {
        "wl": request.wl, "starts": request.starts, "chips": request.chips, "goal": request.goal,
        "specification": [specified(text) for text in request.specification] or None,
        "variation": varied(request.variation) if request.variation else None,
        "target": None if request.matrix is None else {"matrix": request.matrix},
        "vary": _bounded(request.vary) if request.vary else None,
    }  # fmt: skip
    entry |= {key: value for key, value in typed.items() if value is not None}
    if entry.get("goal") == "minimax":
        entry.pop("variation", None)
    elif entry.get("goal") == "yield" and "variation" not in entry:
        own = request.common.entry(circuit, "yield")
        if "variation" in own:
            entry["variation"] = own["variation"]
    if "wl" not in entry:
        entry["wl"] = usual_wl(circuit, request.common.file)
    settings = request.common.settings(circuit)
    if settings:
        entry["settings"] = {**entry.get("settings", {}), **settings}
    return entry


def _bounded(texts: tuple[str, ...]) -> dict[str, Any]:
    """Return the varied settings of NAME and NAME=LOW:HIGH texts."""
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, ends = (part.strip() for part in text.partition("="))
        if name in found:
            message = f"--vary gives {name!r} twice: give it once."
            raise ParameterError(message)
        found[name] = None
        if equals:
            try:
                low, high = (float(part) for part in ends.split(":"))
            except ValueError:
                message = f"Cannot read --vary {text!r}: write NAME or NAME=LOW:HIGH, as in ring.radius=9:11."
                raise ParameterError(message) from None
            found[name] = [low, high]
    return found
