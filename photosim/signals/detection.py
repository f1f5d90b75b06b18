"""Mean photocurrents of a circuit's detectors under its own light sources."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError, PhotosimWarning
from photosim.model import Detector, Source
from photosim.units import as_wavelengths

if TYPE_CHECKING:
    import xarray
    from numpy.typing import ArrayLike, NDArray

    from photosim.circuit import Circuit
    from photosim.engine.graph import Part


def photocurrents(circuit: Circuit, wl: ArrayLike | None, settings: Mapping[str, Any]) -> xarray.DataArray:
    """Return the mean photocurrent in A of every detector, dimensions (batch,) wavelength, detector.

    Without wl the grid is that of all source lines, each source lit at its
    own; with wl (W,) in um every source is tuned along the grid with its total
    power. Different sources, and different lines, add in power; the paths of
    one line add as waves. Dark currents are not included. A detector with more
    light than its saturation_power warns, and its current stays there. Raises
    ParameterError where the circuit has no source or no detector.
    """
    import xarray

    if not circuit.sources or not circuit.detectors:
        missing = "light source" if not circuit.sources else "detector"
        message = f"Circuit {circuit.name!r} has no {missing}: photocurrents need a source and a detector."
        raise ParameterError(message)
    values = _settings_at(circuit, settings)
    sources = [circuit.graph.part(name) for name in circuit.sources]
    grid, powers = _spectra(sources, values, wl)
    detectors = [circuit.graph.part(name) for name in circuit.detectors]
    ports = [f"{part.name},{port}" for part in detectors for port in part.ports]
    inputs = [f"{part.name},{part.ports[0]}" for part in sources]
    waves = circuit.transfer(grid, ports, inputs, **settings)
    arriving = np.einsum("...wos,sw->...wo", waves.real**2 + waves.imag**2, powers)
    currents = _currents(
        detectors, values, grid, _saturated(detectors, values, arriving, together=wl is None)
    )
    leading = ["batch"] if currents.ndim == 3 else []
    return xarray.DataArray(
        currents, dims=(*leading, "wavelength", "detector"), name="photocurrent",
        coords={"wavelength": ("wavelength", grid, {"units": "um"}), "detector": list(circuit.detectors)},
        attrs={"units": "A"},
    )  # fmt: skip


def _settings_at(circuit: Circuit, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the settings of every source and detector, those changed in this call included."""
    resolved, point = circuit.at(settings)
    bindings = resolved.graph.bindings
    found: dict[str, dict[str, Any]] = {}
    for part in resolved.graph.parts:
        if isinstance(part.model, Source | Detector):
            found[part.name] = {n: bindings.value(f"{part.name}.{n}") for n in part.written}
    for (part_name, parameter), value in point.changed.items():
        if part_name in found:
            found[part_name][parameter] = value
    return found


def _spectra(
    sources: list[Part], values: Mapping[str, Mapping[str, Any]], wl: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the wavelength grid (W,) and the power in W of each source at each wavelength, (sources, W)."""
    lines = [part.model.lines(**values[part.name]) for part in sources if isinstance(part.model, Source)]
    if wl is not None:
        grid = as_wavelengths(wl)
        return grid, np.array([np.full(len(grid), power.sum()) for _, power in lines])
    grid = np.unique(np.concatenate([own for own, _ in lines]))
    powers = np.zeros((len(lines), len(grid)))
    for row, (own, power) in zip(powers, lines, strict=True):
        np.add.at(row, np.searchsorted(grid, own), power)
    return grid, powers


def _saturated(
    detectors: list[Part],
    values: Mapping[str, Mapping[str, Any]],
    arriving: NDArray[np.float64],
    *,
    together: bool,
) -> NDArray[np.float64]:
    """Return the powers (..., W, ports) that count: no port has more than its detector's saturation_power.

    `together` says that all wavelengths shine at once; what is too much is then taken from all in proportion.
    """
    total = arriving.sum(axis=-2, keepdims=True) if together else arriving
    factor, first = np.ones_like(total), 0
    for part in detectors:
        limit = saturation(part, values[part.name])
        for port in part.ports:
            found = total[..., first]
            factor[..., first] = np.minimum(1.0, limit / np.maximum(found, np.finfo(float).tiny))
            if (found > limit).any():
                warnings.warn(too_bright(f"{part.name},{port}", found, limit), PhotosimWarning, stacklevel=4)
            first += 1
    return arriving * factor


def saturation(part: Part, settings: Mapping[str, Any]) -> Any:
    """Return the saturation_power of a detector in W, (B, 1) where it is a batch; infinite without one."""
    parameter = part.model.parameters.get("saturation_power")
    if parameter is None:
        return np.inf
    value = np.asarray(settings.get("saturation_power", parameter.default), dtype=np.float64)
    return value[..., np.newaxis] if value.ndim else value


def too_bright(port: str, power: Any, limit: Any) -> str:
    """Return the sentence about a port of a detector that gets more light than saturates it."""
    at = np.unravel_index(int(np.argmax(power / limit)), np.shape(power))
    found, most = float(np.asarray(power)[at]), float(np.broadcast_to(limit, np.shape(power))[at])
    return (
        f"Detector port {port!r} receives {1e3 * found:.4g} mW, above its saturation_power of "
        f"{1e3 * most:.4g} mW: its current stays there; attenuate the light by "
        f"{10.0 * np.log10(found / most):.3g} dB or choose a detector for more."
    )


def _currents(
    detectors: list[Part],
    values: Mapping[str, Mapping[str, Any]],
    wl: NDArray[np.float64],
    arriving: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the currents (..., W, detectors) from the powers (..., W, ports) that arrive at all ports."""
    currents, first = [], 0
    for part in detectors:
        if isinstance(part.model, Detector):
            per_watt = part.model.responsivity(wl, **values[part.name])
            total = sum(
                arriving[..., first + k] * per_watt.get(port, 0.0) for k, port in enumerate(part.ports)
            )
            currents.append(total)
        first += len(part.ports)
    return np.stack(currents, axis=-1)
