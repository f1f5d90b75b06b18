"""Errors of the products of a weight bank, measured as in filipovich2022."""

from __future__ import annotations

import numpy as np

from photosim.arguments import public
from photosim.training.devices.bank.weight_bank import WeightBank


@public
def product_error(
    bank: WeightBank, rng: np.random.Generator, samples: int = 256, used: int | None = None
) -> tuple[float, float]:
    """Return mean and standard deviation of the error of a bank's products, reading minus target.

    Random inputs between 0 and 1 are multiplied by the programmed weights. Products are normalised to -1 ...
    1.

    bank: with programmed weights.  rng: draws inputs and noise.  samples: number of random inputs.  used:
    number of inputs that are not dark, by default all.
    """
    target = bank.programmed.target
    probe = bank.with_noise(bank.noise, rng, drift=bank.drift)
    lit = target.shape[1] if used is None else used
    x = rng.uniform(0.0, 1.0, (samples, target.shape[1]))
    x[:, lit:] = 0.0
    error = (probe.apply(x) - x @ target.T) / (np.abs(target).max() * lit)
    return float(np.mean(error)), float(np.std(error))


@public
def effective_bits(bank: WeightBank, rng: np.random.Generator, samples: int = 256) -> float:
    """Return the effective bits of a bank's products, log2(2 / sigma); infinite for an exact bank.

    sigma is the standard deviation of the error of products between -1 and 1.

    bank: with programmed weights.  rng: draws inputs and noise.  samples: number of random inputs.
    """
    sigma = product_error(bank, rng, samples)[1]
    return float(np.log2(2.0 / sigma)) if sigma > 0.0 else float("inf")
