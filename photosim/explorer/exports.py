"""Files to take home: pictures, data and the netlist, as the page shows them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from photosim import netlist as netlists
from photosim.analysis.spectrum import Spectra, SpectrumResult, port_pairs
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.explorer.curves import curves_of, grid_of, start_of
from photosim.explorer.desk import changed
from photosim.explorer.guides import drawing
from photosim.smatrix import SMatrix
from photosim.units import power_dB

if TYPE_CHECKING:
    from collections.abc import Callable

    from photosim.explorer.asks import View
    from photosim.explorer.desk import Opened

MEDIA = {
    "png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf", "csv": "text/csv",
    "npz": "application/octet-stream", "nc": "application/x-netcdf", "yml": "application/yaml",
}  # fmt: skip
"""Media type of every suffix."""

MOST_DRAWN = 16
"""Curves of a picture; one of more shows none."""


def export(opened: Opened, view: View, what: str) -> tuple[str, str, bytes]:
    """Return (file name, media type, content) of what the page shows.

    what: "spectrum.png", ".svg" or ".pdf"; "drawing.svg"; "data.csv", ".npz" or ".nc"; "netlist.yml".
    """
    if what not in WRITERS:
        message = f"The page exports {listing(WRITERS)}, not {what!r}.{did_you_mean(what, WRITERS)}"
        raise ParameterError(message)
    suffix = what.rpartition(".")[2]
    name = opened.netlist.name or "circuit"
    safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in name)[:60]
    file = f"{safe}.yml" if what == "netlist.yml" else f"{safe}_{what}"
    return file, MEDIA[suffix], WRITERS[what](opened, view, suffix)


def _netlist(opened: Opened, view: View, _suffix: str) -> bytes:
    """Return the text as edited, comments and all; with moved settings it is written anew."""
    if not view.settings:
        return opened.text.encode()
    netlist = changed(opened.netlist, view.settings)
    netlists.check(netlist)
    return netlists.to_yaml(netlist).encode()


def _drawing(opened: Opened, view: View, _suffix: str) -> bytes:
    return str(drawing(opened.circuit, view)["svg"]).encode()


def _columns(opened: Opened, view: View, _suffix: str) -> bytes:
    """Return the curves of the page as CSV: wavelength in um, then power in dB and phase in rad of each."""
    grid, curves = curves_of(opened.circuit, view)
    start = start_of(opened.circuit, view)
    heads, columns = ["wavelength_um"], [grid]
    for one in curves:
        title = f"{start} to {one.wave}".replace(",", " ").replace('"', "'")
        heads += [f"{title} (dB)", f"{title} phase (rad)"]
        columns += [power_dB(np.abs(one.values) ** 2), np.angle(one.values)]
    rows = "\n".join(",".join(repr(float(x)) for x in row) for row in zip(*columns, strict=True))
    return f"{','.join(heads)}\n{rows}\n".encode()


def _matrix(opened: Opened, view: View, suffix: str) -> bytes:
    """Return the S-matrix between all exposed ports in a format of `photosim.files`."""
    from photosim import files

    s = _s_matrix(opened, view)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"data.{suffix}"
        files.write(path, s)
        return path.read_bytes()


def _s_matrix(opened: Opened, view: View) -> SMatrix:
    circuit = opened.circuit
    if not circuit.ports:
        message = "The circuit exposes no port, so it has no S-matrix: export the curves as data.csv."
        raise ParameterError(message)
    return circuit(grid_of(circuit, view), **dict(view.settings))


def _picture(opened: Opened, view: View, suffix: str) -> bytes:
    """Return the spectrum as `photosim simulate --plot` draws it."""
    from photosim import plotting

    circuit = opened.circuit
    start = start_of(circuit, view)
    if circuit.ports and start in circuit.ports:
        s = _s_matrix(opened, view)
        result = SpectrumResult(circuit.name, s, port_pairs(s, (start,))[:MOST_DRAWN])
        figure = plotting.for_spectrum(result)
    else:
        grid, curves = curves_of(circuit, view)
        lit = [one for one in curves if not one.dark][:MOST_DRAWN] or curves[:1]
        values = np.stack([one.values for one in lit], axis=-1)[..., np.newaxis]
        ends = tuple(one.wave for one in lit)
        pairs = tuple((start, end) for end in ends)
        spectra = Spectra(grid, (start,), ends, values)
        figure = plotting.for_spectrum(SpectrumResult(circuit.name, spectra, pairs))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"spectrum.{suffix}"
        plotting.save(figure, path)
        return path.read_bytes()


WRITERS: dict[str, Callable[[Opened, View, str], bytes]] = {
    "spectrum.png": _picture, "spectrum.svg": _picture, "spectrum.pdf": _picture, "drawing.svg": _drawing,
    "data.csv": _columns, "data.npz": _matrix, "data.nc": _matrix, "netlist.yml": _netlist,
}  # fmt: skip
"""What writes each file."""
