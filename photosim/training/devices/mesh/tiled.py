"""A matrix too large for one mesh as a device: cut into tiles, each held by a pair of meshes (shen2017)."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number, check_whole
from photosim.components.shifters import TURN, held_phase
from photosim.display import Brief, Shown
from photosim.errors import ParameterError
from photosim.training.arrays import ComplexArray, FloatArray, RealArray
from photosim.training.devices.device import Energy, check_batch, check_real
from photosim.training.devices.mesh.blocks import Blocks, OneMesh
from photosim.training.devices.mesh.circuit import MeshCircuit, find_mesh
from photosim.training.devices.mesh.decomposition import pairs_of
from photosim.training.devices.mesh.mesh import MeshErrors, Numbers
from photosim.training.devices.receiver import MOST_BITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit


@public
@dataclass(frozen=True)
class Readout:
    """Converters and read-out noise between digital numbers and optical fields.

    noise: standard deviation of each reading, as a fraction of the largest one of its tile and batch.
    input_bits, output_bits: of the converters, whose range is the largest number of a batch; None is ideal.
    """

    noise: float = 0.0
    input_bits: int | None = None
    output_bits: int | None = None

    def __post_init__(self) -> None:
        """Raise ParameterError for a negative deviation or bits that no converter has."""
        check_number(self, 0.0, noise=self.noise)
        check_whole(self, 2, MOST_BITS, none=True, input_bits=self.input_bits, output_bits=self.output_bits)


@public
@dataclass(frozen=True)
class Tiles(Brief):
    """The matrices of R x C tiles: real transfer (R, C, n, n) in the units of the weights."""

    transfer: FloatArray
    shape: tuple[int, int]

    def __post_init__(self) -> None:
        """Raise ParameterError for anything but square tiles that cover the shape."""
        size, shape = np.shape(self.transfer), tuple(self.shape)
        for side in shape:
            check_whole("Tiles", 1, shape=side)
        covers = len(size) == 4 and size[2] == size[3] and len(shape) == 2
        if not covers or shape[0] > size[0] * size[2] or shape[1] > size[1] * size[2]:
            message = (
                f"Tiles: transfer must be tiles (R, C, n, n) that cover shape {shape}, got shape {size}."
            )
            raise ParameterError(message)

    def whole(self) -> FloatArray:
        """Return the matrix (outputs, inputs)."""
        rows, columns, n, _ = self.transfer.shape
        joined = self.transfer.transpose(0, 2, 1, 3).reshape(rows * n, columns * n)
        return np.ascontiguousarray(joined[: self.shape[0], : self.shape[1]])


class _Built:
    """The blocks of v, of the attenuators and of u, by number of tiles, once they have been drawn."""

    def __init__(self) -> None:
        self.copies: dict[int, tuple[Blocks | None, Blocks | None, Blocks]] = {}


@public
@dataclass(frozen=True)
class TiledMesh(Shown):
    """A device for real matrices of any size: n x n tiles, each a mesh of the same design.

    A pair of meshes, `svd_mesh`, holds a tile A divided by its largest singular value s. A single mesh holds
    the unitary u (a + i (1 - a^2)^(1/2)) v with A/s = u a v. The real part of it is A/s, because the
    quadrature is not read.

    The parts of a vector enter the columns of tiles as fields. The outputs of each tile are read coherently,
    in phase with the light, and electronics adds them up over a row of tiles. Each tile has its own couplers,
    with errors of `errors.coupling`, drawn once from `seed` for a number of tiles. Its phases have errors of
    `errors.phase`, drawn again whenever other weights are programmed. Phase errors and read-out noise come
    from generators with `seed` and the weights or inputs, so that the same call gives the same numbers.

    rate: vectors per s.  power: light in W of a tile.  readout: how outputs are read.  counters: numbers of
    operations.  built: the programmed tiles. Thermal crosstalk is that of the circuit, without correction.
    Left out: drift, response time of the heaters.
    """

    hardware: MeshCircuit
    errors: MeshErrors = field(default_factory=MeshErrors)
    readout: Readout = field(default_factory=Readout)
    seed: int = 0
    rate: float = 1e9
    power: float = 1e-3
    tiles: Tiles | None = None
    counters: Counter[str] = field(default_factory=Counter, compare=False)
    built: _Built = field(default_factory=_Built, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Raise ParameterError for a seed below 0, and a rate or power that is not positive."""
        check_whole(self, 0, seed=self.seed)
        check_number(self, 0.0, above=True, rate=self.rate, power=self.power)

    @classmethod
    def from_circuit(
        cls,
        circuit: Circuit,
        name: str | None = None,
        errors: MeshErrors | None = None,
        readout: Readout | None = None,
        seed: int = 0,
    ) -> TiledMesh:
        """Return a device whose tiles have the design of the circuit's mesh `name`, nothing programmed yet.

        Without a name, the mesh is found as by Mesh.from_circuit. Raises ParameterError if there is no mesh.
        """
        return cls.of(find_mesh(circuit, name), errors, readout, seed)

    @classmethod
    def of(
        cls,
        hardware: MeshCircuit,
        errors: MeshErrors | None = None,
        readout: Readout | None = None,
        seed: int = 0,
    ) -> TiledMesh:
        """Return a device whose tiles have the design of this mesh, nothing programmed yet."""
        errors = errors or MeshErrors()
        if errors.offset or hardware.u.arrangement not in {"clements", "reck"}:
            message = (
                "TiledMesh needs clements or reck meshes without phase offsets; got arrangement "
                f"{hardware.u.arrangement!r}, offset {errors.offset:g}."
            )
            raise ParameterError(message)
        return cls(hardware, errors, readout or Readout(), seed)

    def with_errors(self, errors: MeshErrors, readout: Readout, seed: int) -> TiledMesh:
        """Return another chip of the same design, nothing programmed yet."""
        return TiledMesh(self.hardware, errors, readout, seed, self.rate, self.power)

    def program(self, weights: FloatArray) -> TiledMesh:
        """Return the device with real `weights` (outputs, inputs) programmed, as if it had no errors."""
        check_real("TiledMesh holds a matrix of", weights)
        target = np.asarray(weights, dtype=np.float64)
        if target.ndim != 2 or not target.size or not np.isfinite(target).all():
            message = f"Tiles hold a finite matrix (outputs, inputs), got shape {target.shape}."
            raise ParameterError(message)
        n = self.hardware.guides
        rows, columns = (-(-size // n) for size in target.shape)
        padded = np.zeros((rows * n, columns * n))
        padded[: target.shape[0], : target.shape[1]] = target
        cut = padded.reshape(rows, n, columns, n).transpose(0, 2, 1, 3).reshape(-1, n, n)
        rng = np.random.default_rng([self.seed, 1, zlib.crc32(np.ascontiguousarray(target).tobytes())])
        held = self._held(cut, rng).reshape(rows, columns, n, n)
        return replace(self, tiles=Tiles(held, (target.shape[0], target.shape[1])), counters=Counter())

    @property
    def programmed(self) -> Tiles:
        """The programmed tiles; ParameterError if nothing is programmed yet."""
        if self.tiles is None:
            message = (
                f"Tiles of {self.hardware.name!r} hold no matrix yet: use what program(weights) returns."
            )
            raise ParameterError(message)
        return self.tiles

    def matrix(self) -> FloatArray:
        """Return the effective matrix (outputs, inputs), in the units of `weights`."""
        return self.programmed.whole()

    def apply(self, x: RealArray, gain: RealArray | None = None) -> FloatArray:
        """Return gain * (x @ matrix.T), shape (batch, outputs), through converters and with noise."""
        tiles = self.programmed
        check_real("TiledMesh multiplies", x)
        check_batch("The mesh of tiles", x, gain, tiles.shape)
        self.counters["samples"] += len(x)
        self.counters["cycles"] += len(x) * tiles.transfer.shape[0] * tiles.transfer.shape[1]
        sent = _rounded(np.asarray(x, dtype=np.float64), self.readout.input_bits)
        exact = self.readout.noise == 0.0 and self.readout.output_bits is None
        product = sent @ tiles.whole().T if exact else self._read(sent, tiles)
        return np.asarray(product if gain is None else gain * product)

    def reversed(self) -> TiledMesh:
        """Return the device for light sent backwards, whose matrix is transposed: (inputs, outputs)."""
        tiles = self.programmed
        turned = Tiles(np.ascontiguousarray(tiles.transfer.transpose(1, 0, 3, 2)), tiles.shape[::-1])
        return replace(self, tiles=turned, counters=Counter())

    def energy(self) -> Energy:
        """Return cycles and samples so far, the time at `rate` with all tiles in parallel, and the light."""
        seconds = self.counters["samples"] / self.rate
        light = self.counters["cycles"] / self.rate * self.power
        return Energy(self.counters["cycles"], self.counters["samples"], seconds, light)

    def _read(self, sent: FloatArray, tiles: Tiles) -> FloatArray:
        """Return products (batch, outputs) summed over readings of single tiles, column by column of them."""
        rows, columns, n, _ = tiles.transfer.shape
        fields = np.zeros((len(sent), columns * n))
        fields[:, : sent.shape[1]] = sent
        rng = np.random.default_rng([self.seed, 2, zlib.crc32(np.ascontiguousarray(sent).tobytes())])
        summed = np.zeros((rows, len(sent), n))
        for column in range(columns):
            own = fields[:, column * n : (column + 1) * n]
            readings = np.matmul(own, tiles.transfer[:, column].transpose(0, 2, 1))
            if self.readout.noise > 0.0:
                largest = np.abs(readings).max(axis=(1, 2), keepdims=True)
                readings += self.readout.noise * largest * rng.standard_normal(readings.shape)
            summed += _rounded(readings, self.readout.output_bits)
        whole = summed.transpose(1, 0, 2).reshape(len(sent), rows * n)
        return np.asarray(whole[:, : tiles.shape[0]])

    def _held(self, cut: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return what T tiles (T, n, n) come to in the hardware, in the units asked."""
        u, values, v = np.linalg.svd(cut)
        scale = values[:, :1]
        share = values / np.where(scale > 0.0, scale, 1.0)
        one, other = self.hardware.v, self.hardware.u
        first, middle, last = self._copies(len(cut))
        if one is None or first is None or middle is None:
            whole = (u * (share + 1j * np.sqrt(np.maximum(1.0 - share**2, 0.0)))[:, np.newaxis]) @ v
            return np.asarray(scale[..., np.newaxis] * self._mesh(other, last, whole, rng).real)
        theta = 2.0 * np.arcsin(np.minimum(share, 1.0))
        phi = -0.5 * (np.pi + theta)  # the attenuator's own phase taken back, as decompose_pair does
        if self.hardware.middle is None:
            raise AssertionError  # a pair has attenuators
        turn = self.hardware.middle.turn
        passed = middle.passing(*(self._heat(p / turn, rng).ravel() for p in (theta, phi)))[0]
        before, after = self._mesh(one, first, v, rng), self._mesh(other, last, u, rng)
        transfer = (after * passed.reshape(len(cut), 1, -1)) @ before
        return np.asarray(scale[..., np.newaxis] * transfer.real)

    def _mesh(
        self, mesh: OneMesh, blocks: Blocks, unitaries: Numbers, rng: np.random.Generator
    ) -> ComplexArray:
        """Return the matrices (T, n, n) of T copies of a mesh, built of `blocks`, set for unitaries."""
        from photosim.kernels.meshes import send_through_many, take_apart_many

        count, n, _ = unitaries.shape
        k = n * (n - 1) // 2
        modes, end = np.empty(k, dtype=np.int64), np.empty((count, n))
        theta, phi = np.empty((count, k)), np.empty((count, k))
        work = np.array(unitaries, dtype=np.complex128)
        take_apart_many(work, mesh.arrangement == "reck", modes, theta, phi, end)
        order = _order(modes, n)
        if not np.array_equal(modes[order], pairs_of(mesh.arrangement, n)[:, 0]):
            raise AssertionError  # blocks in another order than the circuit's
        turn = mesh.blocks.turn
        angles = [(theta[:, order], turn), (phi[:, order], turn), (end, mesh.end_turn)]
        if mesh.leak is not None:  # drivers hold phases within a turn, and neighbours get of that
            angles = [(np.mod(own, TURN), turns) for own, turns in angles]
        theta, phi, end = (self._heat(own / turns, rng) for own, turns in angles)
        if mesh.leak is not None:
            warm = (mesh.leak @ np.concatenate([theta, phi, end], axis=1).T).T
            theta, phi, end = warm[:, :k], warm[:, k : 2 * k], warm[:, 2 * k :]
        ends = mesh.end * np.exp(1j * mesh.end_turn * end)
        fields = np.broadcast_to(np.eye(n, dtype=np.complex128), (count, n, n)).copy()
        matrices = blocks.matrices(*blocks.acting(theta.ravel(), phi.ravel())).reshape(count, k, 2, 2)
        send_through_many(matrices, pairs_of(mesh.arrangement, n), fields)
        return np.asarray(ends[:, :, np.newaxis] * fields)

    def _heat(self, phases: FloatArray, rng: np.random.Generator) -> FloatArray:
        bits = self.hardware.u.bits
        return self.errors.missed(phases if bits is None else held_phase(phases, bits), rng)

    def _copies(self, count: int) -> tuple[Blocks | None, Blocks | None, Blocks]:
        """Return the blocks of v, of the attenuators and of u of `count` tiles, tile by tile, drawn once."""
        copies = self.built.copies
        if count not in copies:
            rng = np.random.default_rng([self.seed, 0, count])
            designs = (self.hardware.v.blocks if self.hardware.v else None, self.hardware.middle)
            v, middle = (own and _copied(own, count, self.errors.coupling, rng) for own in designs)
            copies[count] = (v, middle, _copied(self.hardware.u.blocks, count, self.errors.coupling, rng))
        return copies[count]


def _copied(blocks: Blocks, count: int, deviation: float, rng: np.random.Generator) -> Blocks:
    """Return the blocks of `count` copies one after the other, each coupler off by an error of its own."""
    copies = Blocks(*(np.tile(getattr(blocks, item.name), count) for item in fields(Blocks)))
    return copies.drawn(deviation, 0.0, rng) if deviation > 0.0 else copies


def _order(modes: NDArray[np.int64], n: int) -> NDArray[np.intp]:
    """Return the order in which blocks, met on guides `modes`, stand column by column."""
    from photosim.kernels.meshes import columns_of

    columns = np.empty_like(modes)
    columns_of(modes, np.zeros(n, dtype=np.int64), columns)
    return np.lexsort((modes, columns))


def _rounded(x: FloatArray, bits: int | None) -> FloatArray:
    """Return x in 2**bits - 1 levels between minus and plus the largest of it."""
    most = float(np.abs(x).max(initial=0.0))
    if bits is None or most == 0.0:
        return x
    step = most / (2 ** (bits - 1) - 1)
    return np.asarray(step * np.rint(x / step))
