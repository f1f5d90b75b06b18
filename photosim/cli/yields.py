"""The command `yield`: chips drawn from what varies, judged by a specification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from photosim.cli.asking import assignments, show, usual_wl
from photosim.cli.common import Common
from photosim.cli.progress import progress_bars
from photosim.errors import ParameterError

if TYPE_CHECKING:
    from photosim.circuit import Circuit

_PAIRS = ("window", "within")
_NUMBERS = ("at_least", "at_most", "near")


@dataclass(frozen=True)
class Request:
    """Options of `yield`; names and values are as typed."""

    common: Common
    vary: tuple[str, ...]
    specification: tuple[str, ...]
    samples: int | None
    method: str | None
    wl: str | None
    follow: bool
    sobol: int | None
    rare: bool
    kit: str | None = None


def find_yield(request: Request) -> None:
    """Compute, write the requested files, and show the numbers; everything is checked before computing."""
    from photosim import plotting
    from photosim.analysis.yields.options import compute, read_options
    from photosim.analysis.yields.result import SUFFIXES, write

    common = request.common
    common.check_targets(SUFFIXES)
    circuit = common.circuit()
    options = read_options(_entry(request, circuit), circuit)
    with progress_bars() as progress:
        result = compute(circuit, options, common.seed, progress, **common.cluster())
    show(common, result, plotting.for_yield(result), write)


def _entry(request: Request, circuit: Circuit) -> dict[str, Any]:
    """Return the netlist's own yield with what the command line says in front."""
    entry = request.common.entry(circuit, "yield")
    typed: dict[str, Any] = {
        "wl": request.wl, "samples": request.samples, "method": request.method, "sobol": request.sobol,
        "follow": True if request.follow else None, "rare": True if request.rare else None,
        "specification": [specified(text) for text in request.specification] or None,
        "variation": varied(request.vary) if request.vary else None,
    }  # fmt: skip
    entry |= {key: value for key, value in typed.items() if value is not None}
    if request.kit is not None:
        from photosim import pdk

        own = pdk.read(request.kit).variation(circuit)["settings"]
        before = dict(entry.get("variation") or {})
        entry["variation"] = before | {"settings": own | dict(before.get("settings") or {})}
    if "wl" not in entry:
        entry["wl"] = usual_wl(circuit, request.common.file)
    settings = request.common.settings(circuit)
    if settings:
        entry["settings"] = {**entry.get("settings", {}), **settings}
    return entry


def varied(texts: tuple[str, ...]) -> dict[str, Any]:
    """Return the variation of NAME=SIGMA and NAME=LEVEL:SIGMA,... texts."""
    found: dict[str, Any] = {}
    for name, text in assignments(texts, "--vary", "width=0.003").items():
        value: Any
        if ":" in text:
            value = {}
            for level, _, number in (part.partition(":") for part in text.split(",")):
                if level.strip() in value:
                    message = f"--vary {name}={text}: {level.strip()!r} is given twice: give it once."
                    raise ParameterError(message)
                value[level.strip()] = _number(number, f"--vary {name}={text}")
        else:
            value = _number(text, f"--vary {name}={text}")
        if name in ("width", "thickness", "gap", "temperature", "correlation_length"):
            found[name] = value
        else:
            found.setdefault("settings", {})[name] = value if isinstance(value, dict) else {"sigma": value}
    return found


def specified(text: str) -> dict[str, Any]:
    """Return the entry of a text QUANTITY:FROM:TO:KEY=VALUE:..."""
    quantity, *fields = (field.strip() for field in text.split(":"))
    ports = [field for field in fields if "=" not in field]
    if not quantity or len(ports) != 2:
        message = (
            f"Cannot read --spec {text!r}: write QUANTITY:FROM:TO:LIMIT=VALUE, as in "
            "insertion_loss_dB:in:drop:at_most=1."
        )
        raise ParameterError(message)
    entry: dict[str, Any] = {"quantity": quantity, "from": ports[0], "to": ports[1]}
    for key, value in (field.split("=", 1) for field in fields if "=" in field):
        if key in _PAIRS:
            entry[key] = [_number(v, f"--spec {text!r}") for v in value.split(",")]
        else:
            entry[key] = _number(value, f"--spec {text!r}") if key in _NUMBERS else value
    return entry


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        message = f"{where}: {text.strip()!r} is not a number."
        raise ParameterError(message) from None
