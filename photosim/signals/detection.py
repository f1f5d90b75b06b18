"""Mean photocurrents of a circuit's detectors under its own light sources."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.engine.bindings import flat_settings
from photosim.engine.grids import resolve
from photosim.errors import ParameterError, PhotosimWarning
from photosim.model import Detector, Source
from photosim.signals.interference import Lit, refuse_interference
from photosim.signals.saturation import detected_share, saturation_power, too_bright

if TYPE_CHECKING:
    import xarray
    from numpy.typing import ArrayLike, NDArray

    from photosim.circuit import Circuit
    from photosim.engine.compiled import Compiled
    from photosim.engine.graph import Part


@public
def photocurrents(
    circuit: Circuit, wl: ArrayLike | str | None, settings: Mapping[str, Any]
) -> xarray.DataArray:
    """Return the mean photocurrent in A of every detector, dimensions (batch,) wavelength, detector.

    Without wl, the wavelengths are those of all laser lines, each source at its own. With wl (W,) in um,
    every source is tuned along it with its total power. Powers of different sources and lines add up; the
    paths of one line add up as waves. Converters that are wired to electrical inputs drive them. Dark current
    and the current of spontaneous emission belong to no wavelength: without wl they are spread evenly, so
    that the sum over all wavelengths is the current of the detector; with wl each value includes all of them.
    A detector with more light than its saturation_power warns, and its current is limited.

    circuit: with sources and detectors.  wl: in um, or None.  settings: of the circuit, by instance or dotted
    name.

    Raises ParameterError if the circuit has no source or no detector, and if light of separate lasers
    interferes at a detector.
    """
    import xarray

    if not circuit.sources or not circuit.detectors:
        missing = "light source" if not circuit.sources else "detector"
        message = f"Circuit {circuit.name!r} has no {missing}: photocurrents need a source and a detector."
        raise ParameterError(message)
    compiled, point = circuit.driven_at(settings)
    for drive in point.drives:
        if drive.beyond:
            warnings.warn(drive.remark(), PhotosimWarning, stacklevel=3)
    sources = [part for part in compiled.graph.parts if isinstance(part.model, Source)]
    detectors = [part for part in compiled.graph.parts if isinstance(part.model, Detector)]
    values = {part.name: compiled.parts.settings_of(part, point) for part in (*sources, *detectors)}
    ports = [f"{part.name},{port}" for part in detectors for port in part.ports]
    inputs = [f"{part.name},{part.ports[0]}" for part in sources]
    grid, powers = spectra(
        sources, values, None if wl is None else resolve(circuit, wl, dict(settings), ports, inputs)
    )
    waves = compiled.waves(ports, inputs, point, grid)
    _refuse_interference(sources, detectors, values, grid, (waves, powers), together=wl is None)
    arriving = np.einsum("...wos,sw->...wo", waves.real**2 + waves.imag**2, powers)
    currents = _currents(
        detectors, values, grid, _saturated(detectors, values, arriving, together=wl is None)
    )
    steady = _dark(detectors, values, grid) + _emission(circuit, compiled, settings)
    currents = currents + steady / (len(grid) if wl is None else 1)
    leading = ["batch"] if currents.ndim == 3 else []
    return xarray.DataArray(
        currents, dims=(*leading, "wavelength", "detector"), name="photocurrent",
        coords={"wavelength": ("wavelength", grid, {"units": "um"}),
                "detector": [part.name for part in detectors]},
        attrs={"units": "A"},
    )  # fmt: skip


def spectra(
    sources: list[Part], values: Mapping[str, Mapping[str, Any]], wl: ArrayLike | str | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the wavelength grid (W,) and the power in W of each source at each wavelength, (sources, W)."""
    lines = [part.model.lines(**values[part.name]) for part in sources if isinstance(part.model, Source)]
    if wl is not None:
        grid = np.asarray(wl)
        return grid, np.array([np.full(len(grid), power.sum()) for _, power in lines])
    grid = np.unique(np.concatenate([own for own, _ in lines]))
    powers = np.zeros((len(lines), len(grid)))
    for row, (own, power) in zip(powers, lines, strict=True):
        np.add.at(row, np.searchsorted(grid, own), power)
    return grid, powers


