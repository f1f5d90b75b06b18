"""Small-signal responses as files: CSV with columns of real and imaginary parts, or NetCDF."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from photosim.files import check_target
from photosim.files.atomic import replacing
from photosim.files.csv import write_columns

if TYPE_CHECKING:
    import xarray

SUFFIXES = (".csv", ".nc")


def write(path: str | Path, data: xarray.Dataset) -> Path:
    """Write the Dataset of `ps.response` to a .csv or .nc file, whole or not at all.

    Columns are frequency_Hz, `voltage_re:<net>` and `voltage_im:...` in V per unit of the source,
    `current_re:<detector>` and `current_im:...` in A per unit, and `voltage_noise:<net>` in V^2/Hz. A NetCDF
    file has voltage_re, voltage_im, ... as variables. DataError when it fails.
    """
    target = check_target(path, SUFFIXES)
    plain = data.drop_vars([name for name in ("voltage", "current") if name in data])
    for name in ("voltage", "current"):
        if name in data:
            plain[f"{name}_re"], plain[f"{name}_im"] = data[name].real, data[name].imag
    with replacing(target) as temporary:
        if target.suffix.lower() == ".nc":
            plain.to_netcdf(temporary, engine="scipy", format="NETCDF3_64BIT")
            return target
        header, columns = ["frequency_Hz"], [data.frequency.values]
        for name, axis in (("voltage", "net"), ("current", "detector")):
            for k, row in enumerate(data[axis].values if name in data else ()):
                header += [f"{name}_re:{row}", f"{name}_im:{row}"]
                columns += [plain[f"{name}_re"].values[:, k], plain[f"{name}_im"].values[:, k]]
        if "voltage_noise" in data:
            header += [f"voltage_noise:{net}" for net in data.net.values]
            columns += list(data.voltage_noise.values.T)
        write_columns(temporary, header, columns)
    return target
