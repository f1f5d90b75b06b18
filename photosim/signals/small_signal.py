"""Small signals through electronics and light: from an electrical source to voltages and photocurrents.

A setting that moves by Re[V exp(j omega t)] puts two sidebands beside every line of light: the part's
derivative by the setting, times the light that arrives at it, goes on at either sideband as light goes there.
A detector beats them with the line. Where light follows itself through a control loop, the currents that it
makes come back to the settings: at each frequency the loop is one small matrix of detectors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.electronics import stationary
from photosim.engine.bindings import flat_settings
from photosim.engine.following import Read
from photosim.engine.looping import resting
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.model import Detector, Network, Source
from photosim.signals.carried import Carried, Solved
from photosim.signals.lasers import own_lines, refuse_light_back
from photosim.signals.mixing import refuse_mixing
from photosim.signals.operating import bare_point

if TYPE_CHECKING:
    import xarray
    from numpy.typing import ArrayLike, NDArray

    from photosim.circuit import Circuit
    from photosim.engine.electrics import Electrics
    from photosim.engine.graph import Part

    FloatArray = NDArray[np.float64]
    ComplexArray = NDArray[np.complex128]

_STEP = 1e-3
"""Step of a setting of the netlist, over its size."""


@public
def response(
    circuit: Circuit, frequency: ArrayLike, *, source: str, noise: bool = False, **settings: Any
) -> xarray.Dataset:
    """Return the small-signal response of a circuit to one source, at frequencies (F,) in Hz.

    source: an electrical source, such as "src", or a setting of optical parts, such as "mod.voltage".  noise:
    also the densities of noise at the nets.  settings: settings by instance or dotted name, which stay.

    The Dataset has `voltage` (frequency, net), each net under its first member, in V per unit of the source,
    and `current` (frequency, detector) in A per unit, complex; time goes as exp(+j omega t), as everywhere in
    electronics. `voltage_noise` (frequency, net), in V^2/Hz and one-sided, has resistors, junctions,
    amplifiers with a noise current and the shot noise of detectors; noise of lasers is in `ps.link`.
    Everything is about the point at rest under the circuit's own light; a saturated detector counts as
    linear. Lasers with rate equations follow their current about rest, field and carriers; their noise is in
    `transient` alone. Control loops are closed: a source in series with one, such as a dither_source, has the
    open loop's gain as minus the voltage before it over that behind. Raises ParameterError for a source that
    does not exist, for a driven part without a formula, and for a loop that acts by what multiplies tones,
    such as a lock_in, since it has no gain at rest.

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
    """Return the names that `response` takes as a source: electrical sources and inputs of optical parts.

    settings: of the circuit, by instance or dotted name.
    """
    return _Question(circuit, np.zeros(1), settings).sources()


