"""The rest of the catalogue of wrong things: numbers that do not mean what they are said to mean."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photosim.components.amplifiers import Gain_dB
from photosim.components.guides import Dispersion
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.model import (
    Algebra,
    Entries,
    Index,
    Length,
    Loss_dB,
    Netlist,
    OpticalPower,
    Phase,
    Power,
    SampledData,
    Temperature,
    ThermoOptic,
    Wavelength,
    component,
    composite,
    links,
    part,
    ref,
    source,
)
from photosim.testing import LawBroken, check


def _first_part() -> Any:
    """Return the module of the first part of the catalogue, with its helpers."""
    name = "catalogue_under_statements"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("test_wrong_parts.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


parts = _first_part()
parts.SLIPS.clear()
guide, two_port, forgotten = parts.guide, parts.two_port, parts.forgotten


def slip(law: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Enter a slip into the catalogue under its function's name."""
    take: Callable[[Callable[[], Any]], Callable[[], Any]] = parts.slip(law)
    return take


# --- guides and phases ----------------------------------------------------------------------------------


@slip("phase constant")
def group_index_used_as_effective_index() -> Any:
    return guide(lambda m, wl, length, neff, ng, wl0, loss: m.cis(2 * m.pi * ng * length / wl))


@slip("phase constant")
def indices_that_ignore_wl0() -> Any:
    return guide(
        lambda m, wl, length, neff, ng, wl0, loss: m.cis(
            2 * m.pi * (neff - (wl - 1.55) * (ng - neff) / 1.55) * length / wl
        )
    )


@slip("dispersion")
def dispersion_with_the_wrong_sign() -> Any:
    return _dispersive(lambda dispersion: -dispersion)


@slip("dispersion")
def dispersion_setting_in_ps_per_nm_and_km() -> Any:
    return _dispersive(lambda dispersion: dispersion * 1e-6)


def _dispersive(stated: Callable[[Any], Any]) -> Any:
    def wrong_fibre(
        m: Algebra, wl: Any, *, length: Length = 10.0, neff: Index = 2.4, ng: Index = 4.2,
        wl0: Wavelength = 1.55, dispersion: Dispersion = 1e-4,
    ) -> Entries:  # fmt: skip
        """Guide with a slip in its dispersion.

        Settings:
            length: its length.
            neff: index at wl0.
            ng: group index.
            wl0: wavelength of the indices.
            dispersion: of the group delay.
        """
        w = 2 * m.pi * SPEED_OF_LIGHT_UM_S * (wl0 - wl) / (wl * wl0)
        curved = stated(dispersion) * 1e-12 * wl0 * wl0 * w * w / (4 * m.pi * SPEED_OF_LIGHT_UM_S)
        return {("o1", "o2"): m.cis((2 * m.pi * neff / wl0 + ng * w / SPEED_OF_LIGHT_UM_S - curved) * length)}

    return component(ports=("o1", "o2"), source="haus1984")(wrong_fibre)


def shifter(turn: Callable[[Any, Any], Any]) -> Any:
    """Return a phase shifter that turns by turn(m, phase)."""

    def wrong_shifter(m: Algebra, wl: Any, *, phase: Phase = 0.0) -> Entries:
        """Phase shifter with a slip.

        Settings:
            phase: its phase.
        """
        return {("o1", "o2"): m.cis(turn(m, phase))}

    return component(ports=("o1", "o2"), source="haus1984")(wrong_shifter)


@slip("stated phase")
def phase_setting_that_counts_twice() -> Any:
    return shifter(lambda m, phase: 2 * phase)


@slip("stated phase")
def phase_shifter_with_the_wrong_sign() -> Any:
    return shifter(lambda m, phase: -phase)


@slip("stated phase")
def heater_power_in_milliwatts() -> Any:
    def wrong_heater(
        m: Algebra, wl: Any, *, power: OpticalPower = 0.0, power_pi: OpticalPower = 0.02
    ) -> Entries:
        """Heater with a slip.

        Settings:
            power: electrical power.
            power_pi: power for a phase of pi.
        """
        return {("o1", "o2"): m.cis(m.pi * power / (1e3 * power_pi + 1e-9))}

    return component(ports=("o1", "o2"), source="haus1984")(wrong_heater)


# --- rings ----------------------------------------------------------------------------------------------


def ring(circumference: Callable[[Any, Any], Any]) -> Any:
    """Return an all-pass ring of this circumference."""

    def wrong_loop(
        m: Algebra, wl: Any, *, radius: Length = 10.0, coupling: Power = 0.2, neff: Index = 2.4,
        wl0: Wavelength = 1.55, loss_dB: Loss_dB = 0.1,
    ) -> Entries:  # fmt: skip
        """Ring with a slip.

        Settings:
            radius: its radius.
            coupling: power that crosses.
            neff: its index.
            wl0: wavelength of the index.
            loss_dB: loss of a round trip.
        """
        del wl0
        turn = m.amplitude_dB(loss_dB + 0.01) * m.cis(2 * m.pi * neff * circumference(m, radius) / wl)
        r = m.sqrt(1 - coupling)
        return {("o1", "o2"): (r - turn) / (1 - r * turn)}

    return component(ports=("o1", "o2"), source="haus1984")(wrong_loop)


