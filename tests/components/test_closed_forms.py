"""Laws that every closed-form component of the library obeys, and the agreement of its four algebras."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photosim.model import ClosedForm, Model, registry
from photosim.model.algebra import MpmathAlgebra
from photosim.model.codegen import kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAMES = tuple(n for n in registry.names() if isinstance(registry.get(n), ClosedForm))
WL = np.array([1.31, 1.5437, 1.55, 1.6])
EPS = float(np.finfo(float).eps)
Draw = Callable[..., st.SearchStrategy[dict[str, Any]]]


def closed_form(name: str) -> ClosedForm:
    model: Model = registry.get(name)
    assert isinstance(model, ClosedForm)
    return model


def compiled(model: ClosedForm, wl: NDArray[np.float64], values: dict[str, Any]) -> NDArray[np.complex128]:
    """The S-matrix of the generated kernel, shape (W, P, P)."""
    kernel = kernels(model)
    params = np.array([[[float(values[n]) for n in kernel.parameters]]])
    out = np.zeros((1, 1, kernel.values, 2, wl.size))
    kernel.evaluate(wl, params, out)
    return spread(model, kernel.value_of, out[0, 0])


def compiled_partials(
    model: ClosedForm, wl: NDArray[np.float64], values: dict[str, Any]
) -> NDArray[np.complex128]:
    """Derivatives of the S-matrix by every parameter and, last, by wavelength: (parameters + 1, W, P, P)."""
    kernel = kernels(model)
    params = np.array([[[float(values[n]) for n in kernel.parameters]]])
    out = np.zeros((1, 1, len(kernel.parameters) + 1, kernel.values, 2, wl.size))
    kernel.partials(wl, params, out)
    return np.array([spread(model, kernel.value_of, slope) for slope in out[0, 0]])


def spread(model: ClosedForm, value_of: Any, values: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Place distinct values of shape (V, 2, W) into S-matrices of shape (W, P, P)."""
    size = len(model.ports)
    s = np.zeros((values.shape[-1], size, size), dtype=np.complex128)
    for (a, b), v in value_of.items():
        s[:, model.ports.index(b), model.ports.index(a)] = values[v, 0] + 1j * values[v, 1]
    return s


def exact(model: ClosedForm, wl: Any, values: dict[str, Any]) -> NDArray[np.object_]:
    """The S-matrix at one wavelength in mpmath numbers at the working precision, shape (P, P)."""
    s = np.full((len(model.ports),) * 2, mpmath.mpc(0), dtype=object)
    numbers = {n: mpmath.mpf(v) for n, v in values.items()}
    for (a, b), value in model.entries(MpmathAlgebra(), mpmath.mpf(wl), numbers).items():
        s[model.ports.index(b), model.ports.index(a)] = mpmath.mpc(value)
    return s


def as_complex(values: NDArray[np.object_]) -> NDArray[np.complex128]:
    return np.asarray(np.vectorize(complex, otypes=[np.complex128])(values))


@pytest.mark.parametrize("name", [n for n in NAMES if not closed_form(n).active])
@given(data=st.data())
def test_no_component_creates_power(name: str, data: st.DataObject, settings_of: Draw) -> None:
    model = closed_form(name)
    values = data.draw(settings_of(model))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        s = model.s(WL, **values)
    defined = np.isfinite(s).all(axis=(-2, -1))
    assert np.all(np.linalg.norm(s[defined], 2, axis=(-2, -1)) <= 1 + 1e-9)
    # A ring that nothing leaves, lost or coupled, is 0/0 on resonance; nothing else may be undefined.
    leaving = [value for key, value in values.items() if key.startswith("coupling") or key == "loss_dB_cm"]
    assert defined.all() or (name.startswith("ring_") and max(leaving) < EPS)


@pytest.mark.parametrize("name", [n for n in NAMES if closed_form(n).active])
def test_active_components_amplify_and_emit(name: str) -> None:
    model = closed_form(name)
    assert np.linalg.norm(model.s(WL), 2, axis=(-2, -1)).max() > 1.0
    assert all(np.all(density > 0) for density in model.emission(WL).values())


@pytest.mark.parametrize("name", [n for n in NAMES if closed_form(n).reciprocal])
@given(data=st.data())
def test_reciprocal_components_are_symmetric(name: str, data: st.DataObject, settings_of: Draw) -> None:
    model = closed_form(name)
    s = model.s(WL, **data.draw(settings_of(model, 1e-3)))
    assert np.array_equal(s, np.swapaxes(s, -2, -1))


@pytest.mark.parametrize("name", [n for n in NAMES if not closed_form(n).reciprocal])
def test_parts_declared_one_way_are_not_symmetric(name: str) -> None:
    s = closed_form(name).s(WL)
    assert np.abs(s - np.swapaxes(s, -2, -1)).max() > 0.1


