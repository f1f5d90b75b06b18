"""Optical network analysers of .spi files (`.ona`) as analyses of kind `spectrum`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from photosim.errors import NetlistError, did_you_mean, listing
from photosim.units import wavelength

if TYPE_CHECKING:
    from collections.abc import Mapping

    from photosim.errors import Mark
    from photosim.model import Netlist

_END = re.compile(r"(input|output)(\(\d+\))?")
_FORMS = (
    ".ona needs start and stop (or center and range) and number_of_points, as in start=1500e-9 stop=1600e-9 "
    "number_of_points=101, in m, or in Hz where input_unit=frequency"
)


def analysis(netlist: Netlist, position: int, values: Mapping[str, str], mark: Mark) -> dict[str, Any]:
    """Return the spectrum that an analyser is set to.

    `output` is that of the analyser, the laser that enters the circuit; at its `inputs` light is detected.

    Raises:
        NetlistError: a range that is missing, a port that the circuit does not have.
    """
    start, stop = _range(values, mark)
    try:
        points = int(values["number_of_points"])
    except (KeyError, ValueError):
        raise NetlistError(_FORMS, mark) from None
    ends: dict[str, list[str]] = {"input": [], "output": []}
    for key, value in values.items():
        match = _END.fullmatch(key)
        if match is None:
            continue
        pin = value.rpartition(",")[2]
        if pin not in netlist.ports:
            hint = did_you_mean(pin, netlist.ports)
            raise NetlistError(
                f".ona: the circuit has no port {pin!r}. It has: {listing(netlist.ports)}.{hint}", mark
            )
        ends[match[1]].append(pin)
    name = f"ona{position + 1}" if position else "ona"
    found: dict[str, Any] = {"kind": "spectrum", "name": name, "wl": f"{start:.9g}:{stop:.9g}:{points}"}
    return found | {key: ends[end] for key, end in (("from", "output"), ("to", "input")) if ends[end]}


def _range(values: Mapping[str, str], mark: Mark) -> tuple[float, float]:
    """Return the shortest and the longest wavelength in um."""
    try:
        if values.get("input_parameter") == "center_and_range" or "center" in values:
            middle, width = float(values["center"]), float(values["range"])
            ends = middle - width / 2, middle + width / 2
        else:
            ends = float(values["start"]), float(values["stop"])
        if values.get("input_unit", "wavelength") == "frequency":
            low, high = sorted(float(wavelength(end)) for end in ends)
        else:
            low, high = (1e6 * end for end in ends)
    except (KeyError, ValueError, ZeroDivisionError):
        raise NetlistError(_FORMS, mark) from None
    return low, high
