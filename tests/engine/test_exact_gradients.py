"""Gradients of random circuits against thirty digits of mpmath, and against central differences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import photosim as ps
from photosim.engine.bindings import Scoped
from photosim.model import ClosedForm
from photosim.model.algebra import MpmathAlgebra

WL = np.array([1.5423])
DIGITS = 30
FUNCTIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "negative": lambda a: -a,
    "abs": abs,
    "minimum": min,
    "maximum": max,
    "arcsin": mpmath.asin,
    "arccos": mpmath.acos,
    "arctan": mpmath.atan,
    **{name: getattr(mpmath, name) for name in ("sqrt", "exp", "log", "sin", "cos", "tan")},
}


class Exact:
    """The whole circuit in mpmath: settings, expressions, formulas, and a dense solve of the joined ports."""

    def __init__(self, circuit: ps.Circuit) -> None:
        self.graph = circuit.graph
        self.algebra = MpmathAlgebra()

    def setting(self, name: str, changed: Mapping[str, Any]) -> Any:
        """Return a setting by dotted name, expressions worked out over what is changed."""
        if name in changed:
            return changed[name]
        value = self.graph.bindings.bound[name]
        if not isinstance(value, Scoped):
            return mpmath.mpf(value)
        work: list[Any] = []
        for operation, part, arguments in value.expression.program:
            if operation == "symbol":
                work.append(self.setting(value.full(part), changed))
            elif operation == "constant":
                work.append(mpmath.mpf(part))
            else:
                work.append(FUNCTIONS[operation](*(work[k] for k in arguments)))
        return work[-1]

    def parts(self, wl: Any, changed: Mapping[str, Any]) -> Any:
        """Return the S-matrices of all parts at one wavelength, as one block diagonal matrix."""
        graph = self.graph
        parts = mpmath.matrix(len(graph.partner))
        for part in graph.parts:
            assert isinstance(part.model, ClosedForm)
            values = {}
            for name, parameter in part.model.parameters.items():
                full = f"{part.name}.{name}"
                written = name in part.written or full in changed
                default = self.setting(name, changed) if name == "temperature" else parameter.default
                values[name] = self.setting(full, changed) if written else mpmath.mpf(default)
            for (a, b), value in part.model.function(self.algebra, wl, **values).items():
                source, to = (part.first_port + part.ports.index(port) for port in (a, b))
                parts[to, source] = value
                if part.model.reciprocal:
                    parts[source, to] = value
        return parts

    def s(self, wl: Any, changed: Mapping[str, Any]) -> Any:
        """Return the S-matrix between the exposed ports at one wavelength."""
        graph, parts = self.graph, self.parts(wl, changed)
        joined = [p for p in range(len(graph.partner)) if graph.partner[p] >= 0]
        place = {p: k for k, p in enumerate(joined)}
        outer = list(graph.exposed.values())
        # Waves b leave the joined ports: b = S_jj C b + S_jo e, and S = S_oo + S_oj C b.
        left = mpmath.eye(len(joined))
        right = mpmath.matrix(len(joined), len(outer))
        for p in joined:
            for q in joined:
                left[place[p], place[int(graph.partner[q])]] -= parts[p, q]
            for k, o in enumerate(outer):
                right[place[p], k] = parts[p, o]
        waves = _solved(left, right)
        found = mpmath.matrix(len(outer))
        for i, o in enumerate(outer):
            for k, source in enumerate(outer):
                found[i, k] = parts[o, source] + mpmath.fsum(
                    parts[o, p] * waves[place[int(graph.partner[p])], k] for p in joined
                )
        return found


def _solved(left: Any, right: Any) -> Any:
    """Return left**-1 right by one factorisation: a third of what mpmath's inverse costs."""
    if not left.rows:
        return right
    factors, order = mpmath.mp.LU_decomp(left)
    columns = [
        mpmath.mp.U_solve(factors, mpmath.mp.L_solve(factors, right[:, k], order)) for k in range(right.cols)
    ]
    return mpmath.matrix([[column[row] for column in columns] for row in range(right.rows)])


