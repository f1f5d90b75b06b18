"""Devices: matrices held by hardware, each built from a circuit."""

from photosim.training.devices.bank.drift import TemperatureDrift
from photosim.training.devices.bank.errors import effective_bits, product_error
from photosim.training.devices.bank.weight_bank import Measured, WeightBank
from photosim.training.devices.circuit.device import CircuitDevice
from photosim.training.devices.device import Device, Energy
from photosim.training.devices.digital import Digital
from photosim.training.devices.medium.drift import Drift
from photosim.training.devices.medium.scattering_medium import Projection, ScatteringMedium
from photosim.training.devices.mesh.circuit import mesh_chip
from photosim.training.devices.mesh.decomposition import MeshPhases, PairPhases, decompose, decompose_pair
from photosim.training.devices.mesh.mesh import Mesh, MeshErrors
from photosim.training.devices.mesh.tiled import Readout, TiledMesh, Tiles
from photosim.training.devices.receiver import Converters, Receiver

__all__ = [
    "CircuitDevice",
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
