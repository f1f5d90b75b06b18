"""More of the catalogue of wrong things: claims, limits, noise, time, lasers, gradients."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.conventions import ELEMENTARY_CHARGE_C, PLANCK_J_S, SPEED_OF_LIGHT_UM_S
from photosim.model import (
    Algebra,
    Current,
    Entries,
    Fraction,
    Index,
    Length,
    Linewidth,
    Phase,
    Power,
    SampledData,
    Temperature,
    ThermoOptic,
    Wavelength,
    Window,
    component,
    detector,
    nonlinear,
)
from photosim.testing import LawBroken, check, laws
from photosim.training.devices import Digital, Mesh, mesh_chip
from photosim.training.rules import InSitu


def _part(file: str) -> Any:
    """Return the module of another part of the catalogue, with its helpers."""
    name = f"catalogue_of_{file}"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{file}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


parts = _part("test_wrong_parts")
FIRST = dict(parts.SLIPS)
parts.SLIPS.clear()
two_port, coupler, guide, two_loss = parts.two_port, parts.coupler, parts.guide, parts.two_loss
forgotten = parts.forgotten


def slip(law: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Enter a slip into the catalogue under its function's name."""
    take: Callable[[Callable[[], Any]], Callable[[], Any]] = parts.slip(law)
    return take


# --- claims -------------------------------------------------------------------------------------------


@slip("reality")
def phase_of_90_degrees_that_is_declared_real() -> Any:
    return two_port(lambda m, wl, v: m.i * m.sqrt(v), real_when={})


@slip("reality")
def index_linear_in_wavelength_that_is_declared_real() -> Any:
    return two_port(lambda m, wl, v: m.cis(2 * m.pi * (1 + 0.1 * (wl - 1.55)) * v / wl), Length, real_when={})


@slip("exchange of ports")
def coupler_with_a_wrong_sign_in_one_waveguide() -> Any:
    return coupler(
        lambda m, c: {("o1", "o4"): m.sqrt(1 - c), ("o1", "o3"): m.sqrt(c), ("o2", "o3"): -m.sqrt(1 - c),
                      ("o2", "o4"): m.sqrt(c)},
        symmetries={("o2", "o1", "o4", "o3"): {}},
    )  # fmt: skip


def line(phase_of: Any) -> Any:
    """Return a part with a Lorentzian line of absorption, and a phase that is phase_of(line, x)."""

    def wrong_line(
        m: Algebra, wl: Any, *, depth: Index = 1.0, wl0: Wavelength = 1.55, linewidth: Linewidth = 1e10
    ) -> Entries:
        """Line with a slip.

        Settings:
            depth: absorption at its centre.
            wl0: its wavelength.
            linewidth: its width.
        """
        x = 2 * SPEED_OF_LIGHT_UM_S * (wl0 - wl) / (wl * wl0) / (linewidth + 1e7)
        absorbed = depth / (1 + x * x)
        return {("o1", "o2"): m.exp(-absorbed) * m.cis(phase_of(absorbed, x))}

    return component(ports=("o1", "o2"), source="haus1984", kramers_kronig_when={})(wrong_line)


@slip("Kramers-Kronig")
def absorption_line_without_a_phase() -> Any:
    return line(lambda absorbed, x: 0.0 * x)


@slip("Kramers-Kronig")
def absorption_line_with_the_phase_of_a_gain_line() -> Any:
    return line(lambda absorbed, x: absorbed * x)


@slip("ports of a table")
def table_with_two_ports_exchanged() -> Any:
    c = 0.3
    one = np.zeros((4, 4), dtype=complex)
    one[3, 0] = one[0, 3] = one[2, 1] = one[1, 2] = np.sqrt(1 - c)
    one[2, 0] = one[0, 2] = one[3, 1] = one[1, 3] = 1j * np.sqrt(c)
    frequency = SPEED_OF_LIGHT_UM_S / np.linspace(1.6, 1.5, 11)
    return SampledData(frequency, np.array([one[[0, 1, 3, 2]]] * 11), ("o1", "o2", "o3", "o4"))


