"""Single-mode guides: straight, bent, and with a heater on top."""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import Annotated, Any, ClassVar

from photosim.conventions import ROOM_TEMPERATURE_K, SPEED_OF_LIGHT_M_S
from photosim.model import (
    Fraction,
    Index,
    Loss_dB_cm,
    PathLength,
    Phase,
    Quantity,
    Radius,
    SettingsGroup,
    Temperature,
    ThermoOptic,
    Wavelength,
    Window,
    component,
)

Degrees = Annotated[float, Quantity("deg", 0.0, 180.0)]
"""A turn in degrees, the unit in which layouts write `angle`."""
PerLength = Annotated[float, Quantity("1/um", -50.0, 50.0)]
"""Change of an index per um of width or height."""
DeltaWidth = Annotated[float, Quantity("um", -0.3, 0.3)]
"""Deviation of a guide's width in um, as far as its index follows to first order."""
DeltaHeight = Annotated[float, Quantity("um", -0.1, 0.1)]
"""Deviation of a guide's height in um, as far as its index follows to first order."""
Dispersion = Annotated[float, Quantity("s/m2", -1e-2, 1e-2)]
"""Dispersion parameter D in s/m**2; 1e-6 s/m**2 is 1 ps/(nm km)."""

# A whole number keeps the printed formula readable.
_ROOM_K = int(ROOM_TEMPERATURE_K)
_SERIES_TERMS = 12


def guide_wave(m: Any, wl: Any, length: Any, index: Any, loss_dB_cm: Any, heater: Any = 0) -> Any:
    """Factor that a wave gains along a guide of that index, with a heater phase (rad) on top."""
    # dB/cm times um is 1e-4 dB; the whole number keeps the printed formula readable.
    return m.amplitude_dB(loss_dB_cm * length / 10_000) * m.cis(2 * m.pi * index * length / wl + heater)


@dataclass(frozen=True)
class Indices(SettingsGroup):
    """Indices of a guided mode at 300 K; those by default are placeholders, and SAX's.

    Settings:
        neff: effective index at wl0 and 300 K.
        ng: group index at wl0.
        wl0: wavelength at which neff, ng and the dispersion are given.
        dispersion: dispersion parameter at wl0; 1e-6 is 1 ps/(nm km).
    """

    neff: Index = 2.34
    ng: Index = 3.4
    wl0: Wavelength = 1.55
    dispersion: Dispersion = 0.0

    windows: ClassVar[tuple[Window, ...]] = (
        Window("wl", -0.2, 0.2, "indices of first order in wavelength about wl0", about="wl0", scale="wl0"),
    )

    def cold_index(self, wl: Any) -> Any:
        """Effective index at a wavelength, of a guide as drawn at 300 K; traced expressions work too.

        The phase constant is 2 pi neff/wl0 + ng w/c - dispersion wl0**2 w**2/(4 pi c), w the angular
        frequency counted from that of wl0; the index is what makes it 2 pi index/wl.
        """
        linear = self.neff - (wl - self.wl0) * (self.ng - self.neff) / self.wl0
        return linear - self.bend() * (wl - self.wl0) * (wl - self.wl0) / wl

    def bend(self) -> Any:
        """What dispersion adds, in 1/um: the index falls by bend (wl - wl0)**2/wl."""
        # s/m**2 times m/s is 1/m, which is 1e-6 per um.
        return self.dispersion * (SPEED_OF_LIGHT_M_S * 0.5e-6)


@dataclass(frozen=True)
class Warmth(SettingsGroup):
    """Temperature of a guide, and what it does to the index.

    Settings:
        temperature: temperature of the guide.
        dneff_dT: change of the effective index per kelvin; 2.00e-4 is that of a 500 x 220 nm strip (TE).
    """

    temperature: Temperature = 300.0
    dneff_dT: ThermoOptic = 2.00e-4

    windows: ClassVar[tuple[Window, ...]] = (
        Window("temperature", 250.0, 400.0, "one slope of the index, that at 300 K"),
    )

    def warming(self) -> Any:
        """Change of the effective index from that at 300 K."""
        return self.dneff_dT * (self.temperature - _ROOM_K)


LEAST_CHANGE = 1e-7
"""Deviation of a cross-section in um below which it looks like one in m: 0.1 to 100 nm."""