def weights(ports: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(11)
    shape = (len(WL), ports, ports)
    return rng.normal(size=shape), rng.normal(size=shape) + 1j * rng.normal(size=shape)


def loss(s: Any) -> tuple[float, Any]:
    """A smooth real function of every element of S, with its cotangent."""
    power, field = weights(s.values.shape[-1])
    value = np.sum(power * np.abs(s.values) ** 2) + np.sum((np.conj(field) * s.values).real)
    return float(value), 2 * power * s.values + field


def exact_loss(exact: Exact, changed: Mapping[str, Any]) -> Any:
    """The same function in mpmath."""
    power, field = weights(len(exact.graph.exposed))
    terms = []
    for w, wl in enumerate(WL):
        s = exact.s(mpmath.mpf(float(wl)), changed)
        for i in range(s.rows):
            for k in range(s.cols):
                pull = mpmath.mpc(complex(np.conj(field[w, i, k]))) * s[i, k]
                terms.append(mpmath.mpf(power[w, i, k]) * abs(s[i, k]) ** 2 + pull.real)
    return mpmath.fsum(terms)


def exact_slope(exact: Exact, name: str, start: float) -> float:
    """Derivative of the loss: the error of a difference of step 1e-9 is below 1e-13 at fifty digits."""
    with mpmath.workdps(DIGITS + 20):
        step = mpmath.mpf("1e-9")
        ahead, behind = (exact_loss(exact, {name: mpmath.mpf(start) + d}) for d in (step, -step))
        return float((ahead - behind) / (2 * step))


def nested(name: str, value: float) -> dict[str, Any]:
    found: Any = value
    for key in reversed(name.split(".")):
        found = {key: found}
    return dict(found)


def check_gradients(net: dict[str, Any], names: list[str], steps: float = 1e-5) -> None:
    """Hold value and gradients to mpmath (1e-10; found: 4e-13) and to differences (1e-6)."""
    circuit = ps.Circuit(net)
    exact = Exact(circuit)
    value, gradient = circuit.value_and_grad(loss, wl=WL, parameters=names)
    with mpmath.workdps(DIGITS):
        assert value == pytest.approx(float(exact_loss(exact, {})), rel=1e-11, abs=1e-11)
    scale = max([1.0, *(abs(g) for g in gradient.values())])
    for name in names:
        start = float(circuit.parameters[name])
        expected = exact_slope(exact, name, start)
        assert abs(gradient[name] - expected) <= 1e-10 * scale, name
        # Fourth order: a step of 1e-5 leaves the rounding of the loss over the step, 1e-10.
        at = [loss(circuit(WL, **nested(name, start + k * steps)))[0] for k in (-2, -1, 1, 2)]
        difference = (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * steps)
        assert abs(gradient[name] - difference) <= 1e-6 * scale, name


HIERARCHY: dict[str, Any] = {
    "top_level": {
        "settings": {"radius": 5.0, "gain": 1.3, "k": 0.2},
        "instances": {
            "left": {"component": "loop", "settings": {"r": "radius*gain", "k": "k + 0.05*sin(gain)"}},
            "right": {"component": "loop", "settings": {"r": "radius + gain**2", "k": "k"}},
            "arms": {"component": "mzi", "settings": {"delta_length": "10*radius/gain"}},
            "mirror": {"component": "reflector", "settings": {"reflection": "k/2"}},
            "drop": {"component": "ring_double", "settings": {"radius": "radius", "coupling": "sqrt(k)/2"}},
        },
        "connections": {
            "left,o2": "arms,o1",
            "arms,o2": "mirror,o1",
            "mirror,o2": "right,o1",
            "right,o2": "drop,o1",
        },
        "ports": {"in": "left,o1", "out": "drop,o4", "drop": "drop,o2", "add": "drop,o3"},
    },
    "loop": {
        "settings": {"r": 10.0, "k": 0.1},
        "instances": {
            "c": {"component": "coupler", "settings": {"coupling": "k"}},
            "g": {"component": "straight", "settings": {"length": "2*pi*r", "loss_dB_cm": 20.0}},
        },
        "connections": {"c,o3": "g,o1", "g,o2": "c,o2"},
        "ports": {"o1": "c,o1", "o2": "c,o4"},
    },
}


@pytest.mark.filterwarnings("ignore:The circuit's temperature is set, but")
def test_gradients_through_hierarchy_expressions_and_composites() -> None:
    names = ["radius", "gain", "k", "temperature", "left.r", "right.g.loss_dB_cm", "mirror.reflection"]
    check_gradients(HIERARCHY, [*names, "arms.delta_length", "drop.coupling"])


KINDS = {"straight": 2, "coupler": 4, "splitter": 3, "reflector": 2, "phase_shifter": 2, "isolator": 2}
TUNED = {
    "straight": "length",
    "coupler": "coupling",
    "splitter": "ratio",
    "reflector": "reflection",
    "phase_shifter": "phase",
}


@st.composite
def random_netlists(draw: st.DrawFn) -> dict[str, Any]:
    """Up to seven parts joined at random; half of their settings follow one circuit setting, x."""
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=3, max_size=7))
    instances = {}
    for k, kind in enumerate(kinds):
        value = 0.2 + 0.6 * draw(st.floats(0, 1))
        written: Any = f"{value!r} * (1 + x * {0.1 * (k % 3)!r})" if draw(st.booleans()) else value
        own = {TUNED[kind]: written} if kind in TUNED else {}
        if kind == "straight":
            own = {"length": f"40 * ({written})", "loss_dB_cm": 30.0}
        instances[f"p{k}"] = {"component": kind, "settings": own}
    ends = [f"p{k},o{p + 1}" for k, kind in enumerate(kinds) for p in range(KINDS[kind])]
    order = draw(st.permutations(ends))
    exposed = draw(st.integers(1, min(3, len(order) - 1)))
    rest = order[exposed:]
    return {
        "settings": {"x": 0.4},
        "instances": instances,
        "connections": dict(zip(rest[::2], rest[1::2], strict=False)),
        "ports": {f"e{k}": end for k, end in enumerate(order[:exposed])},
    }


@pytest.mark.filterwarnings("ignore::photosim.errors.PhotosimWarning")
@given(net=random_netlists())
@settings(max_examples=25)
def test_gradients_of_random_circuits(net: dict[str, Any]) -> None:
    circuit = ps.Circuit(net)
    # Near a resonance without loss the curvature spoils the difference: those have tests of their own.
    assume(all(np.abs(circuit.transfer(WL, [w], circuit.ports)).max() < 5 for w in _inner_waves(circuit)))
    kinds = {name: part["component"] for name, part in net["instances"].items()}
    own = [f"{name}.{TUNED[kind]}" for name, kind in kinds.items() if kind in TUNED]
    shared = ["x"] if any("x" in str(part["settings"]) for part in net["instances"].values()) else []
    try:
        check_gradients(net, [*shared, *own[:2]])
    except ZeroDivisionError:  # mpmath also solves for loops without loss that no light reaches
        assume(False)


def _inner_waves(circuit: ps.Circuit) -> list[str]:
    return [f"{part.name},{port}" for part in circuit.graph.parts for port in part.ports]
