"""Circuits against chips that were made and measured."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import photosim as ps
from tests.validation.rows import CHIPS, row

MEASURED = Path(__file__).parents[1] / "data" / "measured" / "mzi_te1310.csv"
DELAY_LENGTH = 703.9
"""Group index times path difference in um, read off the spacing of the chip's fringes."""


@cache
def fitted() -> Any:
    """Return the fit of the gallery's interferometer to every eighth point of both outputs."""
    circuit = ps.load("mzi_te1310")
    measured = {name: values[::8] for name, values in ps.files.read_columns(MEASURED).items()}
    (question,) = [own for own in circuit.netlist.analyses if own["kind"] == "fit"]
    names = ("columns", "priors", "envelope", "derived")
    options = {name: question[name] for name in names}
    return ps.fit(circuit, measured, question["parameters"], source="in", starts=1, bootstrap=50, **options)


@row(
    CHIPS,
    "`mzi_te1310` fitted to a fabricated interferometer, two outputs, 1300 to 1330 nm, 11 settings",
    "the measured spectra (SiEPIC, through grating couplers)",
    measure="dB, rms",
    limit=0.4,
)
def residual() -> float:
    """Return the rms residual of the fit in dB."""
    return float(fitted().residual_rms_dB)


@row(
    CHIPS,
    "its group index times its path difference",
    "the spacing of the fringes: 703.9 um",
    measure="relative",
    limit=2e-3,
)
def delay_length() -> float:
    """Return how far the fitted product is from that of the fringes."""
    found = float(fitted().combination_value.sel(combination="delay_length"))
    return abs(found / DELAY_LENGTH - 1.0)
