"""Devices: matrices held by hardware, each built from a circuit."""

from photosim.training.devices.bank_errors import effective_bits, product_error
from photosim.training.devices.decomposition import MeshPhases, PairPhases, decompose, decompose_pair
from photosim.training.devices.device import Device, Energy
from photosim.training.devices.digital import Digital
from photosim.training.devices.drift import TemperatureDrift
from photosim.training.devices.mesh import Mesh, MeshErrors
from photosim.training.devices.mesh_circuit import mesh_chip
from photosim.training.devices.receiver import Converters, Receiver
from photosim.training.devices.scattering_medium import Projection, ScatteringMedium
from photosim.training.devices.speckle_drift import Drift
from photosim.training.devices.tiled_mesh import Readout, TiledMesh, Tiles
from photosim.training.devices.weight_bank import Measured, WeightBank

__all__ = [
    "Converters",
    "Device",
    "Digital",
    "Drift",
    "Energy",
    "Measured",
    "Mesh",
    "MeshErrors",
    "MeshPhases",
    "PairPhases",
    "Projection",
    "Readout",
    "Receiver",
    "ScatteringMedium",
    "TemperatureDrift",
    "TiledMesh",
    "Tiles",
    "WeightBank",
    "decompose",
    "decompose_pair",
    "effective_bits",
    "mesh_chip",
    "product_error",
]
