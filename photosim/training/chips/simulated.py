"""A simulated chip: voltages in, powers out, with fabrication errors that calibration has to find."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import check_arguments
from photosim.errors import NetlistError, ParameterError, PhotosimError, listing
from photosim.netlist.mappings import read
from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.chips.model import Model, Numbers
from photosim.training.chips.options import ChipOptions
from photosim.training.chips.wiring import ARRANGEMENTS, Wiring
from photosim.training.devices.mesh.circuit import MeshCircuit, find_mesh

if TYPE_CHECKING:
    from photosim.circuit import Circuit

_HOUR = 3600.0


@dataclass(frozen=True)
class _Hidden:
    """What the chip is made of."""

    numbers: Numbers
    heat: FloatArray


class SimulatedChip:
    """The mesh of a circuit as a chip, with fabrication errors drawn from a seed.

    A calibration uses only `set_voltages` and `read_powers`; `matrix()` gives the true matrix, to test a
    calibration. The netlist has the design, and its `chip:` block the size of the errors.
    """

    def __init__(self, circuit: Circuit, options: ChipOptions | None = None, mesh: str | None = None) -> None:
        """Draw the chip.  mesh: name of the instance; may be left out where the circuit has one mesh."""
        check_arguments(SimulatedChip.__init__, {"mesh": mesh})
        self.options = options or ChipOptions()
        design = find_mesh(circuit, mesh or _only_mesh(circuit))
        if design.v is not None or design.u.arrangement not in ARRANGEMENTS:
            what = "an svd_mesh" if design.v is not None else f"a {design.u.arrangement} mesh"
            message = f"A chip is a {' or '.join(ARRANGEMENTS)} mesh, but {design.name!r} is {what}."
            raise ParameterError(message)
        own = self.options
        self._wiring = Wiring(design.u.arrangement, design.guides, own.ohm, own.watt_pi, own.volt_max)
        self._model = Model(self._wiring)
        tree = np.random.SeedSequence(own.seed).spawn(3)
        self._hidden = self._drawn(design, np.random.default_rng(tree[0]))
        self._noise, self._walk = (np.random.default_rng(child) for child in tree[1:])
        self._counters: Counter[str] = Counter()
        self._voltages = np.zeros(len(self._wiring.heaters))
        self.seconds = 0.0
        self._strayed = np.zeros(2 * self._wiring.blocks)
        self._kelvin = own.kelvin * self._walk.standard_normal()

    @classmethod
    def load(cls, path: str | os.PathLike[str], mesh: str | None = None, **changes: Any) -> SimulatedChip:
        """Return the chip of a netlist file with a `chip:` block; `changes` replace its options.

        Raises NetlistError with file and line for a netlist without one, and for a wrong option.
        """
        from photosim.circuit import load

        circuit = load(os.fspath(path))
        written = circuit.netlist.chip
        if written is None:
            message = f"{os.fspath(path)} has no chip: block, which lists the errors of a simulated chip."
            raise ParameterError(message)
        return cls(circuit, chip_options(circuit, {**written, **changes}), mesh)

    @property
    def wiring(self) -> Wiring:
        """The design."""
        return self._wiring

    @property
    def counters(self) -> Counter[str]:
        """Numbers of readings and of settings so far."""
        return self._counters

    def set_voltages(self, voltages: FloatArray) -> None:
        """Set the voltages of all heaters in V, (heaters,), rounded to the steps of the DACs, and settle."""
        asked = np.asarray(voltages, dtype=np.float64)
        top = self._wiring.volt_max
        if asked.shape != self._voltages.shape or not np.all((asked >= 0.0) & (asked <= top)):
            message = (
                f"A chip of {len(self._wiring.heaters)} heaters takes as many voltages from 0 to {top:g} V: "
                f"got shape {asked.shape}"
                + (f", from {asked.min():g} to {asked.max():g}." if asked.size else ".")
            )
            raise ParameterError(message)
        if self.options.bits is not None:
            step = top / (2**self.options.bits - 1)
            asked = np.rint(asked / step) * step
        self._voltages = asked
        self._counters["settings"] += 1
        self.wait(1e-6 * self.options.settling_us)

    def read_powers(self, entrance: int) -> FloatArray:
        """Return the power at each output divided by that at the one lit input, shape (outputs,)."""
        n = self._wiring.n
        if not 0 <= entrance < n:
            message = f"The chip has inputs 0 to {n - 1}, got {entrance}."
            raise ParameterError(message)
        self._counters["readings"] += 1
        own = self._hidden.numbers
        light = np.abs(self.matrix()[:, entrance]) ** 2
        power = np.exp(own.entry[entrance] + own.leave) * light + self.options.stray
        noisy = power * (1.0 + self.options.noise * self._noise.standard_normal(n))
        self.wait(1e-6 * self.options.reading_us)
        return np.asarray(noisy + self.options.dark * self._noise.standard_normal(n))

    def wait(self, seconds: float) -> None:
        """Wait, while phases and temperature drift."""
        own = self.options
        self.seconds += seconds
        if own.drift and seconds > 0.0:
            width = own.drift * np.sqrt(seconds / _HOUR)
            self._strayed = self._strayed + width * self._walk.standard_normal(self._strayed.shape)
        if own.kelvin and seconds > 0.0:
            kept = np.exp(-seconds / own.kelvin_seconds)
            width = own.kelvin * np.sqrt(1.0 - kept**2)
            self._kelvin = kept * self._kelvin + width * self._walk.standard_normal()

    def matrix(self) -> ComplexArray:
        """Return the true complex matrix of the chip now, (outputs, inputs); a reading shows only powers."""
        powers = self._wiring.powers(self._voltages)
        own = self._hidden.numbers
        drive = powers * (1.0 + self.options.self_heating * powers)
        phases = np.pi * np.exp(-own.per_pi) * (self._hidden.heat @ drive) + own.offset + self._strayed
        phases = phases + self.options.per_kelvin * self._kelvin
        made = self._model.blocks(own, phases[np.newaxis])[0]
        found = np.eye(self._wiring.n, dtype=np.complex128)
        for k, pair in enumerate(self._wiring.pairs):
            found[pair] = made[k] @ found[pair]
        return found

    @property
    def hidden(self) -> Numbers:
        """True parameters of the chip, to test a calibration."""
        return self._hidden.numbers

    @property
    def heat(self) -> FloatArray:
        """True fraction of each heater's power that reaches each heater of a block, (2 K, H)."""
        return self._hidden.heat

    def _drawn(self, design: MeshCircuit, rng: np.random.Generator) -> _Hidden:
        """Draw couplers, phases, losses and heat."""
        own, blocks, k = self.options, design.u.blocks, self._wiring.blocks

        def couplers(power: FloatArray) -> FloatArray:
            drawn = np.clip(power + own.coupling * rng.standard_normal(k), 0.0, 1.0)
            return np.asarray(np.arcsin(np.sqrt(drawn)))

        def lost(deviation: float, size: int) -> FloatArray:
            """Return losses in nepers of power; a deviation of dB downwards from none."""
            return np.asarray(-np.log(10.0) / 10.0 * deviation * np.abs(rng.standard_normal(size)))

        base = self._model.start()
        any_phase = own.offset is None
        offset = (
            rng.uniform(0.0, 2.0 * np.pi, 2 * k)
            if any_phase
            else (own.offset or 0.0) * rng.standard_normal(2 * k)
        )
        designed = np.concatenate([np.log(blocks.inner), np.log(blocks.outer)])
        numbers = replace(
            base,
            split=couplers(blocks.split),
            join=couplers(blocks.join),
            offset=offset + np.concatenate([blocks.inner_offset, blocks.outer_offset]),
            per_pi=np.log(np.clip(1.0 + own.power_spread * rng.standard_normal(2 * k), 0.5, 2.0)),
            loss=designed + 0.5 * lost(own.loss_dB, 2 * k),
            entry=lost(own.ends_dB, self._wiring.n),
            leave=lost(own.ends_dB, self._wiring.n),
            share=np.array([own.crosstalk]),
            reach=np.array([own.reach]),
        )
        heat = self._model.heat(numbers)
        spread = np.clip(1.0 + own.crosstalk_spread * rng.standard_normal(heat.shape), 0.0, 2.0)
        spread[np.arange(2 * k), np.arange(2 * k)] = 1.0
        return _Hidden(numbers, heat * spread)


def chip_options(circuit: Circuit, written: Mapping[str, Any]) -> ChipOptions:
    """Return the options of a `chip:` block; NetlistError names file and line of a wrong one."""
    try:
        return read(ChipOptions, dict(written), "chip")
    except PhotosimError as error:
        path = tuple(str(step) for step in getattr(error, "path", ()))[:1]
        mark = circuit.netlist.mark("chip", *path) or circuit.netlist.mark("chip")
        raise NetlistError(str(error), mark) from None


def _only_mesh(circuit: Circuit) -> str:
    names = sorted(
        {name.rpartition(".m0_0.")[0] for name in circuit.parameters if name.endswith(".m0_0.split.coupling")}
    )
    pairs = {name.removesuffix(".v").removesuffix(".u") for name in names}
    if len(names) == 2 and len(pairs) == 1:
        return pairs.pop()
    if len(names) != 1:
        found = f"has the meshes {listing(names)}" if names else "has none"
        message = f"A chip is the mesh of a circuit, but this one {found}: name one by mesh=."
        raise ParameterError(message)
    return names[0]
