"""Control loops of a circuit: the equations of all nets with what lies between nets and light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.electronics import Linear, Placed, linear, refuse_rest, settled
from photosim.engine.following import Read, Signal, value_of
from photosim.engine.quasi_static import QuasiStatic, beams_of, table_of
from photosim.errors import ParameterError, listing
from photosim.model import Detector
from photosim.model import elements as ideal
from photosim.model.elements import GROUND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.compiled import Compiled
    from photosim.engine.electrics import Electrics, SettingsOf
    from photosim.engine.following import Equations
    from photosim.engine.graph import Part
    from photosim.engine.parts import Point

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

_FAST = 10.0
"""Half-power frequency over that of the finest steps, above which a low-pass acts at once."""


@dataclass
class Loop:
    """Electronics and light that follow each other.

    equations: those of all nets, low-passes of detectors and driven parts in them.  reads: the settings as
    the nets give them.  felt: unknowns (plus, minus) between which each setting stands behind its low-pass.
    targets: (T, 2) detector and input.  sensed: unknowns that are the currents behind low-passes.
    own: values (K + 1, q) of other settings and amplitudes, by clock; None where nothing moves by itself.
    """

    equations: Equations
    reads: tuple[Read, ...]
    felt: IntArray
    targets: IntArray
    optics: QuasiStatic
    sensed: dict[str, int]
    own: Any = None

    @property
    def words(self) -> str:
        """Words for the loop: its settings and detectors."""
        settings = [repr(table.name) for table in self.optics.tables[: self.optics.followed]]
        return " and ".join(
            [*settings, *(repr(self.optics.detectors[d].name) for d in np.unique(self.targets[:, 0]))]
        )

    def arrays(self, finer: int | None) -> tuple[Any, ...]:
        """Return the kernel's arrays on a clock; see `electronics.loops.Light`."""
        if self.own is None:
            own, amplitudes = np.zeros((2, 0)), np.zeros((2, 0))
        elif finer is None:
            own, amplitudes = (np.repeat(v[:1], 2, axis=0) for v in self.own(1))
        else:
            own, amplitudes = self.own(finer)
        return self.optics.light(self.felt, self.targets, own, amplitudes)

    def widen(self, setting: int, x: FloatArray) -> None:
        """Extend the table of a setting to unknowns x; ParameterError where it leaves its bounds."""
        table = self.optics.tables[setting]
        parameter = table.part.model.parameters[table.setting]
        padded = np.append(x, 0.0)
        value = float(padded[self.felt[setting, 0]] - padded[self.felt[setting, 1]])
        if not parameter.low <= value <= parameter.high:
            message = (
                f"The control loop of {self.words} drives {table.name!r} to {value:.4g} "
                f"{parameter.unit}, but it may be {parameter.bounds()}: limit the output of what drives it, "
                "or turn the sign of the loop."
            )
            raise ParameterError(message)
        width = max(table.high - table.low, abs(value - (table.low if value < table.low else table.high)))
        if value < table.low:
            table.low = max(parameter.low, min(value, table.low) - width)
        else:
            table.high = min(parameter.high, max(value, table.high) + width)

    def rest(self, levels: FloatArray) -> FloatArray | None:
        """Return the unknowns at which the loop rests under inputs; None where it finds no rest."""
        return settled(self.equations.system, self, levels)

    def about(self, x: FloatArray) -> Linear:
        """Return the loop linearised about unknowns at the start."""
        return linear(self.equations.system, self, x)

    def settings(self, x: FloatArray) -> FloatArray:
        """Return the driven settings (m, ...) behind their low-passes at unknowns (n + 1, ...)."""
        return np.asarray(x[self.felt[:, 0]] - x[self.felt[:, 1]])


