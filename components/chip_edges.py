"""Where light enters and leaves the chip: grating coupler and edge coupler."""

from __future__ import annotations

from typing import Any

from photosim.components.splitters import PassBand
from photosim.model import Loss_dB, Power, component

_LAYOUT = ("cross_section", "polarization", "taper_length", "taper_angle", "fiber_angle", "length", "size",
           "grating_line_width", "n_periods", "period", "fill_factor", "width_grating", "length_taper",
           "taper", "wavelength", "neff", "nclad", "layer_slab", "layer_grating", "layer_trench", "bias_gap",
           "big_last_tooth", "slab_xmin", "slab_offset", "with_two_ports", "width1", "width2")  # fmt: skip


_BAND = PassBand(fwhm=0.0573, loss_dB=2.37)


def mirror_then(m: Any, amplitude: Any, reflection: Any) -> dict[tuple[str, str], Any]:
    """Elements of a mirror at o1, of power `reflection`, in front of an absorber that leaves `amplitude`."""
    return {
        ("o1", "o2"): amplitude * m.sqrt(1 - reflection),
        ("o1", "o1"): m.i * m.sqrt(reflection),
        ("o2", "o2"): amplitude**2 * m.i * m.sqrt(reflection),
    }


@component(
    ports=("o1", "o2"), inputs=1, source="siepic", aliases={"fiber": "o2"}, structural=("reflection",),
    layout=_LAYOUT,
)  # fmt: skip
def grating_coupler(
    m: Any,
    wl: Any,
    *,
    band: PassBand = _BAND,
    reflection: Power = 6.6e-3,
) -> Any:
    """Grating coupler from a waveguide, o1, to a fibre, o2, with a Gaussian pass band over wavelength.

    The defaults are the nominal TE coupler of the SiEPIC library: 2.4 dB at 1550 nm, of which the mirror
    makes 0.03, and a 1 dB bandwidth of 33 nm, which is a full width of 57.3 nm at half power. A mirror where
    the guide meets the grating sends `reflection` back into the guide, -21.8 dB as in the library's table;
    the fibre sees it through the grating twice, -26.5 dB, where the table has -30. Left out: ripple and skew
    of the band, the other polarisation, angle and position of the fibre, reflection at its facet.

    Settings:
        fwhm: full width of the pass band at half of the power; 1.735 times the 1 dB bandwidth.
        reflection: fraction of the power that is reflected back into the waveguide.
    """
    return mirror_then(m, band.amplitude(m, wl), reflection)


@component(
    ports=("o1", "o2"), inputs=1, source="alqadasi2022", aliases={"fiber": "o2"}, structural=("reflection",),
    lossless_when={"loss_dB": 0.0}, layout=_LAYOUT,
)  # fmt: skip
def edge_coupler(m: Any, wl: Any, *, loss_dB: Loss_dB = 1.6, reflection: Power = 0.0) -> Any:
    """Edge coupler from a waveguide, o1, to a fibre, o2: a loss and a reflection, equal at all wavelengths.

    An ideal part, which holds at all wavelengths with the loss that it is given; the default is the one that
    Al-Qadasi et al. take in their link budgets. Left out: dependence on wavelength
    and polarisation, misalignment of the fibre, the cavity that facet and guide make (a `reflector` and a
    `straight` make it).

    Settings:
        loss_dB: insertion loss from waveguide to fibre.
        reflection: fraction of the power that is reflected back into the waveguide.
    """
    del wl
    return mirror_then(m, m.amplitude_dB(loss_dB), reflection)
