"""What strong light loses in silicon by two-photon absorption and its carriers, which no guide here has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.conventions import PLANCK_J_S, SPEED_OF_LIGHT_M_S
from photosim.model import ClosedForm

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from photosim.signals.operating import OperatingPoint

TWO_PHOTON_M_W = 7.9e-12
"""Two-photon absorption of silicon per intensity in m/W, at 1.54 um (dinu2003)."""
AREA_UM2 = 0.1
"""Effective area of the mode of a 500 x 220 nm strip in um**2, as `nonlinear_ring` has it."""
LIFETIME_S = 1e-9
"""Lifetime of free carriers in such a strip, as `nonlinear_ring` has it."""
DB_PER_NEPER = 10.0 / np.log(10.0)
WORTH_A_WORD_DB_CM = 0.1
"""Loss per length above which a link speaks of it; a strip's own is 2 to 3 dB/cm."""
MOST_GUIDES = 300
"""Guides that are computed one by one."""
SILICON_WL_UM = (1.2, 2.2)
"""Wavelengths in um at which silicon takes two photons but not one."""
LEAST_GROUP_INDEX = 3.0
"""Group index above which a guide counts as silicon; silicon nitride has 2."""


@dataclass(frozen=True)
class TwoPhotonLoss:
    """Loss in dB/cm at the start of a guide: of two-photon absorption, and of the carriers that it frees."""

    two_photon_dB_cm: float
    carriers_dB_cm: float

    @property
    def total_dB_cm(self) -> float:
        """Both together."""
        return self.two_photon_dB_cm + self.carriers_dB_cm


def two_photon_loss(
    powers: ArrayLike,
    *,
    wl: float = 1.55,
    two_photon: float = TWO_PHOTON_M_W,
    area: float = AREA_UM2,
    lifetime: float = LIFETIME_S,
) -> TwoPhotonLoss:
    """Return what lines of `powers` (lines,) in W lose in a silicon guide, as means over the lines, in dB/cm.

    wl: in um.  two_photon: absorption per intensity in m/W.  area: effective, in um**2.  lifetime: of free
    carriers, in s. Lines are incoherent, so that photons of different lines count twice: line i loses
    two_photon (P_i + 2 the others')/area per m. Carriers are generated at two_photon <I**2>/(2 h nu), and
    absorb as Nedeljkovic et al. (2011) say. Left out: the decay of the light along the guide, diffusion.
    """
    lines = np.asarray(powers, dtype=np.float64)
    total = float(lines.sum())
    if total <= 0.0:
        return TwoPhotonLoss(0.0, 0.0)
    # sum of P_i (P_i + 2 (P - P_i)) = 2 P**2 - sum of P_i**2, which is <P(t)**2> of independent lines.
    squared = 2.0 * total**2 - float((lines**2).sum())
    square_metre = area * 1e-12
    photon = PLANCK_J_S * SPEED_OF_LIGHT_M_S / (wl * 1e-6)
    generated = two_photon * squared / square_metre**2 / (2.0 * photon)
    density = generated * lifetime * 1e-6  # per cm**3
    absorbed = 8.88e-21 * density**1.167 + 5.84e-20 * density**1.109  # per cm (nedeljkovic2011)
    direct = two_photon * squared / total / square_metre * 1e-2  # per cm
    return TwoPhotonLoss(float(direct * DB_PER_NEPER), float(absorbed * DB_PER_NEPER))


def bright_silicon(point: OperatingPoint) -> list[str]:
    """Return a sentence about the guide in which two-photon absorption would take most, if that is much."""
    low, high = SILICON_WL_UM
    power = np.array([line.power for line in point.lines if low < line.wl < high])
    if not power.size or two_photon_loss(power).total_dB_cm < WORTH_A_WORD_DB_CM:
        return []
    guides = _guides(point)
    if not guides:
        return []
    ports = tuple(f"{name},{port}:in" for name in guides for port in ("o1", "o2"))
    found = point.powers(ports)  # (lines, ports)
    brightest = int(found.sum(axis=0).argmax())
    wl = float(np.mean([line.wl for line in point.lines]))
    loss = two_photon_loss(found[:, brightest], wl=wl)
    if loss.total_dB_cm < WORTH_A_WORD_DB_CM:
        return []
    name, mW = ports[brightest].partition(",")[0], 1e3 * float(found[:, brightest].sum())
    words = (
        f"Light of {mW:.4g} mW enters guide {name!r}: in a silicon strip of {AREA_UM2:g} um2 two-photon "
        f"absorption would take {loss.two_photon_dB_cm:.2g} dB/cm more, and the carriers that it frees "
        f"{loss.carriers_dB_cm:.2g} dB/cm (lifetime {LIFETIME_S * 1e9:g} ns), which are not counted; send in "
        "less light or share it among guides."
    )
    return [words]


def _guides(point: OperatingPoint) -> list[str]:
    """Return the silicon guides from o1 to o2, at most MOST_GUIDES, in the netlist's order."""
    graph = point.circuit.graph
    found = []
    for part in graph.parts:
        model = part.model
        if not isinstance(model, ClosedForm) or model.active or part.ports != ("o1", "o2"):
            continue
        settings = graph.settings_of(part)
        if "neff" in settings and np.all(np.asarray(settings.get("ng", 0.0)) > LEAST_GROUP_INDEX):
            found.append(part.name)
    return found[:MOST_GUIDES]