def loop_of(
    electrics: Electrics, settings_of: SettingsOf, compiled: Compiled, base: Point, fastest: float,
    *, moving: Sequence[str] = (), carriers: Sequence[float] = (),
) -> Loop:  # fmt: skip
    """Return the loop of a circuit, its tables still narrow.

    fastest: frequency in Hz of the finest steps; low-passes far above it act at once.  moving: settings of
    optical parts that change over time by themselves. Raises ParameterError for a circuit without sources.
    """
    plain, signals = electrics.placed(settings_of)
    detectors = [part for part in compiled.graph.parts if isinstance(part.model, Detector)]
    widths = {part.name: float(settings_of(part).get("bandwidth") or 0.0) for part in detectors}
    placed, sensed = _lit(plain, signals, {n: w for n, w in widths.items() if 0.0 < w < _FAST * fastest})
    ends: list[tuple[str, str] | str] = []
    for read in electrics.reads:
        part = compiled.graph.part(read.part)
        slow = float(settings_of(part).get("bandwidth") or 0.0)
        if 0.0 < slow < _FAST * fastest:
            node = f"{read.name} behind its low-pass"
            placed += _one_pole(read, node, slow)
            ends.append((node, GROUND))
        else:
            ends.append(read.branch or read.nodes)
    equations = electrics.finished(placed, signals, settings_of)
    system = equations.system
    _refuse_spice(equations, electrics.reads)
    felt = [
        (system.branches[end], -1) if isinstance(end, str) else (equations.row(end[0]), equations.row(end[1]))
        for end in ends
    ]
    number = {part.name: k for k, part in enumerate(detectors)}
    targets = [(number[s.part], k) for k, s in enumerate(equations.signals) if s.kind == "light"]
    names = [read.name for read in electrics.reads]
    _refuse_twice([*(r.part for r in electrics.reads), *(name.rpartition(".")[0] for name in moving)])
    tables = []
    for name in [*names, *moving]:
        part = compiled.graph.part(name.rpartition(".")[0])
        at = settings_of(part).get(name.rpartition(".")[2])
        tables.append(table_of(part, name.rpartition(".")[2], float(np.asarray(at).flat[0])))
    beams = beams_of(compiled, settings_of, carriers)
    fixed: Any = lambda part: {  # noqa: E731 - settings as they are at first
        k: float(np.asarray(v).flat[0]) if np.ndim(v) else v for k, v in settings_of(part).items()
    }
    optics = QuasiStatic(compiled, base, tables, len(names), beams, detectors, fixed)
    shape = np.array(targets, dtype=np.int64).reshape(-1, 2)
    behind = {name: system.nodes[node] for name, node in sensed.items()}
    loop = Loop(
        equations, electrics.reads, np.array(felt, dtype=np.int64).reshape(-1, 2), shape, optics, behind
    )
    if not beams:
        message = (
            f"The control loop of {loop.words} has no light: it needs a source in the circuit, such as a "
            "laser. Light that enters at a port is not enough."
        )
        raise ParameterError(message)
    return loop


def rest_settings(compiled: Compiled, point: Point) -> dict[str, float]:
    """Return the settings of optical parts that nets drive at rest, by dotted name.

    Where they follow the light it is the state that electronics and light come to together once they are
    switched on. Raises ParameterError where they find none, or one that is not stable.
    """
    electrics: Electrics = compiled.electrics
    if not electrics.reads:
        return {}

    def settings_of(part: Part) -> Mapping[str, Any]:
        return compiled.parts.settings_of(part, point)

    if electrics.follows_light(settings_of) is None:
        return electrics.at_rest(settings_of)
    loop, x = resting(compiled, point)
    whole = np.append(x, 0.0)
    values = {read.name: float(value_of(loop.equations, read, whole)) for read in electrics.reads}
    for read in electrics.reads:
        electrics.check_value(read, values[read.name])
    return values


def resting(compiled: Compiled, point: Point) -> tuple[Loop, FloatArray]:
    """Return the loop of a circuit and the unknowns at which it rests once it is switched on.

    Raises ParameterError where it finds no rest, or one that is not stable.
    """

    def settings_of(part: Part) -> Mapping[str, Any]:
        return compiled.parts.settings_of(part, point)

    loop = loop_of(compiled.electrics, settings_of, compiled, point, np.inf)
    x = loop.rest(loop.equations.system.resting)
    if x is None:
        raise refuse_rest(loop.words)
    growing = loop.about(x).growing()
    if growing is not None:
        raise ParameterError(f"{unstable(loop.words, *growing)} It has no state at rest: lower its gain.")
    return loop, x


def unstable(words: str, rate: float, frequency: float) -> str:
    """Return the sentence about a loop that does not stay at rest."""
    how = f"oscillates at {frequency:.3g} Hz" if frequency > rate / 100 else "runs away"
    return (
        f"The control loop of {words} is not stable: about its state of rest it {how}, and "
        f"disturbances grow by a factor e in {1 / rate:.3g} s."
    )


