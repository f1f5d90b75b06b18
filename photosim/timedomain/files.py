"""Signals in time as files: CSV with a column each, or NetCDF; complex waves as two real columns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from photosim.errors import DataError, listing
from photosim.files import check_target, read_columns
from photosim.files.atomic import replacing
from photosim.files.csv import write_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import xarray
    from numpy.typing import NDArray

SUFFIXES = (".csv", ".nc")
_LISTED = {"drive": "setting", "state": "state_name"}
_NETS = {"voltage": ("net", "V"), "branch_current": ("branch", "A")}
"""Variables of electrical nets, the names of their rows and their units."""
"""Variables whose columns have no unit of their own, and the names of their rows."""


def write(path: str | Path, data: xarray.Dataset) -> Path:
    """Write the Dataset of `ps.transient` to a .csv or .nc file, whole or not at all.

    Columns are time_s, `current_A:<detector>`, `wave_re:<carrier in um>:<probe>` and `wave_im:...` in
    sqrt(W), `voltage_V:<net>`, `branch_current_A:<branch>`, `drive:<setting>` and `state:<name>`. A NetCDF
    file has wave_re and wave_im instead of wave, and all that the Dataset has; `read` reads both. DataError
    when it fails.
    """
    target = check_target(path, SUFFIXES)
    with replacing(target) as temporary:
        if target.suffix == ".nc":
            plain = data.drop_vars("wave").assign(wave_re=data.wave.real, wave_im=data.wave.imag)
            plain.to_netcdf(temporary, engine="scipy", format="NETCDF3_64BIT")
        else:
            header, columns = _columns(data)
            write_columns(temporary, header, columns)
    return target


def read(path: str | Path) -> xarray.Dataset:
    """Return the Dataset that `write` wrote; from a .csv file without attributes, saturation and energies.

    Raises DataError for a file that is missing, damaged or of another form.
    """
    source = Path(path)
    if source.suffix.lower() not in SUFFIXES:
        message = f"Cannot read signals from {source}: known suffixes are {listing(SUFFIXES)}."
        raise DataError(message)
    if source.suffix.lower() == ".csv":
        return _dataset(source, read_columns(source))
    import xarray

    try:
        with xarray.open_dataset(source, engine="scipy") as data:
            found = data.load()
        return found.assign(wave=_complex(found)).drop_vars(["wave_re", "wave_im"])
    except FileNotFoundError:
        message = f"There is no file {source}."
        raise DataError(message) from None
    # Damage surfaces as whatever the reader's next step raises.
    except Exception as error:
        message = f"Cannot read {source} as the NetCDF file of signals: {error}"
        raise DataError(message) from error


def _complex(data: xarray.Dataset) -> xarray.DataArray:
    wave = data["wave_re"] + 1j * data["wave_im"]
    return wave.assign_attrs(data["wave_re"].attrs)


def _columns(data: xarray.Dataset) -> tuple[list[str], list[NDArray[np.float64]]]:
    """Return the names and the columns (T,) of a table of all signals."""
    header: list[str] = ["time_s"]
    columns: list[NDArray[np.float64]] = [data.time.values]
    if "current" in data:
        header += [f"current_A:{name}" for name in data.detector.values]
        columns += list(data.current.values)
    for probe, waves in zip(data.probe.values, data.wave.values, strict=True):
        for carrier, wave in zip(data.carrier.values, waves, strict=True):
            header += [f"wave_re:{float(carrier)!r}:{probe}", f"wave_im:{float(carrier)!r}:{probe}"]
            columns += [wave.real, wave.imag]
    for variable, (names, unit) in _NETS.items():
        if variable in data:
            header += [f"{variable}_{unit}:{name}" for name in data[names].values]
            columns += list(data[variable].values)
    for variable, names in _LISTED.items():
        if variable in data:
            header += [f"{variable}:{name}" for name in data[names].values]
            columns += list(data[variable].values)
    return header, columns


def _dataset(source: Path, columns: Mapping[str, NDArray[np.float64]]) -> xarray.Dataset:
    """Return signals from the columns of a table."""
    import numpy as np
    import xarray

    kinds: dict[str, dict[str, NDArray[np.float64]]] = {}
    for name, values in columns.items():
        kind, _, rest = name.partition(":")
        kinds.setdefault(kind, {})[rest] = values
    waves = kinds.pop("wave_re", {}), kinds.pop("wave_im", {})
    nets = {f"{name}_{unit}": (name, axis, {"units": unit}) for name, (axis, unit) in _NETS.items()}
    known = {"time_s", "current_A", *_LISTED, *nets}
    if [*columns][:1] != ["time_s"] or not set(kinds) <= known or set(waves[0]) != set(waves[1]):
        wanted = "expected time_s, then current_A:, wave_re:, wave_im:, voltage_V:, "
        wanted += "branch_current_A:, drive: and state: with a name behind"
        message = f"{source}:1: its columns are {listing(columns)}; {wanted}."
        raise DataError(message)
    time = columns["time_s"]
    keys = [(float(rest.partition(":")[0]), rest.partition(":")[2]) for rest in waves[0]]
    carriers, probes = (list(dict.fromkeys(found)) for found in ([c for c, _ in keys], [p for _, p in keys]))
    wave = np.zeros((len(probes), len(carriers), time.size), dtype=np.complex128)
    for (carrier, probe), rest in zip(keys, waves[0], strict=True):
        wave[probes.index(probe), carriers.index(carrier)] = waves[0][rest] + 1j * waves[1][rest]
    variables: dict[str, Any] = {"wave": (("probe", "carrier", "time"), wave, {"units": "sqrt(W)"})}
    coordinates: dict[str, Any] = {
        "time": ("time", time, {"units": "s"}),
        "probe": probes,
        "carrier": ("carrier", carriers, {"units": "um"}),
    }
    rows = {"current_A": ("current", "detector", {"units": "A"}), **nets}
    rows |= {variable: (variable, names, {}) for variable, names in _LISTED.items()}
    for kind, (variable, names, units) in rows.items():
        if kind in kinds:
            variables[variable] = ((names, "time"), np.array(list(kinds[kind].values())), units)
            coordinates[names] = list(kinds[kind])
    return xarray.Dataset(variables, coordinates)
