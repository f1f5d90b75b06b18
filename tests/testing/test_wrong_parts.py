"""A catalogue of wrong components, tables, rules and devices: each law catches the slips that are its own."""

from __future__ import annotations

import dataclasses
import importlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import pytest

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.model import (
    Algebra,
    Entries,
    Index,
    Length,
    Loss_dB,
    Loss_dB_cm,
    OpticalPower,
    Phase,
    Power,
    Responsivity,
    SampledData,
    Temperature,
    ThermoOptic,
    Wavelength,
    component,
    detector,
    registry,
    source,
)
from photosim.model.codegen import kernels
from photosim.testing import LawBroken, check
from photosim.training.devices import Digital
from photosim.training.rules.rule import Need

FOUND_WITHIN = 200

Formula = Callable[..., Entries]
SLIPS: dict[str, tuple[str, Callable[[], Any]]] = {}
"""Name of a slip: the law that must catch it, and what makes the wrong thing."""


def slip(law: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Enter a slip into the catalogue under its function's name."""

    def take(make: Callable[[], Any]) -> Callable[[], Any]:
        SLIPS[make.__name__] = (law, make)
        return make

    return take


def two_port(formula: Callable[[Any, Any, Any], Any], quantity: Any = Power, **claims: Any) -> Any:
    """Return a component with ports o1 and o2 and one setting, `value`."""

    def wrong_part(m: Algebra, wl: Any, *, value: float = 0.5) -> Entries:
        """Part with a slip.

        Settings:
            value: its one setting.
        """
        return {("o1", "o2"): formula(m, wl, value)}

    wrong_part.__annotations__["value"] = quantity
    return component(ports=("o1", "o2"), source="haus1984", **claims)(wrong_part)


def coupler(entries: Callable[[Any, Any], Entries], **claims: Any) -> Any:
    """Return a component with four ports and a power coupling."""

    def wrong_coupler(m: Algebra, wl: Any, *, coupling: Power = 0.5) -> Entries:
        """Coupler with a slip.

        Settings:
            coupling: power that crosses.
        """
        return entries(m, coupling)

    return component(ports=("o1", "o2", "o3", "o4"), inputs=2, source="haus1984", **claims)(wrong_coupler)


def guide(formula: Callable[..., Any]) -> Any:
    """Return a guide whose S21 is formula(m, wl, length, neff, ng, wl0, loss)."""

    def wrong_guide(
        m: Algebra, wl: Any, *, length: Length = 10.0, neff: Index = 2.4, ng: Index = 4.2,
        wl0: Wavelength = 1.55, loss_dB_cm: Loss_dB_cm = 0.0,
    ) -> Entries:  # fmt: skip
        """Guide with a slip.

        Settings:
            length: its length.
            neff: index at wl0.
            ng: group index.
            wl0: wavelength of the indices.
            loss_dB_cm: its loss.
        """
        return {("o1", "o2"): formula(m, wl, length, neff, ng, wl0, loss_dB_cm)}

    return component(ports=("o1", "o2"), source="haus1984")(wrong_guide)


def warm_guide(slope: Callable[[Any, Any, Any], Any]) -> Any:
    """Return a guide whose index moves by slope(dneff_dT, temperature, wl)."""

    def wrong_warm_guide(
        m: Algebra, wl: Any, *, length: Length = 10.0, neff: Index = 2.4, ng: Index = 2.4,
        temperature: Temperature = 300.0, dneff_dT: ThermoOptic = 2e-4,
    ) -> Entries:  # fmt: skip
        """Guide with a slip in its temperature.

        Settings:
            length: its length.
            neff: index at 300 K.
            ng: group index.
            temperature: its temperature.
            dneff_dT: change of the index.
        """
        index = neff + slope(dneff_dT, temperature, wl)
        return {("o1", "o2"): m.cis(2 * m.pi * index * length / wl)}

    return component(ports=("o1", "o2"), source="haus1984")(wrong_warm_guide)


# --- power --------------------------------------------------------------------------------------------


@slip("passivity")
def transmission_slightly_above_1() -> Any:
    return two_port(lambda m, wl, v: m.sqrt(1.001 - v))


@slip("passivity")
def coupler_without_its_factor_i() -> Any:
    return coupler(
        lambda m, c: {("o1", "o4"): m.sqrt(1 - c), ("o1", "o3"): m.sqrt(c), ("o2", "o3"): m.sqrt(1 - c),
                      ("o2", "o4"): m.sqrt(c)}
    )  # fmt: skip


@slip("passivity")
def coupler_whose_powers_add_up_to_more_than_1() -> Any:
    return coupler(
        lambda m, c: {("o1", "o4"): m.sqrt(1 - c * c / 2), ("o1", "o3"): 1j * m.sqrt(c),
                      ("o2", "o3"): m.sqrt(1 - c * c / 2), ("o2", "o4"): 1j * m.sqrt(c)}
    )  # fmt: skip


@slip("losslessness")
def coupler_with_powers_used_as_amplitudes() -> Any:
    return coupler(
        lambda m, c: {("o1", "o4"): 1 - c, ("o1", "o3"): 1j * c, ("o2", "o3"): 1 - c, ("o2", "o4"): 1j * c},
        lossless_when={},
    )


@slip("losslessness")
def component_with_loss_that_is_declared_lossless() -> Any:
    return two_port(lambda m, wl, v: m.sqrt(1 - v), lossless_when={})


@slip("reciprocity")
def isolator_that_is_declared_reciprocal() -> Any:
    return _one_way_circuit()


@slip("energy balance")
def loss_setting_that_counts_half() -> Any:
    return two_loss(lambda m, loss: m.exp(-loss * 0.05756462732485115))


@slip("energy balance")
def loss_setting_that_counts_twice() -> Any:
    return two_loss(lambda m, loss: m.exp(-loss * 0.2302585092994046))


@slip("passivity")
def loss_with_the_wrong_sign() -> Any:
    return two_loss(lambda m, loss: m.exp(loss * 0.1151292546497023))


def two_loss(amplitude: Callable[[Any, Any], Any]) -> Any:
    """Return a part with loss_dB, given its amplitude."""

    def wrong_loss(m: Algebra, wl: Any, *, loss_dB: Loss_dB = 1.0) -> Entries:
        """Attenuator with a slip.

        Settings:
            loss_dB: its loss.
        """
        return {("o1", "o2"): amplitude(m, loss_dB)}

    return component(ports=("o1", "o2"), source="haus1984")(wrong_loss)


# --- phase and delay ----------------------------------------------------------------------------------


@slip("causality")
def phase_with_the_wrong_sign() -> Any:
    return guide(lambda m, wl, length, neff, ng, wl0, loss: m.cis(-2 * m.pi * ng * (length + 50.0) / wl))


@slip("causality")
def filter_that_responds_before_its_input() -> Any:
    return two_port(lambda m, wl, v: 0.5 + 0.4 * m.cos(2 * m.pi * 300.0 * (1 + v) / wl), Power)


@slip("group delay")
def group_index_without_effect() -> Any:
    return guide(lambda m, wl, length, neff, ng, wl0, loss: m.cis(2 * m.pi * neff * length / wl))


@slip("group delay")
def slope_of_the_index_with_the_wrong_sign() -> Any:
    return guide(
        lambda m, wl, length, neff, ng, wl0, loss: m.cis(
            2 * m.pi * (neff + (wl - wl0) * (ng - neff) / wl0) * length / wl
        )
    )


@slip("composition")
def phase_proportional_to_the_square_of_the_length() -> Any:
    return guide(lambda m, wl, length, neff, ng, wl0, loss: m.cis(0.01 * length * length / wl))


@slip("composition")
def guide_loss_that_does_not_depend_on_the_length() -> Any:
    return guide(
        lambda m, wl, length, neff, ng, wl0, loss: (
            0.9 * m.cis(2 * m.pi * (neff - (wl - wl0) * (ng - neff) / wl0) * length / wl)
        )
    )


@slip("scaling")
def formula_with_a_fixed_length() -> Any:
    return two_port(lambda m, wl, v: m.cis(2 * m.pi * v / (wl + 1.0)), Length)


@slip("scaling")
def wavelength_used_without_its_unit() -> Any:
    return two_port(lambda m, wl, v: m.exp(-0.1 * wl * wl) * m.cis(v), Phase)


@slip("temperature")
def effect_of_temperature_that_counts_half() -> Any:
    return warm_guide(lambda slope, temperature, wl: 0.5 * slope * (temperature - 300.0))


@slip("temperature")
def temperature_without_effect() -> Any:
    return warm_guide(lambda slope, temperature, wl: 0.0 * slope * temperature)


@slip("temperature")
def effect_of_temperature_with_the_wrong_sign() -> Any:
    return warm_guide(lambda slope, temperature, wl: -slope * (temperature - 300.0))


# --- numbers ------------------------------------------------------------------------------------------


@slip("finiteness")
def division_by_a_setting_that_may_be_zero() -> Any:
    return two_port(lambda m, wl, v: 0.1 * m.cis(1.0 / v), Power)


@slip("continuity")
def transmission_that_jumps_over_a_setting() -> Any:
    return two_port(lambda m, wl, v: 0.5 + 0.4 * (v - 0.5) / m.sqrt((v - 0.5) * (v - 0.5) + 1e-32))


@slip("exact derivatives")
def derivative_that_is_too_large_by_1_percent() -> Any:
    return _wrong_kernel(slope=1.01)


@slip("compiled kernel")
def kernel_with_an_error_in_the_ninth_digit() -> Any:
    return _wrong_kernel(value=1.0 + 1e-9)


@slip("thirty digits")
def difference_of_two_almost_equal_numbers() -> Any:
    return two_port(lambda m, wl, v: m.cis(1e9 + v) * m.cis(-1e9 + v * 0), Phase)


# --- light ---------------------------------------------------------------------------------------------


@slip("quantum limit")
def detector_with_more_than_one_electron_per_photon() -> Any:
    @detector(ports=("o1",), electrical=("e1",), source="haus1984")
    def wrong_detector(m: Algebra, wl: Any, *, responsivity: Responsivity = 1.5) -> dict[str, Any]:
        """Detector with a slip.

        Settings:
            responsivity: current by power.
        """
        return {"o1": responsivity}

    return wrong_detector


@slip("linear detection")
def current_proportional_to_the_square_of_the_responsivity() -> Any:
    @detector(ports=("o1",), electrical=("e1",), source="haus1984")
    def wrong_square(m: Algebra, wl: Any, *, responsivity: Responsivity = 0.5) -> dict[str, Any]:
        """Detector with a slip.

        Settings:
            responsivity: current by power.
        """
        return {"o1": responsivity * responsivity}

    return wrong_square


@slip("lines of a source")
def source_with_negative_power() -> Any:
    @source(ports=("o1",), source="haus1984")
    def wrong_laser(*, wl: Wavelength = 1.55, power: OpticalPower = 1e-3) -> tuple[Any, Any]:
        """Laser with a slip.

        Settings:
            wl: its wavelength.
            power: its power.
        """
        return wl, power - 2e-3

    return wrong_laser


@slip("quantum noise")
def amplifier_with_too_little_noise() -> Any:
    def emission(m: Algebra, wl: Any, *, gain: float) -> dict[str, Any]:
        return {"o2": 1e-30 + 0.0 * wl}

    @component(ports=("o1", "o2"), source="haus1984", active=True, emission=emission)
    def wrong_amplifier(m: Algebra, wl: Any, *, gain: Index = 4.0) -> Entries:
        """Amplifier with a slip.

        Settings:
            gain: its gain in power.
        """
        return {("o1", "o2"): m.sqrt(gain)}

    return wrong_amplifier


# --- tables, devices and rules ----------------------------------------------------------------------------


def _frequencies() -> Any:
    return SPEED_OF_LIGHT_UM_S / np.linspace(1.6, 1.5, 21)


@slip("passivity")
def table_with_gain() -> Any:
    s = np.zeros((21, 2, 2), dtype=complex)
    s[:, 0, 1] = s[:, 1, 0] = 1.0
    s[7, 1, 0] = 1.02
    return SampledData(_frequencies(), s, ("o1", "o2"))


@slip("matrix held")
def device_with_a_product_of_the_wrong_sign() -> Any:
    class WrongSign(Digital):
        def apply(self, x: Any, gain: Any = None) -> Any:
            return -super().apply(x, gain)

    return WrongSign(np.random.default_rng(1).normal(size=(3, 4)))


@slip("gain of a device")
def device_that_adds_its_gain() -> Any:
    class WrongGain(Digital):
        def apply(self, x: Any, gain: Any = None) -> Any:
            return super().apply(x) + (0.0 if gain is None else gain)

    return WrongGain(np.random.default_rng(1).normal(size=(3, 4)))


@slip("noise around the product")
def device_with_noise_of_nonzero_mean() -> Any:
    class WrongNoise:
        counters: ClassVar[Counter[str]] = Counter()
        held = np.eye(3)
        rng = np.random.default_rng(3)

        def program(self, weights: Any) -> Any:
            return self

        def matrix(self) -> Any:
            return self.held

        def apply(self, x: Any, gain: Any = None) -> Any:
            return x @ self.held.T + 0.1 + 0.01 * self.rng.standard_normal((len(x), 3))

        def energy(self) -> Any:
            return None

    return WrongNoise()


class _Scaled:
    """Backpropagation, and what a slip makes of its updates."""

    needs: ClassVar[frozenset[Need]] = frozenset({Need.TRANSPOSED_WEIGHTS, Need.LOCAL_DERIVATIVES})

    def __init__(self, change: Callable[[int, Any], Any]) -> None:
        self.change = change

    def updates(self, forward: Any) -> Any:
        from photosim.training.rules import Backprop

        return [self.change(k, update) for k, update in enumerate(Backprop().updates(forward))]


@slip("exact gradient")
def rule_that_sums_over_the_batch_instead_of_averaging() -> Any:
    return _Scaled(lambda k, own: {n: v * 7 for n, v in own.items()})


@slip("exact last layer")
def rule_with_updates_of_the_wrong_sign() -> Any:
    return _Scaled(lambda k, own: {n: -v for n, v in own.items()})


@slip("finite updates")
def rule_with_updates_that_are_not_numbers() -> Any:
    return _Scaled(lambda k, own: {n: v / 0.0 * 0.0 for n, v in own.items()})


# --- helpers whose slips need more than a formula -----------------------------------------------------------


def _wrong_kernel(slope: float = 1.0, value: float = 1.0) -> Any:
    """Return a part whose compiled kernel is changed after the fact."""
    part = two_port(lambda m, wl, v: m.cis(v), Phase)
    right = kernels(part)

    def evaluate(wl: Any, params: Any, out: Any) -> None:
        right.evaluate(wl, params, out)
        out *= value

    def partials(wl: Any, params: Any, out: Any) -> None:
        right.partials(wl, params, out)
        out *= slope

    wrong = dataclasses.replace(right, evaluate=evaluate, partials=partials)
    using: Any = importlib.import_module("photosim.testing.formula_laws")
    _PATCHED.append((using, "kernels", using.kernels))
    using.kernels = lambda _model: wrong
    return part


_PATCHED: list[tuple[Any, str, Any]] = []


def _one_way_circuit() -> Any:
    """Return a subject that claims to be reciprocal and is not."""
    from photosim.testing.subjects import Linear, subject_of

    subject = subject_of("isolator")
    assert isinstance(subject, Linear)
    return dataclasses.replace(subject, reciprocal=True)


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget the components that a test declares, and put back what it changed."""
    registry.names()
    monkeypatch.setattr(registry, "_models", dict(registry._models))
    yield
    while _PATCHED:
        setattr(*_PATCHED.pop())


def test_catalogue_is_long_enough() -> None:
    assert len(SLIPS) >= 30


@pytest.mark.parametrize("name", SLIPS)
@pytest.mark.filterwarnings("ignore")
def test_each_slip_is_caught_by_its_law(name: str) -> None:
    law, make = SLIPS[name]
    thing = make()
    with pytest.raises(LawBroken) as caught:
        check(thing, examples=FOUND_WITHIN, only=law)
    assert caught.value.verdict.law.name == law
    assert law in str(caught.value)
