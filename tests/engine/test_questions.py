"""What else a circuit answers: Jacobians, long sweeps in pieces, what its plan costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError

WL = np.linspace(1.545, 1.555, 21)
RING: dict[str, Any] = {
    "instances": {"ring": {"component": "ring_double", "settings": {"radius": 10.0, "coupling": 0.1}}},
    "ports": {"in": "ring,o1", "drop": "ring,o2", "add": "ring,o3", "through": "ring,o4"},
}


def test_a_jacobian_agrees_with_differences() -> None:
    circuit = ps.Circuit(RING)
    names = ["ring.coupling", "ring.radius"]
    values, slopes = circuit.jacobian(WL, ["drop", "through"], ["in"], names)
    np.testing.assert_array_equal(values, circuit.transfer(WL, ["drop", "through"], ["in"]))
    for name, start, step in (("coupling", 0.1, 1e-6), ("radius", 10.0, 1e-6)):
        ahead, behind = (
            circuit.transfer(WL, ["drop", "through"], ["in"], ring={name: start + d}) for d in (step, -step)
        )
        expected = (ahead - behind) / (2 * step)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(slopes[f"ring.{name}"], expected, rtol=0, atol=1e-6 * scale)


def test_a_least_squares_fit_finds_the_coupling() -> None:
    from scipy.optimize import least_squares

    circuit = ps.Circuit(RING)
    measured = np.abs(circuit.transfer(WL, ["drop"], ["in"], ring={"coupling": 0.17})) ** 2

    def residual(x: Any) -> Any:
        return (
            np.abs(circuit.transfer(WL, ["drop"], ["in"], ring={"coupling": x[0]})) ** 2 - measured
        ).ravel()

    def slope(x: Any) -> Any:
        values, slopes = circuit.jacobian(WL, ["drop"], ["in"], ["ring.coupling"], ring={"coupling": x[0]})
        return 2 * (np.conj(values) * slopes["ring.coupling"]).real.reshape(-1, 1)

    found = least_squares(residual, [0.05], jac=slope, bounds=(0.0, 1.0), xtol=1e-14, ftol=1e-14)
    assert found.x[0] == pytest.approx(0.17, rel=1e-8)


def test_pieces_of_a_sweep_equal_the_sweep() -> None:
    circuit = ps.Circuit(RING)
    pieces = list(circuit.stream(WL, ports=["in", "drop"], size=8))
    assert [len(p.wl) for p in pieces] == [8, 8, 5]
    together = np.concatenate([p.values for p in pieces])
    assert np.array_equal(together, circuit(WL, ports=["in", "drop"]).values)
    with pytest.raises(ParameterError, match="size must be 1 wavelength or more, got 0"):
        next(circuit.stream(WL, size=0))


def test_a_plan_explains_what_it_costs() -> None:
    plan = ps.Circuit(RING).plan
    text = plan.explain()
    assert text.startswith(
        f"{plan.removed} waves eliminated (1 of them in loops) in 1 islands, {plan.products} complex"
    )
    assert "in to drop: " in text
    assert "in to in" not in text  # nothing reflects
    costs = dict(plan.costs()) if plan.costs else {}
    assert all(0 < cost <= plan.products for cost in costs.values())
    apart = ps.Circuit({
        "instances": {"a": "straight", "b": "straight"},
        "ports": {"a1": "a,o1", "a2": "a,o2", "b1": "b,o1", "b2": "b,o2"},
    }).plan  # fmt: skip
    assert apart.islands == 2
    assert apart.products == apart.fill == 0


def test_a_port_of_an_instance_with_parts_inside_is_a_wave() -> None:
    """The ring is a netlist of couplers and guides: its ports name waves of the parts inside."""
    circuit = ps.Circuit(RING)
    own = circuit.transfer(WL, ["drop", "through"], ["in"])
    inner = circuit.transfer(WL, ["ring,drop", "ring,o4"], ["in"])
    np.testing.assert_allclose(inner, own, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(circuit.transfer(WL, ["ring,in:in"], ["in"]), np.ones((len(WL), 1, 1)))
    with pytest.raises(ps.NetlistError, match=r"'ring' has no port 'dorp'\..*Did you mean 'drop'\?"):
        circuit.transfer(WL, ["ring,dorp"], ["in"])
