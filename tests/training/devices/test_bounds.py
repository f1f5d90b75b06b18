"""Junk for every field of the public classes of devices, media and training: a sentence that names it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from math import inf, nan
from typing import Any, NamedTuple

import numpy as np
import pytest

from photosim.errors import ParameterError
from photosim.media.camera import Camera, Frame
from photosim.media.cascade import BusSlice, Cascade, Identity
from photosim.media.chain import OpticalChain
from photosim.media.changing import Mixture, SlabMedium, TiltedSlab
from photosim.media.gaussian import StoredMedium
from photosim.media.modulators import Dmd, Slm
from photosim.media.procedural import ProceduralMedium
from photosim.media.readouts import Readout as Reading
from photosim.media.screens import LensMedium, ScreensMedium
from photosim.media.waveguide import FibreMedium, WaveguideMedium
from photosim.training.devices import (
    Converters,
    Digital,
    Drift,
    Energy,
    Measured,
    Mesh,
    MeshErrors,
    MeshPhases,
    PairPhases,
    Projection,
    Readout,
    Receiver,
    TemperatureDrift,
    TiledMesh,
    Tiles,
    decompose,
    decompose_pair,
    mesh_chip,
)
from photosim.training.layers.dropout import Dropout
from photosim.training.layers.electro_optic import ElectroOptic
from photosim.training.layers.images import Windows
from photosim.training.optimisers import SGD, Adam, Noam, StepDecay
from photosim.training.privacy import Accountant
from photosim.training.trainer import Schedule

JUNK: dict[str, Any] = {
    "text": "abc",
    "nan": nan,
    "inf": inf,
    "minus 3": -3,
    "none": None,
    "object": object(),
    "huge": 10**400,
    "true": True,
    "complex": 1j,
    "list": [1, "a"],
}
NUMBERS = tuple(JUNK)


class Kind(NamedTuple):
    """A class, arguments that it takes, and for a field the junk that has a meaning there."""

    make: Any
    right: dict[str, Any] | Callable[[], dict[str, Any]]
    meant: dict[str, tuple[str, ...]]

    def arguments(self) -> dict[str, Any]:
        """Return the arguments; a function computes those of hardware, when a test first needs them."""
        return self.right() if callable(self.right) else self.right


def fields_of(thing: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}


def mesh() -> dict[str, Any]:
    made = Mesh.from_circuit(mesh_chip("clements_mesh", 2), "mesh")
    return fields_of(made, "hardware", "errors", "rng", "rate", "power", "held")


def tiled() -> dict[str, Any]:
    made = TiledMesh.from_circuit(mesh_chip("svd_mesh", 2), "mesh")
    return fields_of(made, "hardware", "errors", "readout", "seed", "rate", "power", "tiles")


IDENTITY = Identity(2)
SLAB = SlabMedium(make=lambda seed: StoredMedium(2, 2, seed), slices=2)
FREE = ("minus 3",)
BITS = ("none",)
KINDS: dict[str, Kind] = {
    "Receiver": Kind(
        Receiver,
        {
            "bandwidth": 1e9,
            "dark_current": 1e-9,
            "load_resistance": 50.0,
            "temperature": 300.0,
            "rin_dB_Hz": -150.0,
            "saturation": 1.0,
            "low_passes": (1e9,),
        },
        {"rin_dB_Hz": FREE, "saturation": ("inf",)},
    ),
    "Converters": Kind(
        Converters,
        {"heater_bits": 4, "heater_range": 3.0, "input_bits": 4, "adc_bits": 4, "adc_range": 1.0},
        {"heater_bits": BITS, "input_bits": BITS},
    ),
    "TemperatureDrift": Kind(TemperatureDrift, {"kelvin": 1.0, "seconds": 1.0}, {}),
    "Measured": Kind(Measured, {"mean": 0.0, "deviation": 1.0}, {"mean": ("true",)}),
    "Energy": Kind(Energy, {"cycles": 1, "samples": 1, "seconds": 1.0, "light": 1.0}, {}),
    "Projection": Kind(
        Projection,
        {"method": "anchor", "steps": 2, "planes": 1, "frame": 1.0, "noise": None, "deviation": 0.0}
        | {"drift": Drift()},
        {"noise": ("none",)},
    ),
    "Drift": Kind(
        Drift, {"persistence": 1.0, "wander": 0.0, "interval": 1.0, "seed": 0}, {"persistence": ("inf",)}
    ),
    "MeshErrors": Kind(MeshErrors, {"coupling": 0.0, "phase": 0.0, "offset": 0.0}, {}),
    "Readout": Kind(
        Readout,
        {"noise": 0.0, "input_bits": 4, "output_bits": 4},
        {"input_bits": BITS, "output_bits": BITS},
    ),
    "Tiles": Kind(Tiles, {"transfer": np.ones((1, 1, 2, 2)), "shape": (2, 2)}, {}),
    "MeshPhases": Kind(MeshPhases, lambda: {**vars(decompose(np.eye(3)))}, {}),
    "PairPhases": Kind(PairPhases, lambda: {**vars(decompose_pair(np.eye(3)))}, {}),
    "Digital": Kind(Digital, {"weights": np.eye(2)}, {}),
    "Mesh": Kind(Mesh, mesh, {"held": ("none",)}),
    "TiledMesh": Kind(TiledMesh, tiled, {"tiles": ("none",)}),
    "Camera": Kind(Camera, {"pixels": 4, **{f.name: f.default for f in fields(Camera)[1:]}},
                   {"shot": ("true",), "full_well": ()}),
    "Frame": Kind(Frame, {"electrons": np.zeros((1, 2)), "saturated": 0, "dark": 0}, {}),
    "Reading": Kind(Reading, {"values": np.zeros((1, 2)), "frames": 1, "saturated": 0, "dark": 0}, {}),
    "Dmd": Kind(Dmd, {"pixels": 4, "contrast": 10.0, "efficiency": 0.5}, {"contrast": ("inf",)}),
    "Slm": Kind(Slm, {"pixels": 4, "bits": 8, "efficiency": 0.5}, {}),
    "Identity": Kind(Identity, {"waves": 2, "seed": 0, "dtype": np.complex64}, {}),
    "BusSlice": Kind(BusSlice, {"base": IDENTITY, "outputs": (0, 1), "inputs": (0, 2)}, {}),
    "Cascade": Kind(Cascade, {"stages": (IDENTITY, IDENTITY)}, {}),
    "Mixture": Kind(Mixture, {"weights": np.ones(1), "media": (IDENTITY,)}, {}),
    "TiltedSlab": Kind(
        TiltedSlab, {"weights": np.ones(2), "media": SLAB.media, "slab": SLAB, "tilt": 0.0}, {"tilt": FREE}
    ),
    "SlabMedium": Kind(
        SlabMedium,
        {f.name: getattr(SLAB, f.name) for f in fields(SLAB) if f.init},
        {},
    ),
    "StoredMedium": Kind(
        StoredMedium,
        {"outputs": 2, "inputs": 2, "seed": 0, "transmission": 1.0, "dtype": np.complex64}
        | {"entries": np.eye(2)},
        {"entries": ("none",)},
    ),
    "ProceduralMedium": Kind(
        ProceduralMedium, {"outputs": 2, "inputs": 2, "seed": 0, "transmission": 1.0, "threads": 1}, {}
    ),
    "WaveguideMedium": Kind(
        WaveguideMedium, {"channels": 2, "thickness": 5.0, "seed": 0, "dtype": np.complex64}, {}
    ),
    "FibreMedium": Kind(
        FibreMedium,
        {"modes": 2, "length": 1.0, "aperture": 0.2, "index": 1.5, "wl": 1.0, "seed": 0}
        | {"dtype": np.complex64},
        {},
    ),
    "LensMedium": Kind(LensMedium, {"side": 2, "seed": 0}, {}),
    "ScreensMedium": Kind(
        ScreensMedium, {"side": 2, **{f.name: f.default for f in fields(ScreensMedium)[1:]}}, {}
    ),
    "OpticalChain": Kind(
        OpticalChain,
        {"modulator": Slm(pixels=2), "medium": IDENTITY, "camera": Camera(pixels=2), "wl": 1.0}
        | {"beam": 1.0, "reference": 0.0},
        {"beam": (*FREE, "complex"), "reference": (*FREE, "complex")},
    ),
    "Schedule": Kind(
        Schedule,
        {"epochs": 1, "batch_size": 2, "dtype": np.float32, "patience": 1, "min_delta": 0.0, "samples": 1}
        | {"alignment": 0, "checkpoint": None},
        {"batch_size": BITS, "patience": BITS, "samples": BITS, "checkpoint": ("none",)},
    ),
    "SGD": Kind(
        SGD, {"learning_rate": 0.1, "momentum": 0.0, "weight_decay": 0.0, "schedule": Noam(3)}, {}
    ),
    "Adam": Kind(
        Adam, {"learning_rate": 0.1, "beta1": 0.0, "beta2": 0.0, "eps": 1e-8, "weight_decay": 0.0}, {}
    ),
    "Noam": Kind(Noam, {"width": 2, "warmup": 3}, {}),
    "StepDecay": Kind(StepDecay, {"epochs": (1, 2), "ratio": 0.1}, {}),
    "Dropout": Kind(Dropout, {"units": 2, "share": 0.1}, {}),
    "Windows": Kind(
        Windows,
        {"channels": 1, "height": 4, "width": 4, "size": 2, "stride": 1, "padding": 0},
        {},
    ),
    "ElectroOptic": Kind(ElectroOptic, {"gain": 1.0, "bias": 0.0, "tap": 0.1}, {"gain": FREE, "bias": FREE}),
    "Accountant": Kind(Accountant, {"sensitivity": 1.0, "deviation": 1.0}, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_what_the_table_holds_is_right(name: str) -> None:
    kind, right = KINDS[name], KINDS[name].arguments()
    made = kind.make(**right)
    for field, words in kind.meant.items():
        for word in words:
            if (name, word) != ("Measured", "true"):
                kind.make(**{**right, field: JUNK[word]})
    assert made is not None


@pytest.mark.parametrize("name", KINDS)
def test_junk_is_refused_in_a_sentence(name: str) -> None:
    kind, right = KINDS[name], KINDS[name].arguments()
    wrong = []
    for field in right:
        for junk in (word for word in JUNK if word not in kind.meant.get(field, ())):
            try:
                kind.make(**{**right, field: JUNK[junk]})
            except ParameterError as error:
                text = str(error)
                if not text.endswith(".") or "\n" in text or len(text) <= 15:
                    wrong.append(f"{field}={junk}: {text}")
            except Exception as error:  # noqa: BLE001 - all that are wrong are named, not the first alone
                wrong.append(f"{field}={junk}: {error!r}")
            else:
                wrong.append(f"{field}={junk} is taken")
    assert wrong == []