@slip("circumference")
def radius_used_as_diameter() -> Any:
    return ring(lambda m, radius: m.pi * radius)


@slip("circumference")
def circumference_that_counts_twice() -> Any:
    return ring(lambda m, radius: 4 * m.pi * radius)


@slip("shift with temperature")
def composite_ring_of_which_only_half_is_heated() -> Any:
    @composite(ports=("o1", "o2"), source="haus1984")
    def wrong_halves(
        *, radius: Length = 10.0, coupling: Power = 0.2, neff: Index = 2.4, ng: Index = 4.2,
        temperature: Temperature = 300.0, dneff_dT: ThermoOptic = 2e-4,
    ) -> Netlist:  # fmt: skip
        """Ring of two halves, one of which is not heated.

        Settings:
            radius: its radius.
            coupling: power that crosses.
            neff: index at 300 K.
            ng: group index.
            temperature: its temperature.
            dneff_dT: change of the index.
        """
        half = {"length": np.pi * radius, "neff": neff, "ng": ng, "temperature": temperature}
        return Netlist(
            instances={
                "cp": part("coupler", coupling=coupling),
                "warm": part("straight", **half, dneff_dT=dneff_dT),
                "cold": part("straight", **half, dneff_dT=0.0),
            },
            connections=links("cp,o3:warm,o1", "warm,o2:cold,o1", "cold,o2:cp,o2"),
            ports={"o1": ref("cp,o1"), "o2": ref("cp,o4")},
        )

    return wrong_halves


# --- light and tables -------------------------------------------------------------------------------------


@slip("stated gain")
def gain_applied_to_the_field_instead_of_the_power() -> Any:
    def wrong_gain(m: Algebra, wl: Any, *, gain_dB: Gain_dB = 10.0) -> Entries:
        """Amplifier with a slip.

        Settings:
            gain_dB: its gain.
        """
        return {("o1", "o2"): m.exp(gain_dB * m.log(10) / 10)}

    return component(ports=("o1", "o2"), source="haus1984", active=True)(wrong_gain)


@slip("stated power")
def laser_power_in_milliwatts() -> Any:
    @source(ports=("o1",), source="haus1984")
    def wrong_laser(*, wl: Wavelength = 1.55, power: OpticalPower = 1e-3) -> Any:
        """Laser with a slip.

        Settings:
            wl: its wavelength.
            power: its power.
        """
        return np.array([wl]), np.array([1e-3 * power])

    return wrong_laser


def spectrum(turn: Callable[[Any], Any], low: float, high: float) -> Any:
    """Return a table of a guide's round trip through `turn`, with ports o1 and o2."""
    frequency = SPEED_OF_LIGHT_UM_S / np.linspace(high, low, 401)
    wl = SPEED_OF_LIGHT_UM_S / frequency
    s = np.zeros((401, 2, 2), dtype=complex)
    s[:, 0, 1] = s[:, 1, 0] = turn(np.exp(2j * np.pi * 60.0 * (2.4 - (wl - 1.55) * 1.16) / wl))
    return SampledData(frequency, s, ("o1", "o2"))


@slip("delay of a table")
def table_with_phases_of_the_wrong_sign() -> Any:
    return spectrum(lambda turn: 0.99 * turn.conj(), 1.5, 1.6)


@slip("delay of a table")
def table_of_a_ring_with_phases_of_the_wrong_sign() -> Any:
    return spectrum(lambda turn: ((0.6 - turn) / (1 - 0.6 * turn)).conj(), 1.54, 1.56)


@slip("delay of a table")
def table_with_its_rows_in_reverse_order() -> Any:
    return spectrum(lambda turn: 0.99 * turn[::-1], 1.5, 1.6)


MORE = dict(parts.SLIPS)


@pytest.mark.parametrize("name", MORE)
@pytest.mark.filterwarnings("ignore")
def test_each_slip_is_caught_by_its_law(name: str) -> None:
    law, make = MORE[name]
    with pytest.raises(LawBroken) as caught:
        check(make(), examples=parts.FOUND_WITHIN, only=law)
    assert caught.value.verdict.law.name == law
    assert law in str(caught.value)


SPECTRA: dict[str, Callable[[Any], Any]] = {
    "guide": lambda turn: 0.99 * turn,
    "ring": lambda turn: (0.6 - turn) / (1 - 0.6 * turn),
    "under-coupled ring": lambda turn: (0.8 - 0.4 * turn) / (1 - 0.8 * 0.4 * turn),
    "magnitudes alone": lambda turn: np.abs((0.6 - 0.9 * turn) / (1 - 0.6 * 0.9 * turn)),
    "noise": lambda turn: np.random.default_rng(3).normal(0.0, 0.3, turn.size),
}


@pytest.mark.parametrize("kind", SPECTRA)
def test_tables_that_are_right_keep_their_law(kind: str) -> None:
    table = spectrum(SPECTRA[kind], 1.54, 1.56)
    assert not check(table, examples=50, only="delay of a table").broken
