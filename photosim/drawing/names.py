"""Names of instances and wires, as drawings and questions about them write them."""

from __future__ import annotations

from collections.abc import Sequence

from photosim.drawing.flow import PortRef


def steps(path: str) -> list[str]:
    """Split a dotted path at its dots, but not in the index of an array, as in bank<0.1>.row0."""
    found, depth = [""], 0
    for letter in path:
        depth += (letter == "<") - (letter == ">")
        if letter == "." and not depth:
            found.append("")
        else:
            found[-1] += letter
    return found if path else []


def wire_name(ends: Sequence[PortRef]) -> str:
    """Return the name of a wire: its ends, "a,o2:b,o1"; that of an exposed port is "port in,in"."""
    return ":".join(",".join(end) if end[0] else f"port {end[1]},{end[1]}" for end in ends)
