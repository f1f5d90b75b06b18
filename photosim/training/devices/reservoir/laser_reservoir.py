"""A laser of wide aperture as a layer of coupled nodes: patterns in, powers of the near field out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import check_arguments, public
from photosim.display import Shown
from photosim.errors import ParameterError
from photosim.media.modulators import Dmd
from photosim.media.speckle_fibre import SpeckleFibre
from photosim.media.weighing import WeighingDetector, WeighingMirrors
from photosim.media.wide_laser import WideLaser
from photosim.media.wide_laser_field import Spectrum, WideLaserField
from photosim.training.arrays import ComplexArray, FloatArray, RealArray

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from photosim.circuit import Circuit

BLOCK = 1024
"""Patterns sent together."""
_KINDS = (Dmd, SpeckleFibre, WideLaser, WeighingMirrors, WeighingDetector)
_NAMES = ("dmd", "speckle_fiber", "large_area_vcsel", "weighing_mirrors", "weighing_detector")


@public
@dataclass(frozen=True, eq=False)
class LaserReservoir(Shown):
    """Mirrors, fibre, laser, weighing mirrors and detector of a circuit, in the order of the light.

    wl: in um.  beam: amplitude in sqrt(W) on all mirrors.  rin: relative intensity noise in 1/Hz.
    """

    images: Dmd
    fibre: SpeckleFibre
    laser: WideLaser
    mirrors: WeighingMirrors
    detector: WeighingDetector
    wl: float
    beam: complex
    rin: float

    @classmethod
    def from_circuit(cls, circuit: Circuit, **settings: Any) -> LaserReservoir:
        """Return the device of a circuit with these blocks, one of each, lit by one laser.

        settings: of the circuit, as in a call. Raises ParameterError for a circuit without these.
        """
        check_arguments(cls.from_circuit.__func__, locals())  # type: ignore[attr-defined]
        from photosim.engine.freespace import bus_chain

        chain = bus_chain(circuit, settings)
        made = [one for _, one in chain.stages]
        if len(made) != len(_KINDS) or not all(map(isinstance, made, _KINDS)):
            found = " - ".join(name for name, _ in chain.stages)
            message = (
                f"A laser reservoir is a chain {' - '.join(_NAMES)}; the blocks of {circuit.name!r} are "
                f"{found}."
            )
            raise ParameterError(message)
        images, fibre, laser, mirrors, detector = made
        if fibre.pitch != laser.pitch:
            message = (
                f"The fibre's cells are {fibre.pitch:g} um apart and the laser's {laser.pitch:g} um: they "
                "must be the same."
            )
            raise ParameterError(message)
        rin = 10 ** (float(chain.laser["rin_dB_Hz"]) / 10)
        return cls(images, fibre.at_wavelength(chain.wl), laser, mirrors, detector, chain.wl, chain.beam, rin)

    @property
    def nodes(self) -> int:
        """Number of weighted nodes."""
        return self.mirrors.nodes

    def warmer(self, fibre: float, laser: float, detuning: float = 0.0) -> LaserReservoir:
        """Return the device with a fibre and a laser warmer by these K, and light `detuning` Hz higher.

        The line of the wide laser shifts by 0.06 nm/K (michalzik2013).
        """
        from photosim.conventions import SPEED_OF_LIGHT_UM_S

        wl = 1 / (1 / self.wl + detuning / SPEED_OF_LIGHT_UM_S)
        return replace(
            self, fibre=self.fibre.at_temperature(fibre).at_wavelength(wl), wl=wl,
            laser=replace(self.laser, wl=self.laser.wl + 6e-5 * laser),
        )  # fmt: skip

    def injected(self, patterns: RealArray) -> NDArray[np.complex64]:
        """Return the waves (batch, cells) in sqrt(W) that reach the laser for patterns of zeros and ones."""
        return np.asarray(self.fibre.project(self.images.modulate(patterns)) * np.complex64(self.beam))

    def speckle(self, patterns: RealArray) -> RealArray:
        """Return the powers (batch, nodes) in W of the speckle alone, without the laser."""
        return self._blocks(patterns, self.injected)

    def states(
        self, patterns: RealArray, report: Callable[[int, int], None] = lambda _done, _total: None
    ) -> RealArray:
        """Return the powers (batch, nodes) in W at the mirrors in the laser's steady state, for patterns."""
        return self._blocks(patterns, lambda part: self.laser.settle(self.injected(part), self.wl), report)

    def _blocks(
        self,
        patterns: RealArray,
        sent: Callable[[RealArray], Any],
        report: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> RealArray:
        out = np.empty((len(patterns), self.nodes), dtype=np.float32)
        for start in range(0, len(patterns), BLOCK):
            part = patterns[start : start + BLOCK]
            out[start : start + BLOCK] = self.mirrors.powers(sent(part))
            report(min(start + BLOCK, len(patterns)), len(patterns))
        return out

    def field_states(self, patterns: RealArray, duration: float, **field: Any) -> FloatArray:
        """Return the powers (batch, nodes) in W after `duration` s of the laser's field in time.

        field: settings of `WideLaserField`.
        """
        model = WideLaserField(laser=self.laser, **field)
        out = np.empty((len(patterns), self.nodes))
        for number, waves in enumerate(self.injected(patterns)):
            state = model.run(waves, duration, wl=self.wl)
            out[number] = self.mirrors.powers(model.out(waves, state, self.wl)[np.newaxis])[0]
        return out

    def spectrum(self, pattern: RealArray, *, rng: np.random.Generator | None = None, **how: Any) -> Spectrum:
        """Return the spectrum of the light on the mirrors for one pattern (mirrors,).

        rng: draws spontaneous emission.  how: settle, samples, spacing of `WideLaserField.spectrum`, and
        `spontaneous`. Light steeper than the fibre's own does not reach the mirrors' lens.
        """
        model = WideLaserField(laser=self.laser, spontaneous=how.pop("spontaneous", 0.0))
        waves = self.injected(np.asarray(pattern)[np.newaxis])[0]
        found = model.spectrum(waves, wl=self.wl, rng=rng, **how)
        return replace(found, fields=self._seen(found.fields))

    def _seen(self, fields: ComplexArray) -> ComplexArray:
        """Return waves (samples, nodes) of waves (samples, cells), without those steeper than the fibre's."""
        n = self.laser.side
        spectrum = np.fft.fft2(fields.reshape(-1, n, n)).reshape(len(fields), -1)
        kept = np.zeros_like(spectrum)
        kept[:, self.fibre.modes] = spectrum[:, self.fibre.modes]
        back = np.fft.ifft2(kept.reshape(-1, n, n)).reshape(len(fields), -1)
        return np.asarray(back[:, self.mirrors.cells])
