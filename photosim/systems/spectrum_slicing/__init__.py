"""Convolution by slices of a spectrum: filters of a programmable mesh before a digital back end."""