@dataclass(frozen=True)
class Shape(SettingsGroup):
    """Deviations of a guide's cross-section from the drawn one, and what they do to the indices.

    The slopes are those of the 500 x 220 nm strip (TE): central differences of SiEPIC's table.

    Settings:
        delta_width: width of the guide less the width for which neff and ng hold.
        delta_height: height of the guide less the height for which neff and ng hold.
        dneff_dw: change of the effective index per um of width.
        dneff_dh: change of the effective index per um of height.
        dng_dw: change of the group index per um of width.
        dng_dh: change of the group index per um of height.
    """

    delta_width: DeltaWidth = 0.0
    delta_height: DeltaHeight = 0.0
    dneff_dw: PerLength = 1.581
    dneff_dh: PerLength = 3.712
    dng_dw: PerLength = -1.703
    dng_dh: PerLength = 0.991

    windows: ClassVar[tuple[Window, ...]] = (
        Window("delta_width", -0.05, 0.05, "indices of first order in width", least=LEAST_CHANGE),
        Window("delta_height", -0.02, 0.02, "indices of first order in height", least=LEAST_CHANGE),
    )

    def change(self) -> Any:
        """Change of the effective index at wl0."""
        return self.dneff_dw * self.delta_width + self.dneff_dh * self.delta_height

    def group_change(self) -> Any:
        """Change of the group index at wl0."""
        return self.dng_dw * self.delta_width + self.dng_dh * self.delta_height


@dataclass(frozen=True)
class GuidedMode(Shape, Warmth, Indices):
    """Mode of a guide as it is: indices, and what temperature, width and height change in them."""

    def index(self, wl: Any) -> Any:
        """Effective index at a wavelength and the guide's temperature, width and height."""
        made = self.changed(neff=self.neff + self.change(), ng=self.ng + self.group_change())
        return made.cold_index(wl) + self.warming()

    def wave(self, m: Any, wl: Any, length: Any) -> Any:
        """Factor that a wave gains along a length in um, here without loss."""
        return guide_wave(m, wl, length, self.index(wl), 0)


@dataclass(frozen=True)
class Guide(GuidedMode):
    """Guide with loss: what `straight` takes beside its length.

    Settings:
        loss_dB_cm: propagation loss.
    """

    loss_dB_cm: Loss_dB_cm = 0.0

    def wave(self, m: Any, wl: Any, length: Any) -> Any:
        """Factor that a wave gains along a length in um, with loss."""
        return guide_wave(m, wl, length, self.index(wl), self.loss_dB_cm)


@dataclass(frozen=True)
class HeatedGuide(Guide):
    """Guide under a heater whose phase is given at wl0.

    Settings:
        neff: effective index at wl0, 300 K and cold heater.
        wl0: wavelength at which neff, ng, the dispersion and the heater's phase are given.
    """

    def heated_wave(self, m: Any, wl: Any, length: Any, phase: Any) -> Any:
        """Factor that a wave gains along a length in um, under a heater that adds `phase` at wl0."""
        return guide_wave(m, wl, length, self.index(wl), self.loss_dB_cm, heater=phase * self.wl0 / wl)


NONDISPERSIVE = {"neff": 2.0, "ng": 2.0, "dispersion": 0.0, "delta_width": 0.0, "delta_height": 0.0}
"""Settings of a guide whose index is the same at every frequency, negative ones included."""
PLACEHOLDER, HEATED_PLACEHOLDER = Guide(), HeatedGuide()
STRIP = Guide(neff=2.44553, ng=4.19088, loss_dB_cm=2.5)
"""Silicon strip of 500 x 220 nm, fundamental TE mode."""
HEATED_STRIP = HeatedGuide(**STRIP.settings())
STRIP_MODE = GuidedMode(**STRIP.settings(GuidedMode))
ROOM, AS_DRAWN = Warmth(), Shape()
_BENT = PLACEHOLDER.changed(loss_dB_cm=0.1)

_LAYOUT = ("cross_section", "npoints", "width", "layer", "add_pins", "with_bbox")


@component(
    ports=("o1", "o2"), inputs=1, source="bogaerts2012", lossless_when={"loss_dB_cm": 0.0}, layout=_LAYOUT,
    symmetries={("o2", "o1"): {}}, real_when=NONDISPERSIVE,
)  # fmt: skip
def straight(
    m: Any,
    wl: Any,
    *,
    length: PathLength = 10.0,
    guide: Guide = PLACEHOLDER,
) -> Any:
    """Straight waveguide of one mode: phase 2 pi neff(wl) length / wl, and propagation loss.

    neff(wl) = neff - (wl - wl0) (ng - neff) / wl0 - c dispersion (wl - wl0)**2/(2 wl) + dneff_dT
    (temperature - 300 K), so that ng is the group index at wl0. The default indices are placeholders,
    those of SAX, without dispersion; a silicon strip of 500 x 220 nm has neff 2.4455 and ng 4.1909. Errors
    of width and height move both indices linearly. dneff_dT is that of a 500 x 220 nm strip by a mode
    solver (bolla2017), with 1.86e-4 per K for silicon and 1e-5 for oxide. Left out: dispersion of higher
    order, change of ng with temperature, other modes and polarisations, backscattering from rough walls,
    nonlinear absorption.

    Settings:
        length: length along the waveguide.
    """
    return {("o1", "o2"): guide.wave(m, wl, length)}


