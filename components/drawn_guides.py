"""Guides as layouts draw them: circular and S bends, unequal pairs, steps of width, teeth of gratings."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from photosim.components.couplers import GAP_WINDOWS, coupling_angle
from photosim.components.guides import PLACEHOLDER, STRIP_MODE, Degrees, Guide, GuidedMode
from photosim.components.strip import StripWidth
from photosim.model import (
    Gap,
    Loss_dB,
    Netlist,
    PathLength,
    Quantity,
    Radius,
    Window,
    component,
    composite,
    links,
    numerical,
    part,
    ref,
)

Along = Annotated[float, Quantity("um", 1e-3, 1e6)]
"""Extent of a bend along its ends in um; never zero."""
Aside = Annotated[float, Quantity("um", -1e6, 1e6)]
"""Offset of a bend's ends in um, to either side."""
NearStrip = Annotated[float, Quantity("um", 0.35, 0.7)]
"""Width of a strip guide in um whose fundamental mode alone is meant."""

_LAYOUT = ("cross_section", "npoints", "width", "layer", "add_pins", "with_bbox", "angular_step",
           "allow_min_radius_violation")  # fmt: skip
_BENT = PLACEHOLDER.changed(loss_dB_cm=0.1)
# Gauss-Legendre on half of the curve, which is symmetric: 14 digits for bends at least as long as wide.
_NODES, _WEIGHTS = (tuple(map(float, table)) for table in np.polynomial.legendre.leggauss(12))
_DRAWN_UM = 0.5


@component(
    ports=("o1", "o2"), inputs=1, source="gdsfactory", lossless_when={"loss_dB_cm": 0.0},
    layout=(*_LAYOUT, "direction"),
)  # fmt: skip
def bend_circular(
    m: Any, wl: Any, *, radius: Radius = 10.0, angle: Degrees = 90.0, guide: Guide = _BENT
) -> Any:
    """Circular bend: a waveguide whose length is radius times angle.

    Left out: bending loss beyond loss_dB_cm, the index of the bent mode, the step of the mode where the
    curvature jumps (`bend_euler` has none).

    Settings:
        radius: radius of the centre line.
        angle: turn of the bend, in degrees as layouts have it.
        loss_dB_cm: propagation loss, bending included.
    """
    return {("o1", "o2"): guide.wave(m, wl, radius * angle * m.pi / 180)}


def s_bend_length(m: Any, dx: Any, dy: Any) -> Any:
    """Length in um of the cubic Bezier curve over (0, 0), (dx/2, 0), (dx/2, dy), (dx, dy)."""
    total = 0
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        t = (node + 1) / 4
        total += weight / 2 * m.sqrt(
            (1.5 * dx * ((1 - t) ** 2 + t**2)) ** 2 + (6 * dy * t * (1 - t)) ** 2
        )  # fmt: skip
    return total


@component(
    ports=("o1", "o2"), inputs=1, source="gdsfactory", lossless_when={"loss_dB_cm": 0.0},
    layout=(*_LAYOUT, "size"),
)  # fmt: skip
def bend_s(m: Any, wl: Any, *, dx: Along = 11.0, dy: Aside = 1.8, guide: Guide = _BENT) -> Any:
    """S-bend: a waveguide with the exact length of the cubic Bezier curve that layouts draw.

    11 um by 1.8 um make 11.206 um of guide. Giving `length` instead of dx and dy takes that length as it is.
    Left out: bending loss beyond loss_dB_cm, the index of the bent mode, mode mixing where the curvature
    changes.

    Settings:
        dx: distance of the two ends along the waveguide.
        dy: offset of the two ends across it.
        loss_dB_cm: propagation loss, bending included.
    """
    return {("o1", "o2"): guide.wave(m, wl, s_bend_length(m, dx, dy))}


@bend_s.variant(when="length", lossless_when={"loss_dB_cm": 0.0})
def bend_s_of_length(m: Any, wl: Any, *, length: PathLength = 11.206, guide: Guide = _BENT) -> Any:
    """S-bend by its length along the bend.

    Left out: all that `bend_s` leaves out, and the shape of the bend.

    Settings:
        length: length along the bend.
        loss_dB_cm: propagation loss, bending included.
    """
    return {("o1", "o2"): guide.wave(m, wl, length)}


