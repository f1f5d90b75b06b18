"""Models that SAX and photosim both have, by SAX 0.18's formulas: equal, or in the migration table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photosim import netlist
from photosim.model import ClosedForm, registry

WL = np.linspace(1.5, 1.6, 101)
Entries = dict[tuple[str, str], Any]


def straight(wl: Any, wl0: float, neff: float, ng: float, length: float, loss_dB_cm: float) -> Entries:
    index = neff - (wl - wl0) * (ng - neff) / wl0
    return {("o1", "o2"): 10 ** (-1e-4 * loss_dB_cm * length / 20) * np.exp(2j * np.pi * index * length / wl)}


def band(wl: Any, wl0: float, fwhm: float, loss_dB: float) -> Any:
    """SAX's pass band of amplitudes: a Gaussian in frequency, divided by its largest value in the sweep."""
    width = 1 / (wl0 - fwhm / 2) - 1 / (wl0 + fwhm / 2)
    response = np.exp(-((1 / wl - 1 / wl0) ** 2) / (2 * (width / (2 * np.sqrt(2 * np.log(2)))) ** 2))
    return 10 ** (-loss_dB / 20) * response / response.max()


def mmi1x2(wl: Any, wl0: float, fwhm: float, loss_dB: float) -> Entries:
    half = band(wl, wl0, fwhm, loss_dB) / np.sqrt(2)
    return {("o1", "o2"): half, ("o1", "o3"): half}


def mmi2x2(wl: Any, wl0: float, fwhm: float, loss_dB: float) -> Entries:
    half = band(wl, wl0, fwhm, loss_dB) / np.sqrt(2)
    return {("o1", "o3"): half, ("o2", "o4"): half, ("o1", "o4"): 1j * half, ("o2", "o3"): 1j * half}


def one_way(_wl: Any, insertion_loss_dB: float, isolation_dB: float) -> Entries:
    return {("o1", "o2"): 10 ** (-insertion_loss_dB / 20), ("o2", "o1"): 10 ** (-isolation_dB / 20)}


def round_about(_wl: Any, insertion_loss_dB: float, isolation_dB: float) -> Entries:
    ahead = dict.fromkeys((("o1", "o2"), ("o2", "o3"), ("o3", "o1")), 10 ** (-insertion_loss_dB / 20))
    return {**ahead, **{(b, a): 10 ** (-isolation_dB / 20) for a, b in ahead}}


def coupler(_wl: Any, coupling: float) -> Entries:
    bar, cross = np.sqrt(1 - coupling), 1j * np.sqrt(coupling)
    return {("o1", "o4"): bar, ("o2", "o3"): bar, ("o1", "o3"): cross, ("o2", "o4"): cross}


def mirror(_wl: Any, reflection: float) -> Entries:
    back, through = np.sqrt(reflection), np.sqrt(1 - reflection)
    return {("o1", "o1"): back, ("o2", "o2"): back, ("o1", "o2"): through}


def grating(wl: Any, wl0: float, loss_dB: float, reflection: float, fwhm: float) -> Entries:
    """The names are photosim's; SAX calls them loss, an amplitude of reflection, and bandwidth."""
    sigma = fwhm / (2 * np.sqrt(2 * np.log(2)))
    through = 10 ** (-loss_dB / 20) * np.exp(-((wl - wl0) ** 2) / (4 * sigma**2))
    return {("o1", "o2"): through, ("o1", "o1"): reflection + 0 * wl}


GUIDE = {"wl0": 1.54, "neff": 2.4, "ng": 4.2, "length": 33.0, "loss_dB_cm": 3.0}
BAND = {"wl0": 1.55, "fwhm": 0.2, "loss_dB": 0.3}
SHARED: Mapping[str, tuple[str, Callable[..., Entries], dict[str, float]]] = {
    # By SAX's name: photosim's, SAX's formula, settings that both have.
    "straight": ("straight", straight, GUIDE),
    "bend": ("bend_euler", straight, GUIDE),
    "attenuator": ("attenuator", lambda _wl, loss_dB: {("o1", "o2"): 10 ** (-loss_dB / 20)},
                   {"loss_dB": 2.0}),
    "isolator": ("isolator", one_way, {"insertion_loss_dB": 0.7, "isolation_dB": 30.0}),
    "circulator": ("circulator", round_about, {"insertion_loss_dB": 0.0, "isolation_dB": 40.0}),
    "coupler_ideal": ("coupler", coupler, {"coupling": 0.2}),
    "mmi1x2_ideal": ("splitter", lambda _wl: {("o1", "o2"): 0.5**0.5, ("o1", "o3"): 0.5**0.5}, {}),
    "mmi2x2_ideal": ("coupler", lambda wl: coupler(wl, 0.5), {}),
    "mirror": ("reflector", mirror, {"reflection": 0.9}),
    "crossing_ideal": ("crossing", lambda _wl: {("o1", "o3"): 1.0, ("o2", "o4"): 1.0}, {}),
    "terminator": ("terminator", lambda _wl, reflection: {("o1", "o1"): np.sqrt(reflection)},
                   {"reflection": 0.04}),
    "mmi1x2": ("mmi1x2", mmi1x2, BAND),
    "mmi2x2": ("mmi2x2", mmi2x2, BAND),
    "reflector": ("reflector", mirror, {"reflection": 0.3}),
    "grating_coupler": ("grating_coupler", grating,
                        {"wl0": 1.55, "loss_dB": 2.0, "reflection": 0.01, "fwhm": 0.04}),
}  # fmt: skip
DIFFERENT = {"mmi1x2", "mmi2x2", "circulator", "reflector", "mirror", "grating_coupler"}


