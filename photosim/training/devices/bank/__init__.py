"""Microring weight banks as devices: the circuit's bank, its programming, receivers and errors."""
