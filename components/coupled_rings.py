"""Chains of coupled rings."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from photosim.components.couplers import ALIKE, Slope
from photosim.components.guides import PLACEHOLDER, Guide
from photosim.model import (
    Loss_dB,
    Netlist,
    Power,
    Quantity,
    RingRadius,
    composite,
    links,
    part,
    ref,
)

RingCount = Annotated[int, Quantity("1", 1, 1000, whole=True)]
"""Number of rings in a chain."""


@composite(
    ports=("o1", "o2", "o3", "o4"), inputs=2, source="yariv1999",
    aliases={"in": "o1", "drop": "o2", "add": "o3", "through": "o4"}, symmetries=ALIKE,
)  # fmt: skip
def crow(
    *,
    rings: RingCount = 5,
    radius: RingRadius = 10.0,
    coupling: Power = 0.05,
    coupling_end: Power = 0.3,
    coupling_slope: Slope | None = None,
    coupler_loss_dB: Loss_dB = 0.0,
    guide: Guide = PLACEHOLDER,
) -> Netlist:
    """Coupled-resonator optical waveguide (CROW): a filter of equal rings in a chain between two buses.

    Couplers `k0`, `k1`, ... and two half rings `up0`, `down0`, ... of every ring. Without loss, light passes
    from in to drop where |sin(phi/2)| < sqrt(coupling), phi the phase of one round trip: a band of
    (2/pi) asin(sqrt(coupling)) of the free spectral range (Yariv et al. 1999), rippled as coupling_end
    sets it. One ring is `ring_double`. Left out: backscattering, rings that differ (set their `neff`
    one by one), the length of the buses.

    Settings:
        rings: number of rings.
        radius: radius of every ring.
        coupling: fraction of the power that crosses from ring to ring.
        coupling_end: fraction of the power that crosses from either bus to its ring.
        coupling_slope: relative change of all couplings of fields per um of wavelength, about wl0.
        coupler_loss_dB: insertion loss of each coupler, on every path.
    """
    half = part("straight", length=np.pi * radius, **guide.settings())
    sloped = {} if coupling_slope is None else {"coupling_slope": coupling_slope, "wl0": guide.wl0}
    own = {"loss_dB": coupler_loss_dB, **sloped}
    between = {f"k{n}": part("coupler", coupling=coupling, **own) for n in range(1, rings)}
    ends = {f"k{n}": part("coupler", coupling=coupling_end, **own) for n in (0, rings)}
    halves = {f"{side}{n}": half for n in range(rings) for side in ("up", "down")}
    turns = [
        link
        for n in range(rings)
        for link in (f"k{n},o3:up{n},o1", f"up{n},o2:k{n + 1},o1", f"k{n + 1},o4:down{n},o1",
                     f"down{n},o2:k{n},o2")
    ]  # fmt: skip
    return Netlist(
        instances={**ends, **between, **halves},
        connections=links(*turns),
        ports={"o1": ref("k0,o1"), "o2": ref(f"k{rings},o3"), "o3": ref(f"k{rings},o2"), "o4": ref("k0,o4")},
        name="crow",
    )
