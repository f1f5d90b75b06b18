"""Slow drift of a scattering medium and of the phase of its reference."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number, check_whole
from photosim.media.gaussian import StoredMedium

if TYPE_CHECKING:
    from photosim.media.chain import OpticalChain


@public
@dataclass(frozen=True, kw_only=True)
class Drift:
    """Slow change of a medium, and of the phase of the reference.

    persistence: time in s after which the correlation of the fields has fallen to 1/e; it falls as exp(-t /
    persistence).  wander: rms change of the reference's phase in rad within 1 s; it grows with the square
    root of time.  interval: time in s during which the medium is constant.  seed: of the change.
    """

    persistence: float = inf
    wander: float = 0.0
    interval: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise ParameterError for times that are not positive or a negative wander."""
        check_number(self, 0.0, inf, above=True, endless=True, persistence=self.persistence)
        check_number(self, 0.0, inf, above=True, interval=self.interval)
        check_number(self, 0.0, wander=self.wander)
        check_whole(self, seed=self.seed)

    @property
    def active(self) -> bool:
        """Whether anything changes at all."""
        return self.persistence < inf or self.wander > 0.0


class Drifting:
    """The optical chain at a given time; the same seed and time always give the same state.

    A run that continues from a checkpoint therefore has the same medium as without a break. The drift is an
    autoregressive process of first order: T <- c T + sqrt(1 - c^2) T', where T' is independent with the same
    mean power, and c = exp(-interval / persistence).
    """

    def __init__(self, chain: OpticalChain, drift: Drift) -> None:
        self.first, self.drift = chain, drift
        self.outputs = chain.medium.shape[0]
        self.step, self.phase, self.chain = 0, 0.0, chain
        self.matrix = chain.medium.block()
        self.power = float(np.mean(np.abs(self.matrix) ** 2))

    def at(self, elapsed: float) -> OpticalChain:
        """Return the chain after `elapsed` seconds."""
        step = int(elapsed / self.drift.interval) if self.drift.active else 0
        if step == self.step:
            return self.chain
        if step < self.step:  # a checkpoint, or a look ahead, put the counters back
            self.step, self.phase, self.matrix = 0, 0.0, self.first.medium.block()
        while self.step < step:
            self._advance()
        medium = StoredMedium(len(self.matrix), self.matrix.shape[1], entries=self.matrix)
        turned = self.first.reference * np.exp(1j * self.phase)
        self.chain = replace(self.first, medium=medium, reference=complex(turned))
        return self.chain

    def _advance(self) -> None:
        self.step += 1
        rng = np.random.default_rng([self.drift.seed, self.step])
        self.phase += float(rng.normal(0.0, self.drift.wander * np.sqrt(self.drift.interval)))
        if self.drift.persistence < inf:
            kept = np.exp(-self.drift.interval / self.drift.persistence)
            parts = rng.standard_normal((2, *self.matrix.shape), dtype=np.float32)
            fresh = (parts[0] + 1j * parts[1]) * np.float32(np.sqrt(self.power / 2.0))
            self.matrix = np.asarray(kept * self.matrix + np.sqrt(1.0 - kept**2) * fresh, self.matrix.dtype)
