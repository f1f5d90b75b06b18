"""Non-reciprocal parts: isolator and circulator."""

from __future__ import annotations

from typing import Any

from photosim.model import (
    Loss_dB,
    Ratio_dB,
    component,
)


@component(ports=("o1", "o2"), inputs=1, source="jalas2013", reciprocal=False, real_when={})
def isolator(m: Any, wl: Any, *, insertion_loss_dB: Loss_dB = 0.0, isolation_dB: Ratio_dB = 40.0) -> Any:
    """Isolator: transmits light from o1 to o2, and blocks light from o2 to o1.

    Backward light is absorbed inside, apart from the leak. Left
    out: dependence on wavelength, temperature and polarisation, reflections.

    Settings:
        insertion_loss_dB: loss from o1 to o2.
        isolation_dB: loss from o2 to o1.
    """
    del wl
    return {("o1", "o2"): m.amplitude_dB(insertion_loss_dB), ("o2", "o1"): m.amplitude_dB(isolation_dB)}


@component(
    ports=("o1", "o2", "o3"), inputs=1, source="jalas2013", reciprocal=False, real_when={},
    symmetries={("o2", "o3", "o1"): {}},
)  # fmt: skip
def circulator(m: Any, wl: Any, *, insertion_loss_dB: Loss_dB = 0.0, isolation_dB: Ratio_dB = 40.0) -> Any:
    """Circulator: transmits from o1 to o2, from o2 to o3, and from o3 to o1, with a weak leak backwards.

    A matched junction that leaks must absorb, or light sent into all three
    ports at once would gain power: with the leak l = 10**(-isolation_dB/20)
    the forward amplitude is 10**(-insertion_loss_dB/20) (1 - l). At 40 dB
    isolation that is 0.087 dB more than insertion_loss_dB. Left out:
    reflections, dependence on wavelength, temperature and polarisation.

    Settings:
        insertion_loss_dB: loss from one port to the next, without that which the leak requires.
        isolation_dB: loss from one port to the previous one.
    """
    del wl
    leak = m.amplitude_dB(isolation_dB)
    forward = m.amplitude_dB(insertion_loss_dB) * (1 - leak)
    ahead = (("o1", "o2"), ("o2", "o3"), ("o3", "o1"))
    behind = tuple((b, a) for a, b in ahead)
    return {**dict.fromkeys(ahead, forward), **dict.fromkeys(behind, leak)}