@component(
    ports=("o1", "o2"), inputs=1, source="harris2014", lossless_when={"loss_dB_cm": 0.0}, layout=_LAYOUT
)
def straight_heater(
    m: Any,
    wl: Any,
    *,
    length: PathLength = 10.0,
    phase: Phase = 0.0,
    guide: HeatedGuide = HEATED_PLACEHOLDER,
) -> Any:
    """Straight waveguide with a heater, which adds the phase `phase` wl0 / wl to that of `straight`.

    The heater changes the index by an amount that does not depend on
    wavelength, hence the factor wl0 / wl. Left out: heater power and response
    time, heat that reaches neighbours, and what `straight` leaves out.

    Settings:
        length: length along the waveguide.
        phase: phase that the heater adds at wl0.
    """
    return {("o1", "o2"): guide.heated_wave(m, wl, length, phase)}


def _clothoid_end(turn: Any) -> tuple[Any, Any]:
    """Where a clothoid of unit length that turns by `turn` (rad, at most pi/2) ends: along and across.

    The Fresnel integrals of cos(turn u**2) and sin(turn u**2) as their power
    series; the first term left out is below 1e-15 for a quarter turn.
    """
    along = sum((-1) ** k * turn ** (2 * k) / (factorial(2 * k) * (4 * k + 1)) for k in range(_SERIES_TERMS))
    across = sum(
        (-1) ** k * turn ** (2 * k + 1) / (factorial(2 * k + 1) * (4 * k + 3)) for k in range(_SERIES_TERMS)
    )
    return along, across


def euler_bend_length(m: Any, radius: Any, angle: Any, p: Any) -> Any:
    """Length in um of an Euler bend that ends where a circular bend of `radius` ends.

    The curvature rises linearly over the first half of the fraction p of the
    turn, stays, and falls likewise. With minimum radius r the length is
    r turn (1 + p), and the chord fixes r.
    """
    turn = angle * m.pi / 180
    along, across = _clothoid_end(p * turn / 2)
    chord = (1 - p) * m.sinc((1 - p) * turn / 2)
    chord += 2 * p * (m.cos(turn / 2) * along + m.sin(turn / 2) * across)
    return radius * turn * (1 + p) * m.sinc(turn / 2) / chord


@component(
    ports=("o1", "o2"),
    inputs=1,
    source="vogelbacher2019",
    lossless_when={"loss_dB_cm": 0.0},
    layout=(*_LAYOUT, "with_arc_floorplan", "allow_min_radius_violation", "angular_step", "direction"),
)
def bend_euler(
    m: Any,
    wl: Any,
    *,
    radius: Radius = 10.0,
    angle: Degrees = 90.0,
    p: Fraction = 0.5,
    guide: Guide = _BENT,
) -> Any:
    """Euler bend: a waveguide with the exact length of a bend whose curvature rises and falls linearly.

    `radius` is that of the circular bend with the same end points, as in
    gdsfactory: 10 um, 90 degrees and p = 0.5 make 16.637 um of guide. Giving
    `length` instead of radius, angle and p takes that length as it is. Left
    out: bending loss beyond loss_dB_cm, the index of the bent mode, and mode
    mixing where the curvature changes.

    Settings:
        radius: radius of the circular bend with the same end points.
        angle: turn of the bend, in degrees as layouts have it.
        p: fraction of the turn made while the curvature changes; 0 is a circular bend.
        loss_dB_cm: propagation loss, bending included.
    """
    return {("o1", "o2"): guide.wave(m, wl, euler_bend_length(m, radius, angle, p))}


@bend_euler.variant(when="length", lossless_when={"loss_dB_cm": 0.0})
def bend_euler_of_length(
    m: Any,
    wl: Any,
    *,
    length: PathLength = 16.637,
    guide: Guide = _BENT,
) -> Any:
    """Euler bend by its length along the bend, as SAX describes it.

    Left out: all that `bend_euler` leaves out, and the shape of the bend.

    Settings:
        length: length along the bend.
        loss_dB_cm: propagation loss, bending included.
    """
    return {("o1", "o2"): guide.wave(m, wl, length)}
