"""Circuits with SPICE subcircuits at rest, in small signals and over time."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from photosim.electronics.ngspice import library
from photosim.electronics.ngspice.decks import Deck, calls
from photosim.errors import ParameterError
from photosim.memory import require_memory
from photosim.model.spice_deck import SpiceCall

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.electronics.assembly import System

    FloatArray = NDArray[np.float64]
    BoolArray = NDArray[np.bool_]
    ComplexArray = NDArray[np.complex128]

TOLERANCE, WORST = 1e-5, 1e-3
"""Error of a run, over the largest change, that is aimed at, and above which it is refused."""
FINEST, COARSEST = 64, 1
"""Longest and shortest step of a run: instants of its grid for each sample."""
MOST_STEPS = 1 << 22
_LOWEST_HZ = 1e-6
"""Stands for 0 Hz, at which ngspice has no small signals."""
_TIGHT, _LOOSE = "reltol=1e-9 abstol=1e-15 vntol=1e-12", "reltol=1e-6 abstol=1e-13 vntol=1e-9"
"""Ends of Newton's method: the first leaves rounding alone, also in currents of large capacitors."""
_NEWTON = f"{_TIGHT} chgtol=1e-24 itl1=500 itl2=200 itl4=100 itl6=200"
_NODE = re.compile(r"\bn(\d+)\b")


def stationary(system: System, inputs: FloatArray | None = None) -> FloatArray:
    """Return the unknowns (n,) at rest under inputs (m,), those of the netlist if left out.

    Raises ParameterError where ngspice finds none.
    """
    u = system.resting if inputs is None else np.asarray(inputs, dtype=np.float64)
    deck = Deck(system)
    lines = deck.text(lambda k: f"dc {u[k]:.17g}", _NEWTON)
    return _asked(system, "the operating point at rest", "op", lines, ["op"], deck.saved()).copy()


def response(
    system: System, frequency: FloatArray, inputs: Sequence[int], rows: Sequence[int]
) -> ComplexArray:
    """Return unknowns `rows` per input, (F, rows, inputs), at frequencies (F,) in Hz, about rest."""
    found = np.zeros((len(frequency), len(rows), len(inputs)), dtype=np.complex128)
    deck = Deck(system)
    saved = deck.saved()
    names = [saved[row] for row in rows]
    for column, own in enumerate(inputs):
        levels = [_level(system, k) + (" ac 1" if k == own else "") for k in range(len(system.inputs))]
        lines = deck.text(levels.__getitem__, _NEWTON)
        found[:, :, column] = _swept(system, lines, names, frequency)
    return found


def injected(
    system: System, frequency: FloatArray, row: int, nodes: Sequence[tuple[int, int]]
) -> ComplexArray:
    """Return unknown `row` per ampere from each first node to the second, (F, pairs); -1 is ground."""
    found = np.zeros((len(frequency), len(nodes)), dtype=np.complex128)
    deck = Deck(system)
    names = [deck.saved()[row]]
    for column, (a, b) in enumerate(nodes):
        lines = deck.text(lambda k: _level(system, k), _NEWTON)
        ends = " ".join("0" if n < 0 else f"n{n}" for n in (a, b))
        found[:, column] = _swept(system, [*lines, f"iown {ends} dc 0 ac 1"], names, frequency)[:, 0]
    return found


def _level(system: System, k: int) -> str:
    return f"dc {system.resting[k]:.17g}"


def _swept(system: System, lines: list[str], names: list[str], frequency: FloatArray) -> ComplexArray:
    if not len(frequency):
        return np.zeros((0, len(names)), dtype=np.complex128)
    commands = [f"ac lin 1 {f:.17g} {f:.17g}" for f in np.maximum(frequency, _LOWEST_HZ)]
    values = _asked(system, "the small signals", "ac", lines, commands, names, complex_values=True)
    return values.view(np.complex128).reshape(len(frequency), len(names))


def noise_density(system: System, frequency: FloatArray, row: int) -> FloatArray:
    """Return the one-sided density in V^2/Hz that the subcircuits and junctions give to a node, (F,)."""
    if row >= len(system.nodes):
        raise ParameterError("The noise of a net with a SPICE subcircuit is known of its voltages alone.")
    deck = Deck(system)
    lines = [*deck.text(lambda k: _level(system, k), _NEWTON), f"iown 0 n{row} dc 0 ac 1"]
    commands = [f"noise v(n{row}) iown lin 1 {f:.17g} {f:.17g}" for f in np.maximum(frequency, _LOWEST_HZ)]
    return _asked(system, "the noise", "noise", lines, commands, ["onoise_spectrum"]) ** 2


