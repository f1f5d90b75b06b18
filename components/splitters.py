"""Parts that divide light without evanescent coupling: Y junctions and multimode interference couplers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from photosim.components.couplers import ALIKE, two_by_two
from photosim.model import Loss_dB, Power, Quantity, SettingsGroup, Wavelength, Window, component

Bandwidth_um = Annotated[float, Quantity("um", 1e-6, 10.0)]
"""Full width of a pass band in um; never zero."""
Imbalance_dB = Annotated[float, Quantity("dB", -60.0, 60.0)]
"""Ratio of two output powers in dB."""

_LAYOUT = ("cross_section", "width", "width_taper", "length_taper", "length_mmi", "width_mmi", "gap_mmi",
           "taper", "straight", "with_bbox", "layer", "add_pins")  # fmt: skip


def junction(m: Any, to_o3: Any, to_o2: Any, amplitude: Any, reflection: Any) -> dict[tuple[str, str], Any]:
    """Elements of a 1x2 junction: o1 meets one superposition of o2 and o3, the other one is radiated away.

    A mirror of power reflection R sits where the arms meet. The matrix has
    singular values amplitude, amplitude and 0 as long as to_o3**2 + to_o2**2 = 1.
    """
    forward, back = amplitude * m.sqrt(1 - reflection), amplitude * m.i * m.sqrt(reflection)
    return {
        ("o1", "o3"): forward * to_o3,
        ("o1", "o2"): forward * to_o2,
        ("o1", "o1"): back,
        ("o3", "o3"): back * to_o3**2,
        ("o2", "o2"): back * to_o2**2,
        ("o2", "o3"): back * to_o3 * to_o2,
    }


@component(
    ports=("o1", "o2", "o3"), inputs=1, source="zhang2013", structural=("reflection",),
    symmetries={("o1", "o3", "o2"): {"ratio": 0.5}}, real_when={"reflection": 0.0},
    layout=("cross_section", "width", "length", "angle", "with_bbox", "layer"),
)  # fmt: skip
def splitter(m: Any, wl: Any, *, ratio: Power = 0.5, loss_dB: Loss_dB = 0.0, reflection: Power = 0.0) -> Any:
    """Y-junction splitter: transmits sqrt(ratio) from o1 to o3 (out0), and sqrt(1 - ratio) to o2 (out1).

    Backwards, only the superposition that it would have sent out is guided;
    the other one is lost, as in a real junction. Left out: dependence on
    wavelength, light that radiates into another port.

    Settings:
        ratio: fraction of the power that goes to o3, the lower arm.
        loss_dB: insertion loss of every path.
        reflection: fraction of the power that a mirror at the junction sends back.
    """
    del wl
    return junction(m, m.sqrt(ratio), m.sqrt(1 - ratio), m.amplitude_dB(loss_dB), reflection)


@dataclass(frozen=True)
class PassBand(SettingsGroup):
    """Gaussian pass band of a part's power.

    Settings:
        wl0: centre of the pass band.
        fwhm: full width of the pass band at half of the power.
        loss_dB: insertion loss at wl0.
    """

    wl0: Wavelength = 1.55
    fwhm: Bandwidth_um = 0.2
    loss_dB: Loss_dB = 0.3

    windows: ClassVar[tuple[Window, ...]] = (
        Window("wl", -1.0, 1.0, "a Gaussian band, one fwhm to either side of wl0", about="wl0", scale="fwhm"),
    )

    def amplitude(self, m: Any, wl: Any) -> Any:
        """Amplitude that passes at a wavelength."""
        return m.amplitude_dB(self.loss_dB) * m.exp(-2 * m.log(2) * ((wl - self.wl0) / self.fwhm) ** 2)


_BAND = PassBand()


def _share(m: Any, imbalance_dB: Any) -> Any:
    """Fraction of the power in an output that is imbalance_dB stronger than the other one.

    That of the other is the share at -imbalance_dB, which keeps its digits where little is left.
    """
    return 1 / (1 + m.amplitude_dB(imbalance_dB) ** 2)


@component(
    ports=("o1", "o2", "o3"), inputs=1, source="soldano1995", structural=("reflection",), layout=_LAYOUT,
    symmetries={("o1", "o3", "o2"): {"imbalance_dB": 0.0}},
)  # fmt: skip
def mmi1x2(
    m: Any,
    wl: Any,
    *,
    band: PassBand = _BAND,
    imbalance_dB: Imbalance_dB = 0.0,
    reflection: Power = 0.0,
) -> Any:
    """1x2 multimode interference coupler (MMI): a splitter with equal phases and a Gaussian pass band.

    The self-image shifts with wavelength as the beat length does, which a
    Gaussian of the power, full width fwhm about wl0, stands for. Backwards,
    the antisymmetric superposition of o2 and o3 is lost. Left out: the phase
    of the body, ripple from higher modes, the exact shape of the band.

    Settings:
        imbalance_dB: power at o2 over power at o3.
        reflection: fraction of the power that the end of the multimode section sends back.
    """
    upper, lower = _share(m, imbalance_dB), _share(m, -imbalance_dB)
    return junction(m, m.sqrt(lower), m.sqrt(upper), band.amplitude(m, wl), reflection)


@component(
    ports=("o1", "o2", "o3", "o4"), inputs=2, source="soldano1995", structural=("reflection",),
    layout=_LAYOUT, symmetries=ALIKE,
)  # fmt: skip
def mmi2x2(
    m: Any,
    wl: Any,
    *,
    band: PassBand = _BAND,
    imbalance_dB: Imbalance_dB = 0.0,
    reflection: Power = 0.0,
) -> Any:
    """2x2 multimode interference coupler (MMI): 90 degrees between bar and cross, in a Gaussian pass band.

    Left out: the phase of the body, phase errors of the image, ripple from
    higher modes, the exact shape of the band.

    Settings:
        imbalance_dB: power at the cross port over power at the bar port.
        reflection: fraction of the power that the middle of the multimode section sends back.
    """
    crossed, straight = _share(m, imbalance_dB), _share(m, -imbalance_dB)
    elements = two_by_two(m, m.sqrt(straight), m.sqrt(crossed), 0, reflection)
    passed = band.amplitude(m, wl)
    return {pair: passed * value for pair, value in elements.items()}
