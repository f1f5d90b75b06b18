"""Parts whose ports carry two modes: polarisation rotators, mode converters, guides of two modes."""

from __future__ import annotations

from typing import Any, Literal

from photosim.components.guides import PLACEHOLDER, Dispersion, Guide, PerLength
from photosim.model import (
    Index,
    Instance,
    Loss_dB,
    Loss_dB_cm,
    Netlist,
    PathLength,
    Power,
    ThermoOptic,
    component,
    composite,
    part,
)


def exchange(
    m: Any, modes: tuple[str, str], kept: Any, moved: Any, loss_dB: Any
) -> dict[tuple[str, str], Any]:
    """Elements of a part between o1 and o2: of each mode's power `kept` stays, `moved` changes to the other.

    Light that has changed its mode comes out a quarter wave ahead, whichever way it goes. The matrix is
    unitary as long as kept + moved = 1 and nothing is lost.
    """
    amplitude = m.amplitude_dB(loss_dB)
    stay, change = amplitude * m.sqrt(kept), amplitude * m.i * m.sqrt(moved)
    first, second = modes
    return {
        (f"o1@{first}", f"o2@{first}"): stay,
        (f"o1@{second}", f"o2@{second}"): stay,
        (f"o1@{first}", f"o2@{second}"): change,
        (f"o1@{second}", f"o2@{first}"): change,
    }


@component(
    ports=("o1@TE", "o1@TM", "o2@TE", "o2@TM"), inputs=1, source="wang2008", lossless_when={"loss_dB": 0.0},
    layout=("cross_section", "length", "width"),
)  # fmt: skip
def polarization_rotator(m: Any, wl: Any, *, efficiency: Power = 1.0, loss_dB: Loss_dB = 0.0) -> Any:
    """Polarisation rotator: converts TE to TM and TM to TE, in both directions.

    The fraction `efficiency` of the power changes its polarisation, the rest
    keeps it; giving `extinction_dB` instead says how much stronger the rotated
    light is than what is left. Reciprocal, and unitary without loss. Left out:
    dependence on wavelength, the length of the part and its phase, loss that
    differs between polarisations, reflections.

    Settings:
        efficiency: fraction of the power that changes its polarisation.
        loss_dB: insertion loss of both polarisations.
    """
    del wl
    return exchange(m, ("TE", "TM"), 1 - efficiency, efficiency, loss_dB)


@polarization_rotator.variant(when="extinction_dB", lossless_when={"loss_dB": 0.0})
def polarization_rotator_of_extinction(
    m: Any, wl: Any, *, extinction_dB: Loss_dB = 20.0, loss_dB: Loss_dB = 0.0
) -> Any:
    """Polarisation rotator by its extinction ratio, where 20 dB means that 99.01 % of the power is rotated.

    Left out: all that `polarization_rotator` leaves out.

    Settings:
        extinction_dB: power of the rotated light over that of the light that is not rotated.
        loss_dB: insertion loss of both polarisations.
    """
    del wl
    ratio = m.amplitude_dB(extinction_dB) ** 2
    return exchange(m, ("TE", "TM"), ratio / (1 + ratio), 1 / (1 + ratio), loss_dB)


@component(
    ports=("o1@TE", "o1@TM", "o2", "o3"), inputs=1, aliases={"from_TE": "o2", "from_TM": "o3"},
    source="dai2011", lossless_when={"loss_dB": 0.0}, structural=("crosstalk",),
    layout=("cross_section",),
)  # fmt: skip
def polarization_splitter_rotator(m: Any, wl: Any, *, crosstalk: Power = 0.0, loss_dB: Loss_dB = 0.0) -> Any:
    """Polarisation splitter and rotator: TE of o1 goes to o2, and TM of o1 goes to o3 as TE.

    Both outputs are guides of one mode, TE, which every part of one mode
    takes, so a circuit that works for TE alone can be used twice. Backwards it
    combines: light at o3 leaves o1 as TM. Crosstalk comes out a quarter wave
    ahead, which keeps the part unitary without loss. Left out: dependence on
    wavelength, TM that stays TM and is lost, reflections.

    Settings:
        crosstalk: fraction of the power of either polarisation at the output of the other one.
        loss_dB: insertion loss of both polarisations.
    """
    del wl
    amplitude = m.amplitude_dB(loss_dB)
    own, other = amplitude * m.sqrt(1 - crosstalk), amplitude * m.i * m.sqrt(crosstalk)
    return {
        ("o1@TE", "o2"): own,
        ("o1@TM", "o3"): own,
        ("o1@TE", "o3"): other,
        ("o1@TM", "o2"): other,
    }