def ours(name: str, **settings: Any) -> dict[tuple[str, str], Any]:
    model = registry.get(name)
    assert isinstance(model, ClosedForm)
    chosen = model.select(settings)
    s = chosen.s(WL, **settings)
    number = {port: k for k, port in enumerate(chosen.ports)}
    return {(a, b): s[:, number[b], number[a]] for a in number for b in number}


def apart(sax_name: str) -> float:
    """Largest difference of an element at equal settings."""
    name, formula, settings = SHARED[sax_name]
    found = ours(name, **settings)
    return max(float(np.abs(found[pair] - value).max()) for pair, value in formula(WL, **settings).items())


@pytest.mark.parametrize("name", sorted(SHARED))
def test_equal_settings_give_equal_numbers_or_stand_in_the_migration_table(name: str, root: Path) -> None:
    text = (root / "docs" / "migration.md").read_text(encoding="utf-8")
    table = text.partition("## SAX")[2].partition("```python")[0]
    rows = [line for line in table.splitlines() if re.match(rf"\|[^|]*`{name}`", line)]
    if name in DIFFERENT:
        assert apart(name) > 1e-3
        assert rows
    else:
        assert apart(name) < 1e-9  # a phase of 1e3 rad at most


@pytest.mark.parametrize("name", sorted(SHARED))
def test_a_name_of_sax_is_the_component_of_its_formula(name: str) -> None:
    """An ideal MMI is not the one of a foundry: no loss and no band."""
    data = {"instances": {"x": name}, "ports": {"in": "x,o1"}}
    assert netlist.from_dict(data).instances["x"].component == SHARED[name][0]


def test_numbers_of_the_table() -> None:
    at = {"wl0": 1.55, "fwhm": 0.2, "loss_dB": 0.3}
    assert np.abs(ours("mmi1x2", **at)["o1", "o2"][0]) == pytest.approx(0.6264, abs=5e-5)
    assert np.abs(mmi1x2(WL, **at)["o1", "o2"][0]) == pytest.approx(0.5686, abs=5e-5)
    assert np.abs(ours("circulator")["o1", "o2"][0]) == pytest.approx(0.99)


def test_width_of_sax_over_the_root_of_two_is_the_width_of_power() -> None:
    sax = mmi1x2(WL, 1.55, 0.2, 0.3)["o1", "o2"]
    same = np.abs(ours("mmi1x2", wl0=1.55, fwhm=0.2 / np.sqrt(2), loss_dB=0.3)["o1", "o2"])
    assert np.abs(same - sax).max() < 0.008  # a Gaussian in frequency is not quite one in wavelength


def test_published_formulas_are_those_of_sax() -> None:
    sax = pytest.importorskip("sax", reason="SAX is an extra: pip install 'photosim[sax]'")
    renamed = {"attenuator": {"loss_dB": "loss"}, "grating_coupler": {"loss_dB": "loss", "fwhm": "bandwidth"}}
    for name, (_, formula, settings) in SHARED.items():
        theirs = {renamed.get(name, {}).get(key, key): value for key, value in settings.items()}
        s = sax.sdict(getattr(sax.models, name)(wl=WL, **theirs))
        ports = sorted({port for pair in s for port in pair})
        places = dict(zip(_numbered(ports), ports, strict=True))
        for (a, b), value in formula(WL, **settings).items():
            np.testing.assert_allclose(np.asarray(s[places[a], places[b]]), value + 0 * WL, atol=1e-9)


def _numbered(ports: list[str]) -> list[str]:
    """The names o1, o2, ... of ports; in0, in1, out0, out1 stand clockwise, so outputs count down."""
    if ports[0].startswith("o") and ports[0][1:].isdigit():
        return ports
    inputs = sum(port.startswith("in") for port in ports)
    outputs = len(ports) - inputs
    return [*(f"o{k + 1}" for k in range(inputs)), *(f"o{len(ports) - k}" for k in range(outputs))]