def _refuse_interference(
    sources: list[Part],
    detectors: list[Part],
    values: Mapping[str, Mapping[str, Any]],
    grid: NDArray[np.float64],
    light: tuple[NDArray[np.complex128], NDArray[np.float64]],
    *,
    together: bool,
) -> None:
    """Raise ParameterError where light of separate sources interferes at a detector.

    light: waves (..., W, ports, sources), and powers (sources, W). `together` says that all wavelengths shine
    at once; else the sources do, at each of them.
    """
    waves, powers = light
    if together:
        own_lines = [
            part.model.lines(**values[part.name]) for part in sources if isinstance(part.model, Source)
        ]
        of = np.repeat(np.arange(len(sources)), [len(wl) for wl, _ in own_lines])
        at = np.searchsorted(grid, np.concatenate([wl for wl, _ in own_lines]))
        each = np.sqrt(np.concatenate([power for _, power in own_lines]))
        fields = np.moveaxis(waves[..., at, :, of], 0, -2) * each[:, np.newaxis]
        frequency = SPEED_OF_LIGHT_UM_S / grid[at]
    else:
        of, at = np.arange(len(sources)), np.zeros(len(sources), int)
        fields = np.swapaxes(waves * np.sqrt(powers).T[:, np.newaxis, :], -1, -2)
        frequency = np.zeros(len(sources))
    lit, first = [], 0
    for part in detectors:
        own, ports = values[part.name], len(part.ports)
        per_watt = part.model.responsivity(grid, **own) if isinstance(part.model, Detector) else {}
        # A batch of responsivities differs in scale alone: its largest one says how strong the beats are.
        rows = [np.broadcast_to(per_watt.get(p, 0.0), np.shape(grid))[..., at] for p in part.ports]
        responsivity = np.array([row.reshape(-1, len(at))[0] for row in rows])
        bandwidth = float(np.max(own.get("bandwidth", 0.0)))
        lit.append(Lit(part.name, bandwidth, responsivity, fields[..., first : first + ports]))
        first += ports
    refuse_interference("the photocurrent", [sources[k].name for k in of], frequency, lit)


def _dark(
    detectors: list[Part], values: Mapping[str, Mapping[str, Any]], wl: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the dark currents in A, (..., 1, detectors): that of a balanced pair cancels."""
    found = []
    for part in detectors:
        assert isinstance(part.model, Detector)  # noqa: S101 - the caller chose by kind
        found.append(np.asarray(part.model.dark(wl, **values[part.name])))
    return np.stack(np.broadcast_arrays(*found), axis=-1)[..., np.newaxis, :]


def _emission(circuit: Circuit, compiled: Compiled, settings: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return the currents in A of amplifiers' spontaneous emission, (..., 1, detectors)."""
    from photosim.signals.contributions import mean_emission_current
    from photosim.signals.emitters import emits
    from photosim.signals.operating import bare_point

    if not any(emits(part) for part in compiled.graph.parts):
        return np.zeros((1, len(circuit.detectors)))
    flat = flat_settings(settings)
    batch = {name: np.asarray(value) for name, value in flat.items() if np.ndim(value)}
    rows = []
    for k in range(max((len(value) for value in batch.values()), default=1)):
        point = bare_point(circuit, {**flat, **{name: value[k] for name, value in batch.items()}})
        rows.append([mean_emission_current(point, number) for number in range(len(point.receivers))])
    return np.array(rows)[:, np.newaxis, :] if batch else np.array(rows)


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
    share, first = np.ones_like(total), 0
    for part in detectors:
        limit = saturation_power(values[part.name])
        for port in part.ports:
            found = total[..., first]
            share[..., first] = detected_share(found, limit)
            text = too_bright(f"{part.name},{port}", found, limit)
            if text:
                warnings.warn(text, PhotosimWarning, stacklevel=4)
            first += 1
    return arriving * share


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