# --- limits -------------------------------------------------------------------------------------------


@slip("coupling 0")
def bar_and_cross_exchanged() -> Any:
    return coupler(
        lambda m, c: {("o1", "o4"): m.sqrt(c), ("o2", "o3"): m.sqrt(c), ("o1", "o3"): m.i * m.sqrt(1 - c),
                      ("o2", "o4"): m.i * m.sqrt(1 - c)}
    )  # fmt: skip


@slip("coupling 1")
def coupler_that_uses_half_of_its_coupling() -> Any:
    return coupler(
        lambda m, c: {("o1", "o4"): m.sqrt(1 - c / 2), ("o2", "o3"): m.sqrt(1 - c / 2),
                      ("o1", "o3"): m.i * m.sqrt(c / 2), ("o2", "o4"): m.i * m.sqrt(c / 2)}
    )  # fmt: skip


@slip("zero length")
def guide_that_is_longer_than_its_setting() -> Any:
    return guide(lambda m, wl, length, neff, ng, wl0, loss: m.cis(2 * m.pi * neff * (length + 0.1) / wl))


@slip("no loss")
def loss_setting_that_increases_a_small_transmission() -> Any:
    return two_loss(lambda m, loss: 0.01 * m.exp(loss * 0.01))


@slip("full turn")
def phase_setting_in_degrees() -> Any:
    def wrong_phase(m: Algebra, wl: Any, *, phase: Phase = 0.0) -> Entries:
        """Interferometer with a slip.

        Settings:
            phase: its phase.
        """
        return {("o1", "o2"): m.cos(phase * m.pi / 360)}

    return component(ports=("o1", "o2"), source="haus1984")(wrong_phase)


@slip("edges of the window")
def formula_with_a_pole_at_the_end_of_its_window() -> Any:
    return two_port(
        lambda m, wl, v: 0.5 * m.cis(v / (wl - 1.5)), windows=(Window("wl", 1.5, 1.6, "a table"),)
    )


@slip("smoothness")
def transmission_with_a_kink_over_a_setting() -> Any:
    return two_port(lambda m, wl, v: 0.5 + 0.4 * m.sqrt((v - 0.37) * (v - 0.37)))


@slip("shift with temperature")
def ring_of_which_only_half_is_heated() -> Any:
    def wrong_ring(
        m: Algebra, wl: Any, *, radius: Length = 10.0, neff: Index = 2.4, ng: Index = 2.4,
        coupling: Power = 0.2, temperature: Temperature = 300.0,
        dneff_dT: ThermoOptic = 2e-4,
    ) -> Entries:  # fmt: skip
        """Ring with a slip in its temperature.

        Settings:
            radius: its radius.
            neff: its index.
            ng: its group index.
            coupling: power that crosses.
            temperature: its temperature.
            dneff_dT: change of the index.
        """
        length = 2 * m.pi * (radius + 1)
        index = neff - (wl - 1.55) * (ng - neff) / 1.55
        turn = 0.9 * m.cis(2 * m.pi * (index * length + dneff_dT * (temperature - 300.0) * length / 2) / wl)
        r = m.sqrt(1 - coupling)
        return {("o1", "o2"): (r - turn) / (1 - r * turn)}

    return component(ports=("o1", "o2"), source="haus1984")(wrong_ring)


# --- noise --------------------------------------------------------------------------------------------


def amplifier(density: float) -> Any:
    """Return an amplifier whose port o2 sends out this noise, in W/Hz."""

    def emission(m: Algebra, wl: Any, *, gain: float) -> dict[str, Any]:
        return {"o2": density + 0.0 * wl}

    @component(ports=("o1", "o2"), source="haus1984", active=True, emission=emission)
    def wrong_noisy(m: Algebra, wl: Any, *, gain: Index = 4.0) -> Entries:
        """Amplifier with a slip.

        Settings:
            gain: its gain in power.
        """
        return {("o1", "o2"): m.sqrt(gain)}

    return wrong_noisy


@slip("variances of noise")
def amplifier_with_negative_noise() -> Any:
    return amplifier(-1e-20)


