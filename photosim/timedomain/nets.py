"""Electrical nets over time: solved before light that they drive, after light that feeds them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.electronics import TOLERANCE, transient
from photosim.engine.bindings import owner
from photosim.engine.converters import convert
from photosim.engine.following import Equations, Read, value_of
from photosim.errors import ParameterError, PhotosimWarning, listing
from photosim.model import Detector, Electronic, Network
from photosim.timedomain.band import PASS
from photosim.timedomain.content import check_band, check_frequency, moves
from photosim.timedomain.low_pass import low_pass
from photosim.timedomain.net_noise import TOLERANCE as NOISY_TOLERANCE
from photosim.timedomain.net_noise import noisy
from photosim.timedomain.waveform import Waveform
from photosim.timedomain.waveforms import as_waveform

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray

    from photosim.engine.graph import Graph
    from photosim.timedomain.drives import Drives
    from photosim.timedomain.loops import Feedback
    from photosim.timedomain.timeline import Timeline

    FloatArray = NDArray[np.float64]

OVER = 4
"""Instants for each sample at which results are checked, to see what the samples cannot carry."""
_REACH = 64
"""Samples to either side from which values between samples are interpolated."""


@dataclass
class Nets:
    """The electrical side of a run: waveforms of its sources, and what has been solved so far.

    voltages: (T,) of each net by its first member.  currents: (T,) of each voltage source, inductor and line.
    notes: what is said of each solution.  corrections: currents (T,) in A of detectors in a control loop
    beyond those of light that follows its settings at once.  feedback: the loop, where light follows itself.
    seed: of the noise of elements, None for none.
    """

    drives: Drives
    line: Timeline
    waves: Mapping[str, Waveform]
    voltages: dict[str, FloatArray] = field(default_factory=dict)
    currents: dict[str, FloatArray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    corrections: Mapping[str, FloatArray] = field(default_factory=dict)
    feedback: Feedback | None = None
    steps: int = 0
    seed: int | None = None

    @property
    def present(self) -> bool:
        """Whether the circuit has electrical nets at all."""
        return self.drives.compiled.electrics.present

    def before(self) -> dict[str, FloatArray]:
        """Return the settings of optical parts (T,) that nets drive, by dotted name.

        Where they follow the light on a detector, nets and light are solved together. Raises ParameterError
        for one that leaves its bounds.
        """
        electrics = self.drives.compiled.electrics
        if not self.present:
            return {}
        if electrics.follows_light(self.settings_of) is not None:
            from photosim.timedomain.loops import Feedback

            self.feedback = Feedback(self)
            equations, fine = self.feedback.equations, self.feedback.solve(self.corrections)
        else:
            equations = electrics.equations(self.settings_of, lit=False)
            if not equations.system.size:
                return {}
            fine = self.solved(equations, {})
        values = {}
        for read in electrics.reads:
            own = np.asarray(value_of(equations, read, fine))
            values[read.name] = self._checked(read, own)
        return values

    def behind(self, currents: Mapping[str, FloatArray]) -> None:
        """Solve the nets that detectors feed, their currents (T,) in A by name."""
        electrics = self.drives.compiled.electrics
        if not self.present:
            return
        if self.feedback is not None:
            self.feedback.compare(currents)
            return
        equations = electrics.equations(self.settings_of, lit=True)
        if equations.system.size:
            self.solved(equations, currents)

    def settings_of(self, part: Any) -> dict[str, Any]:
        """Return the settings of a part, those that sources follow over time as they are at first."""
        found = self.drives.settings(part)
        followed = sources(part.model)
        return {key: float(v[0]) if np.ndim(v) and key in followed else v for key, v in found.items()}

    def _checked(self, read: Read, values: FloatArray) -> FloatArray:
        """Return a driven setting at the samples; ParameterError out of bounds, or beyond the band."""
        self.drives.compiled.electrics.check_value(read, values)
        if self.seed is None:  # noise fills the band and beyond; a run without it looks at the signal's
            check_band(
                values, self.line.sample_rate, f"{read.name!r}, which electrical nets drive", finer=OVER,
                advice="or slower edges (rise, bandwidth, a capacitor)",
            )  # fmt: skip
        return np.ascontiguousarray(values[::OVER])

    def solved(
        self, equations: Equations, currents: Mapping[str, FloatArray], loop: Any = None, start: Any = None
    ) -> FloatArray:
        """Solve equations; return unknowns (n + 1, ...) on a clock OVER times finer, the last one 0.

        loop: the light in them, which starts at unknowns `start`.
        """
        system, line = equations.system, self.line
        inputs, said, tolerance = self.inputs(equations, currents), "", TOLERANCE
        if self.seed is not None:
            inside = "without the noise inside SPICE decks" if system.spice else ""
            system, inputs, said = noisy(system, inputs, line, OVER, self.seed, start)
            said = ", ".join(text for text in (said, inside) if text)
            tolerance = NOISY_TOLERANCE if said else TOLERANCE
        solution = transient(
            system, inputs, (line.total - 1) * OVER + 1, OVER * line.sample_rate, range(system.size),
            each=OVER, light=loop, start=start, tolerance=tolerance,
        )  # fmt: skip
        fine = np.concatenate([solution.values.T, np.zeros((1, len(solution.values)))])
        named = self.drives.compiled.electrics.nets
        self.voltages |= {
            name: np.ascontiguousarray(fine[number, ::OVER])
            for name, number in system.nodes.items()
            if name in named
        }
        self.currents |= {
            name: np.ascontiguousarray(fine[number, ::OVER]) for name, number in system.branches.items()
        }
        self.notes.append(
            f"{system.size} unknowns, {OVER * solution.finer} steps a sample, error {solution.error:.2g} of "
            f"the largest change{', ' if said else ''}{said}"
        )
        self.steps = OVER * solution.finer
        return fine

    def inputs(self, equations: Equations, currents: Mapping[str, FloatArray]) -> Any:
        """Return a function that gives all inputs of equations on a clock so much finer than OVER times."""
        system, line = equations.system, self.line
        moving = [self._input(signal, currents) for signal in equations.signals]

        def inputs(finer: int) -> FloatArray:
            count = (line.total - 1) * OVER * finer + 1
            found = np.empty((count, len(moving)))
            for k, values in enumerate(moving):
                found[:, k] = system.resting[k] if values is None else values(OVER * finer)
            return found

        return inputs

    def _input(self, signal: Any, currents: Mapping[str, FloatArray]) -> Any:
        """Return a function that gives an input on a finer clock; None for one that stays at rest."""
        if signal.kind == "light":
            return None  # it stands in the equations themselves
        part = self.drives.compiled.graph.part(signal.part)
        if signal.kind == "detector":
            own = currents.get(signal.part)
            return None if own is None else lambda finer: upsampled(own, finer)
        if signal.tone is not None:
            return self._tone(signal)
        if signal.kind == "stage":
            return self._stage(part)
        wave = self.waves.get(signal.name)
        if wave is not None:
            return lambda finer: self._waveform(wave, finer, signal.name)
        value = self.drives.settings(part).get(signal.setting)
        if value is not None and np.ndim(value):
            return lambda finer: upsampled(np.asarray(value, dtype=np.float64), finer)
        return None

    def _tone(self, signal: Any) -> Any:
        """Return the sine of a source on top of its value, which starts at time 0, on a finer clock."""
        amplitude, frequency, phase = signal.tone
        part, line = self.drives.compiled.graph.part(signal.part), self.line
        level = float(self.settings_of(part).get(signal.setting) or 0.0)
        check_frequency(frequency, line.sample_rate, f"the tone of {signal.part!r}")

        def values(finer: int) -> FloatArray:
            wave = self.waves.get(signal.name)
            base = level if wave is None else self._waveform(wave, finer, signal.name)
            time = np.arange((line.total - 1) * finer + 1) / (finer * line.sample_rate)
            turns = 2 * np.pi * frequency * np.maximum(time - line.warm / line.sample_rate, 0.0)
            return np.asarray(base + amplitude * np.sin(turns + phase))

        return values

    def _waveform(self, wave: Waveform, finer: int, name: str) -> FloatArray:
        line = self.line
        time = line.time[line.warm :]
        values = wave.between(time, finer, ahead=line.ahead, what=f"the drive of {name!r}")
        return np.concatenate([np.full(line.warm * finer, values[0]), values])

    def _stage(self, part: Any) -> Any:
        """Return what a converter without input puts out, on a finer clock."""
        assert isinstance(part.model, Electronic)  # noqa: S101 - signals of that kind
        settings = self.drives.settings(part)
        stage = part.model.stage(**settings)
        if not np.ndim(stage.level):
            return None

        def values(finer: int) -> FloatArray:
            level = upsampled(np.asarray(stage.level, dtype=np.float64), finer)
            held, beyond = convert(level, stage)
            if beyond:
                text = f"Converter {part.name!r} leaves its range and stays at the end of it."
                warnings.warn(text, PhotosimWarning, stacklevel=6)
            if not np.isfinite(stage.bandwidth):
                return held
            return low_pass(held, stage.bandwidth, self.line.sample_rate * finer)

        return values

    def variables(self, line: Timeline, coordinates: dict[str, Any]) -> dict[str, Any]:
        """Return voltages (net, time) in V and currents (branch, time) in A of the kept samples."""
        found: dict[str, Any] = {}
        for name, axis, unit, rows in (
            ("voltage", "net", "V", self.voltages), ("branch_current", "branch", "A", self.currents),
        ):  # fmt: skip
            if rows:
                held = [np.concatenate([np.full(line.total - v.size, v[0]), v]) for v in rows.values()]
                found[name] = ((axis, "time"), np.array([v[line.kept] for v in held]), {"units": unit})
                coordinates[axis] = list(rows)
        return found

    def alone(self, circuit: str) -> xarray.Dataset:
        """Return the Dataset of a circuit that has no light."""
        import xarray

        line = self.line
        coordinates: dict[str, Any] = {"time": ("time", line.time[line.kept], {"units": "s"})}
        # The form of every run, without waves.
        dark = np.zeros((0, 0, line.samples), dtype=np.complex128)
        variables = {"wave": (("probe", "carrier", "time"), dark, {"units": "sqrt(W)"})}
        variables |= self.variables(line, coordinates)
        coordinates |= {"probe": np.array([], dtype=str), "carrier": np.array([])}
        said = dict.fromkeys(("drives", "filters", "starts", "ends", "beyond", "fits"), "")
        notes = {
            "circuit": circuit,
            "sample_rate_Hz": line.sample_rate,
            "pass_band_Hz": PASS * line.sample_rate,
            "seed": -1 if self.seed is None else self.seed,
            **said,
            "electronics": "; ".join(self.notes),
        }
        return xarray.Dataset(variables, coordinates, attrs=notes)


def split_drives(graph: Graph, drive: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Waveform]]:
    """Return the drives of optical parts, and those of electrical sources as waveforms.

    Raises ParameterError for a setting of a network that no source follows.
    """
    optical: dict[str, Any] = {}
    electrical: dict[str, Waveform] = {}
    for name, value in drive.items():
        instance, setting = owner(name)
        place = graph.index.get(instance)
        model = graph.parts[place].model if place is not None else None
        if not isinstance(model, Network):
            optical[name] = value
            continue
        followed = sources(model)
        if setting not in followed:
            what = (
                f"its {listing(followed)} can"
                if followed
                else "it has no source, and none of its settings can"
            )
            message = f"Setting {name!r} of an electrical network cannot change over time: {what} be driven."
            raise ParameterError(
                message.replace("and none of its settings can be", "so none of its settings can be")
            )
        electrical[name] = as_waveform(value)
    return optical, electrical


def sources(model: Any) -> list[str]:
    """Return the settings of a network that its sources follow; none for other parts."""
    return list(model.followed) if isinstance(model, Network) else []


def upsampled(values: FloatArray, finer: int) -> FloatArray:
    """Return values (T,) on a clock `finer` times as fine, (finer (T - 1) + 1,), through the same samples.

    A sinc in a window joins the samples: what lies within 0.4 of the sample rate is kept to 1e-6, a constant
    and the sum exactly. The ends are held.
    """
    if finer == 1 or not moves(values):
        return (
            np.repeat(values[:1], finer * (values.size - 1) + 1) if values.size > 1 and finer > 1 else values
        )
    from scipy.signal import oaconvolve

    padded = np.pad(values, _REACH, mode="edge")
    found = np.empty((values.size - 1, finer))
    found[:, 0] = values[:-1]
    for phase in range(1, finer):
        at = phase / finer + np.arange(_REACH - 1, -_REACH - 1, -1)
        window = np.i0(14.0 * np.sqrt(np.maximum(0.0, 1.0 - (at / _REACH) ** 2))) / np.i0(14.0)
        taps = np.sinc(at) * window
        taps /= taps.sum()
        # Sample n + phase/finer is the sum of taps over the samples n - REACH + 1 .. n + REACH.
        found[:, phase] = oaconvolve(padded, taps[::-1], mode="valid")[1 : values.size]
    return np.append(found.ravel(), values[-1])


def is_electrical_only(graph: Graph) -> bool:
    """Return whether a circuit has electronics and nothing that carries light."""
    return all(isinstance(part.model, Network | Electronic) for part in graph.parts) and not any(
        isinstance(part.model, Detector) for part in graph.parts
    )
