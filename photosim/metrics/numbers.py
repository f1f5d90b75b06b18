"""From lines as the kernel leaves them to named numbers with units and flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.kernels import spectra as kernel
from photosim.units import power_dB

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

UNITS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "resonance": ("um", "wavelength of the line's extreme"),
    "fsr": ("um", "free spectral range at the line"),
    "fwhm": ("um", "full width half-way between extreme and local baseline, in linear power"),
    "q": ("1", "loaded quality factor: resonance/fwhm, in frequency"),
    "extinction_dB": ("dB", "highest over lowest power within one free spectral range"),
    "insertion_loss_dB": ("dB", "loss at the extreme"),
    "bandwidth_1dB": ("um", "width 1 dB below the top of a peak, or below the baseline of a dip"),
    "bandwidth_3dB": ("um", "width 3 dB below the top of a peak, or below the baseline of a dip"),
    "ripple_dB": ("dB", "highest power over the lowest between peaks, in the 3 dB band"),
    "group_delay": ("s", "group delay at the extreme"),
})  # fmt: skip
"""Every number of a line: its unit and what it means."""
FLAGS: Mapping[int, str] = MappingProxyType({
    1: "cut_below", 2: "cut_above", 4: "overlapping", 8: "asymmetric", 16: "irregular_spacing",
    32: "undersampled", 64: "no_line",
})  # fmt: skip
"""What the bits of `flags` mean."""
_CUT, _OVERLAPPING, _ASYMMETRIC, _IRREGULAR, _COARSE, _NONE = 3, 4, 8, 16, 32, 64

LEAN = 0.1
"""Difference of both sides of a line, in baseline or half width, from which it counts as asymmetric."""
SPREAD = 0.05
"""Difference of the distances to both neighbours, in frequency, that no free spectral range has."""
_DARK = 1e-20
"""Power over the highest of the sweep below which a phase is rounding alone."""
POINTS = 1.0
"""Steps of the grid in a full width below which a line is called undersampled."""


@dataclass(frozen=True)
class Reading:
    """The lines of spectra as the kernel leaves them: lines (..., L, COLUMNS), counts, summary.

    counts (..., 3): lines, direction, line that counts.  summary (..., 2): highest and lowest power.
    span: ends of the grid in um.
    """

    lines: FloatArray
    counts: NDArray[np.int64]
    summary: FloatArray
    span: tuple[float, float]

    def reshaped(self, shape: tuple[int, ...]) -> Reading:
        """Return the same with leading axes of that shape."""
        lines = self.lines.reshape(*shape, *self.lines.shape[-2:])
        counts, summary = self.counts.reshape(*shape, 3), self.summary.reshape(*shape, 2)
        return replace(self, lines=lines, counts=counts, summary=summary)

    def replaced(self, lines: FloatArray) -> Reading:
        """Return the same with other lines."""
        return replace(self, lines=lines)

    @property
    def most(self) -> int:
        """Lines that the spectrum with the most of them has, of those that were kept."""
        return int(min(self.counts[..., 0].max(initial=0), self.lines.shape[-2]))


def line_numbers(reading: Reading) -> dict[str, Any]:
    """Return every number of every line, (..., L), with `flags`."""
    k, lines = kernel, reading.lines
    kind = reading.counts[..., 1, np.newaxis]
    at, power, low, high = (lines[..., c] for c in (k.AT, k.POWER, k.LOW_POWER, k.HIGH_POWER))
    there = np.isfinite(at)
    flags = np.where(there, np.nan_to_num(lines[..., k.FLAGS]), _NONE).astype(np.int64)
    cut = flags & _CUT
    with np.errstate(invalid="ignore", divide="ignore"):
        base = base_of(lines, kind)
        left, right = at - lines[..., k.HALF_LOW], lines[..., k.HALF_HIGH] - at
        lost = np.isnan(left) & ((cut & k.CUT_LOW) == 0) | np.isnan(right) & ((cut & k.CUT_HIGH) == 0)
        lean = (cut == 0) & (np.abs(low - high) > LEAN * np.abs(power - base))
        lean |= np.abs(left - right) > LEAN * (left + right)
        flags |= np.where(there & lost, _OVERLAPPING, 0) | np.where(there & lean, _ASYMMETRIC, 0)
        width = np.where((flags & (_OVERLAPPING | _ASYMMETRIC)) == 0, left + right, np.nan)
        flags |= np.where(there & (left + right < POINTS * lines[..., k.STEP]), _COARSE, 0)
        fsr, irregular = _spacing(at, (flags & _IRREGULAR) != 0)
        flags |= np.where(irregular, _IRREGULAR, 0)
        ends = lines[..., k.HALF_HIGH] * lines[..., k.HALF_LOW]
        # A cut side's baseline lies as far out as the sweep's end, or further.
        out = kind * np.where(cut == k.CUT_LOW, high - low, np.where(cut == k.CUT_HIGH, low - high, 0.0))
        flags |= np.where(there & (out > LEAN * np.abs(power - base)), _ASYMMETRIC, 0)
        width = np.where((flags & (_OVERLAPPING | _ASYMMETRIC)) == 0, width, np.nan)
        q = ends / (at * width)  # f0/(f_low - f_high)
        floor = np.where(cut == k.CUT_LOW, high, np.where(cut == k.CUT_HIGH, low, np.minimum(low, high)))
        roof = np.where(cut == k.CUT_LOW, high, np.where(cut == k.CUT_HIGH, low, np.maximum(low, high)))
        contrast = np.where(kind > 0, power / floor, roof / power)
        delay = -(at**2) * lines[..., k.DELAY] / (2.0 * np.pi * SPEED_OF_LIGHT_UM_S)
        delay = np.where(power > _DARK * reading.summary[..., :1], delay, np.nan)
        return {
            "resonance": at,
            "fsr": fsr,
            "fwhm": width,
            "q": q,
            "extinction_dB": power_dB(contrast),
            "insertion_loss_dB": 0.0 - power_dB(power),
            "bandwidth_1dB": lines[..., k.ONE_HIGH] - lines[..., k.ONE_LOW],
            "bandwidth_3dB": lines[..., k.THREE_HIGH] - lines[..., k.THREE_LOW],
            "ripple_dB": 0.0 - power_dB(lines[..., k.RIPPLE]),
            "group_delay": delay,
            "flags": flags,
        }


def base_of(lines: Any, kinds: Any) -> Any:
    """Return the local baseline of lines (..., COLUMNS) of directions (...), as the kernel's base_power."""
    k = kernel
    cut = np.nan_to_num(lines[..., k.FLAGS]).astype(int) & _CUT
    low, high = lines[..., k.LOW_POWER], lines[..., k.HIGH_POWER]
    further = np.where(kinds > 0, np.minimum(low, high), np.maximum(low, high))
    base = np.where(cut == 0, 0.5 * (low + high), further)
    return np.where(cut == k.CUT_LOW, high, np.where(cut == k.CUT_HIGH, low, base))