@slip("sampled noise")
def samples_with_twice_the_noise() -> Any:
    from photosim.testing import noise_laws

    right = noise_laws._sampled
    parts._PATCHED.append((noise_laws, "_sampled", right))
    noise_laws._sampled = lambda *asked: 2.0 * right(*asked)
    return "photodetector"


@slip("quantum limit")
def responsivity_computed_with_a_rounded_constant() -> Any:
    @detector(ports=("o1",), electrical=("e1",), source="haus1984")
    def wrong_efficiency(m: Algebra, wl: Any, *, efficiency: Fraction = 0.8) -> dict[str, Any]:
        """Detector with a slip.

        Settings:
            efficiency: electrons a photon.
        """
        return {"o1": efficiency * wl / 1.2}

    return wrong_efficiency


# --- time ---------------------------------------------------------------------------------------------


def stepped(response: Any, linear: Any = None) -> Any:
    """Return a nonlinear part whose wave out is response(wave in, setting)."""

    def step(
        state: Any, before: Any, now: Any, out: Any, constants: Any, carriers: Any, noise: Any, dt: float
    ) -> None:
        out[1, :] = response(now[0, :], constants[0])

    @nonlinear(
        ports=("o1", "o2"), inputs=1, source="haus1984", step=step, paths=(("o1", "o2"),), linear=linear
    )
    def wrong_step(*, loss: Fraction = 0.5) -> Any:
        """Part with a slip in its step.

        Settings:
            loss: power lost.
        """
        return (loss,)

    return wrong_step


@slip("finite steps")
def time_step_that_divides_by_zero() -> Any:
    return stepped(lambda wave, loss: wave / (wave - wave))


@slip("small signal")
def output_proportional_to_the_square_root_of_the_field() -> Any:
    return stepped(lambda wave, loss: np.sqrt(np.abs(wave)))


@slip("darkness")
def output_light_without_input_light() -> Any:
    return stepped(lambda wave, loss: wave + 1e-12)


@slip("linear limit")
def time_step_that_applies_a_power_loss_to_the_field() -> Any:
    def stated(wl: Any, *, loss: Any) -> Any:
        return {("o1", "o2"): np.sqrt(1 - loss) * np.ones_like(wl)}

    return stepped(lambda wave, loss: (1 - loss) * wave, stated)


def laser(power_of: Any) -> Any:
    """Return a laser of power_of(current in A) photons per electron times the current."""

    def step(
        state: Any, before: Any, now: Any, out: Any, constants: Any, carriers: Any, noise: Any, dt: float
    ) -> None:
        photons = power_of(constants[0]) / ELEMENTARY_CHARGE_C
        out[0, :] = np.sqrt(PLANCK_J_S * carriers * photons)

    @nonlinear(
        ports=("o1",), inputs=0, source="haus1984", step=step, emits=("o1",), line=lambda *, wl, **_: wl
    )
    def wrong_diode(
        *, wl: Wavelength = 1.55, current: Current = 0.01, injection_efficiency: Fraction = 0.8,
        carrier_lifetime: Length = 1e-9, photon_lifetime: Length = 2e-12, differential_gain: Length = 2e4,
        transparency: Length = 4e7, output: Fraction = 0.5,
    ) -> Any:  # fmt: skip
        """Laser with a slip.

        Settings:
            wl: its wavelength.
            current: its current.
            injection_efficiency: carriers an electron.
            carrier_lifetime: of its carriers.
            photon_lifetime: of its photons.
            differential_gain: of a carrier.
            transparency: carriers without gain.
            output: light that leaves.
        """
        return (current, injection_efficiency * output)

    return wrong_diode


@slip("slope of a laser")
def laser_with_two_photons_per_electron() -> Any:
    return laser(lambda current: 2.0 * current)


@slip("slope of a laser")
def laser_whose_power_falls_with_the_current() -> Any:
    return laser(lambda current: max(1.0 - current, 0.0))


@slip("threshold of a laser")
def laser_without_a_threshold() -> Any:
    return laser(lambda current: 0.4 * current)


# --- gradients and devices ----------------------------------------------------------------------------


