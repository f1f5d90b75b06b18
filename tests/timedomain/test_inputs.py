"""Light into ports: powers and fields, each on its own carrier, against the S-matrix at its wavelength."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import photosim as ps
from photosim import runner, waveforms
from photosim.analysis import transient_options
from photosim.errors import PhotosimError

if TYPE_CHECKING:
    from pathlib import Path

C_UM = 299_792_458.0e6
RATE = 1e12
GUIDE = {"neff": 2.44553, "ng": 4.19088}


def interferometer() -> ps.Circuit:
    """Two inputs that interfere at one output, otherwise at each wavelength."""
    arm = {"component": "straight", "settings": {"length": 137.0, **GUIDE}}
    return ps.Circuit(
        {
            "instances": {
                "split": "coupler",
                "long": arm,
                "short": {"component": "straight", "settings": {"length": 100.0, **GUIDE}},
                "merge": "coupler",
            },
            "connections": {
                "split,o3": "long,o1",
                "split,o4": "short,o1",
                "long,o2": "merge,o2",
                "short,o2": "merge,o1",
            },
            "ports": {"a": "split,o1", "b": "split,o2", "out": "merge,o4"},
            "terminate": ["merge,o3"],
        }
    )


def last(out: Any, wl: float) -> complex:
    return complex(out.wave.sel(probe="out").sel(carrier=wl, method="nearest").values[-1])


def test_inputs_on_two_carriers_each_keep_their_own() -> None:
    one = interferometer()
    inputs = {
        "a": {"power": waveforms.constant(1e-3), "carrier": 1.55},
        "b": {"power": 4e-3, "carrier": 1.57},
    }
    for wl in (None, [1.55, 1.57], [1.57, 1.55]):
        out = ps.transient(one, 1e-10, sample_rate=RATE, inputs=inputs, wl=wl, probes=["out"])
        assert out.sizes["carrier"] == 2
        for port, at, power in (("a", 1.55, 1e-3), ("b", 1.57, 4e-3)):
            s = one([at])[port, "out"].values[0]
            assert last(out, at) == pytest.approx(np.sqrt(power) * s, abs=1e-9)


def test_several_carriers_enter_at_one_port() -> None:
    one = interferometer()
    light = [{"power": 1e-3, "carrier": 1.55}, {"field": 0.1 - 0.02j, "carrier": 1.57}]
    out = ps.transient(one, 1e-10, sample_rate=RATE, inputs={"a": light}, probes=["out"])
    for at, wave in ((1.55, np.sqrt(1e-3)), (1.57, 0.1 - 0.02j)):
        assert last(out, at) == pytest.approx(wave * one([at])["a", "out"].values[0], abs=1e-9)


def test_inputs_in_one_band_share_a_carrier_and_keep_their_frequencies() -> None:
    """Two lines 80 GHz apart: one carrier, each with S at its own frequency, and their beat."""
    one = interferometer()
    other = C_UM / (C_UM / 1.55 + 80e9)
    inputs = {"a": {"field": 0.02, "carrier": 1.55}, "b": {"field": 0.03j, "carrier": other}}
    out = ps.transient(one, 1e-10, sample_rate=RATE, inputs=inputs, probes=["out"])
    assert out.sizes["carrier"] == 1
    time, carrier = out.time.values, C_UM / float(out.carrier[0])
    expected = sum(
        wave * one([at])[port, "out"].values[0] * np.exp(-2j * np.pi * (C_UM / at - carrier) * time)
        for port, at, wave in (("a", 1.55, 0.02), ("b", other, 0.03j))
    )
    inner = slice(20, -10)
    np.testing.assert_allclose(out.wave.values[0, 0][inner], expected[inner], atol=2e-3 * 0.05)


def test_power_and_field_of_the_same_samples_differ() -> None:
    """Real samples mean what the caller says: |field|**2 is the power, power its root's square."""
    one = ps.Circuit({"instances": {"g": "straight"}, "ports": {"in": "g,o1", "out": "g,o2"}})
    loss = float(one([1.55])["in", "out"].power[0])
    values = 0.5 + 0.4 * np.sin(2 * np.pi * 3e9 * np.arange(2000) / RATE)
    for key, power in (("power", values), ("field", values**2)):
        out = ps.transient(one, 2e-9, sample_rate=RATE, inputs={"in": {key: values}}, wl=1.55)
        found = np.abs(out.wave.sel(probe="out").values[0]) ** 2
        whole = slice(500, 1500)  # three periods
        assert found[whole].mean() == pytest.approx(loss * power[whole].mean(), rel=1e-3)
    real = ps.transient(one, 2e-9, sample_rate=RATE, inputs={"in": {"field": waveforms.sine(3e9)}}, wl=1.55)
    found = np.abs(real.wave.sel(probe="out").values[0]) ** 2
    assert found[500:1500].mean() == pytest.approx(loss / 2, rel=1e-3)


NETLIST = """\
name: lit
instances: {g: {component: straight, settings: {length: 10.0}}}
ports: {in: "g,o1", out: "g,o2"}
analyses:
  - kind: transient
    name: light
    duration: 1.0e-10
    sample_rate: 1.0e+12
    inputs:
      in:
        - {power: {wave: file, path: power.csv}, carrier: 1.55}
        - {field: 0.05, carrier: 1.57}
"""


def test_netlist_says_powers_fields_and_carriers(tmp_path: Path) -> None:
    (tmp_path / "power.csv").write_text("0, 1e-3\n1, 1e-3\n", encoding="utf-8")
    (tmp_path / "lit.yml").write_text(NETLIST, encoding="utf-8")
    report = runner.run(tmp_path / "lit.yml", out=tmp_path / "out")
    signals = report.numbers["analyses"][0]["signals"]
    one = ps.Circuit({"instances": {"g": {"component": "straight", "settings": {"length": 10.0}}},
                      "ports": {"in": "g,o1", "out": "g,o2"}})  # fmt: skip
    passed = one([1.55, 1.57])["in", "out"].power
    assert signals["out"]["mean"] == pytest.approx(1e-3 * passed[0] + 0.05**2 * passed[1], rel=1e-6)


@pytest.mark.parametrize(
    ("light", "said"),
    [
        ({"power": {"wave": "prbs"}}, r"inputs: .*'a': the waveform \(prbs\) needs the option 'rate'"),
        ({"powr": 1.0}, "inputs: .*Did you mean 'power'"),
        ([1.0, 2.0], "inputs: .*may be a power or a field"),
        ({"power": 1.0, "carrier": 1550.0}, "inputs: .*looks like nm"),
    ],
    ids=str,
)
def test_bad_input_of_a_netlist_is_one_sentence(light: Any, said: str) -> None:
    entry = {"kind": "transient", "duration": 1e-9, "sample_rate": 1e12, "inputs": {"a": light}}
    with pytest.raises(PhotosimError, match=said):
        transient_options.read_options(entry, interferometer())
