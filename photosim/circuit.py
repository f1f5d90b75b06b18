"""A circuit ready to be asked: S-matrix, fields, photocurrents, gradients."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim import netlist as reading
from photosim.errors import ParameterError, PhotosimWarning, SingularCircuit, did_you_mean, listing
from photosim.gradient import pull_back
from photosim.graph import Graph, flatten
from photosim.model import Detector, Netlist, Source
from photosim.parts import Parts, Point
from photosim.plan import Plan, make_plan
from photosim.smatrix import SMatrix
from photosim.solve import solve
from photosim.units import as_wavelengths
from photosim.waves import find_wave, matrix_request, part_edges, wave_request

if TYPE_CHECKING:
    import xarray
    from numpy.typing import ArrayLike, NDArray

TRAPPED = 1e-26
"""|1 - K|^2 below which a loop keeps its light for ever: 1 - K is all rounding then."""

Pull = Callable[["NDArray[np.complex128]"], dict[str, "NDArray[np.float64]"]]
Loss = Callable[[SMatrix], tuple[float, "NDArray[np.complex128]"]]


def load(path: str | Path, *, strict: bool = False) -> Circuit:
    """Return the circuit of a netlist file; a name without a file is looked up in the gallery.

    With `strict` an inner port left open is an error. Raises NetlistError with
    file, line and column.
    """
    return Circuit(reading.read(reading.find(path), strict=strict), strict=strict)


class Circuit:
    """A netlist, checked, flattened and planned; call it with wavelengths to get its S-matrix.

    Settings in calls nest as the instances do: `circuit(wl, ring={"radius":
    10.0}, bank={"row0": {"ring1": {"phase": 0.1}}})`; a circuit-level setting
    is a plain keyword. A setting of shape (B,) puts a leading axis on the
    result.
    """

    def __init__(self, netlist: Netlist | Mapping[str, Any] | str | Path, *, strict: bool = False) -> None:
        if isinstance(netlist, str | Path):
            netlist = reading.read(reading.find(netlist), strict=strict)
        elif not isinstance(netlist, Netlist):
            netlist = reading.from_dict(netlist)
        for text in reading.check(netlist, strict=strict):
            warnings.warn(text, PhotosimWarning, stacklevel=2)
        self._set(netlist, {})

    def _set(self, netlist: Netlist, structural: Mapping[str, Any]) -> None:
        self.netlist = netlist
        self._structural = dict(structural)
        self.graph: Graph = flatten(netlist, structural)
        self._plans: dict[Any, tuple[Plan, Any]] = {}
        self._rebuilt: dict[str, Circuit] = {}

    @cached_property
    def parts(self) -> Parts:
        """The parts of the circuit, grouped by model, with their compiled kernels."""
        return Parts(self.graph)

    @cached_property
    def _edges(self) -> dict[tuple[int, int], int]:
        return part_edges(self.graph, self.parts)

    @property
    def name(self) -> str:
        """Name of the netlist."""
        return self.netlist.name

    @property
    def ports(self) -> tuple[str, ...]:
        """Names of the exposed optical ports."""
        return tuple(self.graph.exposed)

    @property
    def sources(self) -> tuple[str, ...]:
        """Dotted names of the light sources."""
        return tuple(leaf.name for leaf in self.graph.leaves if isinstance(leaf.model, Source))

    @property
    def detectors(self) -> tuple[str, ...]:
        """Dotted names of the detectors."""
        return tuple(leaf.name for leaf in self.graph.leaves if isinstance(leaf.model, Detector))

    @property
    def plan(self) -> Plan:
        """The plan of the S-matrix between all exposed ports."""
        return self._matrix_plan(self.ports)[0]

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """Every setting by dotted name with its value: circuit settings, composites, and all settings of all parts."""
        bindings = self.graph.bindings
        table = {name: bindings.value(name) for name in bindings.bound}
        for leaf in self.graph.leaves:
            for name, parameter in leaf.model.parameters.items():
                default = bindings.value("temperature") if name == "temperature" else parameter.default
                table.setdefault(f"{leaf.name}.{name}", default)
        return table

    def __repr__(self) -> str:
        """Say what the circuit is, in one line."""
        return f"Circuit({self.name!r}: {len(self.graph.leaves)} parts, ports {listing(self.ports)})"

    # --- questions ---------------------------------------------------------------------------------

    def __call__(self, wl: ArrayLike, *, ports: Sequence[str] | None = None, **settings: Any) -> SMatrix:
        """Return the S-matrix at wavelengths wl (W,) in um between `ports` (all exposed ones by default).

        Raises ParameterError for a setting the circuit does not have or a
        value out of bounds, SingularCircuit where a loop has unit gain.
        """
        grid = as_wavelengths(wl)
        chosen = self.ports if ports is None else tuple(ports)
        circuit, point = self.at(settings)
        plan, _ = circuit._matrix_plan(chosen)
        out = circuit._solve(plan, point, grid, len(chosen) ** 2)
        return SMatrix(grid, chosen, _as_matrix(out, len(chosen), len(chosen), point), self.name)

    def transfer(self, wl: ArrayLike, outputs: Sequence[str], inputs: Sequence[str], **settings: Any) -> NDArray[np.complex128]:
        """Return the waves `outputs` per waves `inputs`, shape (..., W, n_out, n_in), at wl (W,) in um.

        A name is an exposed port, or "inst,port" for the wave leaving an
        instance there (arriving, for a detector), or "inst,port:in" for the
        wave arriving.
        """
        grid = as_wavelengths(wl)
        circuit, point = self.at(settings)
        plan, _ = circuit._wave_plan(tuple(outputs), tuple(inputs))
        out = circuit._solve(plan, point, grid, len(outputs) * len(inputs))
        return _as_matrix(out, len(outputs), len(inputs), point)

    def pullback(
        self, wl: ArrayLike, outputs: Sequence[str], inputs: Sequence[str], parameters: Sequence[str], **settings: Any
    ) -> tuple[NDArray[np.complex128], Pull]:
        """Return (values, pull): the waves of `transfer`, and the exact reverse derivative.

        `pull(cotangent)` takes dL/dRe + i dL/dIm of the values, in their
        shape, and returns dL/dparameter at each wavelength, (..., W), by name.
        """
        grid = as_wavelengths(wl)
        circuit, point = self.at(settings)
        values = self.transfer(grid, outputs, inputs, **settings)
        plan, _ = circuit._wave_plan(tuple(outputs), tuple(inputs), keep=True)
        return values, circuit._pull(plan, point, grid, parameters)

    def value_and_grad(
        self, loss: Loss, *, wl: ArrayLike, parameters: Sequence[str], ports: Sequence[str] | None = None, **settings: Any
    ) -> tuple[float, dict[str, Any]]:
        """Return the loss of the S-matrix and its exact derivative by each parameter.

        `loss(s)` returns (value, cotangent), the cotangent dL/dRe S + i dL/dIm
        S in the shape of s.values. Derivatives are floats, or arrays (B,)
        where settings are a batch.
        """
        grid = as_wavelengths(wl)
        chosen = self.ports if ports is None else tuple(ports)
        s = self(grid, ports=chosen, **settings)
        value, cotangent = loss(s)
        if np.shape(cotangent) != s.values.shape:
            message = f"The loss returned a cotangent of shape {np.shape(cotangent)}; s.values has {s.values.shape}."
            raise ParameterError(message)
        circuit, point = self.at(settings)
        plan, _ = circuit._matrix_plan(chosen, keep=True)
        slopes = circuit._pull(plan, point, grid, parameters)(np.asarray(cotangent, dtype=np.complex128))
        summed = {name: slope.sum(axis=-1) for name, slope in slopes.items()}
        return float(value), {name: g if point.leading else float(g) for name, g in summed.items()}

    def fields(
        self, wl: ArrayLike, sources: Mapping[str, float], probes: Sequence[str], **settings: Any
    ) -> dict[str, NDArray[np.complex128]]:
        """Return the complex wave in sqrt(W), shape (..., W), at each probe for given input powers in W.

        The sources are coherent with each other and in phase.
        """
        amplitudes = np.sqrt(np.array([float(p) for p in sources.values()]))
        if np.any(~np.isfinite(amplitudes)):
            message = "Source powers must be non-negative numbers of W."
            raise ParameterError(message)
        waves = self.transfer(wl, list(probes), list(sources), **settings) @ amplitudes
        return {probe: waves[..., k] for k, probe in enumerate(probes)}

    def photocurrents(self, wl: ArrayLike | None = None, **settings: Any) -> xarray.DataArray:
        """Return the mean photocurrents in A, dimensions (wavelength, detector).

        Without wl the wavelengths are those of all source lines; with wl all
        sources are tuned along it together, each with its total power. Light
        of different sources adds in power.
        """
        from photosim.signals.detection import photocurrents

        return photocurrents(self, wl, settings)

    def draw(self, path: str | Path | None = None) -> Any:
        """Draw the schematic as SVG: write it to `path`, or return it for display."""
        # The rim sits above this layer; it is reached only when somebody asks for a picture.
        from importlib import import_module

        return import_module("photosim.drawing").draw(self.netlist, path)

    # --- plans and settings ------------------------------------------------------------------------

    def _matrix_plan(self, ports: tuple[str, ...], *, keep: bool = False) -> tuple[Plan, Any]:
        def request() -> Any:
            numbers = [self._exposed(p) for p in ports]
            return matrix_request(self.graph, self._edges, numbers, reciprocal=self.parts.reciprocal)

        return self._planned(("matrix", ports, keep), request, keep=keep)

    def _wave_plan(self, outputs: tuple[str, ...], inputs: tuple[str, ...], *, keep: bool = False) -> tuple[Plan, Any]:
        def request() -> Any:
            to = [find_wave(self.graph, n, entering=False) for n in outputs]
            source = [find_wave(self.graph, n, entering=True) for n in inputs]
            return wave_request(self._edges, to, source)

        return self._planned(("waves", outputs, inputs, keep), request, keep=keep)

    def _planned(self, key: Any, request: Callable[[], Any], *, keep: bool) -> tuple[Plan, Any]:
        if key not in self._plans:
            asked = request()
            self._plans[key] = (make_plan(asked.edges, asked.wanted, mirror=asked.mirror, keep=keep), asked)
        return self._plans[key]

    def _exposed(self, port: str) -> int:
        if port not in self.graph.exposed:
            known = self.ports
            message = f"The circuit exposes no port {port!r}. It has: {listing(known, 20)}.{did_you_mean(port, known)}"
            raise ParameterError(message)
        return self.graph.exposed[port]

    def _solve(self, plan: Plan, point: Point, wl: NDArray[np.float64], places: int) -> NDArray[np.complex128]:
        out, smallest = solve(self.parts, plan, point, wl, places)
        if not np.isfinite(smallest).all():
            worst = wl[np.argmin(np.isfinite(smallest).all(axis=0))]
            message = f"Circuit {self.name!r} has no solution at {worst:.9g} um: a loop there has a gain of exactly 1."
            raise SingularCircuit(message)
        if plan.loops and smallest.min() < TRAPPED:
            message = (
                f"Circuit {self.name!r} holds a lossless loop on resonance that no light reaches, "
                f"at {wl[np.argmin(smallest.min(axis=0))]:.9g} um; the light trapped in it is left out."
            )
            warnings.warn(message, PhotosimWarning, stacklevel=4)
        return out

    def _pull(self, plan: Plan, point: Point, wl: NDArray[np.float64], parameters: Sequence[str]) -> Pull:
        names = [self._known(p) for p in parameters]

        def pull(cotangent: NDArray[np.complex128]) -> dict[str, NDArray[np.float64]]:
            return pull_back(self, plan, point, wl, cotangent, names)

        return pull

    def _known(self, name: str) -> str:
        """Return the dotted name of a continuous setting, or raise with the nearest one."""
        if name in self.graph.structural or name not in self.parameters:
            why = "shapes the circuit and has no derivative" if name in self.graph.structural else "does not exist"
            message = f"Setting {name!r} {why}.{did_you_mean(name, self.parameters)}"
            raise ParameterError(message)
        return name

    def at(self, settings: Mapping[str, Any]) -> tuple[Circuit, Point]:
        """Return the circuit and the point that settings of a call ask for; structural ones rebuild the graph."""
        flat = self._flat(settings)
        structural = {k: v for k, v in flat.items() if k in self.graph.structural or k not in self._continuous}
        if not structural:
            return self, self.parts.point(flat)
        circuit = self._with({**self._structural, **structural})
        return circuit, circuit.parts.point({k: v for k, v in flat.items() if k not in structural})

    @cached_property
    def _continuous(self) -> set[str]:
        """Names of settings that can change without a new graph: those with a number to start from."""
        return {n for n, v in self.parameters.items() if v is not None and n not in self.graph.structural}

    def _with(self, structural: Mapping[str, Any]) -> Circuit:
        key = repr(sorted((k, np.asarray(v).tolist() if v is not None else None) for k, v in structural.items()))
        if key not in self._rebuilt:
            other = Circuit.__new__(Circuit)
            other._set(self.netlist, structural)
            self._rebuilt[key] = other
        return self._rebuilt[key]

    def _flat(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return nested settings by dotted name, checked for names the circuit does not have."""
        flat: dict[str, Any] = {}

        def walk(prefix: str, table: Mapping[str, Any]) -> None:
            for key, value in table.items():
                if isinstance(value, Mapping):
                    walk(f"{prefix}{key}.", value)
                else:
                    flat[prefix + key] = _number(value, prefix + key)

        walk("", settings)
        for name in flat:
            if name not in self.parameters and name not in self.graph.structural:
                self._refuse(name)
        return flat

    def _refuse(self, name: str) -> None:
        instance, _, setting = name.rpartition(".")
        own = [n.rpartition(".")[2] for n in self.parameters if n.rpartition(".")[0] == instance]
        if own and instance:
            message = f"Instance {instance!r} has no setting {setting!r}. It has: {listing(own, 20)}."
            raise ParameterError(message + did_you_mean(setting, own))
        tops = sorted({n.partition(".")[0] for n in self.parameters})
        message = f"The circuit has no setting {name!r}. It has: {listing(tops, 20)}.{did_you_mean(name, self.parameters)}"
        raise ParameterError(message)


def _number(value: Any, name: str) -> Any:
    """Return a setting as it is, or as a float array where it is a sequence."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        message = f"Setting {name!r} must be a number or an array of numbers, got {value!r}."
        raise ParameterError(message)
    return array.astype(np.float64) if array.ndim else float(array)


def _as_matrix(out: NDArray[np.complex128], rows: int, columns: int, point: Point) -> NDArray[np.complex128]:
    """Return (B, rows * columns, W) as (..., W, rows, columns), without the batch axis where none was asked for."""
    matrix = np.moveaxis(out.reshape(len(out), rows, columns, out.shape[-1]), -1, 1)
    return matrix if point.leading else matrix[0]