class _Twice:
    """A passage whose gradient counts twice."""

    def __init__(self, passage: Any) -> None:
        self.passage, self.outputs = passage, passage.outputs

    def gradient(self, cotangent: Any, **options: Any) -> Any:
        return self.passage.gradient(2.0 * np.asarray(cotangent), **options)


@slip("gradient of a device")
def mesh_with_a_gradient_that_is_doubled() -> Any:
    class WrongMesh(Mesh):
        def send(self, x: Any) -> Any:
            return _Twice(super().send(x))

    return WrongMesh.from_circuit(mesh_chip("clements_mesh", 3), "mesh").program(np.eye(3))


@slip("declared noise")
def device_that_declares_half_of_its_noise() -> Any:
    class WrongDeviation(Digital):
        rng = np.random.default_rng(5)

        def apply(self, x: Any, gain: Any = None) -> Any:
            product = super().apply(x, gain)
            return product + 0.02 * self.rng.standard_normal(product.shape)

        def noise_deviation(self, x: Any) -> Any:
            return np.full((len(x), len(self.weights)), 0.01)

    return WrongDeviation(np.eye(3))


@slip("gradient in situ")
def in_situ_gradient_without_its_factor_of_one_half() -> Any:
    class WrongInSitu(InSitu):
        def updates(self, forward: Any) -> Any:
            return [{n: 2.0 * v for n, v in (own or {}).items()} for own in super().updates(forward)]

    return WrongInSitu()


def ring() -> ps.Circuit:
    """Return a small circuit with feedback."""
    return ps.load("add_drop_ring")


@slip("gradient of a circuit")
def circuit_with_a_gradient_of_the_wrong_sign() -> Any:
    class WrongGradient(ps.Circuit):
        def value_and_grad(self, *asked: Any, **named: Any) -> Any:
            value, slopes = super().value_and_grad(*asked, **named)
            return value, {name: -slope for name, slope in slopes.items()}

    return WrongGradient(ring().netlist)


@slip("composition of a circuit")
def circuit_with_a_result_of_the_wrong_sign() -> Any:
    class WrongPhase(ps.Circuit):
        def __call__(self, *asked: Any, **named: Any) -> Any:
            found = super().__call__(*asked, **named)
            return ps.SMatrix(found.wl, found.ports, -found.values, found.name)

    return WrongPhase(ring().netlist)


@slip("time against frequency")
def spectrum_of_the_opposite_sign_convention() -> Any:
    class WrongSign(ps.Circuit):
        def __call__(self, *asked: Any, **named: Any) -> Any:
            found = super().__call__(*asked, **named)
            return ps.SMatrix(found.wl, found.ports, found.values.conj(), found.name)

    return WrongSign(ring().netlist)


MORE = dict(parts.SLIPS)
SLIPS = {**FIRST, **MORE, **_part("test_wrong_statements").MORE}


@pytest.mark.parametrize("name", MORE)
@pytest.mark.filterwarnings("ignore")
def test_each_slip_is_caught_by_its_law(name: str) -> None:
    law, make = MORE[name]
    with pytest.raises(LawBroken) as caught:
        check(make(), examples=parts.FOUND_WITHIN, only=law)
    assert caught.value.verdict.law.name == law
    assert law in str(caught.value)


def test_every_law_has_a_slip_that_it_catches() -> None:
    assert {law.name for law in laws()} == {law for law, _ in SLIPS.values()}


def test_the_table_of_the_documentation_is_complete(root: Path) -> None:
    text = (root / "docs" / "laws.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")] for row in text.splitlines() if row[:2] == "| "
    ]
    shown = {row[0]: row for row in rows if len(row) == 4}
    for law in laws():
        assert law.name in shown, law.name
        assert law.statement == shown[law.name][1], law.name
        assert f"{law.tolerance:.2g}" == shown[law.name][2], law.name
        slips = sorted(name.replace("_", " ") for name, (own, _) in SLIPS.items() if own == law.name)
        assert shown[law.name][3] == "; ".join(slips)
    assert set(shown) - {"law"} == {law.name for law in laws()}
