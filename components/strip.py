"""The silicon strip guide of 500 x 220 nm as the foundry tables have it, and what is drawn with it."""

from __future__ import annotations

from typing import Annotated, Any

from photosim.components.guides import STRIP, Guide, GuidedMode
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.model import Loss_dB, PathLength, Quantity, Window, component

StripWidth = Annotated[float, Quantity("um", 0.2, 1.0)]
"""Width of a strip guide in um: beyond, its linear index is not that of any guided mode."""
StripHeight = Annotated[float, Quantity("um", 0.1, 0.4)]
"""Height of a strip guide in um: beyond, its linear index is not that of any guided mode."""
Delay = Annotated[float, Quantity("s", 0.0, 1e-8)]
"""A group delay in s: at most 10 ns, 0.7 m of guide."""
Turns = Annotated[float, Quantity("1", 0.0, 10_000.0)]
"""How often a guide turns round; half turns count."""

WIDTH, HEIGHT = 0.5, 0.22
"""Cross-section in um at which the tabulated indices hold."""
_LAYOUT = ("cross_section", "npoints", "width", "layer", "add_pins", "with_bbox")
STRIP_WINDOW = Window("wl", -0.05, 0.05, "the dispersion of the table at 1.55 um", about="wl0")
"""Where the dispersion of a strip does not change more than it is known."""
SECTION_WINDOWS = (
    Window("width", 0.45, 0.55, "indices of first order in width"),
    Window("height", 0.2, 0.24, "indices of first order in height"),
)
"""Where the slopes of the indices by the cross-section hold."""


TABLED = STRIP.changed(dispersion=3.54e-4)
"""The strip with the dispersion of its table (TM: neff 1.77422, ng 3.72971)."""
TABLED_MODE = GuidedMode(**TABLED.settings(GuidedMode))


@component(
    ports=("o1", "o2"), inputs=1, source="siepic", lossless_when={"loss_dB_cm": 0.0},
    layout=("cross_section", "npoints", "layer", "add_pins", "with_bbox"),
    windows=(STRIP_WINDOW, *SECTION_WINDOWS),
)  # fmt: skip
def straight_strip(
    m: Any,
    wl: Any,
    *,
    length: PathLength = 10.0,
    width: StripWidth = WIDTH,
    height: StripHeight = HEIGHT,
    guide: Guide = TABLED,
) -> Any:
    """Silicon strip waveguide of 500 x 220 nm in oxide: indices and dispersion, with their sensitivities.

    Phase constant 2 pi neff/wl0 + ng w/c - dispersion wl0**2 w**2/(4 pi c), w the angular frequency counted
    from that of wl0. The defaults are those of the fundamental TE mode (TM: neff 1.77422, ng 3.72971). Width
    and height move both indices linearly; the slopes are the central differences of the table between
    480 and 520 nm of width, and 210 and 230 nm of height, whose own points they meet within 2.3e-3 in neff
    and 0.01 in ng. The dispersion of the table, 354 ps/(nm km) at 1.55 um, is known to 130: a vectorial mode
    solver has 466 on a grid of 20 nm and 477 on one of 10 nm (silicon and oxide of the literature), another
    one (bolla2017, 20 nm) 230 to 260. Give `dispersion` where it matters. Holds within 50 nm of wl0: the
    latter solver has its largest dispersion at 1.51 um, 0 at 1.37 um and -440 at 1.31 um, where the indices
    at 1.31 um and that wl0 are to be given. Left out: curvature of those dependences, dispersion of higher
    order, change of the group index with temperature, sidewall angle, backscattering, nonlinear
    absorption.

    Settings:
        length: length along the guide.
        width: width of the waveguide.
        height: height of the waveguide.
        neff: effective index at wl0 and 300 K of a strip of 500 x 220 nm.
        ng: group index at wl0 of a strip of 500 x 220 nm.
        delta_width: error of the width, added to `width`.
        delta_height: error of the height, added to `height`.
    """
    wider, higher = guide.delta_width + width - WIDTH, guide.delta_height + height - HEIGHT
    return {("o1", "o2"): guide.changed(delta_width=wider, delta_height=higher).wave(m, wl, length)}


@component(
    ports=("o1", "o2"), inputs=1, source="siepic", lossless_when={"loss_dB": 0.0},
    layout=(*_LAYOUT, "width1", "width2", "port", "with_two_ports", "port_order_name", "port_order_types"),
    windows=(STRIP_WINDOW,),
)  # fmt: skip
def taper(
    m: Any,
    wl: Any,
    *,
    length: PathLength = 10.0,
    mode: GuidedMode = TABLED_MODE,
    loss_dB: Loss_dB = 0.0,
) -> Any:
    """Adiabatic taper between two widths: a waveguide with the mean indices along it, and a loss.

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
    return {("o1", "o2"): m.amplitude_dB(loss_dB) * mode.wave(m, wl, length)}


@component(
    ports=("o1", "o2"), inputs=1, source="siepic", lossless_when={"loss_dB_cm": 0.0, "turn_loss_dB": 0.0},
    layout=(*_LAYOUT, "bend", "straight", "spacing", "n_loops", "min_bend_radius", "separation",
            "number_of_loops"),
    windows=(STRIP_WINDOW,),
)  # fmt: skip
def spiral(
    m: Any,
    wl: Any,
    *,
    length: PathLength = 100.0,
    turns: Turns = 6.0,
    turn_loss_dB: Loss_dB = 0.02,
    guide: Guide = TABLED,
) -> Any:
    """Spiral: a long waveguide with a propagation loss and an additional loss in every turn.

    `length` is the whole way through the guide, bends included; a layout that names a straight part only has
    to add them. Left out: the index of bent guides, crosstalk between neighbouring turns, backscattering,
    which grows with length.

    Settings:
        length: length along the waveguide from end to end.
        turns: number of full turns.
        turn_loss_dB: loss of the bends in one turn.
    """
    bends = m.amplitude_dB(turn_loss_dB * turns)
    return {("o1", "o2"): bends * guide.wave(m, wl, length)}


@component(
    ports=("o1", "o2"), inputs=1, source="siepic", lossless_when={"loss_dB_cm": 0.0}, layout=_LAYOUT,
    windows=(STRIP_WINDOW,),
)  # fmt: skip
def delay_line(
    m: Any,
    wl: Any,
    *,
    delay: Delay = 1e-12,
    guide: Guide = TABLED,
) -> Any:
    """Delay line: the waveguide with the group delay `delay` at wl0, whose length is c delay/ng.

    1 ps is 71.5 um of strip. Left out: the length of a layout, bends and their loss, and what `spiral`
    leaves out.

    Settings:
        delay: group delay at wl0.
        wl0: wavelength at which the indices, the dispersion and the delay are given.
    """
    length = SPEED_OF_LIGHT_UM_S * delay / guide.ng
    return {("o1", "o2"): guide.wave(m, wl, length)}