class _Question:
    """One circuit at one point, evaluated at frequencies."""

    def __init__(self, circuit: Circuit, grid: FloatArray, settings: Mapping[str, Any]) -> None:
        self.circuit, self.grid, self.settings = circuit, grid, settings
        self.given = flat_settings(settings)
        compiled, point = circuit.driven_at(settings)
        self.compiled = compiled
        self.settings_of: Callable[[Part], Mapping[str, Any]] = lambda p: compiled.parts.settings_of(p, point)
        self.electrics: Electrics = compiled.electrics
        self.loop = self.electrics.follows_light(self.settings_of)
        own = own_lines(compiled.graph, self.settings_of)
        self.lit = (
            bare_point(circuit, settings, bounded=False, own=own, dark=True) if circuit.detectors else None
        )
        self.lasers = bool(own)
        if self.lit is not None:
            refuse_light_back(self.lit, own)
        self.currents = self._at_rest(settings)
        self.solved = self._closed() if self.loop else self._apart()
        self.carried = Carried(
            grid, self.solved, self.electrics.reads, self.lit, compiled, self.settings_of, bool(self.loop)
        )

    def _apart(self) -> tuple[Solved, ...]:
        """Return the nets that drive light, and those that detectors feed."""
        dark = self.electrics.equations(self.settings_of, lit=False)
        bright = self.electrics.equations(self.settings_of, lit=True)
        levels = bright.system.resting.copy()
        for name, k in Solved(bright, levels).lit.items():
            levels[k] = self.currents.get(name, 0.0)
        bright = replace(bright, system=replace(bright.system, resting=levels))
        return Solved(dark, stationary(dark.system)), Solved(bright, stationary(bright.system))

    def _closed(self) -> tuple[Solved]:
        """Return all nets of a circuit with a control loop, at its rest."""
        compiled, point = self.circuit.driven_at(self.settings)
        loop, x = resting(compiled, point)
        equations, found = self.electrics.equations(self.settings_of), loop.equations.system
        system = equations.system
        own = [*(found.nodes[n] for n in system.nodes), *(found.branches[n] for n in system.branches)]
        return (Solved(equations, x[own]),)

    def _at_rest(self, settings: Mapping[str, Any]) -> dict[str, float]:
        if self.lit is None:
            return {}
        if self.lasers or not self.circuit.sources:
            return {r.name: self.lit.mean_current(k) for k, r in enumerate(self.lit.receivers)}
        found = self.circuit.photocurrents(**settings).sum("wavelength")
        return dict(zip(self.circuit.detectors, found.values.tolist(), strict=True))

    def dataset(self, source: str, *, noise: bool) -> xarray.Dataset:
        """Return the response to a source."""
        import xarray

        inside, moved = self._source(source)
        if self.loop:
            setting, detector = self.loop
            words = f"{setting.name!r} and {detector!r}"
            refuse_mixing(
                self.solved[0], words, self.carried.turned, lambda n: self.compiled.graph.part(n).model.name
            )
        found, currents = self.carried.moved_by(inside, moved)
        return self._answer(xarray, found, currents, noise=noise)

    def _answer(
        self, library: Any, found: list[ComplexArray], currents: Mapping[str, ComplexArray],
        *, noise: bool,
    ) -> xarray.Dataset:  # fmt: skip
        names, rows, noises = [], [], []
        for k, (solved, values) in enumerate(zip(self.solved, found, strict=True)):
            for net, number in solved.equations.system.nodes.items():
                if net in self.electrics.nets:
                    names.append(net)
                    rows.append(values[:, number])
                    if noise:
                        noises.append(self.carried.noise(k, number))
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
        end = f"There are: {listing(known)}; settings of optical parts are sources too."
        if not known:
            end = "Settings of optical parts are sources."
        message = f"There is no source {name!r} of a response. {end}"
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
        driven = {read.name for read in self.electrics.reads} if self.loop else set()
        for part in self.compiled.graph.parts:
            for setting, up in sides[0][part.name].items():
                down = sides[1][part.name][setting]
                if f"{part.name}.{setting}" in driven:
                    continue  # what follows a loop is found by its gain
                if isinstance(up, int | float | np.number) and not isinstance(up, bool) and up != down:
                    if isinstance(part.model, Network | Source | Detector):
                        known = self.sources()
                        electrical = f"{listing(known)}, or " if known else ""
                        message = (
                            f"Setting {name!r} changes {part.name!r} ({part.model.name}), which has no small "
                            f"signal: a source is {electrical}a setting of what light passes on its way."
                        )
                        raise ParameterError(message)
                    found.append((Read(part.name, setting), float((up - down) / (2 * step))))
        return found

    def _elements(self) -> dict[str, str]:
        """Return the elements that move with a source, by the names that mean it."""
        elements: dict[str, str] = {}
        for solved in self.solved:
            for element, signal in zip(solved.equations.system.inputs, solved.equations.signals, strict=True):
                # What a part is made of inside, such as the middle of its range, is not a source.
                if signal.kind == "setting" and signal.setting in self._settings_of(signal.part):
                    elements |= {signal.name: element, signal.part: element}
        return elements

    def _settings_of(self, part: str) -> Mapping[str, Any]:
        return self.compiled.graph.part(part).model.parameters

    def sources(self) -> list[str]:
        """Return the names that a response may start from."""
        elements = self._elements()
        driven = [f"{p.name}.{s}" for p in self.compiled.graph.parts for s in p.model.drives.values()
                  if not isinstance(p.model, Network)]  # fmt: skip
        return [*(key for key in elements if "." not in key or key not in driven), *driven]
