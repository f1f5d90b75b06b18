"""What laws are tried on: components, tables, circuits, devices and rules, in a form that laws can ask."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.circuit import Circuit
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError, PhotosimError, PhotosimWarning, did_you_mean
from photosim.model import (
    Block,
    ClosedForm,
    Composite,
    Detector,
    Electronic,
    Model,
    Netlist,
    Network,
    Nonlinear,
    Numerical,
    SampledData,
    Source,
    registry,
)
from photosim.model.parameters import Parameter
from photosim.model.windows import WAVELENGTH
from photosim.reals import shown
from photosim.smatrix import SMatrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

NETLISTS = {".yml", ".yaml", ".json", ".spi"}
"""Files that are circuits; any other is a table."""
BAND = (1.5, 1.6)
"""Wavelengths in um that a component without a window of its own is tried at."""


@dataclass(frozen=True)
class Subject:
    """What every subject has: a name for messages, and what examples are drawn from."""

    name: str
    band: tuple[float, float] | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    """Settings to draw; all others stay at their defaults."""


@dataclass(frozen=True)
class Linear(Subject):
    """Something with an S-matrix. `s(example)` returns it, (W, P, P), [to, from]."""

    ports: tuple[str, ...] = ()
    reciprocal: bool = True
    active: bool = False
    lossless_when: Mapping[str, Any] | None = None

    def s(self, wl: NDArray[np.float64], settings: Mapping[str, Any]) -> NDArray[np.complex128]:
        """Return the S-matrix at wavelengths (W,) in um, shape (W, P, P)."""
        raise NotImplementedError

    def at(self, example: Any, **changed: Any) -> NDArray[np.complex128]:
        """Return the S-matrix of an example, with settings changed."""
        if changed:
            return self.s(example.wl, {**example.settings, **changed})
        if self.name not in example.known:
            example.known[self.name] = self.s(example.wl, example.settings)
        known: NDArray[np.complex128] = example.known[self.name]
        return known


@dataclass(frozen=True)
class Formula(Linear):
    """A closed-form component."""

    model: ClosedForm = None  # type: ignore[assignment]

    def s(self, wl: NDArray[np.float64], settings: Mapping[str, Any]) -> NDArray[np.complex128]:
        """Return the S-matrix by numpy."""
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return self.model.s(wl, **settings)


@dataclass(frozen=True)
class Assembly(Linear):
    """A component without a formula of its own: a circuit of one instance, `part`, all ports exposed."""

    circuit: Circuit = None  # type: ignore[assignment]
    model: Model = None  # type: ignore[assignment]

    def s(self, wl: NDArray[np.float64], settings: Mapping[str, Any]) -> NDArray[np.complex128]:
        """Return the S-matrix by the engine."""
        return self.circuit(wl, **{f"part.{name}": value for name, value in settings.items()}).values


@dataclass(frozen=True)
class Whole(Linear):
    """A user's circuit with its settings as written."""

    circuit: Circuit = None  # type: ignore[assignment]

    def s(self, wl: NDArray[np.float64], settings: Mapping[str, Any]) -> NDArray[np.complex128]:
        """Return the S-matrix between the exposed ports."""
        return self.circuit(wl, **settings).values


@dataclass(frozen=True)
class Table(Linear):
    """A table of S-parameters, between its points as the component `sampled` has it."""

    table: SampledData = None  # type: ignore[assignment]
    circuit: Circuit | None = None

    def s(self, wl: NDArray[np.float64], settings: Mapping[str, Any]) -> NDArray[np.complex128]:
        """Return the interpolated S-matrix; where there is one frequency, that of the table."""
        del settings
        if self.circuit is None:
            return np.broadcast_to(self.table.s[0], (wl.size, *self.table.s.shape[1:]))
        return self.circuit(wl).values


