"""Ready losses: values on known matrices, cotangents against difference quotients, use through a circuit."""

from __future__ import annotations

import numpy as np
import pytest

import photosim as ps
from photosim import losses
from photosim.errors import ParameterError
from photosim.smatrix import SMatrix

WL = ps.wavelengths(1.5, 1.6, 5)
WANTED = np.linspace(0.1, 0.9, 5)
LOSSES = {
    "power": losses.power("in", "out"),
    "reward": losses.power("in", "out", weight=-2.0),
    "spectrum": losses.spectrum("in", "out", WANTED),
    "level": losses.spectrum("in", "out", 0.3),
    "flatness": losses.flatness("in", "out"),
    "total": losses.total(losses.power("in", "out"), losses.flatness("out", "in")),
}


def matrix(leading: tuple[int, ...] = ()) -> SMatrix:
    rng = np.random.default_rng(7)
    shape = (*leading, 5, 2, 2)
    values = 0.5 * (rng.standard_normal(shape) + 1j * rng.standard_normal(shape))
    return SMatrix(WL, ("in", "out"), values.astype(np.complex128))


@pytest.mark.parametrize("leading", [(), (3,)])
@pytest.mark.parametrize("name", LOSSES)
def test_cotangent_is_the_slope_of_the_value(name: str, leading: tuple[int, ...]) -> None:
    s, step = matrix(leading), 1e-6
    _, cotangent = LOSSES[name](s)
    assert cotangent.shape == s.values.shape
    for place in np.ndindex(s.values.shape):
        for direction in (1.0, 1j):
            moved = np.zeros_like(s.values)
            moved[place] = step * direction
            up, down = (LOSSES[name](SMatrix(WL, s.ports, s.values + sign * moved))[0] for sign in (1, -1))
            expected = (cotangent[place] * np.conj(direction)).real
            # Third derivatives of quartics times step**2, and rounding of values of order one over the step.
            assert (up - down) / (2 * step) == pytest.approx(expected, abs=1e-8)


def test_values_are_what_the_names_say() -> None:
    s = matrix()
    path = np.abs(s.values[:, 1, 0]) ** 2
    assert LOSSES["power"](s)[0] == pytest.approx(path.mean(), rel=1e-14)
    assert LOSSES["reward"](s)[0] == pytest.approx(-2 * path.mean(), rel=1e-14)
    assert LOSSES["spectrum"](s)[0] == pytest.approx(np.mean((path - WANTED) ** 2), rel=1e-14)
    assert LOSSES["flatness"](s)[0] == pytest.approx(np.var(path), rel=1e-14)
    assert losses.flatness("in", "out")(SMatrix(WL, s.ports, np.full((5, 2, 2), 0.6 + 0.0j)))[
        0
    ] == pytest.approx(0)


def test_a_batch_counts_each_entry_alone() -> None:
    batch = matrix((3,))
    alone = [LOSSES["spectrum"](SMatrix(WL, batch.ports, batch.values[k])) for k in range(3)]
    value, cotangent = LOSSES["spectrum"](batch)
    assert value == pytest.approx(sum(v for v, _ in alone), rel=1e-14)
    assert np.array_equal(cotangent, np.stack([c for _, c in alone]))


def test_gradient_through_a_circuit() -> None:
    circuit = ps.Circuit(
        {
            "instances": {"c": {"component": "coupler", "settings": {"coupling": 0.3}}},
            "ports": {"in": "c,o1", "bar": "c,o4", "dark": "c,o2", "cross": "c,o3"},
        }
    )
    value, gradient = circuit.value_and_grad(losses.power("in", "cross"), wl=WL, parameters=["c.coupling"])
    assert value == pytest.approx(0.3, rel=1e-14)
    assert gradient["c.coupling"] == pytest.approx(1.0, rel=1e-12)


def test_wanted_spectrum_of_a_wrong_length_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"shape \(4,\); the S-matrix has 5 wavelengths"):
        losses.spectrum("in", "out", np.ones(4))(matrix())


def test_unknown_port_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ParameterError, match=r"no port 'ot'.*Did you mean 'out'"):
        losses.power("in", "ot")(matrix())


def test_a_total_of_nothing_is_refused() -> None:
    with pytest.raises(ParameterError, match="at least one loss"):
        losses.total()
