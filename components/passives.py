"""Small passive parts: phase shifter, attenuator, partial mirror, terminator, crossing."""

from __future__ import annotations

from typing import Annotated, Any

from photosim.model import Loss_dB, Phase, Power, Quantity, Wavelength, component

Crosstalk = Annotated[float, Quantity("1", 0.0, 0.25)]
"""Power into each of two side ports; a lossless symmetric crossing sends at most a quarter to each."""


@component(
    ports=("o1", "o2"), inputs=1, source="harris2014", lossless_when={"loss_dB": 0.0}, real_when={},
    layout=("cross_section", "width"),
)  # fmt: skip
def phase_shifter(
    m: Any, wl: Any, *, phase: Phase = 0.0, wl0: Wavelength = 1.55, loss_dB: Loss_dB = 0.0
) -> Any:
    """Ideal phase shifter: adds the phase `phase` at wl0, and `phase` wl0 / wl at other wavelengths.

    An index change that does not depend on wavelength, over a length that is
    counted in no other guide. An ideal part, which holds at all wavelengths.
    Left out: how the phase is driven (power, voltage), its response time, and loss that comes with the phase.

    Settings:
        phase: phase added at wl0.
        wl0: wavelength at which the phase is given.
        loss_dB: insertion loss.
    """
    return {("o1", "o2"): m.amplitude_dB(loss_dB) * m.cis(phase * wl0 / wl)}


@component(
    ports=("o1", "o2"), inputs=1, source="saleh2019", lossless_when={"loss_dB": 0.0}, real_when={},
    symmetries={("o2", "o1"): {}},
)  # fmt: skip
def attenuator(m: Any, wl: Any, *, loss_dB: Loss_dB = 0.0) -> Any:
    """Attenuator: the same loss in both directions, without a phase.

    Left out: dependence on wavelength, the phase that a real absorber adds.

    Settings:
        loss_dB: insertion loss.
    """
    del wl
    return {("o1", "o2"): m.amplitude_dB(loss_dB)}


@component(
    ports=("o1", "o2"), inputs=1, source="saleh2019", lossless_when={}, structural=("reflection",),
    symmetries={("o2", "o1"): {}},
)  # fmt: skip
def reflector(m: Any, wl: Any, *, reflection: Power = 0.1) -> Any:
    """Partial mirror: reflects sqrt(reflection) on both faces and transmits i sqrt(1 - reflection).

    Lossless and without thickness; both faces reflect alike, so light going
    through is a quarter wave ahead. Left out: dependence on wavelength,
    absorption, scattering.

    Settings:
        reflection: fraction of the power that either face reflects.
    """
    del wl
    back = m.sqrt(reflection)
    return {("o1", "o1"): back, ("o2", "o2"): back, ("o1", "o2"): m.i * m.sqrt(1 - reflection)}


@component(
    ports=("o1", "o2"), inputs=1, source="bogaerts2012", lossless_when={}, structural=("reflection",),
    symmetries={("o2", "o1"): {}},
)  # fmt: skip
def scatterer(m: Any, wl: Any, *, reflection: Power = 1e-3) -> Any:
    """Point scatterer in a waveguide: transmits sqrt(1 - reflection), sends back i sqrt(reflection).

    Lossless, and alike from both sides. In a ring it couples the two senses of rotation, so that lines split
    in two (bogaerts2012). Left out: dependence on wavelength, scattering that is spread along the guide,
    light that leaves the guide.

    Settings:
        reflection: fraction of the power that is sent back.
    """
    del wl
    back = m.i * m.sqrt(reflection)
    return {("o1", "o1"): back, ("o2", "o2"): back, ("o1", "o2"): m.sqrt(1 - reflection)}


@component(ports=("o1",), inputs=1, source="saleh2019", real_when={}, structural=("reflection",))
def terminator(m: Any, wl: Any, *, reflection: Power = 0.0) -> Any:
    """Terminator, the end of a waveguide: absorbs the light, apart from a small reflection.

    Left out: dependence on wavelength, the phase of the reflection.

    Settings:
        reflection: fraction of the power that is reflected.
    """
    del wl
    return {("o1", "o1"): m.sqrt(reflection)}


@component(
    ports=("o1", "o2", "o3", "o4"),
    inputs=2,
    aliases={"west": "o1", "north": "o2", "east": "o3", "south": "o4"},
    source="bogaerts2007",
    lossless_when={"loss_dB": 0.0},
    symmetries={("o2", "o3", "o4", "o1"): {}, ("o1", "o4", "o3", "o2"): {}},
    structural=("crosstalk", "reflection"),
    layout=("cross_section", "length", "width", "taper"),
)
def crossing(
    m: Any, wl: Any, *, loss_dB: Loss_dB = 0.0, crosstalk: Crosstalk = 0.0, reflection: Power = 0.0
) -> Any:
    """Crossing of two waveguides, o1 to o3 and o2 to o4, with the same loss and crosstalk for all ports.

    Light that leaks into the side ports is a quarter wave ahead; four-fold
    symmetry and energy conservation then fix what comes straight through,
    (1 + sqrt(1 - 4 crosstalk))/2, and back, (sqrt(1 - 4 crosstalk) - 1)/2. A
    mirror in the middle adds `reflection`. Unitary apart from loss_dB. An
    ideal part, which holds at all wavelengths: nothing of it is fitted. Left
    out: dependence on wavelength, the length of the tapers.

    Settings:
        loss_dB: insertion loss of every path.
        crosstalk: fraction of the power that goes to each of the two side ports.
        reflection: fraction of the power that a mirror in the middle sends back.
    """
    del wl
    amplitude = m.amplitude_dB(loss_dB)
    forward, back = amplitude * m.sqrt(1 - reflection), amplitude * m.i * m.sqrt(reflection)
    root = m.sqrt(1 - 4 * crosstalk)
    through, returned, side = (1 + root) / 2, (root - 1) / 2, m.i * m.sqrt(crosstalk)
    across = forward * through + back * returned
    home = forward * returned + back * through
    aside = (forward + back) * side
    sides = (("o1", "o2"), ("o2", "o3"), ("o3", "o4"), ("o1", "o4"))
    return {
        ("o1", "o3"): across,
        ("o2", "o4"): across,
        **{(port, port): home for port in ("o1", "o2", "o3", "o4")},
        **dict.fromkeys(sides, aside),
    }
