"""Where light goes: waves at every port of a circuit, what parts absorb, the way to a detector, its delay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import ELEMENTARY_CHARGE_C, SPEED_OF_LIGHT_UM_S
from photosim.model import ClosedForm, Numerical
from photosim.signals.noise import intensity_density, shot_density, thermal_density
from photosim.signals.paths import Ways, entered, loss

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from photosim.engine.compiled import Compiled
    from photosim.engine.graph import Part
    from photosim.engine.parts import Point

    FloatArray = NDArray[np.float64]
    ComplexArray = NDArray[np.complex128]

STEP_Hz = 1e4
"""Distance of the two frequencies that delays are read from: right up to 50 us, 10 km of fibre."""


@dataclass(frozen=True)
class Beam:
    """Light of one line that enters a circuit: at a port, by number, at which it arrives."""

    name: str
    port: int
    wl: float
    power: float


@dataclass(frozen=True)
class Element:
    """A part of the netlist on the way of light: loss in dB, delay in s, power behind it in W."""

    name: str
    loss_dB: float
    delay: float
    power: float


@dataclass(frozen=True)
class Flow:
    """Waves at every port for every beam: arriving and leaving (beams, ports), in sqrt(W)."""

    arriving: ComplexArray
    leaving: ComplexArray

    def absorbed(self, first: int, ports: int) -> float:
        """Return the power in W that a part takes in and does not give back; negative for gain."""
        own = slice(first, first + ports)
        return float((np.abs(self.arriving[:, own]) ** 2 - np.abs(self.leaving[:, own]) ** 2).sum())


def flows_of(compiled: Compiled, at: Point, beams: Sequence[Beam]) -> tuple[Flow, Flow]:
    """Return the waves of all beams at their frequencies, and with these `STEP_Hz` higher.

    One sparse system a wavelength, leaving = S arriving and arriving = joined leaving + light, solved
    directly: independent of the plans of elimination, and quick where every wave is wanted.
    """
    from scipy import sparse
    from scipy.sparse.linalg import splu

    graph, count = compiled.graph, len(compiled.graph.owners)
    own = np.array([beam.wl for beam in beams])
    above = SPEED_OF_LIGHT_UM_S / (SPEED_OF_LIGHT_UM_S / own + STEP_Hz)
    grid, which = np.unique(np.concatenate([own, above]), return_inverse=True)
    to, start, values = _entries(compiled, at, grid)
    joined = np.flatnonzero(graph.partner >= 0)
    swap = sparse.csc_array((np.ones(len(joined)), (joined, graph.partner[joined])), shape=(count, count))
    arriving = np.zeros((len(which), count), dtype=np.complex128)
    leaving = np.zeros_like(arriving)
    for k in range(len(grid)):
        s = sparse.csc_array((values[k], (to, start)), shape=(count, count))
        solved: Any = splu(sparse.csc_array(sparse.eye_array(count, dtype=complex, format="csc") - s @ swap))
        for n in np.flatnonzero(which == k).tolist():
            beam = beams[n % len(beams)]
            light = np.zeros(count, dtype=np.complex128)
            light[beam.port] = np.sqrt(beam.power)
            leaving[n] = solved.solve(np.asarray(s @ light))
            arriving[n] = swap @ leaving[n] + light
    half = len(beams)
    return Flow(arriving[:half], leaving[:half]), Flow(arriving[half:], leaving[half:])


def _entries(
    compiled: Compiled, at: Point, grid: FloatArray
) -> tuple[NDArray[np.int64], NDArray[np.int64], ComplexArray]:
    """Return ports to and from (E,) and values (W, E) of all elements of the parts; alike parts at once."""
    alike: dict[Any, list[tuple[Part, dict[str, Any]]]] = {}
    for number, part in enumerate(compiled.graph.parts):
        if not part.ports or not isinstance(part.model, ClosedForm | Numerical):
            continue
        settings = compiled.parts.settings_of(part, at)
        plain = isinstance(part.model, ClosedForm) and all(isinstance(v, float) for v in settings.values())
        alike.setdefault((id(part.model), None if plain else number), []).append((part, settings))
    to, start, values = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)], []
    for group in alike.values():
        model, size = group[0][0].model, len(group[0][0].ports)
        names = group[0][1]
        given = {n: np.array([own[n] for _, own in group]) for n in names} if len(group) > 1 else names
        s = np.broadcast_to(_matrix(model, grid, given), (len(group), len(grid), size, size))
        rows, columns = np.nonzero(np.abs(s).max(axis=(0, 1)))
        first = np.array([part.first_port for part, _ in group])[:, np.newaxis]
        to.append((first + rows).ravel())
        start.append((first + columns).ravel())
        values.append(np.moveaxis(s[:, :, rows, columns], 1, 0).reshape(len(grid), -1))
    whole = np.concatenate(values, axis=1) if values else np.zeros((len(grid), 0), dtype=np.complex128)
    return np.concatenate(to), np.concatenate(start), whole


def _matrix(model: Any, grid: FloatArray, settings: Mapping[str, Any]) -> ComplexArray:
    return np.asarray(model.s(grid, **settings), dtype=np.complex128)


def way(
    compiled: Compiled, at: Point, beam: Beam, flows: tuple[Flow, Flow], number: int, target: int
) -> list[Element]:
    """Return the parts of the netlist on the way of a beam to a port; empty where none leads there.

    flows: those at the beams' frequencies and `STEP_Hz` above.  number: of the beam among them. A part that
    no light leaves has a delay of nan.
    """
    ways = Ways(compiled, at, beam.wl)
    ports = ways.between(beam.port, target)
    if not ports:
        return []
    graph = compiled.graph
    entries = entered(ways.names(ports))
    last = graph.partner[target] < 0  # an exposed port, which light leaves
    if not last and entries[-1][0] == len(ports) - 1:
        entries = entries[:-1]

    def waves(one: Flow) -> ComplexArray:
        end = one.leaving if last else one.arriving
        return np.array([*(one.arriving[number, ports[k]] for k, _ in entries), end[number, target]])

    here, above = (waves(one) for one in flows)
    turns = above * np.conj(here)
    powers = np.abs(here) ** 2
    delays = np.angle(turns[1:] * np.conj(turns[:-1])) / (2.0 * np.pi * STEP_Hz)
    delays[powers[1:] == 0.0] = np.nan  # light that does not arrive has no delay
    return [
        Element(part, loss(powers[k], powers[k + 1]), float(delays[k]), float(powers[k + 1]))
        for k, (_, part) in enumerate(entries)
    ]


def detected_bits(watt: float, rate: float, receiver: Mapping[str, float]) -> float:
    """Return the bits of a detected power at a rate in samples/s (alqadasi2022, equation 8)."""
    current = receiver["responsivity"] * watt
    still = float(shot_density(receiver["dark_current"]))
    still += float(thermal_density(receiver["temperature"], receiver["load_resistance"]))
    lit = still + 2.0 * ELEMENTARY_CHARGE_C * current
    lit += current**2 * float(intensity_density(receiver["rin_dB_Hz"]))
    noise = (np.sqrt(lit) + np.sqrt(still)) * np.sqrt(rate / np.sqrt(2.0))
    return float((20.0 * np.log10(current / noise) - 1.76) / 6.02)


def needed_light(bits: float, rate: float, receiver: Mapping[str, float]) -> float:
    """Return the power in W at a detector that gives so many bits; nan where no power up to 1 W does."""
    from scipy.optimize import brentq

    def over(dB: float) -> float:
        return detected_bits(10.0 ** (dB / 10.0), rate, receiver) - bits

    if over(0.0) < 0.0:
        return float("nan")
    return float(10.0 ** (brentq(over, -100.0, 0.0) / 10.0))
