"""Strategies of hypothesis for photonics: settings, components, S-matrices, netlists and circuits.

from hypothesis import given
from photosim.testing import strategies as sts

@given(sts.circuits(feedback=True))
def test_something(circuit): ...
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError, PhotosimWarning
from photosim.model import ClosedForm, Model, registry
from photosim.testing.draws import hypothesis, settings_of, wavelengths_in
from photosim.testing.subjects import BAND

hypothesis()

from hypothesis import strategies as st  # noqa: E402 - after the sentence for those who lack it

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit

PARTS = (
    "straight",
    "coupler",
    "splitter",
    "crossing",
    "phase_shifter",
    "attenuator",
    "reflector",
    "circulator",
)
"""Components that netlists are made of by default."""


class WrittenNetlist(dict[str, Any]):
    """A netlist as a dict, shown as the YAML that `photosim check` reads."""

    def __repr__(self) -> str:
        """Return the YAML."""
        return "\n" + self.yaml()

    def yaml(self) -> str:
        """Return the netlist as YAML."""
        import yaml

        return str(yaml.safe_dump(dict(self), sort_keys=False))


def settings(component: str | Model) -> st.SearchStrategy[dict[str, Any]]:
    """Return settings of a component inside its bounds and its window; edges and the default are likely.

    Settings that are None by default stay so.
    """
    model = registry.get(component) if isinstance(component, str) else component
    drawn = {name: p for name, p in model.parameters.items() if p.default is not None}
    return settings_of(model, drawn)


def components(kinds: Sequence[str] = ("closed-form",)) -> st.SearchStrategy[Model]:
    """Return components of the library and of one's own, of these kinds (`photosim components --json`)."""
    found = [registry.get(name) for name in registry.names() if "." not in name]
    chosen = [model for model in found if model.kind in kinds]
    if not chosen:
        known = sorted({model.kind for model in found})
        message = f"There are no components of the kinds {', '.join(kinds)}. There are: {', '.join(known)}."
        raise ParameterError(message)
    return st.sampled_from(chosen)


def wavelengths(
    low: float = BAND[0], high: float = BAND[1], *, count: int = 5
) -> st.SearchStrategy[NDArray[np.float64]]:
    """Return rising wavelengths in um between low and high, shape (count,)."""
    return wavelengths_in((low, high), count)


@st.composite
def smatrices(
    draw: st.DrawFn,
    ports: int | st.SearchStrategy[int] = 2,
    *,
    passive: bool = True,
    reciprocal: bool = False,
    unitary: bool = False,
    count: int = 1,
) -> NDArray[np.complex128]:
    """Draw S-matrices of shape (count, ports, ports): passive, reciprocal, unitary, or any of these.

    They come from unitary matrices of a seed, so that they shrink to the identity.
    """
    size = draw(ports) if isinstance(ports, st.SearchStrategy) else ports
    seed = draw(st.integers(0, 2**31 - 1))
    if seed == 0:
        unitaries = np.broadcast_to(np.eye(size, dtype=np.complex128), (count, size, size))
    else:
        rng = np.random.default_rng(seed)
        normal = rng.standard_normal((count, size, size)) + 1j * rng.standard_normal((count, size, size))
        unitaries = np.linalg.qr(normal)[0]
    if reciprocal:  # V V^T is unitary and symmetric
        unitaries = unitaries @ np.swapaxes(unitaries, -2, -1)
    if unitary:
        return np.array(unitaries)
    top = 1.0 if passive else 4.0
    values = np.array(draw(st.lists(st.floats(0.0, top), min_size=size, max_size=size)))
    if reciprocal:  # a Takagi form keeps symmetry: U diag(values) U^T
        base = np.linalg.qr(unitaries + 0.5j * np.eye(size))[0] if seed else unitaries
        return np.array((base * values) @ np.swapaxes(base, -2, -1))
    other = np.swapaxes(unitaries, -2, -1).conj()[..., ::-1, :]
    return np.array((unitaries * values) @ other)


