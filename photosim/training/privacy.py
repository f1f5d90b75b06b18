"""How much a noisy training gives away of any one sample: Renyi privacy of a Gaussian mechanism."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number, check_whole, is_number
from photosim.errors import ParameterError
from photosim.reals import shown
from photosim.training.arrays import FloatArray, RealArray

if TYPE_CHECKING:
    from photosim.training.devices.medium.scattering_medium import ScatteringMedium

ORDERS = np.concatenate([np.arange(1.1, 10.95, 0.1), np.arange(12.0, 64.0)])
"""Orders of divergence among which the least epsilon is searched, those of the code after ohana2021."""


@public
@dataclass(frozen=True)
class Accountant:
    """Privacy spent by the release of quantities with normal noise.

    sensitivity: largest Euclidean change of a release when one sample is exchanged for another.  deviation:
    standard deviation of the noise on each released number, in the same unit. The divergences of several
    releases add up (mironov2017). In an epoch over shuffled batches, each sample is in one batch, and only
    the release of that batch counts: releases are epochs. The random order of samples is not credited, so
    that epsilon is an upper bound.
    """

    sensitivity: float
    deviation: float

    def __post_init__(self) -> None:
        """Raise ParameterError for a sensitivity or noise that is not positive."""
        right = is_number(self.sensitivity) and is_number(self.deviation)
        if not (right and 0.0 < self.sensitivity < np.inf and 0.0 < self.deviation < np.inf):
            message = (
                f"An accountant needs a sensitivity and a noise above 0, got {shown(self.sensitivity)} and "
                f"{shown(self.deviation)}: without noise nothing is private."
            )
            raise ParameterError(message)

    def divergence(self, orders: FloatArray, releases: int = 1) -> FloatArray:
        """Return the Renyi divergence of each order: order S^2 / (2 sigma^2) for each release."""
        return np.asarray(releases * orders * self.sensitivity**2 / (2.0 * self.deviation**2))

    def epsilon(self, releases: int, delta: float = 1e-5) -> float:
        """Return the least epsilon for which all releases together are (epsilon, delta) private.

        By the conversion of canonne2020, proposition 12: at every order
        divergence + log((order - 1)/order) - (log delta + log order)/(order - 1); never below 0.
        """
        check_number("Accountant.epsilon", 0.0, 1.0, delta=delta)
        check_whole("Accountant.epsilon", releases=releases)
        if not 0.0 < delta < 1.0 or releases < 0:
            message = f"delta lies between 0 and 1, releases are 0 or more: got {delta!r} and {releases!r}."
            raise ParameterError(message)
        if releases == 0:
            return 0.0
        spent = self.divergence(ORDERS, releases) + np.log((ORDERS - 1.0) / ORDERS)
        return max(0.0, float(np.min(spent - (np.log(delta) + np.log(ORDERS)) / (ORDERS - 1.0))))


@public
def photon_deviation(device: ScatteringMedium, levels: RealArray) -> FloatArray:
    """Return the noise of a medium's products of errors -1, 0 and 1, (batch,), in the products' unit.

    It is the standard deviation over the outputs, caused by light and camera. For phase stepping in two
    steps, each sign is the difference of two readings with means A^2 +- 2 A Re E + |E|^2 electrons. Its
    variance in electrons is (2 (A^2 + |E|^2) + 2 (s^2 + q^2/12))/(16 A^2), with read noise s and grey level
    q; |E|^2 is that of the displayed entries. More light gives less noise. A sample of zeros takes no frame
    and has no noise, so this noise alone gives no privacy, and an Accountant must not use it.

    device: the medium, with noise="physical".  levels: the errors, (batch, inputs).
    """
    how, chain = device.how, device.chain
    if how.noise != "physical" or how.method != "phase-stepping" or (how.steps, how.planes) != (2, 1):
        message = (
            'The noise of photons is known for noise="physical" and phase stepping in two steps of one plane.'
        )
        raise ParameterError(message)
    per_watt = chain.camera.electrons_per_watt(chain.wl)
    reference = abs(chain.reference_at_pixel) ** 2 * per_watt
    variance = np.zeros(len(levels))
    for picture in (levels > 0, levels < 0):
        signal = np.mean(np.abs(chain.fields(picture)[:, device.pixels]) ** 2, axis=1) * per_watt
        dark = chain.camera.dark_rate * chain.camera.exposure
        shot = reference + signal + dark if chain.camera.shot else 0.0
        variance += (shot + chain.camera.read_noise**2 + chain.camera.level**2 / 12.0) / (8.0 * reference)
    variance[~np.any(levels, axis=1)] = 0.0
    return np.asarray(np.sqrt(variance / per_watt) / device.unit)