@dataclass(frozen=True)
class Light(Subject):
    """A source: lines of light."""

    model: Source = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Receiver(Subject):
    """A detector: currents out of light."""

    model: Detector = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Stepped(Subject):
    """A nonlinear part, which has a step in time instead of an S-matrix."""

    model: Nonlinear = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Hardware(Subject):
    """A training device that holds a matrix."""

    device: Any = None


@dataclass(frozen=True)
class Learning(Subject):
    """A learning rule, by name or as an object."""

    rule: Any = None


def subject_of(thing: Any) -> Subject:
    """Return what is to be tried: a component or its name, a table, a file, a circuit, a device or a rule.

    Raises ParameterError for anything else, and for components that no law is about.
    """
    if isinstance(thing, Subject):
        return thing
    readers: tuple[tuple[Any, Any], ...] = (
        (Model, _of_model), (SampledData, _of_table), (SMatrix, _of_result), (Circuit, _of_circuit),
        (Mapping | Netlist, lambda netlist: _of_circuit(quiet_circuit(netlist))), (str | Path, _of_name),
    )  # fmt: skip
    for kind, read in readers:
        if isinstance(thing, kind):
            subject: Subject = read(thing)
            return subject
    if hasattr(thing, "updates") and hasattr(thing, "needs"):
        return Learning(type(thing).__name__, rule=thing)
    if hasattr(thing, "program") and hasattr(thing, "matrix") and hasattr(thing, "apply"):
        return Hardware(type(thing).__name__, device=thing)
    found = shown(thing) if len(shown(thing)) <= 80 else f"an object of class {type(thing).__name__}"
    found = "a function that is not declared as a component" if inspect.isfunction(thing) else found
    known = "a component, a table, a file, a circuit, a device or a learning rule"
    message = f"Laws test {known}, not on {found}."
    raise ParameterError(message)


def _of_name(name: str | Path) -> Subject:
    from photosim.files import read_table
    from photosim.netlist import gallery
    from photosim.training.rules.catalogue import RULES

    path = Path(name)
    if isinstance(name, str):
        if registry.known(name):
            return _of_model(registry.get(name))
        if name in RULES:
            return Learning(name, rule=name)
    if path.is_file() and path.suffix.lower() not in NETLISTS:
        return _of_table(read_table(path))
    if not str(name):
        message = "The name of a component, learning rule, circuit or file is empty."
        raise ParameterError(message)
    bare = not path.suffix and path.name == str(name)
    if not path.exists() and not bare and name not in gallery():
        beside = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        message = f"There is no file {str(name)!r}.{did_you_mean(path.name, beside)}"
        raise ParameterError(message)
    if not path.exists() and bare and name not in gallery():
        known = (*registry.names(), *RULES, *gallery())
        kinds = "component, learning rule, circuit of the gallery or file"
        message = f"There is no {kinds} {str(name)!r}.{did_you_mean(str(name), known)}"
        raise ParameterError(message)
    return _of_circuit(quiet_circuit(path))


def _of_model(model: Model) -> Subject:
    if isinstance(model, ClosedForm):
        drawn = {name: p for name, p in model.parameters.items() if p.default is not None}
        return Formula(
            model.name, band_of(model), drawn, model.ports, model.reciprocal, model.active,
            model.lossless_when, model,
        )  # fmt: skip
    if isinstance(model, Source):
        return Light(model.name, None, free_settings(model), model)
    if isinstance(model, Detector):
        return Receiver(model.name, BAND, free_settings(model), model)
    if isinstance(model, Nonlinear):
        return Stepped(model.name, BAND, free_settings(model), model)
    if isinstance(model, Composite | Numerical):
        return _assembled(model)
    what = {
        Block: "a part of free space",
        Electronic: "a part of electronics",
        Network: "a part of electronics",
    }
    kind = next((text for cls, text in what.items() if isinstance(model, cls)), f"a {model.kind} part")
    message = f"Component {model.name!r} is {kind}: it has no S-matrix, and no law applies to it."
    raise ParameterError(message)


