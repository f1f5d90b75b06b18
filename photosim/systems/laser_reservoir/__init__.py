"""A laser of wide aperture as a network, its readout learnt by flipping weights (skalli2025)."""
