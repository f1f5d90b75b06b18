"""Parts of electrical nets given by SPICE decks, which ngspice computes."""

from __future__ import annotations

import re
from typing import Annotated

from photosim.components.electrical import Elements
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.model import MAX_PINS, Quantity, Remark, SpiceCall, SpiceDeck, elements, network

DeckTemperature = Annotated[float, Quantity("K", 200.0, 500.0)]
"""Temperature in K at which a deck works."""
_PAIR = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*([^\s,=]+)[\s,]*")
_VALUE = re.compile(
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?:t|g|meg|k|mil|m|u|n|p|f|a)?[a-z]*", re.IGNORECASE
)


def _call(file: SpiceDeck | None, subckt: str, parameters: str, temperature: float) -> SpiceCall:
    """Return the subcircuit that settings mean; ParameterError for what the deck does not have."""
    if file is None:
        message = "setting 'file' is missing: it names a SPICE deck, as in file: driver.cir."
        raise ParameterError(message)
    own = file.subcircuit(subckt)
    for k, pin in enumerate(own.pins):
        if re.fullmatch(r"[eE]\d+", pin) and pin.lower() != f"e{k + 1}":
            message = (
                f"{own.place}: pin {pin!r} of subcircuit {own.name!r} is pin number {k + 1}, which is called "
                f"e{k + 1} here: give it another name in the deck."
            )
            raise ParameterError(message)
    pairs: list[tuple[str, str]] = []
    at = 0
    while at < len(parameters.rstrip()):
        match = _PAIR.match(parameters, at)
        if match is None:
            message = (
                f"setting 'parameters' has {parameters[at : at + 40]!r}: write name=value, as in "
                "gain=10 r=4.7k."
            )
            raise ParameterError(message)
        name, value = match[1].lower(), match[2].lower()
        if name not in own.parameters:
            there = f"It has: {listing(own.parameters)}." if own.parameters else "It has none."
            message = f"subcircuit {own.name!r} ({own.place}) has no parameter {match[1]!r}. {there}"
            raise ParameterError(message + did_you_mean(name, own.parameters))
        if not _VALUE.fullmatch(value):
            message = (
                f"parameter {match[1]!r} of subcircuit {own.name!r} is {match[2]!r}, but must be "
                "a number such as 4.7k."
            )
            raise ParameterError(message)
        if any(name == other for other, _ in pairs):
            message = f"parameter {match[1]!r} of subcircuit {own.name!r} stands there twice."
            raise ParameterError(message)
        pairs.append((name, value))
        at = match.end()
    return SpiceCall(file, own, tuple(pairs), temperature)


def _pins(
    *, file: SpiceDeck | None, subckt: str, parameters: str, temperature: float
) -> tuple[str, ...] | None:
    """Return the names of the pins; None where no deck is given."""
    return None if file is None else _call(file, subckt, parameters, temperature).subcircuit.pins


def _judge(*, file: SpiceDeck | None, subckt: str, parameters: str, temperature: float) -> tuple[Remark, ...]:
    """Hold the deck against what ngspice takes, where it is installed."""
    from photosim.electronics import ngspice

    call = _call(file, subckt, parameters, temperature)
    own = call.subcircuit
    names = ", ".join(f"e{k + 1} is {pin}" for k, pin in enumerate(own.pins))
    if ngspice.installed() is None:
        text = (
            f"subcircuit {own.name!r} of {call.deck.name!r} ({names}) needs the shared library of "
            f"ngspice, which "
            f"is not installed: Debian and Ubuntu have it as {ngspice.PACKAGE}."
        )
        return (Remark(text, serious=True),)
    found = ngspice.complaint(call)
    if found:
        raise ParameterError(f"{found}.")
    return (Remark(f"subcircuit {own.name!r} of {call.deck.name!r}: {names}."),)


@network(pins=tuple(f"e{k + 1}" for k in range(MAX_PINS)), pins_of=_pins, source="nagel1975", judge=_judge)
def spice_subcircuit(
    *,
    file: SpiceDeck | None = None,
    subckt: str = "",
    parameters: str = "",
    temperature: DeckTemperature = 300.0,
) -> Elements:
    """Subcircuit of a SPICE deck in electrical nets, such as a transistor amplifier, computed by ngspice.

    Its pins are e1, e2, ... in the order of the .subckt line, and have the names that stand there. ngspice
    solves the nets that it stands in as a whole, photosim's own parts in them included. A deck describes
    subcircuits alone: elements, .model, .param, .func, and .include and .lib of files below the netlist's
    folder; sources in it are constant. Left out: code models and compiled Verilog-A, light that follows
    itself through such nets, noise in time.

    Settings:
        file: SPICE deck, found from the netlist's folder.
        subckt: name of the subcircuit; not needed if the deck has only one.
        parameters: values of the subcircuit's parameters, such as "gain=10 rf=4.7k".
        temperature: temperature of all its elements, whose models are given for 300.15 K.
    """
    call = _call(file, subckt, parameters, temperature)
    pins = tuple(f"e{k + 1}" for k in range(len(call.subcircuit.pins)))
    return (elements.spice("deck", pins, call),)