def _assembled(model: Composite | Numerical) -> Subject:
    ports = model.ports_for({})
    if not ports:
        message = f"Component {model.name!r} needs a file: test the table itself."
        raise ParameterError(message)
    netlist = {"instances": {"part": model.name}, "ports": {name: f"part,{name}" for name in ports}}
    try:
        circuit = quiet_circuit(netlist)
    except PhotosimError as error:
        message = f"Component {model.name!r} cannot be tested at its defaults: {error}"
        raise ParameterError(message) from None
    active, reciprocal = _character(circuit)
    lossless = model.lossless_when if isinstance(model, Numerical) else None
    return Assembly(
        model.name,
        band_of(model),
        free_settings(model),
        circuit.ports,
        reciprocal,
        active,
        lossless,
        circuit,
        model,
    )


def _of_result(s: SMatrix) -> Subject:
    """Return a computed S-matrix as a table; without wavelengths or with several settings it is none."""
    if s.values.ndim != 3 or s.wl.ndim != 1 or not s.wl.size:
        batch = s.values.shape[:-3]
        message = f"Laws test the S-matrix of one set of settings; this one has a batch of shape {batch}."
        raise ParameterError(message)
    rising = np.argsort(-s.wl)
    frequency = SPEED_OF_LIGHT_UM_S / s.wl[rising]
    return _of_table(SampledData(frequency, s.values[rising], tuple(s.ports)))


def _of_circuit(circuit: Circuit) -> Subject:
    if not circuit.ports or circuit.nonlinear:
        why = "has no ports" if not circuit.ports else f"holds the nonlinear part {circuit.nonlinear[0]!r}"
        message = f"Circuit {circuit.name!r} {why}, so it has no S-matrix that laws could test."
        raise ParameterError(message)
    active, reciprocal = _character(circuit)
    return Whole(f"circuit {circuit.name!r}", BAND, {}, circuit.ports, reciprocal, active, None, circuit)


def _of_table(table: SampledData) -> Subject:
    ends = SPEED_OF_LIGHT_UM_S / table.frequency_Hz[[-1, 0]]
    name = f"table {table.file!r}" if table.file else "the table"
    circuit = None
    if table.frequency_Hz.size > 1:
        ports = {f"p{k}": f"part,{port}" for k, port in enumerate(table.ports)}
        part = {
            "component": "sampled",
            "settings": {"file": table, "enforce": "none", "passivity_tolerance": 1.0},
        }
        try:
            circuit = quiet_circuit({"instances": {"part": part}, "ports": ports})
        except PhotosimError:  # a table that the engine refuses still has values to try laws on
            circuit = None
    return Table(name, (float(ends[0]), float(ends[1])), {}, table.ports, False, False, None, table, circuit)


def quiet_circuit(netlist: Any) -> Circuit:
    """Return a circuit without what it would warn of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PhotosimWarning)
        return Circuit(netlist)


def _character(circuit: Circuit) -> tuple[bool, bool]:
    """Return whether any part of a circuit amplifies, and whether all are reciprocal."""
    models = [part.model for part in circuit.graph.parts]
    active = any(getattr(model, "active", False) for model in models)
    return active, all(getattr(model, "reciprocal", True) for model in models)


def free_settings(model: Model) -> dict[str, Parameter]:
    """Return the settings of a part that can be drawn one by one: real numbers with a default."""
    return {
        name: p for name, p in model.parameters.items()
        if p.kind == "real" and not p.structural and p.default is not None
    }  # fmt: skip


def band_of(model: Model) -> tuple[float, float]:
    """Return the wavelengths in um that a component is tried at: its window at its defaults, or BAND."""
    for window in model.windows:
        if window.of == WAVELENGTH and all(model.defaults.get(n) is not None for n in window.names):
            low, high = window.span(model.defaults)
            if np.isfinite([low, high]).all():
                return low, high
    return BAND