@component(
    ports=("o1@TE0", "o1@TE1", "o2@TE0", "o2@TE1"), inputs=1, source="li2018", lossless_when={"loss_dB": 0.0},
    symmetries={("o2@TE0", "o2@TE1", "o1@TE0", "o1@TE1"): {}},
    layout=("cross_section", "length", "width"),
)  # fmt: skip
def mode_converter(m: Any, wl: Any, *, efficiency: Power = 1.0, loss_dB: Loss_dB = 0.0) -> Any:
    """Mode converter: converts the fundamental mode TE0 to the first higher mode TE1, and TE1 to TE0.

    The fraction `efficiency` of the power changes its mode, the rest keeps it.
    Reciprocal, and unitary without loss: at an efficiency of one half two of
    them around a guide of both modes are an interferometer. Left out:
    dependence on wavelength, the length of the part and its phase, loss that
    differs between modes, further modes, reflections.

    Settings:
        efficiency: fraction of the power that changes its mode.
        loss_dB: insertion loss of both modes.
    """
    del wl
    return exchange(m, ("TE0", "TE1"), 1 - efficiency, efficiency, loss_dB)


@composite(
    source="li2018", layout=("cross_section", "npoints", "width", "layer", "add_pins", "with_bbox")
)  # fmt: skip
def straight_multimode(
    *,
    modes: Literal["TE+TM", "TE0+TE1"] = "TE+TM",
    length: PathLength = 10.0,
    guide: Guide = PLACEHOLDER,
    neff_2: Index = 1.8,
    ng_2: Index = 3.8,
    dispersion_2: Dispersion = 0.0,
    loss_2_dB_cm: Loss_dB_cm = 0.0,
    dneff_dT_2: ThermoOptic = 1.22e-4,
    dneff_dw_2: PerLength = 0.685,
    dneff_dh_2: PerLength = 6.92,
    dng_dw_2: PerLength = 2.18,
    dng_dh_2: PerLength = 32.1,
) -> Netlist:
    """Straight waveguide of two modes that do not couple, each like the mode of a `straight`.

    The ports are o1@TE, o1@TM, o2@TE and o2@TM, or those of TE0 and TE1. The
    default indices are placeholders, as those of `straight`. Left out:
    coupling between the modes, by rough walls or bends, and what `straight`
    leaves out.

    Settings:
        modes: names of the two modes, in their order.
        length: length along the waveguide.
        neff: effective index of the first mode at wl0 and 300 K.
        ng: group index of the first mode at wl0.
        dispersion: dispersion parameter of the first mode at wl0.
        loss_dB_cm: propagation loss of the first mode.
        dneff_dT: change of the effective index of the first mode per kelvin.
        dneff_dw: change of the effective index of the first mode per um of width.
        dneff_dh: change of the effective index of the first mode per um of height.
        dng_dw: change of the group index of the first mode per um of width.
        dng_dh: change of the group index of the first mode per um of height.
        neff_2: effective index of the second mode at wl0 and 300 K.
        ng_2: group index of the second mode at wl0.
        dispersion_2: dispersion parameter of the second mode at wl0.
        loss_2_dB_cm: propagation loss of the second mode.
        dneff_dT_2: change of the effective index of the second mode per kelvin.
        dneff_dw_2: change of the effective index of the second mode per um of width (TM of a strip).
        dneff_dh_2: change of the effective index of the second mode per um of height.
        dng_dw_2: change of the group index of the second mode per um of width.
        dng_dh_2: change of the group index of the second mode per um of height.
    """
    first, second = modes.split("+")
    other = guide.changed(
        neff=neff_2, ng=ng_2, dispersion=dispersion_2, loss_dB_cm=loss_2_dB_cm, dneff_dT=dneff_dT_2,
        dneff_dw=dneff_dw_2, dneff_dh=dneff_dh_2, dng_dw=dng_dw_2, dng_dh=dng_dh_2,
    )  # fmt: skip
    guides: dict[str, Instance] = {
        first: part("straight", length=length, **guide.settings()),
        second: part("straight", length=length, **other.settings()),
    }
    ports = {f"{port}@{mode}": (mode, port) for port in ("o1", "o2") for mode in guides}
    return Netlist(guides, ports=ports, name="straight_multimode")
