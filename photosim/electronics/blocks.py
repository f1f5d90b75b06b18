"""Rational blocks as ideal elements: filters of signals, and scattering at ports, for nets as for SPICE.

A signal is the voltage of an inner node. Each pole is a capacitor with a conductor, each complex pair two of
them with a gyrator, a sum is a node with 1 ohm to gnd, and a delay a line that ends in its impedance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from photosim.model import elements as ideal
from photosim.model.elements import GROUND, Element

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.electronics.vector_fit import RationalFit

    FloatArray = NDArray[np.float64]

SMALLEST = 1e-15
"""Gain below which a way of a signal is left out."""


@dataclass
class Block:
    """Elements in the making; names begin with `prefix`."""

    prefix: str = ""
    elements: list[Element] = field(default_factory=list)

    def name(self, text: str) -> str:
        """Return the name of an inner node or element."""
        return f"{self.prefix}{text}"

    def add(self, target: str, plus: str, minus: str, gain: float, *, name: str = "") -> None:
        """Add gain times the voltage from plus to minus to the current into a node."""
        if abs(gain) > SMALLEST and plus != minus:
            label = name or self.name(f"g{len(self.elements)}")
            self.elements.append(ideal.transconductance(label, GROUND, target, plus, minus, gain))

    def summed(self, text: str) -> str:
        """Return a new node whose voltage is the sum of the currents into it."""
        node = self.name(text)
        self.elements.append(ideal.resistance(self.name(f"r_{text}"), node, GROUND, 1.0))
        return node

    def delayed(self, node: str, delay: float, text: str) -> str:
        """Return a node whose voltage is that of another one some time before."""
        if delay <= 0.0:
            return node
        start, end = self.summed(f"{text}_in"), self.summed(f"{text}_out")
        # Half of the current stays in the resistor, the other half enters the line.
        self.add(start, node, GROUND, 2.0)
        self.elements.append(ideal.line(self.name(text), start, GROUND, end, GROUND, 1.0, delay))
        return end

    def filtered(self, source: str, fitted: RationalFit, targets: Sequence[str], text: str) -> None:
        """Add the responses (R,) of a fit to a signal to the currents into the targets (R,)."""
        k = 0
        while k < fitted.poles.size:
            pole, size = complex(fitted.poles[k]), float(abs(fitted.poles[k]))
            states = [self._state(f"{text}_x{k}", -pole.real / size, size)]
            if pole.imag > 0.0:
                states.append(self._state(f"{text}_x{k + 1}", -pole.real / size, size))
                self.add(states[0], states[1], GROUND, pole.imag / size)
                self.add(states[1], states[0], GROUND, -pole.imag / size)
            self.add(states[0], source, GROUND, float(len(states)))
            for target, residue in zip(targets, fitted.residues[:, k], strict=True):
                self.add(target, states[0], GROUND, float(residue.real) / size)
                if len(states) > 1:
                    self.add(target, states[1], GROUND, float(residue.imag) / size)
            k += len(states)
        for target, direct in zip(targets, fitted.direct, strict=True):
            self.add(target, source, GROUND, float(direct))

    def _state(self, text: str, conductance: float, size: float) -> str:
        """Return the node of a state: its voltage decays with rate conductance times size."""
        node = self.name(text)
        self.elements.append(ideal.capacitance(self.name(f"c_{text}"), node, GROUND, 1.0 / size))
        self.elements.append(ideal.resistance(self.name(f"r_{text}"), node, GROUND, 1.0 / conductance))
        return node

    def port(self, pin: str, common: str, ohm: float, text: str) -> tuple[str, str]:
        """Return the nodes of the waves at a port, into the block and out of it, in V of half the source.

        The pin sees `ohm` in series with twice the wave that leaves: v = a + b, i = (a - b)/ohm.
        """
        inner = self.name(f"{text}_inner")
        leaving = self.summed(f"{text}_b")
        self.elements += [
            ideal.resistance(self.name(f"{text}_z"), pin, inner, ohm),
            ideal.voltage_gain(self.name(f"{text}_e"), inner, common, leaving, GROUND, 2.0),
        ]
        arriving = self.summed(f"{text}_a")
        self.add(arriving, pin, common, 1.0)
        self.add(arriving, leaving, GROUND, -1.0)
        return arriving, leaving


def scattering(
    pins: Sequence[str], common: str, ohms: Sequence[float], fitted: RationalFit, delays: FloatArray
) -> tuple[Element, ...]:
    """Return the elements of a block given by its power-wave S-matrix, (to, from) row by row in the fit.

    delays: (P P,) in s behind each element.  ohms: reference impedance of each port.
    """
    block, size = Block(), len(pins)
    waves = [
        block.port(pin, common, ohm, f"p{k + 1}") for k, (pin, ohm) in enumerate(zip(pins, ohms, strict=True))
    ]
    for column in range(size):
        targets, own = [], []
        for row in range(size):
            k = row * size + column
            late = float(delays[k])
            target = waves[row][1]
            # Power waves are voltages over the root of the impedance.
            gain = sqrt(ohms[row] / ohms[column])
            own.append((fitted.residues[k] * gain, float(fitted.direct[k]) * gain))
            if late > 0.0:
                text = f"d{row + 1}{column + 1}"
                waiting = block.summed(f"{text}_w")
                end = block.delayed(waiting, late, text)
                block.add(target, end, GROUND, 1.0)
                target = waiting
            targets.append(target)
        part = type(fitted)(
            fitted.poles, np.array([r for r, _ in own]), np.array([d for _, d in own]), fitted.error
        )
        block.filtered(waves[column][0], part, targets, f"s{column + 1}")
    return tuple(block.elements)
