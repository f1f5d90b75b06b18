"""Ring modulators on a bus as the input of a bank: each sets the power of one channel, with crosstalk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.model import ClosedForm
from photosim.training.arrays import FloatArray, RealArray
from photosim.training.devices.bank.receivers import Lit

if TYPE_CHECKING:
    from photosim.circuit import Circuit

MODEL = "ring_modulator"
MOST_BITS = 12
"""DACs with more bits are treated as ideal."""
DARKEST = 1e-12
"""Least share of the light that a modulator passes, so that it has a logarithm."""


@dataclass(frozen=True)
class Modulators:
    """N modulators in series, one for each channel, and what each passes of every channel at every code.

    names: of the instances.  voltage: of each code, shape (K,); the last one lets most light pass.
    shares: logarithm of the power of channel w that modulator n passes at code k, over that at the last code,
    shape (N, K, N).  low, high: shares of its own channel that every modulator reaches.
    """

    names: tuple[str, ...]
    voltage: FloatArray
    shares: FloatArray
    low: float
    high: float

    @property
    def swing(self) -> float:
        """Part of a line's power that an input from 0 to 1 sweeps."""
        return self.high - self.low

    def codes(self, x: RealArray) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return the codes (batch, N) that suit each channel alone for x (batch, N) between 0 and 1."""
        wanted = self.low + x * self.swing
        steps = np.arange(self.voltage.size)
        nearest = [np.interp(wanted[:, n], levels, steps) for n, levels in enumerate(self.levels)]
        return np.rint(nearest).astype(np.int64).T

    @cached_property
    def levels(self) -> FloatArray:
        """Share of its own channel that each modulator passes at each code, (N, K)."""
        return np.exp([self.shares[n, :, n] for n in range(len(self.names))])

    def light(self, x: RealArray) -> RealArray:
        """Return powers (batch, N) relative to full ones for inputs x (batch, N) between 0 and 1.

        An input of 0 leaves `low` of the light: what is read must be compared with a reading of other inputs.
        """
        from photosim.kernels.modulators import summed_logarithms

        passed = np.empty((len(x), self.shares.shape[2]))
        summed_logarithms(self.shares, np.ascontiguousarray(self.codes(x)), passed)
        return np.asarray(np.exp(passed), dtype=x.dtype)


def find_modulators(circuit: Circuit, wl: FloatArray, bits: int | None) -> Modulators | None:
    """Return the ring modulators of a circuit, in order, for channels wl (N,) in um; None if it has none.

    bits: of the converters that drive them, from 0 V to the netlist's own voltage, at which they are open.
    Raises ParameterError unless there is one a channel, which passes more of it the higher its voltage.
    """
    names = tuple(part.name for part in circuit.graph.parts if part.model.name == MODEL)
    if not names:
        return None
    if len(names) != wl.size:
        message = f"A bus of {wl.size} channels needs as many modulators, found {len(names)}."
        raise ParameterError(message)
    codes = 2 ** min(bits or MOST_BITS, MOST_BITS)
    lit = Lit.of(circuit)
    opened = {float(lit.settings_of(name)["voltage"]) for name in names}
    if len(opened) != 1 or not min(opened) > 0.0:
        message = (
            f"All modulators need the same voltage above 0, at which they are open, found {sorted(opened)}."
        )
        raise ParameterError(message)
    voltage = np.linspace(0.0, opened.pop(), codes)
    shares = np.array([_passed(lit, name, wl, voltage) for name in names])
    own = np.exp([shares[n, :, n] for n in range(len(names))])
    if not np.all(np.diff(own, axis=1) > 0.0):
        message = (
            f"Modulator {names[int(np.argmin(np.diff(own, axis=1).min(axis=1)))]!r} must pass more of its "
            "channel at every step of its voltage: at 0 V it should be on resonance."
        )
        raise ParameterError(message)
    return Modulators(names, voltage, shares, float(own[:, 0].max()), float(own[:, -1].min()))


def _passed(lit: Lit, name: str, wl: FloatArray, voltage: FloatArray) -> FloatArray:
    """Return the logarithm of what one modulator passes (K, N), relative to its last voltage."""
    model = lit.compiled.graph.part(name).model
    assert isinstance(model, ClosedForm)  # noqa: S101 - so that types are known: MODEL is one
    waves = model.s(wl, **{**lit.settings_of(name), "voltage": voltage})[..., 1, 0]
    power = np.maximum(np.abs(waves) ** 2, DARKEST)
    return np.asarray(np.log(power / power[-1]))
