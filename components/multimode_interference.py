"""Multimode interference couplers of any number of ports."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from photosim.components.splitters import PassBand
from photosim.conventions import standard_aliases
from photosim.model import Quantity, grouped, numerical

PortCount = Annotated[int, Quantity("1", 1, 1024, whole=True)]
"""Number of ports on a side."""


_BAND = PassBand(loss_dB=0.0)


def self_images(ports: int) -> Any:
    """Matrix (ports, ports) of the N-fold self-image at the first length 3 L_pi/N, [output, input].

    bachmann1994, eqs. 11 and 12, less a phase common to all. They count the outputs from the other side than
    the inputs and have exp(+i omega t); here both are counted from below, with exp(-i omega t).
    """
    place = np.arange(1, ports + 1)
    output, source = place[:, np.newaxis], place[np.newaxis, :]
    even = np.pi + np.pi / (4 * ports) * (output - source) * (2 * ports - output + source)
    odd = np.pi / (4 * ports) * (output + source - 1) * (2 * ports - output - source + 1)
    phase = np.where((output + source) % 2 == 0, even, odd)
    return np.exp(-1j * phase[::-1]) / np.sqrt(ports)


def _ports(*, ports: int, **_: Any) -> tuple[str, ...]:
    return tuple(f"o{k}" for k in range(1, 2 * int(ports) + 1))


def _aliases(*, ports: int, **_: Any) -> dict[str, str]:
    return standard_aliases(_ports(ports=ports), int(ports))


def _structure(*, ports: int, **_: Any) -> tuple[tuple[int, int], ...]:
    n = int(ports)
    forward = [(n + b, a) for a in range(n) for b in range(n)]
    return tuple(sorted(forward + [(a, b) for b, a in forward]))


@grouped
def _series(wl: Any, orders: int, *, ports: int, band: PassBand) -> Any:
    """Return the Taylor coefficients in wavelength of the Gaussian band times the images."""
    s = mmi_nxn.s(wl, ports=ports, **band.settings())
    curvature = 4 * np.log(2) / band.fwhm**2
    slope = (-curvature * (wl - band.wl0))[:, np.newaxis, np.newaxis]
    return np.stack((s, s * slope, s * (slope**2 - curvature) / 2)[:orders])


@numerical(
    source="bachmann1994",
    ports_of=_ports,
    aliases_of=_aliases,
    structure_of=_structure,
    reciprocal=True,
    series_of=_series,
)
def mmi_nxn(
    wl: Any,
    *,
    ports: PortCount = 4,
    band: PassBand = _BAND,
) -> Any:
    """N x N multimode interference coupler (MMI): divides each input equally, in a Gaussian pass band.

    in0, in1, ... lie on the left and out0, out1, ... on the right, both from below; every input reaches every
    output with 1/N of the power and the phase of an N-fold image (Bachmann et al. 1994), a unitary matrix
    times the band. For two ports that is a quarter turn between bar and cross, the cross port behind
    (`mmi2x2`, of paired interference, has it ahead). Left out: the common phase of the body, phase errors and
    imbalance of a real multimode section, modes that are cut off, reflection.

    Settings:
        ports: number of inputs, and of outputs.
    """
    n = int(ports)
    passed = 10 ** (-band.loss_dB / 20) * np.exp(-2 * np.log(2) * ((wl - band.wl0) / band.fwhm) ** 2)
    images = self_images(n)
    s = np.zeros((np.size(wl), 2 * n, 2 * n), dtype=np.complex128)
    # Outputs are numbered downwards on the right: out0 is the last port.
    s[:, n:, :n] = passed[:, np.newaxis, np.newaxis] * images[::-1]
    s[:, :n, n:] = np.swapaxes(s[:, n:, :n], 1, 2)
    return s
