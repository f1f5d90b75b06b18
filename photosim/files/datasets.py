"""xarray Datasets of analyses as NetCDF: complex variables as two real ones, `_re` and `_im`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import DataError
from photosim.files.atomic import replacing

if TYPE_CHECKING:
    import xarray


def write(path: Path, data: xarray.Dataset) -> None:
    """Write a Dataset to a NetCDF 3 file, whole or not at all."""
    plain = data
    for name, variable in data.data_vars.items():
        if np.iscomplexobj(variable.values):
            parts = {f"{name}_re": variable.real, f"{name}_im": variable.imag}
            plain = plain.drop_vars(str(name)).assign(
                {part: values.assign_attrs(variable.attrs) for part, values in parts.items()}
            )
    narrow = {np.dtype(np.int64): np.int32, np.dtype(np.bool_): np.int8}  # NetCDF 3 has 32 bits
    for name in list(plain.variables):
        kind = narrow.get(plain[name].dtype)
        if kind is not None:
            plain[name] = plain[name].astype(kind)
    plain.attrs = {k: str(v) if isinstance(v, int) else v for k, v in plain.attrs.items()}
    with replacing(path) as temporary:
        plain.to_netcdf(temporary, engine="scipy", format="NETCDF3_64BIT")


def read(path: str | Path) -> xarray.Dataset:
    """Return the Dataset that `write` wrote; DataError for a file that is missing or damaged."""
    import xarray

    source = Path(path)
    try:
        with xarray.open_dataset(source, engine="scipy") as opened:
            data = opened.load()
    except FileNotFoundError:
        message = f"There is no file {source}."
        raise DataError(message) from None
    # Damage surfaces as whatever the reader's next step raises.
    except Exception as error:
        message = f"Cannot read {source} as the NetCDF file of an analysis: {error}"
        raise DataError(message) from error
    for name in [str(n).removesuffix("_re") for n in data.data_vars if str(n).endswith("_re")]:
        if f"{name}_im" in data:
            parts: Any = (data[f"{name}_re"], data[f"{name}_im"])
            whole = (parts[0] + 1j * parts[1]).assign_attrs(parts[0].attrs)
            data = data.drop_vars([f"{name}_re", f"{name}_im"]).assign({name: whole})
    return data
