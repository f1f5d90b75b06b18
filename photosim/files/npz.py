"""Scattering matrices as numpy archives: `wl_um` (W,), `ports` (P,) and `S` (..., W, P, P) as [to, from]."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, cast
from zipfile import ZipFile

import numpy as np

from photosim.errors import DataError, listing

if TYPE_CHECKING:
    from pathlib import Path

    from photosim.model.sampled import SampledData
    from photosim.smatrix import SMatrix

MAX_BYTES = 8 * 2**30
"""Bytes of an archive, unpacked: a small file can claim any size."""
_NAMES = ("wl_um", "ports", "S")


def write(path: Path, s: SMatrix) -> None:
    """Write the whole matrix."""
    # Given a name, numpy would append .npz to one that lacks it: the temporary name must stay as it is.
    with path.open("wb") as stream:
        np.savez_compressed(
            cast("BinaryIO", stream), wl_um=s.wl, ports=np.array(s.ports, dtype=str), S=s.values
        )


def read(path: Path) -> SMatrix | SampledData:
    """Return the matrix stored by `write`, or the table of an archive of gdsfactory's plug-ins.

    Raises DataError when the archive is damaged or lacks an array.
    """
    from photosim.files import gplugins
    from photosim.smatrix import SMatrix

    try:
        with ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        arrays, foreign = {}, False
        if size <= MAX_BYTES:
            with np.load(path, allow_pickle=False) as archive:
                foreign = gplugins.is_archive(archive.files)
                arrays = {name: archive[name] for name in archive if foreign or name in _NAMES}
                names = listing(archive)
    # Damage inside an archive surfaces as whatever unpacking or parsing raises there, zlib.error included.
    except Exception as error:
        message = f"Cannot read {path} as a numpy archive: {error}"
        raise DataError(message) from error
    if size > MAX_BYTES:
        message = f"Cannot read {path}: unpacked it has {size} bytes; the bound is {MAX_BYTES}."
        raise DataError(message)
    if foreign:
        return gplugins.table_of_archive(path, arrays)
    missing = [name for name in _NAMES if name not in arrays]
    if missing:
        message = f"Cannot read {path}: it holds {names} but not {listing(missing)}."
        raise DataError(message)
    wl, ports, values = (arrays[name] for name in _NAMES)
    if values.ndim < 3 or values.shape[-3:] != (wl.size, ports.size, ports.size):
        found = f"S has shape {values.shape} for {wl.size} wavelengths and {ports.size} ports"
        message = f"Cannot read {path}: {found}."
        raise DataError(message)
    return SMatrix(wl, tuple(str(port) for port in ports), values)
