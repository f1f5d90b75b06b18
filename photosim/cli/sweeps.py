"""The command `sweep`: a circuit at many settings, as table, picture and data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from photosim.cli.asking import assignments, port_names, show, usual_wl
from photosim.cli.common import Common
from photosim.cli.progress import progress_bars
from photosim.errors import ParameterError


@dataclass(frozen=True)
class Request:
    """Options of `sweep`; names and values are as typed."""

    common: Common
    vary: tuple[str, ...]
    together: bool
    samples: int | None
    method: str | None
    wl: str | None
    starts: tuple[str, ...] | None
    ends: tuple[str, ...] | None
    metrics: bool
    near: float | None


def sweep(request: Request) -> None:
    """Compute, write the requested files, and show the numbers; everything is checked before computing."""
    from photosim import plotting
    from photosim.analysis.sweeps import files
    from photosim.analysis.sweeps.options import compute, read_options

    common = request.common
    common.check_targets(files.SUFFIXES)
    circuit = common.circuit()
    options = read_options(_entry(request, circuit), circuit)
    with progress_bars() as progress:
        result = compute(circuit, options, common.seed, progress, **common.cluster())
    show(common, result, plotting.for_sweep(result), files.write)


def _entry(request: Request, circuit: Any) -> dict[str, Any]:
    """Return the netlist's own sweep with what the command line says in front."""
    entry = request.common.entry(circuit, "sweep")
    if request.together and request.samples is not None:
        message = "--zip changes listed values together and --samples draws them: give one of the two."
        raise ParameterError(message)
    vary = assignments(request.vary, "--vary", "ring.radius=9.9:10.1:5")
    typed: dict[str, Any] = {
        "wl": request.wl, "samples": request.samples, "method": request.method, "near": request.near,
        "from": port_names(request.starts, circuit), "to": port_names(request.ends, circuit),
        "mode": "zip" if request.together else "samples" if request.samples is not None else None,
        "metrics": True if request.metrics else None, "vary": vary or None,
    }  # fmt: skip
    entry |= {key: value for key, value in typed.items() if value is not None}
    entry.setdefault("wl", usual_wl(circuit, request.common.file) if "wl" not in entry else None)
    settings = request.common.settings(circuit)
    if settings:
        entry["settings"] = {**entry.get("settings", {}), **settings}
    return entry
