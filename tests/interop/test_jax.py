"""Circuits as functions of JAX, against the engine and differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError


@pytest.fixture
def jax() -> Any:
    """JAX in double precision; skips where it is not installed."""
    found: Any = pytest.importorskip("jax", reason="JAX is an extra: pip install 'photosim[jax]'")
    with found.enable_x64() if hasattr(found, "enable_x64") else found.experimental.enable_x64():
        yield found


def ring(output: Any = "power", wl: Any = (1.549, 1.55, 1.551)) -> Any:
    """Return a ring's function of radius and coupling."""
    circuit = ps.Circuit("add_drop_ring")
    names = ["ring.radius", "ring.coupling"]
    return ps.interop.jax.CircuitFunction(circuit, ["in", "add"], ["drop"], names, wl=wl, output=output)


@pytest.mark.parametrize("output", ["field", "power"])
def test_gradients_agree_with_differences(jax: Any, output: str) -> None:
    from jax.test_util import check_grads

    f = ring(output)
    x = np.random.default_rng(0).standard_normal((2, 2)) * (1.0 + 0.5j)

    def loss(values: Any, x: Any) -> Any:
        y = f(values, x)
        return (jax.numpy.abs(y) ** 2).sum() + y.real.sum() * 0.3

    check_grads(loss, (f.start, x), order=1, modes=["rev"], rtol=1e-5, eps=1e-6)


def test_the_gradient_by_complex_numbers_is_the_conjugate(jax: Any) -> None:
    f = ring("field", wl=1.55)
    x = np.array([0.3 + 0.2j, -0.1j])
    found = jax.grad(lambda x: (jax.numpy.abs(f(f.start, x)) ** 2).sum())(x)
    row = f.passing.circuit.transfer([1.55], ["drop"], ["in", "add"])[0, 0]
    assert np.allclose(np.conj(found), 2.0 * row.conj() * (row @ x), rtol=1e-12)  # dL/dRe + i dL/dIm


def test_jit_and_vmap_give_the_same(jax: Any) -> None:
    f = ring()
    x = np.random.default_rng(1).standard_normal((4, 2))
    plain = f(f.start, x)
    assert plain.shape == (4, 3, 1)
    assert np.array_equal(jax.jit(f)(f.start, x), plain)
    assert np.allclose(jax.vmap(f, in_axes=(None, 0))(f.start, x), plain, rtol=1e-13)
    radii = np.array([[10.0, 0.03], [10.01, 0.05]])
    many = jax.vmap(f, in_axes=(0, None))(radii, x)
    assert np.allclose(many[1], f(radii[1], x), rtol=1e-13)
    slopes = jax.jit(jax.vmap(jax.grad(lambda v: f(v, x).sum())))(radii)
    assert np.allclose(slopes[1], jax.grad(lambda v: f(v, x).sum())(radii[1]), rtol=1e-12)


def test_it_answers_as_its_circuit(jax: Any) -> None:
    assert jax
    f = ring("field")
    found = f(np.array([10.02, 0.04]), np.array([2.0, 0.0]))
    wanted = ps.Circuit("add_drop_ring")(f.passing.wl, ring={"radius": 10.02, "coupling": 0.04})
    assert np.allclose(found[:, 0], 2.0 * wanted["in", "drop"].values, rtol=1e-13)
    assert f.settings([10.02, -1.0]) == {"ring.radius": 10.02, "ring.coupling": 0.0}


def test_single_precision_stays_single(jax: Any) -> None:
    assert jax
    f = ring()
    assert f(f.start, np.ones((1, 2), np.float32)).dtype == np.float32
    assert f(f.start, np.ones((1, 2))).dtype == np.float64


def test_wrong_shapes_and_names_are_refused(jax: Any) -> None:
    assert jax
    f = ring()
    with pytest.raises(ParameterError, match="2 inputs"):
        f(f.start, np.ones(3))
    with pytest.raises(ParameterError, match="one for each name"):
        f(np.ones(3), np.ones(2))
    with pytest.raises(ParameterError, match="drop"):
        ps.interop.jax.CircuitFunction(ps.Circuit("add_drop_ring"), ["in"], ["dorp"], wl=1.55)


def test_without_jax_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(ParameterError, match=r"pip install 'photosim\[jax\]'"):
        ring()


def test_values_that_are_not_finite_are_refused_in_a_sentence(jax: Any) -> None:
    circuit = ps.Circuit("add_drop_ring")
    drop = ps.interop.jax.CircuitFunction(circuit, ["in"], ["drop"], ["ring.radius"], wl=1.55)
    with pytest.raises(ParameterError, match="values must be finite numbers"):
        drop(jax.numpy.array([np.nan]), jax.numpy.ones((1, 1)))
