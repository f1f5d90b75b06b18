"""How fast measured spectra repeat, and how densely they must be sampled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.fits.problem import Spectra

_TREND = 3
_CLEAR = 0.1
_RESOLVED = 0.02
FEWEST = 400
"""Wavelengths that a search keeps at least."""


def period(data: Spectra) -> float:
    """Return the shortest period of the columns' fringes in samples; all samples where there is none."""
    decibels = np.where(np.isfinite(data.decibels), data.decibels, np.nan)
    found = [_period(data.wl, values) for values in decibels]
    return float(min(found))


def _period(wl: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    known = np.isfinite(values)
    count = len(wl)
    if known.sum() < 8:
        return float(count)
    frequency = 1.0 / wl
    even = np.linspace(frequency[0], frequency[-1], count)
    series = np.interp(even[::-1], frequency[known][::-1], values[known][::-1])
    u = np.linspace(-1.0, 1.0, count)
    series = series - np.polynomial.legendre.Legendre.fit(u, series, _TREND)(u)
    size = 1 << (2 * count - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(series, size)) ** 2
    correlation = np.fft.irfft(spectrum)[: count - 1]
    if not correlation[0] > 0.0:
        return float(count)
    correlation = correlation / correlation[0] * count / (count - np.arange(count - 1))
    below = np.flatnonzero(correlation[: 2 * count // 3] < 0.0)
    if not below.size:
        return float(count)
    rest = correlation[below[0] : 2 * count // 3]
    if not rest.size or rest.max() < _CLEAR:
        return float(count)
    first = np.flatnonzero(rest > max(_CLEAR, 0.7 * rest.max()))[0]
    # The top of that first clear peak.
    end = first + np.argmax(np.append(rest[first:] < 0.5 * rest[first], True))
    return float(below[0] + first + int(np.argmax(rest[first : max(end, first + 1)])))


def correlation_length(residuals: NDArray[np.float64]) -> float:
    """Return the samples along which residuals (C, W) stay alike: the sum of their correlation."""
    lengths = []
    for values in residuals:
        known = values[np.isfinite(values)]
        if known.size < 8 or not known.std() > 0.0:
            lengths.append(1.0)
            continue
        centred = known - known.mean()
        size = 1 << (2 * known.size - 1).bit_length()
        r = np.fft.irfft(np.abs(np.fft.rfft(centred, size)) ** 2)[: known.size]
        r = r / r[0]
        end = int(np.argmax(np.append(r < 0.0, True)))
        lengths.append(1.0 + 2.0 * float(r[1:end].sum()))
    return float(max(lengths))


def thinned(data: Spectra) -> Spectra:
    """Return the spectra at as few wavelengths as show all that is in them."""
    step = 1
    spread = np.nanstd(data.decibels, axis=1)
    while len(data.wl) // (2 * step) >= FEWEST:
        coarse = slice(0, None, 2 * step)
        worst = 0.0
        for values, whole in zip(data.decibels, spread, strict=True):
            known = np.isfinite(values)
            kept = np.zeros(len(values), dtype=bool)
            kept[coarse] = True
            nodes = kept & known
            if nodes.sum() < 8:
                return data.at(slice(0, None, step))
            straight = np.interp(data.wl[known], data.wl[nodes], values[nodes])
            worst = max(worst, float(np.mean((straight - values[known]) ** 2)) / max(float(whole**2), 1e-30))
        if worst > _RESOLVED:
            break
        step *= 2
    return data.at(slice(0, None, step))
