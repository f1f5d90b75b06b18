"""Gas cells: an absorption line that a wavelength is compared with."""

from __future__ import annotations

from typing import Annotated, Any

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.model import Loss_dB, PathLength, Quantity, Wavelength, component

LineWidth = Annotated[float, Quantity("Hz", 1e3, 1e15, usual=(1e7, 1e12))]
"""Full width of a line in Hz; never zero."""


@component(
    ports=("o1", "o2"), inputs=1, source="saleh2019", lossless_when={"loss_dB": 0.0, "absorption_dB": 0.0},
    kramers_kronig_when={}, symmetries={("o2", "o1"): {}},
)  # fmt: skip
def gas_cell(
    m: Any,
    wl: Any,
    *,
    absorption_dB: Loss_dB = 3.0,
    wl0: Wavelength = 1.5304,
    linewidth: LineWidth = 1e9,
    length: PathLength = 0.0,
    loss_dB: Loss_dB = 0.0,
) -> Any:
    """Gas cell with one Lorentzian absorption line and its phase, such as for the calibration of wavelengths.

    The field gains exp(2 pi i length/wl - a/(2 (1 - i x))), a = absorption_dB ln(10)/10 and x = 2 (f -
    c/wl0)/linewidth: absorption a/(1 + x**2) and the phase that the Kramers-Kronig relations give (Saleh and
    Teich 2019, section 5.5, near a resonance). The default wavelength is next to the line P9 of acetylene.
    Left out: the Doppler width, other lines, saturation, the index of the gas away from its line.

    Settings:
        absorption_dB: absorption at the centre of the line.
        wl0: wavelength of the line in vacuum.
        linewidth: full width at half maximum of the absorption, which the pressure sets.
        length: length of the cell; 0 if its phase does not matter.
        loss_dB: loss of the windows, the same at all wavelengths.
    """
    offset = SPEED_OF_LIGHT_UM_S * (wl0 - wl) / (wl * wl0)  # f - f0, without a difference of large numbers
    x = 2 * offset / linewidth
    line = m.log(10) / 20 * absorption_dB / (1 + x * x)
    return {("o1", "o2"): m.amplitude_dB(loss_dB) * m.exp(-line) * m.cis(2 * m.pi * length / wl - line * x)}