def transient(
    system: System, inputs: Callable[[int], FloatArray], samples: int, sample_rate: float,
    rows: Sequence[int], *, each: int,
) -> tuple[FloatArray, float, int]:  # fmt: skip
    """Return unknowns at the samples (T, r), their error relative to the largest change, and steps a sample.

    ngspice takes trapezoidal steps that end at every instant of a grid, shorter ones where its own estimate
    asks for them. The grid is halved until the result, extrapolated from two grids, stays; its error is
    how far it moved. Raises ParameterError for a run that does not converge, or whose error stays
    above WORST.
    """
    deck = Deck(system)
    names = [deck.saved()[row] for row in rows]
    currents = np.array(rows) >= len(system.nodes)
    before: FloatArray | None = None
    held: FloatArray | None = None
    finer = COARSEST
    best, error, needed = np.zeros((0, 0)), np.inf, finer
    while True:
        now = _carried(system, deck, inputs, (samples, sample_rate, finer), names)
        ahead = None if before is None else (4 * now - before) / 3
        if ahead is not None and held is not None:
            moved = _apart(ahead, held, currents)
            still = moved > 0.7 * error  # what is left is rounding, of charges in large capacitors
            if moved < error:
                best, error, needed = ahead, moved, finer
            if error <= TOLERANCE or (still and error <= WORST):
                break
        if 2 * finer > FINEST or 2 * finer * samples > MOST_STEPS:
            break
        before, held, finer = now, ahead, 2 * finer
    if error > WORST:
        message = (
            "The electrical circuit with SPICE subcircuits is too fast for a sample rate of "
            f"{sample_rate / each:g} Hz: with {needed * each} steps for each sample it is still wrong by "
            f"{error:.2g} of its largest change; take a higher sample rate."
        )
        raise ParameterError(message)
    return best, error, needed


def _apart(one: FloatArray, other: FloatArray, currents: BoolArray) -> float:
    """Return how far two results are apart, over the largest change of each voltage, and of all currents.

    What stays within 1e-6 of the largest voltage, or 1e-3 of the largest current, is at rest.
    """
    size = np.abs(one - one[:1]).max(axis=0, initial=0.0)
    largest = np.abs(one).max(axis=0, initial=0.0)
    size[currents] = size[currents].max(initial=0.0)
    for kind, least in (
        (~currents, max(1e-6 * float(largest[~currents].max(initial=0.0)), 1e-9)),
        (currents, max(1e-3 * float(largest[currents].max(initial=0.0)), 1e-12)),
    ):
        size[kind] = np.maximum(size[kind], least)
    return float((np.abs(one - other).max(axis=0, initial=0.0) / size).max(initial=0.0))


def _carried(
    system: System, deck: Deck, inputs: Callable[[int], FloatArray], clock: tuple[int, float, int],
    names: list[str],
) -> FloatArray:  # fmt: skip
    """Return unknowns at the samples by steps on one grid."""
    samples, rate, finer = clock
    steps = (samples - 1) * finer
    grid = 1.0 / (rate * finer)
    u = inputs(finer)
    require_memory(
        8.0 * (u.size + 3 * steps * (len(names) + 1)), "a SPICE subcircuit in time", "make it shorter"
    )
    # Twice as fine a grid goes with an eighth of the error that a single step may have.
    share = 7e7 / (finer / COARSEST) ** 3
    options = f"{_NEWTON} method=trap trtol={share:.6g}"
    lines = [*deck.text(lambda _: "external", options), f".save {' '.join(names)}"]
    given = {deck.source(name): u[:, k] for k, name in enumerate(system.inputs)}
    end = steps * grid
    command = f"tran {grid:.17g} {end:.17g} 0 {grid:.17g}"
    values = _asked(system, "the run", "tran", lines, [command], ["time", *names], inputs=given, grid=grid)
    table = values.reshape(len(names) + 1, -1)
    wanted = np.arange(samples) * finer * grid
    time = table[0]
    places = np.minimum(np.searchsorted(time, wanted - 0.5e-2 * grid), time.size - 1)
    if np.abs(time[places] - wanted).max(initial=0.0) > 0.01 * grid:
        raise ParameterError("ngspice did not reach the end of the run; take a higher sample rate.")
    return np.ascontiguousarray(table[1:, places].T)


