"""Compiled kernels: arrays in, arrays out; each file is closed over itself, as numba's cache needs."""