@component(
    ports=("o1", "o2", "o3", "o4"), inputs=2, source="yariv1973", lossless_when={"loss_dB": 0.0},
    layout=("cross_section",),
    windows=(
        *GAP_WINDOWS,
        Window("width_top", 0.45, 0.55, "an index of first order in width"),
        Window("width_bot", 0.45, 0.55, "an index of first order in width"),
    ),
)  # fmt: skip
def coupler_straight_asymmetric(
    m: Any,
    wl: Any,
    *,
    length: PathLength = 10.0,
    gap: Gap = 0.27,
    width_top: NearStrip = 0.5,
    width_bot: NearStrip = 0.5,
    mode: GuidedMode = STRIP_MODE,
    loss_dB: Loss_dB = 0.0,
) -> Any:
    """Straight section of a coupler of two waveguides of different width, o1-o4 below and o2-o3 above.

    Coupled-mode theory with s**2 = kappa**2 + delta**2, delta = pi (n_bot - n_top)/wl: cross
    i kappa sin(s length)/s, bar cos(s length) +- i delta sin(s length)/s, times the phase of the mean index.
    kappa is that of two strips of 500 nm and the gap; the indices follow the widths by dneff_dw. Left out:
    change of kappa with the widths, modes other than the fundamental ones (a guide twice as wide couples its
    higher mode: `mode_converter`), the bends at both ends, reflection.

    Settings:
        length: length over which the guides run side by side.
        gap: distance between their walls.
        width_top: width of the guide o2-o3.
        width_bot: width of the guide o1-o4.
        neff: effective index at wl0 of a guide of 500 nm alone.
        ng: group index at wl0 of a guide of 500 nm alone.
        loss_dB: insertion loss of every path.
    """
    top, bottom = (mode.index(wl) + mode.dneff_dw * (w - _DRAWN_UM) for w in (width_top, width_bot))
    detuning = m.pi * (bottom - top) / wl * length
    angle = coupling_angle(m, wl, gap, length, 0)
    turn = m.sqrt(angle * angle + detuning * detuning)
    along = m.amplitude_dB(loss_dB) * m.cis(m.pi * (top + bottom) / wl * length)
    bar, lean = m.cos(turn), m.i * detuning * m.sinc(turn)
    cross = along * m.i * angle * m.sinc(turn)
    return {
        ("o1", "o4"): along * (bar + lean),
        ("o2", "o3"): along * (bar - lean),
        ("o1", "o3"): cross,
        ("o2", "o4"): cross,
    }


# A silicon slab of 220 nm in oxide at 1.55 um (TE): index and its slope by wavelength, from the dispersion
# relation of the slab with n = 3.476, dn/dwl = -0.0787/um (silicon) and 1.444, -0.0119/um (oxide).
SLAB_INDEX, SLAB_SLOPE, OXIDE_INDEX = 2.8478, -0.5493, 1.444
_SLAB_WL_UM = 1.55


def slab_index(wl: Any) -> Any:
    """Effective index of the fundamental TE mode of the slab of 220 nm in oxide."""
    return SLAB_INDEX + SLAB_SLOPE * (wl - _SLAB_WL_UM)


def lateral_mode(wl: Any, width: Any) -> tuple[Any, Any, Any]:
    """Constants of a strip's quasi-TE mode by the effective-index method: index, k across, decay outside.

    k tan(k width/2) = (n_slab/n_oxide)**2 decay, the even mode whose field is normal to the walls; Newton's
    method for u = k width/2 on 0 to pi/2.
    """
    k0, core = 2 * np.pi / wl, slab_index(wl)
    strength = k0 * width / 2 * np.sqrt(core**2 - OXIDE_INDEX**2)
    ratio = (core / OXIDE_INDEX) ** 2
    low, high = np.zeros_like(strength), np.minimum(strength, np.pi / 2)
    for _ in range(60):  # the sign of u sin u - ratio sqrt(v**2 - u**2) cos u changes once
        u = (low + high) / 2
        above = u * np.sin(u) > ratio * np.sqrt(np.maximum(strength**2 - u**2, 0.0)) * np.cos(u)
        low, high = np.where(above, low, u), np.where(above, u, high)
    across = (low + high) / width
    index = np.sqrt(core**2 - (across / k0) ** 2)
    return index, across, k0 * np.sqrt(index**2 - OXIDE_INDEX**2)