def _asked(  # noqa: PLR0913 - one question
    system: System, what: str, kind: str, lines: list[str], commands: list[str], vectors: list[str],
    *, inputs: dict[str, FloatArray] | None = None, complex_values: bool = False, grid: float = 1.0,
) -> FloatArray:  # fmt: skip
    for last, text in ((False, lines), (True, [lines[0].replace(_TIGHT, _LOOSE), *lines[1:]])):
        try:
            return library.ask(
                kind, text, commands, vectors, inputs, complex_values=complex_values, grid=grid
            ).values
        except library.Refused as error:
            if last or any("singular matrix" in line for line in error.said):
                raise ParameterError(_told(system, what, error.said)) from None
    return np.zeros(0)


def _told(system: System, what: str, said: Sequence[str]) -> str:
    """Return a sentence about what ngspice refused, in the names of the netlist."""
    parts = ", ".join(
        sorted(f"{one.part!r} ({call.subcircuit.name}, {call.deck.name})" for one, call in calls(system))
    )
    text = f"ngspice does not find {what} of the nets with the SPICE subcircuit of {parts}"
    singular = next((line for line in said if "singular matrix" in line), None)
    step = next((line for line in said if "timestep too small" in line.lower()), None)
    if singular is not None:
        where = singular.rpartition("node")[2].strip() or "?"
        text += f": its equations do not determine {_word(system, where)}; look for a node that "
        return text + "floats at rest, or a loop of voltage sources."
    if step is not None:
        where = re.sub(r"^.*?:\s*", "", step).strip()
        text += f": {_NODE.sub(lambda m: _named(system, m), where)[:160]}. Put a resistor or a small "
        return text + "capacitor where it switches, or take a higher sample rate."
    useful = [
        line for line in said if re.search(r"error|unknown|unrecog|cannot|can't|fail", line, re.IGNORECASE)
    ]
    return f"{text}: {'; '.join((useful or list(said))[:2])[:300]}."


def _named(system: System, match: re.Match[str]) -> str:
    k = int(match[1])
    return repr(list(system.nodes)[k]) if k < len(system.nodes) else match[0]


def _word(system: System, name: str) -> str:
    """Return words for an unknown of ngspice."""
    match = re.fullmatch(r"n(\d+)", name)
    if match:
        return f"the voltage of {_named(system, match)}"
    inner = re.fullmatch(r"(?:[a-z]\.)?x(\d+)\.(.+)", name)
    if inner and int(inner[1]) < len(system.placed):
        return f"{inner[2]!r} inside of {system.placed[int(inner[1])].part!r}"
    branch = re.fullmatch(r"[a-z]+(\d+)#branch", name)
    if branch and int(branch[1]) < len(system.placed):
        return f"the current of {system.placed[int(branch[1])].name!r}"
    return repr(name)


@lru_cache(maxsize=64)
def complaint(call: SpiceCall) -> str:
    """Return what ngspice has against a subcircuit when it reads it, in one sentence; empty without."""
    pins = " ".join(f"p{k}" for k in range(len(call.subcircuit.pins)))
    pairs = " ".join(f"{name}={value}" for name, value in call.parameters)
    lines = [*call.deck.lines, f"x1 {pins} {call.subcircuit.name.lower()} {pairs}".rstrip()]
    lines += [f"r{k} p{k} 0 1k" for k in range(len(call.subcircuit.pins))]
    try:
        said = library.ask("parse", lines, [], []).said
    except library.Refused as error:
        said = tuple(error.said)
    for k, line in enumerate(said):
        if re.search(r"unrecognized|unknown|error|warning|can't|cannot|undefined", line, re.IGNORECASE):
            near = " ".join(said[max(0, k - 1) : k + 3])
            return f"{_place(call, near)}: ngspice says {' '.join(near.split())[:240]!r}"
    return ""


def _place(call: SpiceCall, text: str) -> str:
    """Return file and line of what ngspice speaks of, as far as its words are those of a line."""
    squeezed = re.sub(r"\s|\bx1[:.]", "", text.lower())
    for line, place in zip(call.deck.lines, call.deck.places, strict=True):
        words = re.sub(r"\s", "", line)
        if words[:30] in squeezed:
            return place
    return call.subcircuit.place