def _refuse_spice(equations: Equations, reads: Sequence[Read]) -> None:
    """Raise ParameterError for a SPICE subcircuit among the nets of a circuit with a control loop."""
    inside = next((one.part for one in equations.system.placed if one.element.kind == "spice"), None)
    if inside is not None:
        message = (
            f"SPICE subcircuit {inside!r} is in a control loop: nets that light drives also drive light "
            f"({listing([read.name for read in reads])}). ngspice computes only nets without such a loop: "
            "build it from photosim's own parts."
        )
        raise ParameterError(message)


def _refuse_twice(parts: Sequence[str]) -> None:
    twice = next((name for name in parts if parts.count(name) > 1), None)
    if twice is not None:
        message = f"Instance {twice!r} has two settings that change in a control loop: one can be followed."
        raise ParameterError(message)


def _one_pole(read: Read, node: str, bandwidth: float) -> list[Placed]:
    """Return a first-order low-pass from what a setting reads to a node of its own."""
    if read.branch:
        part, _, name = read.branch.rpartition(".")
        gain = ideal.current_gain(f"follows {name}", GROUND, node, name, 1.0)
        first = Placed(part, gain, (GROUND, node))
    else:
        gain = ideal.transconductance("follows", GROUND, node, *read.nodes, 1.0)
        first = Placed(read.name, gain, (GROUND, node, *read.nodes))
    rest = (
        ideal.resistance("r", node, GROUND, 1.0),
        ideal.capacitance("c", node, GROUND, 1.0 / (2 * np.pi * bandwidth)),
    )
    return [first, *(Placed(read.name, one, one.nodes) for one in rest)]


def _lit(
    placed: Sequence[Placed], signals: dict[str, Signal], slow: Mapping[str, float]
) -> tuple[list[Placed], dict[str, str]]:
    """Return the elements with a source for the light of each detector, and nodes behind low-passes.

    What follows a detector stays, for what its light alone does not say. slow: bandwidths in Hz of the
    detectors whose low-pass, a Bessel one of order 4, acts on the light's current.
    """
    found: list[Placed] = []
    sensed: dict[str, str] = {}
    for one in placed:
        found.append(one)
        signal = signals.get(one.name)
        if signal is None or signal.kind != "detector":
            continue
        inner, (a, b) = f"{one.name} light", one.nodes
        own = Signal("light", signal.part)
        signals[f"{inner}.i"] = own
        if signal.part not in slow:
            found.append(_of(inner, ideal.current("i", a, b, 0.0)))
            continue
        from scipy.signal import bessel  # slow to load, and seldom needed

        _, poles, _ = bessel(
            4, 2 * np.pi * slow[signal.part], "low", analog=True, output="zpk", norm="mag"
        )  # fmt: skip
        # The current crosses 1 ohm; each section has two nodes: v' = omega w, w' = omega (u - v) - damping w.
        before = f"{inner} 0"
        found.append(_of(inner, ideal.current("i", GROUND, before, 0.0)))
        found.append(_of(inner, ideal.resistance("r0", before, GROUND, 1.0)))
        for k, pole in enumerate(p for p in poles if p.imag > 0):
            omega, damping = float(abs(pole)), float(-2 * pole.real)
            v, w = f"{inner} v{k}", f"{inner} w{k}"
            found += [
                _of(inner, ideal.capacitance(f"cv{k}", v, GROUND, 1.0 / omega)),
                _of(inner, ideal.transconductance(f"gv{k}", GROUND, v, w, GROUND, 1.0)),
                _of(inner, ideal.capacitance(f"cw{k}", w, GROUND, 1.0 / omega)),
                _of(inner, ideal.transconductance(f"gw{k}", GROUND, w, before, v, 1.0)),
                _of(inner, ideal.resistance(f"rw{k}", w, GROUND, omega / damping)),
            ]
            before = v
        found.append(_of(inner, ideal.transconductance("out", a, b, before, GROUND, 1.0)))
        sensed[signal.part] = before
    return found, sensed


def _of(part: str, element: ideal.Element) -> Placed:
    return Placed(part, element, element.nodes)
