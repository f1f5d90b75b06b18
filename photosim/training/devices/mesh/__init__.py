"""Meshes of Mach-Zehnder interferometers as devices: decompositions, fast paths, taps and corrections."""
