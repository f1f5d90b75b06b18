"""Numbers out of bounds are refused in Python as in a netlist, and the sentence names class and setting."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest

from photosim.errors import ParameterError
from photosim.media.camera import Camera
from photosim.media.changing import SlabMedium
from photosim.media.gaussian import StoredMedium
from photosim.media.modulators import Dmd, Slm
from photosim.media.procedural import ProceduralMedium
from photosim.media.screens import LensMedium, ScreensMedium
from photosim.media.waveguide import FibreMedium, WaveguideMedium
from photosim.training.devices import Projection
from photosim.training.devices.bank.weight_bank import Measured

LENGTHS: dict[str, tuple[Any, ...]] = {"wl": (0.0, -1.0, nan, inf, "1")}
CASES: list[tuple[Any, dict[str, Any], dict[str, tuple[Any, ...]]]] = [
    (
        Camera,
        {"pixels": 4},
        {
            "pixels": (0, 1.5),
            "bits": (-3, 17, 2.5, nan),
            "efficiency": (0.0, 3, -0.1, nan),
            "exposure": (0.0, -1.0, inf),
            "dark_rate": (-1.0, inf),
            "read_noise": (-2.0, nan),
            "full_well": (0.0, -5.0, nan),
        },
    ),
    (Slm, {"pixels": 4}, {"pixels": (0, -1), "bits": (-2, 0.5, 99), "efficiency": (1.5, -1.0)}),
    (Dmd, {"pixels": 4}, {"pixels": (0, 2.5), "efficiency": (1.5, nan)}),
    (StoredMedium, {"outputs": 2, "inputs": 2}, {"seed": (-1, 0.5), "transmission": (-0.1, 2.0, nan)}),
    (
        ProceduralMedium,
        {"outputs": 2, "inputs": 2},
        {"seed": (-1, 2**63), "transmission": (-0.1, nan), "threads": (0,)},
    ),
    (WaveguideMedium, {"channels": 2}, {"thickness": (0.0, nan), "seed": (-1,)}),
    (FibreMedium, {"modes": 2}, {**LENGTHS, "length": (-1.0, inf), "seed": (-1,)}),
    (
        ScreensMedium,
        {"side": 2},
        {**LENGTHS, "side": (0, 1.5), "pitch": (0.0,), "distance": (-1.0,), "depth": (nan,), "law": ("x",)},
    ),
    (LensMedium, {}, {"side": (0, -2)}),
    (
        SlabMedium,
        {"make": lambda k: StoredMedium(1, 1, k)},
        {**LENGTHS, "slices": (0, -1, 2.5), "thickness": (0.0, -1.0), "index": (0.0,), "free_path": (nan,)},
    ),
    (Projection, {}, {"steps": (1, 2.5), "deviation": (-1.0, nan), "noise": ("x",), "planes": (1.5,)}),
    (Measured, {}, {"mean": (nan,), "deviation": (-1.0, inf)}),
]


@pytest.mark.parametrize(
    ("kind", "right", "name", "value"),
    [
        (kind, right, name, v)
        for kind, right, wrong in CASES
        for name, values in wrong.items()
        for v in values
    ],
)
def test_bounds_hold_in_python(kind: Any, right: dict[str, Any], name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=rf"{name}|plane"):
        kind(**{**right, name: value})