def _spacing(at: FloatArray, lone: NDArray[np.bool_]) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return the free spectral range at each line in um, and where there is none, (..., L).

    lone: lines that the kernel found to be not one of a comb.
    """
    below, above = np.full_like(at, np.nan), np.full_like(at, np.nan)
    below[..., 1:] = np.diff(at, axis=-1)
    above[..., :-1] = np.diff(at, axis=-1)
    # In frequency, where resonances of one ring are equally spaced: d lambda/lambda**2 to both neighbours.
    down, up = below / (at * (at - below)), above / (at * (at + above))
    irregular = lone | (np.abs(down - up) > SPREAD * np.maximum(down, up))
    mean = np.where(np.isnan(down), up, np.where(np.isnan(up), down, 0.5 * (down + up)))
    return np.where(irregular, np.nan, mean * at**2), irregular


def numbers(reading: Reading) -> dict[str, Any]:
    """Return every number of the line that counts, (...), with `flags`, `lines` and `direction`."""
    every = line_numbers(reading)
    chosen = reading.counts[..., 2, np.newaxis]
    found = {name: np.take_along_axis(values, chosen, axis=-1)[..., 0] for name, values in every.items()}
    return {**found, "lines": reading.counts[..., 0], "direction": reading.counts[..., 1]}


def dataset(
    reading: Reading, dims: tuple[str, ...], coords: Mapping[str, Any] | None = None
) -> xarray.Dataset:
    """Return a Dataset of all numbers over named leading dimensions, of every line along `line`."""
    import xarray

    main, every = numbers(reading), line_numbers(reading)
    variables: dict[str, Any] = {}
    for name, (unit, words) in UNITS.items():
        variables[name] = (dims, main[name], {"units": unit, "long_name": words})
        one = (
            (*dims, "line"),
            every[name][..., : reading.most],
            {"units": unit, "long_name": f"{words}, line by line"},
        )
        variables[f"line_{name}"] = one
    meaning = {"flag_masks": list(FLAGS), "flag_meanings": " ".join(FLAGS.values())}
    variables["flags"] = (dims, main["flags"], meaning)
    variables["line_flags"] = ((*dims, "line"), every["flags"][..., : reading.most], meaning)
    variables["lines"] = (dims, main["lines"], {"long_name": "lines that the sweep shows"})
    variables["direction"] = (
        dims,
        main["direction"],
        {"long_name": "1 for peaks, -1 for dips, 0 for neither"},
    )
    variables["highest_dB"] = (dims, power_dB(reading.summary[..., 0]), {"units": "dB"})
    variables["lowest_dB"] = (dims, power_dB(reading.summary[..., 1]), {"units": "dB"})
    return xarray.Dataset(variables, coords=coords)


def said(flags: int) -> str:
    """Return the bits of a flag in words."""
    return ", ".join(words.replace("_", " ") for bit, words in FLAGS.items() if int(flags) & bit)