def _shared(one: tuple[Any, Any, Any], width: Any, other: tuple[Any, Any, Any], reach: Any) -> Any:
    """Integral over half the plane of the fields of two modes, of guides of `width` and of `reach`."""
    (_, k1, d1), (_, k2, d2) = one, other
    (narrow, k_n, d_n, a), (_, k_w, d_w, b) = sorted(
        ((width, k1, d1, width / 2), (reach, k2, d2, reach / 2)), key=lambda mode: mode[0]
    )
    del narrow
    # Both cosines up to the inner edge a, the narrow mode's tail times a cosine up to b, then both tails.
    both = a / 2 * (np.sinc((k_n - k_w) * a / np.pi) + np.sinc((k_n + k_w) * a / np.pi))
    edge = np.cos(k_n * a)

    def tail(x: Any) -> Any:
        return np.exp(-d_n * (x - a)) * (k_w * np.sin(k_w * x) - d_n * np.cos(k_w * x)) / (d_n**2 + k_w**2)

    between = edge * (tail(b) - tail(a))
    beyond = edge * np.exp(-d_n * (b - a)) * np.cos(k_w * b) / (d_n + d_w)
    return both + between + beyond


_STEP_WINDOWS = (
    Window("wl", 1.45, 1.65, "the slab index of first order in wavelength"),
    Window("width1", 0.35, 0.8, "widths that the effective-index method describes"),
    Window("width2", 0.35, 0.8, "widths that the effective-index method describes"),
)


@numerical(
    source="okamoto2006", ports=("o1", "o2"), reciprocal=True, lossless_when=None, windows=_STEP_WINDOWS,
    structure_of=lambda **_: ((0, 0), (0, 1), (1, 0), (1, 1)),
)  # fmt: skip
def width_step(wl: Any, *, width1: StripWidth = 0.5, width2: StripWidth = 0.45) -> Any:
    """Joint of two strip waveguides of different width: its loss from the modes' overlap, and its reflection.

    Silicon, 220 nm high, in oxide. Modes by the effective-index method, reflection (n1 - n2)/(n1 + n2),
    transmission the root of (1 - R) times the overlap of the fields: from 500 to 450 nm 0.019 dB are lost and
    2.3e-4 of the power is reflected at 1.55 um. The joint has no length and no phase. It is inserted
    automatically where a layout joins two widths. Left out: higher modes, light that a second joint near by
    collects again, other heights and materials.

    Settings:
        width1: width of the guide at o1.
        width2: width of the guide at o2.
    """
    first, second = lateral_mode(wl, width1), lateral_mode(wl, width2)
    reflected = (first[0] - second[0]) / (first[0] + second[0])
    shared = _shared(first, width1, second, width2) ** 2
    shared = shared / (_shared(first, width1, first, width1) * _shared(second, width2, second, width2))
    passed = np.sqrt((1 - reflected**2) * np.minimum(shared, 1.0))
    s = np.empty((np.size(wl), 2, 2), dtype=np.complex128)
    s[:, 0, 0], s[:, 1, 1] = reflected, -reflected
    s[:, 0, 1] = s[:, 1, 0] = passed
    return s


@composite(ports=("o1", "o2"), inputs=1, source="okamoto2006", layout=("cross_section",))
def dbr_cell(
    *,
    w1: StripWidth = 0.45,
    w2: StripWidth = 0.55,
    l1: PathLength = 0.159,
    l2: PathLength = 0.159,
) -> Netlist:
    """One period of a Bragg grating that a layout draws tooth by tooth: `narrow`, a step in width, `wide`.

    The step back lies between two periods, where their widths meet; in a netlist of a layout it is put there.
    Left out: what `width_step` leaves out, so that many periods are a model of `kappa`, for which
    `bragg_grating` takes a number.

    Settings:
        w1: width of the first half.
        w2: width of the second half.
        l1: length of the first half.
        l2: length of the second half.
    """
    return Netlist(
        instances={
            "narrow": part("straight_strip", length=l1, width=w1),
            "step": part("width_step", width1=w1, width2=w2),
            "wide": part("straight_strip", length=l2, width=w2),
        },
        connections=links("narrow,o2:step,o1", "step,o2:wide,o1"),
        ports={"o1": ref("narrow,o1"), "o2": ref("wide,o2")},
        name="dbr_cell",
    )
