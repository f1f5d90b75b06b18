"""Any circuit with optical inputs and outputs as a device: `Device.from_circuit`."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_choice, check_number
from photosim.display import Brief, Shown
from photosim.engine.bindings import owner
from photosim.engine.vector import limits
from photosim.errors import ParameterError, PhotosimWarning
from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.devices.circuit.inversion import bounds_of, invert
from photosim.training.devices.circuit.passage import CircuitPassage
from photosim.training.devices.circuit.read import ReadPassage
from photosim.training.devices.circuit.reading import Readout
from photosim.training.devices.circuit.steady import SteadyPassage
from photosim.training.devices.circuit.wiring import Values, Wiring
from photosim.training.devices.device import Energy, check_batch, check_real

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

WITHIN = 0.75
"""Share of what the circuit reaches that stands for the largest weight; crosstalk takes of the rest."""
FAR = 0.01
"""Share of a tile's norm that may be missed before a warning says so."""


@dataclass(frozen=True)
class Programmed(Brief):
    """A matrix cut into R x C tiles, as a circuit holds it.

    target: the matrix to hold, shape (outputs, inputs).  settings: of each tile, (T,) by name, T = R C, twice
    as many where negative entries have tiles of their own.  natural: what the circuit makes of a unit at each
    input, (T, o, i).  total: the same without the signs of diodes.  gains: what the readings of each tile are
    multiplied by.  missed: norm of what each tile misses, as a share of its target's.
    """

    target: Numbers
    settings: Values
    natural: Numbers
    total: FloatArray
    gains: FloatArray
    missed: FloatArray
    grid: tuple[int, int]