@pytest.mark.parametrize("name", [n for n in NAMES if closed_form(n).lossless_when is not None])
@given(data=st.data())
def test_lossless_components_conserve_power(name: str, data: st.DataObject, settings_of: Draw) -> None:
    model = closed_form(name)
    lossless = dict(model.lossless_when or {})
    s = model.s(WL, **{**data.draw(settings_of(model, 1e-3)), **lossless})
    power = np.swapaxes(s, -2, -1).conj() @ s
    # A hundred roundings, and up to a finesse of 1e4 for the rings.
    atol = 1e-11 if name.endswith("_ideal") else 1e-13
    np.testing.assert_allclose(power, np.broadcast_to(np.eye(len(model.ports)), power.shape), atol=atol)


@pytest.mark.parametrize("name", [n for n in NAMES if closed_form(n).lossless_when is None])
def test_components_not_declared_lossless_lose_power(name: str) -> None:
    model = closed_form(name)
    s = model.s(WL)
    assert np.abs(np.swapaxes(s, -2, -1).conj() @ s - np.eye(len(model.ports))).max() > 1e-3


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20)
@given(data=st.data())
def test_numpy_and_kernel_agree_with_thirty_digits(name: str, data: st.DataObject, settings_of: Draw) -> None:
    model = closed_form(name)
    values = data.draw(settings_of(model, 1e-4))
    with mpmath.workdps(30):
        reference = np.array([as_complex(exact(model, wl, values)) for wl in WL])
    slopes = np.abs(compiled_partials(model, WL, values))
    inputs = np.array([abs(values[n]) for n in model.parameters])
    # What rounding every input and the phase once does, times a few operations.
    spread_by = np.einsum("p,pwij->wij", inputs, slopes[:-1]) + slopes[-1] * WL[:, None, None]
    bound = 16 * EPS * (1 + spread_by)
    assert np.all(np.abs(model.s(WL, **values) - reference) <= bound)
    assert np.all(np.abs(compiled(model, WL, values) - reference) <= bound)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=5)
@given(data=st.data())
def test_partials_are_central_differences(
    name: str, data: st.DataObject, settings_of: Draw, width_of: Callable[[Any], float]
) -> None:
    model = closed_form(name)
    values = data.draw(settings_of(model, 0.02))
    slopes = compiled_partials(model, WL[:2], values)
    with mpmath.workdps(40):
        for w, wl in enumerate(WL[:2]):
            for k, n in enumerate((*model.parameters, "wl")):
                ends = []
                # Of what the parameter spans: delays are 1e-11 s, densities 1e18 per cm3.
                step = mpmath.mpf(10) ** -14 * (width_of(model.parameters[n]) if n != "wl" else 1)
                for sign in (1, -1):
                    moved = {**values, "wl": mpmath.mpf(wl)}
                    moved[n] = mpmath.mpf(moved[n]) + sign * step
                    ends.append(exact(model, moved.pop("wl"), moved))
                expected = as_complex((ends[0] - ends[1]) / (2 * step))
                scale = 1 + np.abs(expected).max()
                # Phases reach 1e5 rad and rings a finesse of 100: eleven digits are left of sixteen.
                np.testing.assert_allclose(slopes[k, w], expected, rtol=0, atol=1e-9 * scale, err_msg=n)


@pytest.mark.parametrize("name", NAMES)
def test_plan_pattern_holds_every_element_that_is_not_zero(name: str) -> None:
    model = closed_form(name)
    switches = [n for n, p in model.parameters.items() if p.structural]
    for on in (0.0, 0.1):
        given_settings = dict.fromkeys(switches, on)
        s = np.abs(model.s(WL, **given_settings)).max(axis=0)
        pattern = np.zeros_like(s, dtype=bool)
        for to, start in model.structure(given_settings):
            pattern[to, start] = True
        assert not s[~pattern].any()


@pytest.mark.parametrize("name", NAMES)
def test_latex_renders(name: str) -> None:
    from matplotlib.mathtext import MathTextParser
    from sympy import latex

    model = closed_form(name)
    assert model.latex().count(r"S_{\mathrm") == len(model.formula())
    parser = MathTextParser("path")
    for value in model.formula().values():
        assert parser.parse(f"${latex(value)}$").width > 0


@pytest.mark.parametrize("name", NAMES)
def test_formula_evaluates_to_the_reference(name: str) -> None:
    model = closed_form(name)
    values = {**model.defaults, "wl": 1.5437}
    s = model.s([1.5437])[0]
    table = model.symbols()
    for (a, b), value in model.formula().items():
        number = complex(value.subs({table[n]: v for n, v in values.items()}).evalf(20)) if value != 0 else 0
        assert number == pytest.approx(s[model.ports.index(b), model.ports.index(a)], abs=1e-12, rel=1e-12)
