"""Signs, numbering and constants that every part of photosim relies on.

Time dependence is exp(-i omega t). A wave that travels a length L gains
exp(+i beta L), the cross port of a coupler carries +i sqrt(k), and the group
delay is +d arg S / d omega. Wave amplitudes are in sqrt(W). Lengths and
wavelengths are in um, propagation loss in dB/cm, everything else in SI units.
A port that carries several modes is one port for each, as in o1@TE and o1@TM;
the name before the @ means all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

# Exact by definition of the SI (BIPM, SI Brochure, 9th edition, 2019).
SPEED_OF_LIGHT_M_S = 299_792_458.0
SPEED_OF_LIGHT_UM_S = 299_792_458.0e6
ELEMENTARY_CHARGE_C = 1.602_176_634e-19
BOLTZMANN_J_K = 1.380_649e-23
PLANCK_J_S = 6.626_070_15e-34

ROOM_TEMPERATURE_K = 300.0

MODE_SIGN = "@"
"""Stands between a port and a mode that it carries."""
_PIECE = re.compile(r"(?P<bus>[^\[\]]+)\[(?P<first>\d{1,9}):(?P<end>\d{1,9})\]")

T = TypeVar("T")


def standard_aliases(ports: tuple[str, ...], inputs: int) -> dict[str, str]:
    """Return the in0.., out0.. names of ports numbered clockwise from the lower left.

    The first `inputs` ports are on the left, counted upwards; the rest are on
    the right, counted downwards, so out0 is the last port and lies beside in0:
    a 2x2 part has in0 = o1, in1 = o2, out1 = o3, out0 = o4. A part with one
    input also answers to "in", one with one output to "out".
    A port with modes counts once, under its name before the @.
    """
    places = port_places(ports)
    left, right = places[:inputs], places[inputs:][::-1]
    names = {f"in{k}": port for k, port in enumerate(left)}
    names |= {f"out{k}": port for k, port in enumerate(right)}
    if len(left) == 1:
        names["in"] = left[0]
    if len(right) == 1:
        names["out"] = right[0]
    own = {*ports, *places}  # a medium has thousands of ports
    return {alias: port for alias, port in names.items() if alias not in own}


def port_places(ports: Iterable[str]) -> tuple[str, ...]:
    """Return the names of ports without their modes, each once: where guides end, not what they carry."""
    return tuple(dict.fromkeys(port.partition(MODE_SIGN)[0] or port for port in ports))


def mode_of(port: str) -> str:
    """Return the mode that a port's name says, TM for o1@TM, or nothing."""
    return port.partition(MODE_SIGN)[2]


def bus_range(port: str) -> tuple[str, tuple[int, int] | None]:
    """Return the port of a bus and the part of it that a name means: "in[0:1000]" is ("in", (0, 1000)).

    The second number is one past the last wave. A name without brackets is the whole bus, part None.
    """
    match = _PIECE.fullmatch(port) if port.endswith("]") else None
    if match is None:
        return port, None
    return match["bus"], (int(match["first"]), int(match["end"]))


def ports_by_mode(ports: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the ports that carry modes, {"o1": {"TE": "o1@TE", "TM": "o1@TM"}}, modes in the order given."""
    found: dict[str, dict[str, str]] = {}
    plain: set[str] = set()
    for port in ports:
        place, _, mode = port.partition(MODE_SIGN)
        if place and mode:
            found.setdefault(place, {})[mode] = port
        else:
            plain.add(port)
    return {place: modes for place, modes in found.items() if place not in plain} if found else found


def aliases_with_modes(aliases: Mapping[str, str], ports: Iterable[str]) -> dict[str, str]:
    """Return the aliases, and for those of ports with modes also alias@mode, which means port@mode."""
    by_mode = ports_by_mode(ports)
    each = {
        f"{alias}{MODE_SIGN}{mode}": port
        for alias, place in aliases.items()
        for mode, port in by_mode.get(place, {}).items()
    }
    return {**aliases, **each}


def exposed_names(outer: str, modes: Iterable[str]) -> tuple[str, ...]:
    """Return the names of an exposed port: itself, or one for each mode of the port behind it."""
    return tuple(f"{outer}{MODE_SIGN}{mode}" for mode in modes) or (outer,)


def modes_that_meet(left: Mapping[str, T], right: Mapping[str, T]) -> list[tuple[T, T]]:
    """Return the pairs that a connection joins, of two ports given as what stands for each of their modes.

    Equal modes meet. A port that knows no modes, {"": ...}, carries the first
    mode of the other one, whichever that is. No pair: they share no mode.
    """
    if "" in left or "" in right:
        return [(next(iter(left.values())), next(iter(right.values())))]
    return [(left[mode], right[mode]) for mode in left if mode in right]
