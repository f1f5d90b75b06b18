"""Signals in time as files: CSV with a column each, or NetCDF; complex waves as two real columns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from photosim.files import check_target
from photosim.files.atomic import replacing
from photosim.files.csv import write_columns

if TYPE_CHECKING:
    import numpy as np
    import xarray
    from numpy.typing import NDArray

SUFFIXES = (".csv", ".nc")


def write(path: str | Path, data: xarray.Dataset) -> Path:
    """Write the Dataset of `ps.transient` to a .csv or .nc file, whole or not at all.

    Columns are time_s, currents `<detector>_A`, waves `<probe>_<carrier>_re` and `_im` in sqrt(W), drives by
    their setting, and states. A NetCDF file has wave_re and wave_im instead of wave. DataError when it fails.
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


def _columns(data: xarray.Dataset) -> tuple[list[str], list[NDArray[np.float64]]]:
    """Return the names and the columns (T,) of a table of all signals."""
    header: list[str] = ["time_s"]
    columns: list[NDArray[np.float64]] = [data.time.values]
    if "current" in data:
        header += [f"{name}_A" for name in data.detector.values]
        columns += list(data.current.values)
    for probe, waves in zip(data.probe.values, data.wave.values, strict=True):
        for carrier, wave in enumerate(waves):
            header += [f"{probe}_{carrier}_re", f"{probe}_{carrier}_im"]
            columns += [wave.real, wave.imag]
    for variable, names in (("drive", "setting"), ("state", "state_name")):
        if variable in data:
            header += list(data[names].values)
            columns += list(data[variable].values)
    return header, columns
