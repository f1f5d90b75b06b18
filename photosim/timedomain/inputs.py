"""Light into exposed ports: a power or a field over time, and its carrier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Complex, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError, PhotosimError, did_you_mean, listing
from photosim.timedomain.content import check_band
from photosim.timedomain.waveform import Waveform
from photosim.timedomain.waveforms import as_waveform
from photosim.units import as_wavelengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.timedomain.timeline import Timeline

    ComplexArray = NDArray[np.complex128]

_OPTIONS = ("power", "field", "carrier")
MOST_POWER = 1e6
"""Largest power in W of light into a port, as of a source's."""


@dataclass(frozen=True)
class Light:
    """Light on one carrier.

    power: Waveform in W, or None where the field is given.  field: complex samples in sqrt(W) (T,), a
    Waveform, or one number; None where the power is given.  carrier: frequency in Hz, or None for the only
    one that there is.
    """

    power: Waveform | None
    field: ComplexArray | Waveform | complex | None
    carrier: float | None

    @property
    def listed(self) -> bool:
        """Return whether it is a list of samples, so that nobody knows what follows the last one."""
        given = self.field if self.power is None else self.power
        return (
            given.listed if isinstance(given, Waveform) else isinstance(given, np.ndarray) and given.ndim > 0
        )

    def wave(self, line: Timeline, port: str) -> ComplexArray:
        """Return the wave in sqrt(W) at all samples (T,), held at its first value before time 0.

        Raises ParameterError for a negative power, for samples of another number, and for content beyond the
        band of the sample rate.
        """
        what = f"the light into {port!r}"
        if self.power is not None:
            return line.sampled(self.power, what, shaped=_root(port)).astype(np.complex128)
        if isinstance(self.field, Waveform):
            sampled = line.sampled(self.field, what)
            _refuse_bright(sampled**2, port)
            return sampled.astype(np.complex128)
        wave = np.asarray(self.field, dtype=np.complex128)
        _refuse_bright(np.minimum(np.abs(wave), 1e150) ** 2, port)
        if wave.ndim == 0:
            return np.full(line.total, wave)
        if wave.shape != (line.samples,):
            message = f"The field into {port!r} has shape {wave.shape}, not {(line.samples,)}."
            raise ParameterError(message)
        check_band(wave, line.sample_rate, what)
        return np.asarray(line.held(wave))


def _refuse_bright(power: NDArray[np.float64], port: str) -> None:
    """Raise ParameterError for a power in W of which no light is."""
    most = float(np.max(power))
    if not most <= MOST_POWER:
        message = f"The power into {port!r} rises to {most:g} W: it must be at most {MOST_POWER:g} W."
        raise ParameterError(message)


def _root(port: str) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return the function from powers in W to amplitudes; it raises ParameterError for a negative power."""

    def root(power: NDArray[np.float64]) -> NDArray[np.float64]:
        if (power < 0).any():
            message = f"The power into {port!r} falls to {power.min():g} W: it must not be negative."
            raise ParameterError(message)
        _refuse_bright(power, port)
        return np.asarray(np.sqrt(power))

    return root


def as_lights(value: Any, port: str) -> tuple[Light, ...]:
    """Return the light into a port.

    value: a Waveform, a number or a mapping with wave is a power in W; {"power": w, "carrier": 1.55} and
    {"field": z, "carrier": 1.55} say which it is, and its wavelength in um; a list of those lights several
    carriers. Raises ParameterError for anything else, such as an array, which may mean a power or a field.
    """
    several = isinstance(value, list | tuple) and len(value) > 0
    if several and all(isinstance(one, Mapping | Light | Waveform) for one in value):
        return tuple(light for one in value for light in as_lights(one, port))
    if isinstance(value, tuple | list | np.ndarray) or (isinstance(value, Complex) and not _real(value)):
        message = (
            f"The light into {port!r} may be a power or a field: write {{'power': ...}} for W over time, or "
            "{'field': ...} for complex amplitudes in sqrt(W)."
        )
        raise ParameterError(message)
    if isinstance(value, Light):
        return (value,)
    try:
        if isinstance(value, Mapping) and "wave" not in value:
            return (_light(value),)
        return (Light(as_waveform(value), None, None),)
    except PhotosimError as error:
        message = f"The light into {port!r}: {error}"
        raise ParameterError(message) from None


def _light(value: Mapping[Any, Any]) -> Light:
    """Return the light of a mapping with power or field, and carrier."""
    for key in value:
        if key not in _OPTIONS:
            hint = did_you_mean(str(key), _OPTIONS)
            message = f"there is no option {key!r}. It may have: {listing(_OPTIONS)}, or wave.{hint}"
            raise ParameterError(message)
    if ("power" in value) == ("field" in value):
        found = "both" if "power" in value else "neither"
        message = f"it needs either a power in W or a field in sqrt(W), but has {found}."
        raise ParameterError(message)
    carrier = _carrier(value["carrier"]) if value.get("carrier") is not None else None
    if "power" in value:
        power = value["power"]
        if isinstance(power, complex) or getattr(getattr(power, "dtype", None), "kind", "") == "c":
            message = "its power is complex: write {'field': ...} for complex amplitudes in sqrt(W)."
            raise ParameterError(message)
        return Light(as_waveform(power), None, carrier)
    field = value["field"]
    if isinstance(field, Waveform | Mapping | str) or _real(field):
        return Light(None, as_waveform(field), carrier)
    return Light(None, _amplitudes(field), carrier)


def _amplitudes(field: Any) -> ComplexArray:
    try:
        wave = np.asarray(field, dtype=np.complex128)
    except (TypeError, ValueError):
        message = f"its field must be complex samples in sqrt(W), got {type(field).__name__}."
        raise ParameterError(message) from None
    if wave.ndim > 1 or not wave.size or not np.isfinite(wave).all():
        found = f"an array of shape {wave.shape}" if wave.ndim > 1 or not wave.size else "NaN or infinity"
        message = f"its field must be finite samples along one axis, got {found}."
        raise ParameterError(message)
    return wave


def _carrier(value: Any) -> float:
    """Return the frequency in Hz of a carrier in um."""
    if isinstance(value, list | tuple) or np.ndim(value) or isinstance(value, bool):
        message = f"its carrier must be one wavelength in um, got {value!r}."
        raise ParameterError(message)
    return float(SPEED_OF_LIGHT_UM_S / as_wavelengths(value)[0])


def _real(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)