@st.composite
def netlists(
    draw: st.DrawFn,
    parts: Sequence[str] = PARTS,
    *,
    most: int = 8,
    feedback: bool = True,
    reflections: bool = True,
) -> WrittenNetlist:
    """Draw a netlist that is valid by construction: parts, settings, connections, and ports for the rest.

    parts: components to choose from, closed forms.  most: parts at most.  feedback: whether loops may be;
    else light goes from a part's right to the left of later ones.  reflections: whether parts may send light
    back. Every netlist has a port.
    """
    count = draw(st.integers(1, most))
    instances: dict[str, Any] = {}
    left, right = [], []
    for k in range(count):
        name = draw(st.sampled_from(list(parts)))
        model = registry.get(name)
        if not isinstance(model, ClosedForm):
            message = f"Netlists are drawn of closed forms; {name!r} is a {model.kind} part."
            raise ParameterError(message)
        own = draw(settings(model))
        if not reflections:
            own = {n: 0.0 if "reflection" in n else value for n, value in own.items()}
        instances[f"p{k}"] = {"component": name, "settings": own}
        half = sum(1 for alias in model.aliases if re.fullmatch(r"in\d+", alias)) or len(model.ports) // 2
        left += [(k, f"p{k},{port}") for port in model.ports[:half]]
        right += [(k, f"p{k},{port}") for port in model.ports[half:]]
    pairs: list[tuple[str, str]] = []
    if feedback:
        ends = draw(st.permutations([end for _, end in [*left, *right]]))
        joined = draw(st.integers(0, (len(ends) - 1) // 2))
        pairs = [(ends[2 * k], ends[2 * k + 1]) for k in range(joined)]
    else:
        free = list(left)
        for k, end in right:
            later = [place for place in free if place[0] > k]
            joins: bool = draw(st.booleans())
            if later and joins:
                target = draw(st.sampled_from(later))
                free.remove(target)
                pairs.append((end, target[1]))
    used = {end for pair in pairs for end in pair}
    open_ends = [end for _, end in [*left, *right] if end not in used]
    return WrittenNetlist(
        instances=instances,
        connections=dict(pairs),
        ports={f"port{k}": end for k, end in enumerate(open_ends)},
    )


def circuits(**options: Any) -> st.SearchStrategy[Circuit]:
    """Return circuits of `netlists(**options)`."""
    return netlists(**options).map(_circuit)


def _circuit(netlist: WrittenNetlist) -> Circuit:
    from photosim.circuit import Circuit

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PhotosimWarning)
        return Circuit(dict(netlist))


def waveforms(low: float = 0.0, high: float = 1.0) -> st.SearchStrategy[dict[str, Any]]:
    """Return waveforms as netlists write them, as {wave: prbs, rate: 1e10, ...}: between low and high."""
    level = st.floats(low, high)
    rate = st.sampled_from([1e8, 1e9, 1e10])

    def shape(values: tuple[str, float, float, float]) -> dict[str, Any]:
        kind, first, second, frequency = values
        bottom, top = sorted((first, second))
        if kind == "constant":
            return {"wave": "constant", "value": first}
        if kind == "sine":
            swing = {"offset": (top + bottom) / 2, "amplitude": (top - bottom) / 2}
            return {"wave": "sine", "frequency": frequency, **swing}
        return {"wave": "prbs", "rate": frequency, "low": bottom, "high": top}

    return st.tuples(st.sampled_from(["constant", "sine", "prbs"]), level, level, rate).map(shape)


@st.composite
def damaged_netlists(draw: st.DrawFn, parts: Sequence[str] = PARTS) -> tuple[WrittenNetlist, str]:
    """Draw a netlist with one mistake, and a regular expression that the sentence about it must match."""
    netlist = draw(netlists(parts))
    name = draw(st.sampled_from(sorted(netlist["instances"])))
    part = dict(netlist["instances"][name])
    kind = draw(st.sampled_from(["component", "setting", "instance", "port", "twice", "number"]))
    instances = dict(netlist["instances"])
    ports, connections = dict(netlist["ports"]), dict(netlist["connections"])
    if kind == "component":
        part["component"] += "x"
        expected = rf"no component '{part['component']}'"
    elif kind == "setting":
        part["settings"] = {**part["settings"], "colour": 1.0}
        expected = r"no setting 'colour'"
    elif kind == "number":
        part["settings"] = {**part["settings"], next(iter(part["settings"])): "wide"}
        expected = r"'wide'|wide"
    elif kind == "instance":
        ports["extra"] = "nobody,o1"
        expected = r"nobody"
    elif kind == "port":
        ports["extra"] = f"{name},o99"
        expected = r"o99"
    else:
        first = next(iter(ports.values()))
        ports["extra"] = first
        expected = re.escape(first)
    instances[name] = part
    return WrittenNetlist(instances=instances, connections=connections, ports=ports), expected
