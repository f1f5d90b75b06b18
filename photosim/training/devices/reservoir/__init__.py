"""Laser networks as devices: patterns on mirrors become powers of many nodes, which mirrors weigh."""

from photosim.training.devices.reservoir.laser_reservoir import LaserReservoir

__all__ = ["LaserReservoir"]
