"""Small signals through electronics and light: from an electrical source to voltages and photocurrents.

A setting that moves by Re[V exp(j omega t)] puts two sidebands beside every line of light: the part's
derivative by the setting, times the light that arrives at it, goes on at either sideband as light goes there.
A detector beats them with the line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.conventions import ELEMENTARY_CHARGE_C, SPEED_OF_LIGHT_UM_S
from photosim.electronics import noise_density, stationary
from photosim.electronics import response as responses
from photosim.engine.bindings import flat_settings
from photosim.engine.following import Read, value_of
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.model import ClosedForm, Detector, Network, Source
from photosim.signals.filters import low_pass
from photosim.signals.operating import OperatingPoint, bare_point

if TYPE_CHECKING:
    import xarray
    from numpy.typing import ArrayLike, NDArray

    from photosim.circuit import Circuit
    from photosim.engine.electrics import Electrics
    from photosim.engine.following import Equations
    from photosim.engine.graph import Part

    FloatArray = NDArray[np.float64]
    ComplexArray = NDArray[np.complex128]

_STEP = 1e-3
_WEIGHTS = {
    0: ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12)),
    1: ((0, -25 / 12), (1, 4.0), (2, -3.0), (3, 4 / 3), (4, -1 / 4)),
    -1: ((0, 25 / 12), (-1, -4.0), (-2, 3.0), (-3, -4 / 3), (-4, 1 / 4)),
}
"""Differences of fourth order, in the middle and at a bound below or above."""


@public
def response(
    circuit: Circuit, frequency: ArrayLike, *, source: str, noise: bool = False, **settings: Any
) -> xarray.Dataset:
    """Return the small-signal response of a circuit to one source, at frequencies (F,) in Hz.

    source: an electrical source, such as "src", or a setting of optical parts, such as "mod.voltage".
    noise: also the densities of noise at the nets.

    The Dataset has `voltage` (frequency, net), each net under its first member, in V per unit of the source,
    and `current` (frequency, detector) in A per unit, complex; time goes as exp(+j omega t), as everywhere in
    electronics. `voltage_noise` (frequency, net), in V^2/Hz and one-sided, has resistors, junctions,
    amplifiers with a noise current and the shot noise of detectors; noise of lasers is in `ps.link`.
    Everything is about the point at rest under the circuit's own light; a saturated detector counts as
    linear. Raises ParameterError for a source that does not exist, and for a driven part without a formula.

    >>> import numpy as np
    >>> import photosim as ps
    >>> rc = ps.Circuit(
    ...     {
    ...         "instances": {"r": "resistor", "c": "capacitor", "src": "voltage_source"},
    ...         "nets": [["src,e1", "r,e1"], ["r,e2", "c,e1"], ["c,e2", "src,e2", "gnd"]],
    ...     }
    ... )
    >>> found = ps.response(rc, np.logspace(6, 9, 4), source="src")
    >>> dict(found.voltage.sizes)
    {'frequency': 4, 'net': 2}
    """
    grid = np.asarray(frequency, dtype=np.float64).reshape(-1)
    if not (grid.size and np.isfinite(grid).all() and (grid >= 0.0).all()):
        message = "A response needs frequencies in Hz, finite and 0 or more."
        raise ParameterError(message)
    question = _Question(circuit, grid, settings)
    return question.dataset(source, noise=noise)


@public
def sources(circuit: Circuit, **settings: Any) -> list[str]:
    """Return the names that `response` takes as a source: electrical sources and inputs of optical parts."""
    return _Question(circuit, np.zeros(1), settings).sources()


@dataclass(frozen=True)
class _Solved:
    """Equations at rest, and the responses of all unknowns to inputs of theirs, (F, n + 1, inputs)."""

    equations: Equations
    x: FloatArray

    def per(self, grid: FloatArray, columns: list[int]) -> ComplexArray:
        size = self.equations.system.size
        found = np.zeros((len(grid), size + 1, len(columns)), dtype=np.complex128)
        if size and columns:
            found[:, :size] = responses(self.equations.system, self.x, grid, columns, range(size))
        return found


class _Question:
    """One circuit at one point, asked at frequencies."""

    def __init__(self, circuit: Circuit, grid: FloatArray, settings: Mapping[str, Any]) -> None:
        self.circuit, self.grid = circuit, grid
        self.given = flat_settings(settings)
        compiled, point = circuit.driven_at(settings)
        self.compiled = compiled
        self.settings_of: Callable[[Part], Mapping[str, Any]] = lambda p: compiled.parts.settings_of(p, point)
        self.electrics: Electrics = compiled.electrics
        self._refuse_loops()
        self.lit = (
            bare_point(circuit, settings, bounded=False) if circuit.sources and circuit.detectors else None
        )
        dark = self.electrics.equations(self.settings_of, lit=False)
        self.dark = _Solved(dark, stationary(dark.system))
        self.currents = self._at_rest(settings)
        bright = self.electrics.equations(self.settings_of, lit=True)
        levels = bright.system.resting.copy()
        for k, signal in enumerate(bright.signals):
            if signal.kind == "detector":
                levels[k] = self.currents.get(signal.part, 0.0)
        bright = replace(bright, system=replace(bright.system, resting=levels))
        self.bright = _Solved(bright, stationary(bright.system))

    def _refuse_loops(self) -> None:
        """Raise ParameterError for light that follows itself."""
        looped = self.electrics.follows_light(self.settings_of)
        if looped is not None:
            message = (
                f"Setting {looped[0].name!r} follows the light on detector {looped[1]!r} in a control loop, "
                "of which there is no small-signal response: send a tone through it (dither_source) in "
                "ps.transient."
            )
            raise ParameterError(message)

    def _at_rest(self, settings: Mapping[str, Any]) -> dict[str, float]:
        if self.lit is None:
            return {}
        found = self.circuit.photocurrents(**settings).sum("wavelength")
        return dict(zip(self.circuit.detectors, found.values.tolist(), strict=True))

    def dataset(self, source: str, *, noise: bool) -> xarray.Dataset:
        """Return the response to a source."""
        import xarray

        inside, moved = self._source(source)
        dark, bright = (self._direct(solved, inside) for solved in (self.dark, self.bright))
        moves = {
            read.name: (read, value_of(self.dark.equations, read, dark.T)) for read in self.electrics.reads
        }
        if moved:
            flat = np.ones(len(self.grid), dtype=np.complex128)
            moves = {read.name: (read, by * flat) for read, by in moved}
        currents = self._photocurrents(moves)
        columns = [k for k, s in enumerate(self.bright.equations.signals) if s.kind == "detector"]
        per = self.bright.per(self.grid, columns)
        for k, column in enumerate(columns):
            bright = (
                bright + per[..., k] * currents[self.bright.equations.signals[column].part][:, np.newaxis]
            )
        return self._answer(xarray, (dark, bright), currents, noise=noise)

    def _answer(
        self, library: Any, found: tuple[ComplexArray, ComplexArray], currents: Mapping[str, ComplexArray],
        *, noise: bool,
    ) -> xarray.Dataset:  # fmt: skip
        names, rows, noises = [], [], []
        for solved, values in zip((self.dark, self.bright), found, strict=True):
            for net, number in solved.equations.system.nodes.items():
                if net in self.electrics.nets:
                    names.append(net)
                    rows.append(values[:, number])
                    if noise:
                        noises.append(self._noise(solved, number))
        shape = (len(self.grid), 0)
        variables: dict[str, Any] = {
            "voltage": (("frequency", "net"), np.array(rows).T if rows else np.zeros(shape, complex))
        }
        coordinates: dict[str, Any] = {"frequency": ("frequency", self.grid, {"units": "Hz"}), "net": names}
        if noise:
            variables["voltage_noise"] = (
                ("frequency", "net"), np.array(noises).T if noises else np.zeros(shape), {"units": "V^2/Hz"},
            )  # fmt: skip
        if currents:
            variables["current"] = (("frequency", "detector"), np.array(list(currents.values())).T)
            coordinates["detector"] = list(currents)
        answer: xarray.Dataset = library.Dataset(
            variables, coordinates, attrs={"circuit": self.circuit.name, "convention": "exp(+j omega t)"}
        )
        return answer

    def _noise(self, solved: _Solved, row: int) -> FloatArray:
        """Return the density of the noise of a net's voltage, in V^2/Hz."""
        total = noise_density(solved.equations.system, solved.x, self.grid, row)
        columns = [k for k, s in enumerate(solved.equations.signals) if s.kind == "detector"]
        per = solved.per(self.grid, columns)[:, row]
        receivers = {r.name: r for r in self.lit.receivers} if self.lit is not None else {}
        for k, column in enumerate(columns):
            name = solved.equations.signals[column].part
            receiver = receivers[name]
            passed = np.abs(per[:, k] * self._low_pass(receiver)) ** 2
            shot = (
                2 * ELEMENTARY_CHARGE_C * receiver.multiplication * receiver.excess * abs(self.currents[name])
            )
            total = total + shot * passed
        return total

    # --- electronics ------------------------------------------------------------------------------

    def _source(self, name: str) -> tuple[str, list[tuple[Read, float]]]:
        """Return the element that moves, or the settings of optical parts that do, and by how much."""
        elements = self._elements()
        if name in elements:
            return elements[name], []
        instance, _, setting = name.rpartition(".")
        place = self.compiled.graph.index.get(instance)
        model = None if place is None else self.compiled.graph.parts[place].model
        if model is not None and not isinstance(model, Network) and setting in model.drives.values():
            return "", [(Read(instance, setting), 1.0)]
        if name in self.circuit.parameters:
            return "", self._following(name)
        known = self.sources()
        message = (
            f"There is no source {name!r} of a response. There are: {listing(known)}; settings of optical "
            "parts are sources too."
        )
        raise ParameterError(message + did_you_mean(name, known))

    def _following(self, name: str) -> list[tuple[Read, float]]:
        """Return the settings of optical parts that follow a setting of the circuit, each with its slope."""
        at = self.given.get(name, self.circuit.parameters[name])
        if isinstance(at, bool) or not isinstance(at, int | float | np.number):
            message = f"Setting {name!r} is {at!r}, which does not move a little: a source is a number."
            raise ParameterError(message)
        step = _STEP * max(1e-3 * abs(float(at)), 1e-3)
        sides = []
        for sign in (1.0, -1.0):
            compiled, point = self.circuit.driven_at({**self.given, name: float(at) + sign * step})
            parts = compiled.parts
            sides.append({part.name: parts.settings_of(part, point) for part in compiled.graph.parts})
        found = []
        for part in self.compiled.graph.parts:
            for setting, up in sides[0][part.name].items():
                down = sides[1][part.name][setting]
                if isinstance(up, int | float | np.number) and not isinstance(up, bool) and up != down:
                    if isinstance(part.model, Network | Source | Detector):
                        message = (
                            f"Setting {name!r} changes {part.name!r} ({part.model.name}), which has no small "
                            f"signal: a source is one of {listing(self.sources())}, or a setting of optical "
                            "parts."
                        )
                        raise ParameterError(message)
                    found.append((Read(part.name, setting), float((up - down) / (2 * step))))
        return found

    def _elements(self) -> dict[str, str]:
        """Return the elements that move with a source, by the names that mean it."""
        elements: dict[str, str] = {}
        for solved in (self.dark, self.bright):
            for element, signal in zip(solved.equations.system.inputs, solved.equations.signals, strict=True):
                if signal.kind == "setting":
                    elements |= {signal.name: element, signal.part: element}
        return elements

    def sources(self) -> list[str]:
        """Return the names that a response may start from."""
        elements = self._elements()
        driven = [f"{p.name}.{s}" for p in self.compiled.graph.parts for s in p.model.drives.values()
                  if not isinstance(p.model, Network)]  # fmt: skip
        return [*(key for key in elements if "." not in key or key not in driven), *driven]

    def _direct(self, solved: _Solved, element: str) -> ComplexArray:
        """Return what an element of a set of equations does there, (F, n + 1); nothing if it is elsewhere."""
        inputs = solved.equations.system.inputs
        if element not in inputs:
            return np.zeros((len(self.grid), solved.equations.system.size + 1), dtype=np.complex128)
        return solved.per(self.grid, [inputs.index(element)])[..., 0]

    # --- light ------------------------------------------------------------------------------------

    def _low_pass(self, receiver: Any) -> ComplexArray:
        passes = [b for b in receiver.low_passes if 0.0 < b < np.inf]
        return low_pass(self.grid, passes)

    def _photocurrents(self, moves: Mapping[str, tuple[Read, ComplexArray]]) -> dict[str, ComplexArray]:
        """Return the current (F,) of every detector for settings that move, each by (F,)."""
        lit = self.lit
        if lit is None:
            return {}
        found = {r.name: np.zeros(len(self.grid), dtype=np.complex128) for r in lit.receivers}
        for read, by in moves.values():
            if np.any(by != 0.0):
                beats = self._beats(lit, read)
                for k, receiver in enumerate(lit.receivers):
                    found[receiver.name] += beats[k] * by * self._low_pass(receiver)
        return found

    def _beats(self, lit: OperatingPoint, read: Read) -> ComplexArray:
        """Return the photocurrents per unit of a setting, before low-passes, (detectors, F)."""
        part = self.compiled.graph.part(read.part)
        model, own = part.model, dict(self.settings_of(part))
        if not isinstance(model, ClosedForm):
            message = (
                f"Setting {read.name!r} belongs to a {model.name}, which has no formula to take a small "
                "signal of: "
                "ask ps.transient."
            )
            raise ParameterError(message)
        own[read.setting] = float(lit.settings.get(read.name, own[read.setting]))
        slow = float(own.get("bandwidth") or 0.0)
        passed = 1.0 / (1.0 + 1j * self.grid / slow) if slow else np.ones(len(self.grid), dtype=np.complex128)
        arriving = tuple(f"{part.name},{port}:in" for port in part.ports)
        leaving = tuple(f"{part.name},{port}" for port in part.ports)
        found = np.zeros((len(lit.receivers), len(self.grid)), dtype=np.complex128)
        for number, line in enumerate(lit.lines):
            wl = np.array([SPEED_OF_LIGHT_UM_S / line.frequency])
            light = lit.transfer(wl, arriving, (line.port,))[0, :, 0] * np.sqrt(line.power)
            made = _slope(model, read.setting, own, wl) @ light
            above, below = (
                lit.transfer(SPEED_OF_LIGHT_UM_S / (line.frequency + sign * self.grid), lit.ports, leaving)
                @ made
                for sign in (1.0, -1.0)
            )
            held = lit.fields[number]
            beat = held.conj() * below + held * above.conj()
            for k, receiver in enumerate(lit.receivers):
                found[k] += (beat[:, lit.columns(k)] * receiver.responsivity[:, number]).sum(axis=1)
        return found * passed


def _slope(model: ClosedForm, setting: str, own: Mapping[str, Any], wl: FloatArray) -> ComplexArray:
    """Return the derivative of a part's S-matrix by a setting, (P, P) [to, from], of fourth order."""
    at, parameter = float(own[setting]), model.parameters[setting]
    step = _STEP * max(1e-3 * abs(at), 1.0 if parameter.unit == "V" else 1e-3)
    side = 1 if at - 2 * step < parameter.low else -1 if at + 2 * step > parameter.high else 0
    rows = [w * model.s(wl, **{**own, setting: at + k * step})[0] for k, w in _WEIGHTS[side]]
    return np.asarray(np.sum(rows, axis=0) / step, dtype=np.complex128)
