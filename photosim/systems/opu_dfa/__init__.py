"""Feedback by a scattering medium (launay2020): `system` is the entry; its optics, runs and figures."""
