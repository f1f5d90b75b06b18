"""Group delay and dispersion from exact derivatives in wavelength."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError
from photosim.model.sampled import SampledData

WL = np.linspace(1.545, 1.555, 37)
RING: dict[str, Any] = {
    "instances": {"ring": {"component": "ring_double", "settings": {"radius": 10.0, "coupling": 0.1}}},
    "ports": {"in": "ring,o1", "drop": "ring,o2", "add": "ring,o3", "through": "ring,o4"},
}
MIRRORED: dict[str, Any] = {
    "instances": {
        "ring": {"component": "ring_double", "settings": {"radius": 10.0, "coupling": 0.1}},
        "left": {"component": "reflector", "settings": {"reflection": 0.2}},
        "right": {"component": "reflector", "settings": {"reflection": 0.3}},
    },
    "connections": {"left,o2": "ring,o1", "ring,o4": "right,o1"},
    "ports": {"in": "left,o1", "drop": "ring,o2", "add": "ring,o3", "through": "right,o2"},
}


def differences(net: dict[str, Any], pair: tuple[str, str], step: float) -> tuple[Any, Any]:
    """Return group delay in s and its slope in s/um by five-point differences of the phase."""
    circuit = ps.Circuit(net)
    at = [circuit(WL + k * step)[pair].values for k in range(-2, 3)]
    middle = at[2]
    log = [np.log(s / middle) for s in at]  # small arguments: no branch is crossed
    slope = (log[0] - 8 * log[1] + 8 * log[3] - log[4]).imag / (12 * step)
    curvature = (-log[0] + 16 * log[1] - 30 * log[2] + 16 * log[3] - log[4]).imag / (12 * step**2)
    scale = -1 / (2 * np.pi * SPEED_OF_LIGHT_UM_S)
    return scale * WL**2 * slope, scale * (2 * WL * slope + WL**2 * curvature)


@pytest.mark.parametrize("net", [RING, MIRRORED], ids=["one way", "both ways"])
@pytest.mark.parametrize("pair", [("in", "drop"), ("in", "through")])
def test_delay_and_dispersion_agree_with_differences(net: dict[str, Any], pair: tuple[str, str]) -> None:
    trace = ps.Circuit(net)(WL)[pair]
    delay, dispersion = differences(net, pair, 2e-6)
    np.testing.assert_allclose(trace.group_delay, delay, rtol=1e-6, atol=1e-6 * np.abs(delay).max())
    np.testing.assert_allclose(trace.dispersion, dispersion, rtol=1e-3, atol=1e-4 * np.abs(dispersion).max())


def test_a_guide_delays_by_its_group_index() -> None:
    net = {
        "instances": {
            "guide": {"component": "straight", "settings": {"length": 1000.0, "neff": 2.4, "ng": 4.2}}
        },
        "ports": {"in": "guide,o1", "out": "guide,o2"},
    }
    trace = ps.Circuit(net)([1.55])["in", "out"]
    # One wavelength is enough, and the index model is linear in wavelength, so the guide has no dispersion.
    assert trace.group_delay[0] == pytest.approx(4.2 * 1000.0 / SPEED_OF_LIGHT_UM_S, rel=1e-12)
    assert trace.dispersion[0] == pytest.approx(0.0, abs=1e-22)


def test_light_leaves_later_than_it_enters() -> None:
    assert (ps.Circuit(RING)(WL)["in", "drop"].group_delay > 0).all()


def test_a_batch_keeps_its_axis() -> None:
    s = ps.Circuit(RING)(WL, ring={"radius": np.array([9.9, 10.0])})
    assert s["in", "drop"].group_delay.shape == (2, len(WL))
    expected = ps.Circuit(RING)(WL)["in", "drop"].group_delay
    np.testing.assert_allclose(s["in", "drop"].group_delay[1], expected, rtol=1e-12)


def test_a_matrix_without_a_circuit_needs_a_grid() -> None:
    s = ps.Circuit(RING)(np.linspace(1.545, 1.555, 4001))
    read = ps.SMatrix(s.wl, s.ports, s.values)
    exact = s["in", "drop"].group_delay
    np.testing.assert_allclose(read["in", "drop"].group_delay[5:-5], exact[5:-5], rtol=1e-3)
    alone = ps.SMatrix(s.wl[:1], s.ports, s.values[:1])
    with pytest.raises(ParameterError, match="need 2 wavelengths or more, and it has 1"):
        _ = alone["in", "drop"].group_delay


def test_a_part_without_derivatives_says_so() -> None:
    @ps.numerical(source="yariv2000", ports=("o1", "o2"))
    def opaque_slab(wl: Any) -> Any:
        """Half of the light.

        Settings:
        """
        return np.full((len(wl), 2, 2), 0.5, dtype=complex)

    circuit = ps.Circuit({"instances": {"slab": "opaque_slab"}, "ports": {"in": "slab,o1", "out": "slab,o2"}})
    with pytest.raises(ParameterError, match="opaque_slab has no exact derivative in wavelength"):
        _ = circuit(WL)["in", "out"].group_delay


def test_a_tabulated_part_delays_as_its_spline_does() -> None:
    frequency = np.linspace(192e12, 195e12, 61)
    delay = 3e-13
    through = 0.9 * np.exp(2j * np.pi * frequency * delay)
    s = np.zeros((61, 2, 2), dtype=complex)
    s[:, 0, 1] = s[:, 1, 0] = through
    table = SampledData(frequency, s, ("o1", "o2"))
    part = ps.Instance("sampled", {"file": table})
    circuit = ps.Circuit(ps.Netlist({"part": part}, ports={"in": ("part", "o1"), "out": ("part", "o2")}))
    trace = circuit(WL)["in", "out"]
    np.testing.assert_allclose(trace.group_delay, delay, rtol=1e-9)
    np.testing.assert_allclose(trace.dispersion, 0.0, atol=1e-18)


def test_a_speckle_medium_has_no_delay() -> None:
    net = {"instances": {"medium": "speckle_medium"}, "ports": {"in": "medium,in0", "out": "medium,out2"}}
    with pytest.warns(ps.PhotosimWarning, match="left open"):
        circuit = ps.Circuit(net)
    np.testing.assert_array_equal(circuit(WL)["in", "out"].group_delay, 0.0)
