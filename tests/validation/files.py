"""Files that photosim writes, read by others; files that others write, read by photosim."""

from __future__ import annotations

import re
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import photosim as ps
from photosim import files
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.model import SampledData, registry
from photosim.smatrix import SMatrix
from tests.validation.rows import FILES, row


def matrix() -> SMatrix:
    """Return a random matrix of three ports at seven wavelengths."""
    rng = np.random.default_rng(5)
    values = 0.3 * (rng.normal(size=(7, 3, 3)) + 1j * rng.normal(size=(7, 3, 3)))
    return SMatrix(
        np.linspace(1.5, 1.6, 7), ("in", "through", "drop_1"), np.asarray(values, dtype=np.complex128)
    )


def written(suffix: str, folder: str) -> Path:
    """Write the matrix and return the file's path."""
    path = Path(folder) / f"s{suffix}"
    files.write(path, matrix())
    return path


@row(FILES, "Touchstone files of version 1 and 2", "scikit-rf, conjugated", measure="amplitude", limit=1e-14)
def touchstone_against_scikit_rf() -> float:
    import skrf

    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".s3p", ".ts"):
            network = skrf.Network(str(written(suffix, folder)))
            worst = max(worst, float(np.abs(network.s.conj()[::-1] - matrix().values).max()))
    return worst


@row(
    FILES,
    "`.npz`, `.nc`, `.csv`",
    "numpy, scipy's netcdf_file, numpy.genfromtxt",
    measure="amplitude",
    limit=0.0,
)
def archives_against_numpy() -> float:
    from scipy.io import netcdf_file

    exact = matrix().values
    with tempfile.TemporaryDirectory() as folder:
        with np.load(written(".npz", folder)) as archive:
            errors = [np.abs(archive["S"] - exact).max()]
        with netcdf_file(written(".nc", folder), mmap=False) as data:
            errors.append(np.abs(data.variables["S_re"][:] + 1j * data.variables["S_im"][:] - exact).max())
        table = np.genfromtxt(written(".csv", folder), delimiter=",", skip_header=1)
        flat = table[:, 1::2] + 1j * table[:, 2::2]
        errors.append(np.abs(flat.reshape(7, 3, 3).swapaxes(1, 2) - exact).max())
    return float(max(errors))


@row(
    FILES,
    "Lumerical's `.sparam` and `.dat`",
    "a reader of ten lines of its own",
    measure="amplitude",
    limit=1e-14,
)
def lumerical_against_plain_reader() -> float:
    order = {name: k for k, name in enumerate(matrix().ports)}
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".sparam", ".dat"):
            text = written(suffix, folder).read_text(encoding="utf-8")
            blocks = re.split(r"(?m)^(?=\()", text)
            found = np.zeros((7, 3, 3), dtype=complex)
            for header, rows in pairwise(blocks):
                names = re.findall(r"['\"](.*?)['\"]", header)
                if len(names) == 4 and rows.startswith("(7,3)"):
                    data = np.array(
                        [line.split() for line in rows.splitlines()[1:] if line[:1].isdigit()], dtype=float
                    )
                    found[:, order[names[0]], order[names[2]]] = data[:, 1] * np.exp(1j * data[:, 2])
            worst = max(worst, float(np.abs(found[::-1] - matrix().values).max()))
    return worst


@row(
    FILES,
    "`sampled`: 50 um of guide every 10 nm",
    "the guide itself",
    measure="amplitude",
    limit=1e-4,
)
def undersampled_against_guide() -> float:
    straight: Any = registry.get("straight")
    settings = {"length": 50.0, "neff": 2.44553, "ng": 4.19088}
    grid, wl = np.linspace(1.6, 1.5, 11), np.linspace(1.505, 1.595, 91)
    table = SampledData(
        SPEED_OF_LIGHT_UM_S / grid, straight.s(grid, **settings), ("o1", "o2"), file="guide.npz"
    )
    part = ps.part("sampled", file=table, length=50.0, ng=4.19)
    net = ps.Netlist({"g": part}, ports={"a": ("g", "o1"), "b": ("g", "o2")})
    return float(np.abs(ps.Circuit(net)(wl)["a", "b"].values - straight.s(wl, **settings)[:, 1, 0]).max())


@row(
    FILES,
    "group delay of a ring read from a shuffled file",
    "the exact delay of the circuit",
    measure="of the largest",
    limit=1e-4,
)
def delay_of_a_file_against_circuit() -> float:
    ring = ps.load("all_pass_ring")
    wl = np.random.default_rng(1).permutation(np.linspace(1.549, 1.551, 2001))
    with tempfile.TemporaryDirectory() as folder:
        s = ring(wl)
        s.save(Path(folder) / "s.npz")
        a, b = s.ports[0], s.ports[1]
        read, exact = files.read(Path(folder) / "s.npz")[a, b].group_delay, s[a, b].group_delay
    return float(np.abs(read - exact).max() / np.abs(exact).max())
