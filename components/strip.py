"""The silicon strip guide of 500 x 220 nm as the foundry tables have it, and what is drawn with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from photosim.components.guides import ROOM, STRIP, Indices, Warmth, guide_wave
from photosim.conventions import SPEED_OF_LIGHT_M_S, SPEED_OF_LIGHT_UM_S
from photosim.model import (
    Index,
    Length,
    Loss_dB,
    Loss_dB_cm,
    Quantity,
    SettingsGroup,
    Wavelength,
    component,
)

StripWidth = Annotated[float, Quantity("um", 0.45, 0.55)]
"""Width of a strip guide near 500 nm, where its index is known to first order."""
StripHeight = Annotated[float, Quantity("um", 0.2, 0.24)]
"""Height of a strip guide near 220 nm, where its index is known to first order."""
PerLength = Annotated[float, Quantity("1/um", -10.0, 10.0)]
"""Change of an index per um of width or height."""
Dispersion = Annotated[float, Quantity("s/m2", -1e-2, 1e-2)]
"""Dispersion parameter D in s/m**2; 1e-6 s/m**2 is 1 ps/(nm km)."""
Delay = Annotated[float, Quantity("s", 0.0, 1e-8)]
"""A group delay in s: at most 10 ns, 0.7 m of guide."""
Turns = Annotated[float, Quantity("1", 0.0, 10_000.0)]
"""How often a guide turns round; half turns count."""

WIDTH, HEIGHT = 0.5, 0.22
"""Cross-section in um at which the tabulated indices hold."""
_LAYOUT = ("cross_section", "npoints", "width", "layer", "add_pins", "with_bbox")


@dataclass(frozen=True)
class StripIndices(SettingsGroup):
    """Indices and dispersion of the fundamental TE mode of the strip (TM: neff 1.77422, ng 3.72971).

    Settings:
        neff: effective index at wl0 and 300 K.
        ng: group index at wl0.
        dispersion: dispersion parameter at wl0; 1e-6 is 1 ps/(nm km).
        wl0: wavelength at which the indices and the dispersion are given.
    """

    neff: Index = STRIP.neff
    ng: Index = STRIP.ng
    dispersion: Dispersion = 3.54e-4
    wl0: Wavelength = STRIP.wl0

    def index(self, wl: Any, warmth: Warmth) -> Any:
        """Effective index at a wavelength, with the phase to second order in frequency about wl0.

        The phase constant is 2 pi neff/wl0 + ng w/c - dispersion wl0**2 w**2/(4 pi c), w the angular
        frequency counted from that of wl0; the index is what makes it 2 pi index/wl.
        """
        # s/m**2 times m/s is 1/m, which is 1e-6 per um.
        bend = self.dispersion * (SPEED_OF_LIGHT_M_S * 0.5e-6)
        first = Indices(self.neff, self.ng, self.wl0).index(wl) + warmth.change()
        return first - bend * (wl - self.wl0) ** 2 / wl


@dataclass(frozen=True)
class StripGuide(StripIndices):
    """Strip guide at a temperature, with loss.

    Settings:
        loss_dB_cm: propagation loss.
    """

    loss_dB_cm: Loss_dB_cm = STRIP.loss_dB_cm
    warmth: Warmth = ROOM

    def wave(self, m: Any, wl: Any, length: Any) -> Any:
        """Factor that a wave gains along a length in um."""
        return guide_wave(m, wl, length, self.index(wl, self.warmth), self.loss_dB_cm)


STRIP_INDICES, STRIP_GUIDE = StripIndices(), StripGuide()


@component(
    ports=("o1", "o2"), inputs=1, source="siepic", lossless_when={"loss_dB_cm": 0.0},
    layout=("cross_section", "npoints", "layer", "add_pins", "with_bbox"),
)  # fmt: skip
def straight_strip(
    m: Any,
    wl: Any,
    *,
    length: Length = 10.0,
    width: StripWidth = WIDTH,
    height: StripHeight = HEIGHT,
    neff: Index = STRIP_GUIDE.neff,
    ng: Index = STRIP_GUIDE.ng,
    dispersion: Dispersion = STRIP_GUIDE.dispersion,
    dneff_dw: PerLength = 1.581,
    dneff_dh: PerLength = 3.712,
    dng_dw: PerLength = -1.703,
    dng_dh: PerLength = 0.991,
    guide: StripGuide = STRIP_GUIDE,
) -> Any:
    """Silicon strip guide of 500 x 220 nm in oxide: tabulated indices, dispersion, and their sensitivities.

    Phase constant 2 pi neff/wl0 + ng w/c - dispersion wl0**2 w**2/(4 pi c), w the angular frequency counted
    from that of wl0. The defaults are those of the fundamental TE mode (TM: neff 1.77422, ng 3.72971). Width
    and height move both indices linearly; the slopes are the central differences of the table between
    480 and 520 nm of width, and 210 and 230 nm of height, whose own points they meet within 2.3e-3 in neff
    and 0.01 in ng. Left out: curvature of those dependences, dispersion of higher order, change of the
    group index with temperature, sidewall angle, backscattering, nonlinear absorption.

    Settings:
        length: length along the guide.
        width: width of the guide.
        height: height of the guide.
        neff: effective index at wl0 and 300 K of a guide of 500 x 220 nm.
        ng: group index at wl0 of a guide of 500 x 220 nm.
        dneff_dw: change of the effective index per um of width.
        dneff_dh: change of the effective index per um of height.
        dng_dw: change of the group index per um of width.
        dng_dh: change of the group index per um of height.
    """
    del dispersion  # the guide has it
    wider, higher = width - WIDTH, height - HEIGHT
    own_neff = neff + dneff_dw * wider + dneff_dh * higher
    own_ng = ng + dng_dw * wider + dng_dh * higher
    return {("o1", "o2"): guide.changed(neff=own_neff, ng=own_ng).wave(m, wl, length)}


@component(
    ports=("o1", "o2"), inputs=1, source="siepic", lossless_when={"loss_dB": 0.0},
    layout=(*_LAYOUT, "width1", "width2", "port", "with_two_ports", "port_order_name", "port_order_types"),
)  # fmt: skip
def taper(
    m: Any,
    wl: Any,
    *,
    length: Length = 10.0,
    indices: StripIndices = STRIP_INDICES,
    loss_dB: Loss_dB = 0.0,
    warmth: Warmth = ROOM,
) -> Any:
    """Adiabatic taper between two widths: a guide with the mean indices along it, and an insertion loss.

    The phase of a slowly varying guide is the integral of its phase constant, so mean indices are exact. They
    are settings: the widths of a layout are accepted and not simulated, and the defaults are those of
    the 500 x 220 nm strip. Left out: reflections and higher modes that a taper too short excites,
    change of the indices with width.

    Settings:
        length: length of the taper.
        neff: effective index at wl0 and 300 K, averaged along the taper.
        ng: group index at wl0, averaged along the taper.
        dispersion: dispersion parameter at wl0, averaged along the taper.
        loss_dB: insertion loss.
    """
    return {("o1", "o2"): m.amplitude_dB(loss_dB) * guide_wave(m, wl, length, indices.index(wl, warmth), 0)}


@component(
    ports=("o1", "o2"), inputs=1, source="siepic", lossless_when={"loss_dB_cm": 0.0, "turn_loss_dB": 0.0},
    layout=(*_LAYOUT, "bend", "straight", "spacing", "n_loops", "min_bend_radius", "separation",
            "number_of_loops"),
)  # fmt: skip
def spiral(
    m: Any,
    wl: Any,
    *,
    length: Length = 100.0,
    turns: Turns = 6.0,
    turn_loss_dB: Loss_dB = 0.02,
    guide: StripGuide = STRIP_GUIDE,
) -> Any:
    """Spiral: a long guide, of the length given, that loses a little more in every turn.

    `length` is the whole way through the guide, bends included; a layout that names a straight part only has
    to add them. Left out: the index of bent guides, crosstalk between neighbouring turns, backscattering,
    which grows with length.

    Settings:
        length: length along the guide from end to end.
        turns: number of full turns.
        turn_loss_dB: loss of the bends in one turn.
    """
    bends = m.amplitude_dB(turn_loss_dB * turns)
    return {("o1", "o2"): bends * guide.wave(m, wl, length)}


@component(ports=("o1", "o2"), inputs=1, source="siepic", lossless_when={"loss_dB_cm": 0.0}, layout=_LAYOUT)
def delay_line(
    m: Any,
    wl: Any,
    *,
    delay: Delay = 1e-12,
    guide: StripGuide = STRIP_GUIDE,
) -> Any:
    """Delay line: the guide whose group delay at wl0 is `delay`, of length c delay/ng.

    1 ps is 71.5 um of strip. Left out: the length of a layout, bends and their loss, and what `spiral`
    leaves out.

    Settings:
        delay: group delay at wl0.
        wl0: wavelength at which the indices, the dispersion and the delay are given.
    """
    length = SPEED_OF_LIGHT_UM_S * delay / guide.ng
    return {("o1", "o2"): guide.wave(m, wl, length)}