@public
@dataclass(frozen=True)
class CircuitDevice(Shown):
    """Any circuit as a device: numbers become light, the light interferes, and detectors read it.

    `explain` says how sign and scale are encoded, whether the device has a matrix, and how gradients treat
    converters. Without a programmed matrix, it computes what its settings give. `program` divides a matrix
    into tiles of its size; an inversion finds their settings, and each has a gain of its own.

    noise: None, or "physical" for that of the circuit's detectors and light.  power: light in W at an input
    that is 1.  rate: vectors per s.  Left out: saturation of detectors, converters of the inputs, beating of
    lines.
    """

    wiring: Wiring
    readout: Readout
    noise: Literal["physical"] | None = None
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0), compare=False)
    power: float = 1e-3
    rate: float = 1e9
    changed: Mapping[str, float] = field(default_factory=dict)
    programmed: Programmed | None = None
    counters: Counter[str] = field(default_factory=Counter, compare=False)

    def __post_init__(self) -> None:
        """Raise ParameterError for a noise that there is not, and numbers out of bounds."""
        check_choice(self, (None, "physical"), noise=self.noise)
        check_number(self, 0.0, above=True, power=self.power, rate=self.rate)
        if self.noise and not self.readout.receivers:
            message = (
                f"Circuit {self.wiring.circuit.name!r} has no noise, because its ports are read directly: "
                "noise comes from detectors. Put a photodetector behind each output, or leave out noise."
            )
            raise ParameterError(message)

    @property
    def linear(self) -> bool:
        """Whether the device has a matrix: its readings are linear in its inputs."""
        return self.readout.linear and not self.wiring.stages

    @property
    def tile(self) -> tuple[int, int]:
        """Number of outputs and of inputs of the circuit itself."""
        return self.wiring.shape

    @property
    def parameters(self) -> tuple[str, ...]:
        """Dotted names of the settings that are trained or programmed."""
        return self.wiring.parameters

    def with_noise(self, noise: Literal["physical"] | None, rng: np.random.Generator) -> CircuitDevice:
        """Return the device with this noise, drawn from rng, and with new counters."""
        return replace(self, noise=noise, rng=rng, counters=Counter())

    def with_settings(self, settings: Mapping[str, float]) -> CircuitDevice:
        """Return the device with other values of its parameters, by dotted name; nothing is programmed."""
        unknown = [name for name in settings if name not in self.parameters]
        if unknown:
            message = f"{unknown[0]!r} is not a parameter of this device: name it in `parameters`."
            raise ParameterError(message)
        return replace(self, changed={**self.changed, **settings}, programmed=None, counters=Counter())

    def settings(self) -> dict[str, FloatArray]:
        """Return the present settings, (tiles,) by dotted name, as a call of the circuit takes them."""
        if self.programmed is not None:
            return {name: np.array(own) for name, own in self.programmed.settings.items()}
        held = self.wiring.written()
        return held | {name: np.array([value], dtype=np.float64) for name, value in self.changed.items()}

    def bounds(self, name: str) -> tuple[float, float]:
        """Return the lower and upper bound of a setting, infinite where it has none."""
        return limits(self.wiring.circuit.compiled, name)

    def matrix(self) -> Numbers:
        """Return the matrix (outputs, inputs) in the units of `weights`; ParameterError without one."""
        self._require_matrix("has no matrix")
        if self.programmed is None:
            return np.asarray(self.readout.matrix(self.wiring.transfer(self.settings()))[0])
        return _joined(self._tiles(), self.programmed.grid, self.programmed.target.shape)

    def program(self, weights: Numbers) -> CircuitDevice:
        """Return the device with `weights` (outputs, inputs) programmed, tile by tile, as closely as it can.

        The settings are found by inversion from those of the netlist, with the circuit's imperfections and
        the heat of neighbours; converters then round them. If entries cannot be negative, positive and
        negative entries have tiles that take turns. `programmed.missed` has the error of each tile. Raises
        ParameterError for a device without a matrix or parameters, and a matrix that is not finite.
        """
        self._require_matrix("cannot hold a matrix")
        if not self.parameters:
            message = (
                f"Circuit {self.wiring.circuit.name!r} has no setting to turn, so it holds the matrix that "
                "it has: name `parameters`."
            )
            raise ParameterError(message)
        if self.readout.reading != "fields":
            check_real("CircuitDevice holds a matrix of", weights)
        target = np.array(weights)
        if target.ndim != 2 or not target.size or not np.isfinite(target).all():
            message = f"A device holds a finite matrix (outputs, inputs), got shape {target.shape}."
            raise ParameterError(message)
        tiles, grid = _cut(target, self.tile)
        if not self.readout.signed:
            tiles = np.concatenate([np.maximum(tiles, 0.0), np.maximum(-tiles, 0.0)])
        names = self._turned()
        solution = invert(
            lambda values: self._slopes(names, values),
            lambda values: self._made(names, values),
            _real(tiles),
            np.array([float(self.wiring.circuit.parameters[name]) for name in names]),
            bounds_of({name: self.bounds(name) for name in self.parameters}),
            self._units(tiles),
        )
        if solution.missed.max(initial=0.0) > FAR:
            message = (
                f"Circuit {self.wiring.circuit.name!r} holds this matrix only in part: the worst of "
                f"{len(solution.missed)} tiles misses {100 * solution.missed.max():.2g} % of its norm."
            )
            warnings.warn(message, PhotosimWarning, stacklevel=2)
        settings = {name: solution.settings[:, k] for k, name in enumerate(self.parameters)}
        fields = self.wiring.transfer(settings)
        held = Programmed(
            target,
            settings,
            self.readout.matrix(fields),
            self.readout.total(fields),
            solution.gains,
            solution.missed,
            grid,
        )
        return replace(self, programmed=held, counters=Counter())

    def apply(self, x: Numbers, gain: Numbers | None = None) -> Numbers:
        """Return gain * readings of x, shape (batch, outputs); for a linear device, gain * (x @ matrix.T)."""
        x = np.asarray(x)
        shape = self.tile if self.programmed is None else self.programmed.target.shape
        check_batch("The device", x, gain, (shape[0], shape[1]))
        if np.iscomplexobj(x) and self.readout.encoding == "powers":
            check_real("Powers encode", x)
        read = self._linear(x) if self.linear else self._square(x)
        return np.asarray(read if gain is None else gain * read)

    def send(self, x: Numbers) -> CircuitPassage | SteadyPassage:
        """Send x (batch, inputs) without noise: `.outputs`, and the exact `.gradient(cotangent)`.

        This uses the circuit's own settings, not programmed tiles.
        """
        held = {name: float(own[0]) for name, own in replace(self, programmed=None).settings().items()}
        return self.passage(held, np.asarray(x))

    def passage(
        self, settings: Mapping[str, Any], x: Numbers, grid: tuple[int, int] = (1, 1)
    ) -> CircuitPassage | SteadyPassage:
        """Send x (batch, C i) without noise through R x C tiles, whose settings are (R C,) each by name."""
        if self.wiring.stages:
            return SteadyPassage.of(self.wiring, self.readout, settings, x, grid, power=self.power)
        return CircuitPassage.of(self.wiring, self.readout, settings, x, grid)

    def read(
        self, settings: Mapping[str, Any], x: Numbers, grid: tuple[int, int] = (1, 1)
    ) -> CircuitPassage | SteadyPassage | ReadPassage:
        """Send x as `passage` does, with noise, and with amplifiers and converters of the detectors."""
        if self.noise is None and not any(own.chain.stages for own in self.readout.receivers):
            return self.passage(settings, x, grid)
        return ReadPassage.of(self, settings, x, grid)

    def energy(self) -> Energy:
        """Return the cycles and samples so far, their time at `rate`, and the energy of all inputs in it."""
        seconds = self.counters["cycles"] / self.rate
        powers = self.wiring.powers
        light = self.power * self.tile[1] if powers is None else float(powers.sum())
        return Energy(self.counters["cycles"], self.counters["samples"], seconds, seconds * light)

    def explain(self) -> str:
        """Return sentences on how sign and scale are encoded, whether there is a matrix, and on gradients."""
        from photosim.training.devices.circuit.explain import explained

        return explained(self)

    # --- inside ----------------------------------------------------------------------------------------

    def _require_matrix(self, what: str) -> None:
        if self.wiring.stages:
            message = (
                f"Circuit {self.wiring.circuit.name!r} {what}: instance {self.wiring.stages[0].part!r} "
                f"({self.wiring.stages[0].component}) is nonlinear. Train its settings instead."
            )
            raise ParameterError(message)
        if not self.linear:
            message = (
                f"A device that reads {self.readout.reading} of interfering fields {what}: readings are not "
                "linear in its inputs. Train its settings instead, or read 'quadrature'."
            )
            raise ParameterError(message)

    def _turned(self) -> tuple[str, ...]:
        """Return the settings that inversion turns: behind converters, what they hold, which has no steps."""
        known = self.wiring.circuit.parameters
        found = []
        for name in self.parameters:
            behind = f"{owner(name)[0]}.held"
            found.append(behind if name.endswith(".phase") and behind in known else name)
        return tuple(found)

    def _slopes(self, names: tuple[str, ...], values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return matrices (T, M) and slopes (T, M, P) at settings (T, P), complex ones as pairs."""
        wiring, (rows, columns) = replace(self.wiring, parameters=names), self.tile
        fields, pull = wiring.pullback({name: values[:, k] for k, name in enumerate(names)})
        made = self.readout.matrix(fields)
        slopes = np.zeros((*made.shape, len(names)), dtype=made.dtype)
        for row, column in np.ndindex(rows, columns):
            for unit in (1.0, 1j) if np.iscomplexobj(made) else (1.0,):
                one = np.zeros_like(made)
                one[:, row, column] = unit
                found = pull(self.readout.field_cotangent(fields, one))
                for k, name in enumerate(names):
                    slopes[:, row, column, k] += unit * found[name]
        by = [_real(slopes[..., k]) for k in range(len(names))]
        return _real(made), np.stack(by, axis=-1) if by else np.zeros((*_real(made).shape, 0))

    def _units(self, tiles: Numbers) -> FloatArray:
        """Return gains (T,) with which tiles lie within what the circuit reaches as the netlist has it."""
        own = self.readout.matrix(self.wiring.transfer(self.wiring.written()))[0]
        if self.readout.encoding == "fields":
            reach, needed = np.linalg.norm(own, 2), np.linalg.norm(tiles, 2, axis=(1, 2))
        else:
            reach, needed = np.abs(own).max(), np.abs(tiles).max(axis=(1, 2))
        return np.asarray(needed / (WITHIN * (reach if reach > 0.0 else 1.0)))

    def _made(self, names: tuple[str, ...], values: FloatArray) -> FloatArray:
        """Return matrices (T, M) at settings (T, P), complex ones as pairs."""
        fields = self.wiring.transfer({name: values[:, k] for k, name in enumerate(names)})
        return _real(self.readout.matrix(fields))

    def _tiles(self) -> Numbers:
        """Return what tiles come to in the units of the weights, (R C, o, i)."""
        held = self.programmed
        if held is None:
            raise AssertionError  # those that call look first
        tiles = held.gains[:, np.newaxis, np.newaxis] * held.natural
        if self.readout.signed:
            return np.asarray(tiles)
        half = len(tiles) // 2
        return np.asarray(tiles[:half] - tiles[half:])

    def _linear(self, x: Numbers) -> Numbers:
        held = self.programmed
        self.counters["samples"] += len(x)
        tiles = 1 if held is None else len(held.gains)
        passes = tiles * (2 if self.readout.encoding == "powers" else 1)
        self.counters["cycles"] += len(x) * passes
        if not self.readout.receivers:
            return np.asarray(x @ self.matrix().T)
        from photosim.training.devices.circuit.noise import read_tiles

        return read_tiles(self, x)

    def _square(self, x: Numbers) -> FloatArray:
        self.counters["samples"] += len(x)
        self.counters["cycles"] += len(x) * (2 if self.readout.encoding == "powers" else 1)
        if self.wiring.stages:
            from photosim.training.devices.circuit.noise import read_steady

            return read_steady(self, x)
        fields: ComplexArray = self.wiring.transfer(self.settings())[0]
        waves = x @ fields.T
        if not self.readout.receivers:
            return np.asarray(self.readout.read(waves))
        from photosim.training.devices.circuit.noise import read_square

        return read_square(self, waves)


def _cut(matrix: Numbers, tile: tuple[int, int]) -> tuple[Numbers, tuple[int, int]]:
    """Return tiles (R C, o, i) of a matrix padded with zeros, and R, C."""
    grid = (-(-matrix.shape[0] // tile[0]), -(-matrix.shape[1] // tile[1]))
    padded = np.zeros((grid[0] * tile[0], grid[1] * tile[1]), dtype=matrix.dtype)
    padded[: matrix.shape[0], : matrix.shape[1]] = matrix
    tiles = padded.reshape(grid[0], tile[0], grid[1], tile[1]).transpose(0, 2, 1, 3)
    return tiles.reshape(-1, *tile), grid


def _joined(tiles: Numbers, grid: tuple[int, int], shape: tuple[int, ...]) -> Numbers:
    whole = tiles.reshape(*grid, *tiles.shape[1:]).transpose(0, 2, 1, 3)
    whole = whole.reshape(grid[0] * tiles.shape[1], grid[1] * tiles.shape[2])
    return np.ascontiguousarray(whole[: shape[0], : shape[1]])


def _real(matrices: Numbers) -> FloatArray:
    """Return matrices (T, o, i) as real numbers (T, M)."""
    flat = matrices.reshape(len(matrices), -1)
    return np.concatenate([flat.real, flat.imag], axis=1) if np.iscomplexobj(flat) else flat
