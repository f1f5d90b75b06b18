"""A chip as calibration sees it: numbers to be found, the powers that they mean, and the exact slopes."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.smatrix import ByValue
from photosim.training.arrays import ComplexArray, FloatArray, IndexArray
from photosim.training.chips.wiring import Wiring

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAR = 2.3
"""Distance up to which the share of heat of every pair of heaters is found by itself."""


@dataclass(frozen=True, eq=False)
class Numbers(ByValue):
    """What a chip of K blocks, n guides and H heaters is made of.

    split, join: angle of each coupler, whose power is its squared sine, (K,).  offset: phase of each of the
    2 K heaters of blocks at rest in rad.  per_pi: logarithm of each one's power for pi over the design's.
    loss: logarithm of the amplitude that each of the 2 K shifters passes.  entry, leave: logarithms of the
    power that inputs and outputs pass, (n,).  share, reach: heat of a neighbour at distance d is share
    exp(-(d - 1) / reach) of its power.  extra: what each near pair has beyond that, (pairs,).
    """

    split: FloatArray
    join: FloatArray
    offset: FloatArray
    per_pi: FloatArray
    loss: FloatArray
    entry: FloatArray
    leave: FloatArray
    share: FloatArray
    reach: FloatArray
    extra: FloatArray

    def vector(self) -> FloatArray:
        """Return all numbers in a row."""
        return np.concatenate([getattr(self, item.name) for item in fields(self)])

    def of(self, vector: FloatArray) -> Numbers:
        """Return the numbers of a row."""
        parts, place = {}, 0
        for item in fields(self):
            size = getattr(self, item.name).size
            parts[item.name] = vector[place : place + size]
            place += size
        return replace(self, **parts)

    def places(self, *names: str) -> IndexArray:
        """Return where numbers of these names stand in the row."""
        ends = np.cumsum([0, *(getattr(self, item.name).size for item in fields(self))])
        spans = {item.name: range(ends[k], ends[k + 1]) for k, item in enumerate(fields(self))}
        return np.concatenate([np.arange(spans[name].start, spans[name].stop) for name in names])


Slopes = dict[str, FloatArray]


@dataclass(frozen=True)
class Model:
    """The powers of a chip for settings and inputs, and their derivatives by all its numbers."""

    wiring: Wiring

    @cached_property
    def near(self) -> IndexArray:
        """Pairs (heater that gets, heater that gives), shape (pairs, 2), of heaters near each other."""
        inner = 2 * self.wiring.blocks
        close = (self.wiring.distances < NEAR) & (self.wiring.distances > 0.0)
        found = np.argwhere(close[:inner])
        return np.asarray(found, dtype=np.int64)

    def start(self) -> Numbers:
        """Return the design: even couplers, no offsets, no losses, one percent of heat to a neighbour."""
        k, n = self.wiring.blocks, self.wiring.n
        even, none = np.full(k, np.pi / 4.0), np.zeros
        return Numbers(
            even, even.copy(), none(2 * k), none(2 * k), none(2 * k), none(n), none(n),
            np.array([0.01]), np.array([1.0]), none(len(self.near)),
        )  # fmt: skip

    def heat(self, numbers: Numbers) -> FloatArray:
        """Return the share of each heater's power that each heater of a block gets, shape (2 K, H)."""
        inner = 2 * self.wiring.blocks
        law = numbers.share * np.exp(-(self.wiring.distances[:inner] - 1.0) / numbers.reach)
        law[np.arange(inner), np.arange(inner)] = 1.0
        law[tuple(self.near.T)] += numbers.extra
        return np.asarray(law)

    def phases(self, numbers: Numbers, powers: FloatArray) -> FloatArray:
        """Return the phases (R, 2 K) in rad that act for powers (R, H) in units of the design's for pi."""
        heated = powers @ self.heat(numbers).T
        return np.asarray(np.pi * np.exp(-numbers.per_pi) * heated + numbers.offset)

    def blocks(self, numbers: Numbers, phases: FloatArray) -> ComplexArray:
        """Return the matrices of all blocks, shape (R, K, 2, 2), for phases (R, 2 K)."""
        return _blocks(numbers, phases, self.wiring.blocks)[0]

    def matrix(self, numbers: Numbers, powers: FloatArray) -> ComplexArray:
        """Return the matrix (n, n) between inputs and outputs of powers (H,), end phases apart."""
        made = self.blocks(numbers, self.phases(numbers, powers[np.newaxis]))[0]
        found = np.eye(self.wiring.n, dtype=np.complex128)
        for k, pair in enumerate(self.wiring.pairs):
            found[pair] = made[k] @ found[pair]
        return found

    def readings(self, numbers: Numbers, powers: FloatArray, entrances: IndexArray) -> FloatArray:
        """Return the powers (R, n) at the outputs for powers (R, H) and the inputs (R,) that get light."""
        made = self.blocks(numbers, self.phases(numbers, powers))
        light = np.zeros((len(powers), self.wiring.n), dtype=np.complex128)
        light[np.arange(len(powers)), entrances] = 1.0
        for k, pair in enumerate(self.wiring.pairs):
            light[:, pair] = np.einsum("rij,rj->ri", made[:, k], light[:, pair])
        gains = np.exp(numbers.entry[entrances][:, np.newaxis] + numbers.leave)
        return np.asarray(gains * np.abs(light) ** 2)

    def slopes(
        self, numbers: Numbers, powers: FloatArray, entrances: IndexArray, *, offsets_only: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """Return `readings` (R, n) and their derivatives (R, n, numbers), or those by offsets alone."""
        phases = self.phases(numbers, powers)
        made, parts = _blocks(numbers, phases, self.wiring.blocks)
        ahead, light = self._forward(made, entrances)
        behind = self._backward(made)
        gains = np.exp(numbers.entry[entrances][:, np.newaxis] + numbers.leave)
        found = gains * np.abs(light) ** 2
        weight = 2.0 * gains * light.conj()

        def by(matrices: NDArray[Any]) -> FloatArray:
            """Return the derivatives (R, n, K) for derivatives (R, K, 2, 2) of the blocks."""
            moved = np.einsum("rkij,rkj->rki", matrices, ahead)
            turned = np.einsum("rkoi,rki->rok", behind, moved)
            return np.asarray((weight[:, :, np.newaxis] * turned).real)

        offset = np.concatenate([by(parts["theta"]), by(parts["phi"])], axis=-1)
        if offsets_only:
            return found, offset
        loss = np.concatenate([by(parts["inner"]), by(parts["outer"])], axis=-1)
        entry = np.zeros((*found.shape, self.wiring.n))
        entry[np.arange(len(found)), :, entrances] = found
        leave = found[:, :, np.newaxis] * np.eye(self.wiring.n)
        more = self._by_heat(numbers, powers, phases, offset)
        columns = [by(parts["split"]), by(parts["join"]), offset, more["per_pi"], loss, entry, leave]
        columns += [more["share"], more["reach"], more["extra"]]
        return found, np.concatenate(columns, axis=-1)

    def _by_heat(
        self, numbers: Numbers, powers: FloatArray, phases: FloatArray, offset: FloatArray
    ) -> Slopes:
        """Return the derivatives by what turns powers into phases, from those by the phases."""
        inner = 2 * self.wiring.blocks
        scale = np.pi * np.exp(-numbers.per_pi)
        law = np.exp(-(self.wiring.distances[:inner] - 1.0) / numbers.reach)
        law[np.arange(inner), np.arange(inner)] = 0.0
        far = (self.wiring.distances[:inner] - 1.0) / numbers.reach**2 * law * numbers.share
        got, given = self.near.T
        return {
            "per_pi": -offset * (phases - numbers.offset)[:, np.newaxis],
            "share": np.einsum("roj,rj->ro", offset, scale * (powers @ law.T))[..., np.newaxis],
            "reach": np.einsum("roj,rj->ro", offset, scale * (powers @ far.T))[..., np.newaxis],
            "extra": offset[:, :, got] * (scale[got] * powers[:, given])[:, np.newaxis],
        }

    def _forward(self, made: ComplexArray, entrances: IndexArray) -> tuple[ComplexArray, ComplexArray]:
        """Return the light (R, K, 2) that arrives at each block, and that at the outputs (R, n)."""
        count = len(made)
        light = np.zeros((count, self.wiring.n), dtype=np.complex128)
        light[np.arange(count), entrances] = 1.0
        ahead = np.empty((count, self.wiring.blocks, 2), dtype=np.complex128)
        for k, pair in enumerate(self.wiring.pairs):
            ahead[:, k] = light[:, pair]
            light[:, pair] = np.einsum("rij,rj->ri", made[:, k], ahead[:, k])
        return ahead, light

    def _backward(self, made: ComplexArray) -> ComplexArray:
        """Return what a unit of light behind each block gives at each output, shape (R, K, n, 2)."""
        count, n = len(made), self.wiring.n
        rows = np.broadcast_to(np.eye(n, dtype=np.complex128), (count, n, n)).copy()
        behind = np.empty((count, self.wiring.blocks, n, 2), dtype=np.complex128)
        for k in reversed(range(self.wiring.blocks)):
            pair = self.wiring.pairs[k]
            behind[:, k] = rows[:, :, pair]
            rows[:, :, pair] = behind[:, k] @ made[:, k]
        return behind


def _blocks(numbers: Numbers, phases: FloatArray, count: int) -> tuple[ComplexArray, dict[str, ComplexArray]]:
    """Return the blocks (R, K, 2, 2) and their derivatives by phases, couplers and losses, by name.

    shifter phi, coupler, shifter theta, coupler, both shifters on the upper guide.
    """
    inner = np.exp(numbers.loss[:count] + 1j * phases[:, :count])
    outer = np.exp(numbers.loss[count:] + 1j * phases[:, count:])
    split, d_split = _coupler(numbers.split)
    join, d_join = _coupler(numbers.join)

    def made(first: Any, middle: Any, last: Any, wave: Any, constant: float = 1.0) -> ComplexArray:
        """Return last @ diag(middle, constant) @ first @ diag(wave, 1)."""
        top = last[:, :, :1] * first[:, :1, :]
        low = last[:, :, 1:] * first[:, 1:, :]
        whole = middle[..., np.newaxis, np.newaxis] * top + constant * low
        whole[..., 0] *= wave[..., np.newaxis]
        return np.asarray(whole)

    whole = made(split, inner, join, outer)
    by_inner = made(split, inner, join, outer, 0.0)
    by_outer = whole * np.array([1.0, 0.0])
    return whole, {
        "theta": 1j * by_inner,
        "inner": by_inner,
        "phi": 1j * by_outer,
        "outer": by_outer,
        "split": made(d_split, inner, join, outer),
        "join": made(split, inner, d_join, outer),
    }


def _coupler(angle: FloatArray) -> tuple[ComplexArray, ComplexArray]:
    """Return the matrices (K, 2, 2) of couplers of these angles, and their derivatives."""
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.stack([c + 0j, 1j * s, 1j * s, c + 0j], axis=-1).reshape(-1, 2, 2)
    slope = np.stack([-s + 0j, 1j * c, 1j * c, -s + 0j], axis=-1).reshape(-1, 2, 2)
    return matrix, slope
