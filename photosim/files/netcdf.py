"""Scattering matrices as NetCDF: variables `S_re` and `S_im` over (..., wavelength_um, to, from).

NetCDF has no complex numbers, hence two real variables. The file is NetCDF 3 (64-bit offsets), which scipy
writes without further libraries and every NetCDF reader understands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from photosim.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from photosim.smatrix import SMatrix


def write(path: Path, s: SMatrix) -> None:
    """Write the whole matrix."""
    import xarray as xr

    ports = np.array(s.ports, dtype=str)
    axes = (*(f"setting_{k}" for k in range(s.values.ndim - 3)), "wavelength_um", "to", "from")
    data = xr.Dataset(
        {"S_re": (axes, s.values.real), "S_im": (axes, s.values.imag)},
        coords={"wavelength_um": s.wl, "to": ports, "from": ports},
        attrs={"title": "scattering matrix, wave amplitudes in sqrt(W), time dependence exp(-i omega t)"},
    )
    data["wavelength_um"].attrs = {"units": "um", "long_name": "vacuum wavelength"}
    data.to_netcdf(path, engine="scipy", format="NETCDF3_64BIT")


def read(path: Path) -> SMatrix:
    """Return the matrix stored by `write`; DataError when the file is damaged or of another form."""
    import xarray as xr

    from photosim.smatrix import SMatrix

    try:
        with xr.open_dataset(path, engine="scipy") as data:
            # Reading sorts nothing, but axes of length one may have moved: name the order.
            leading = [axis for axis in data["S_re"].dims if str(axis).startswith("setting_")]
            order = (*leading, "wavelength_um", "to", "from")
            values = data["S_re"].transpose(*order).values + 1j * data["S_im"].transpose(*order).values
            wl, ports = data["wavelength_um"].values, data["to"].values
    # Damage surfaces as whatever the reader's next step raises.
    except Exception as error:
        message = f"Cannot read {path} as the NetCDF file of a scattering matrix: {error}"
        raise DataError(message) from error
    return SMatrix(wl, tuple(str(port) for port in ports), values)
