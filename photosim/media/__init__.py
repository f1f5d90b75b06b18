"""Numerics of free-space optics: scattering media, modulators, cameras, and the ways to read a field out.

A medium is a matrix of complex field amplitudes, never requested whole:
`photosim.media.medium` says what all of them have in common.
"""
