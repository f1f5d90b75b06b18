"""Any circuit as a device: its ports, what encodes numbers in light, programming by inversion, noise."""
