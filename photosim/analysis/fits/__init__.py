"""Settings of a circuit from measured spectra: `ps.fit`."""

from photosim.analysis.fits.run import fit

__all__ = ["fit"]
