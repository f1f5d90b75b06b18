"""Scattering media as devices: projections and their drift."""
