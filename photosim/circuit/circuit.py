"""A circuit ready to compute: S-matrix, fields, photocurrents, gradients."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from photosim import netlist as reading
from photosim.arguments import check_arguments, public, read_names, refuse_settings
from photosim.bounds import check_number
from photosim.circuit.showing import ShownCircuit
from photosim.engine.compiled import Compiled
from photosim.engine.flatten import collector_paused
from photosim.engine.freespace import check_buses, optical_chain
from photosim.engine.grids import resolve
from photosim.engine.series import Series
from photosim.engine.slopes import element_slopes
from photosim.engine.vector import SettingsVector, settings_vector, unit_of
from photosim.engine.windows import Told, policy
from photosim.errors import NetlistError, ParameterError, PhotosimWarning
from photosim.losses import read_cotangent, value_and_cotangent
from photosim.model import Detector, Netlist, Nonlinear, Source
from photosim.smatrix import SMatrix

if TYPE_CHECKING:
    import xarray
    from numpy.typing import ArrayLike, NDArray

    from photosim.engine.graph import Graph
    from photosim.engine.parts import Point
    from photosim.engine.plan import Plan
    from photosim.engine.windows import Policy
    from photosim.losses import Loss
    from photosim.media.chain import OpticalChain

Written: TypeAlias = Netlist | Mapping[str, Any] | str | Path
Wavelengths: TypeAlias = "ArrayLike | str"
"""um, shape (W,), or a text: "1.54:1.56:2001", "1550nm", "1.54:1.56:auto" refined where it must."""
Pull: TypeAlias = "Callable[[NDArray[np.complex128]], dict[str, NDArray[np.float64]]]"


@public
class Circuit(ShownCircuit):
    """The circuit of a netlist, checked; call it with wavelengths to get its S-matrix.

    In a call, settings are nested like the instances: `circuit(wl, ring={"radius": 10.0}, bank={"row0":
    {"ring1": {"phase": 0.1}}})`. A setting of the circuit is a plain keyword. A setting of shape (B,) adds a
    leading axis to the result. If an instance or setting has the name of an argument, such as wl or ports,
    give its dotted name: `circuit(wl, **{"ports.length": 3.0})`.

    If wavelengths or settings lie outside the window in which a model is valid, the circuit warns once for
    each part and window (PhotosimWarning). With `windows="error"`, or with `strict`, it raises a
    ParameterError. Windows of the cells of a map raise it always, unless `windows` is "warn" or "ignore". The
    choice holds for all later calls.

    >>> import photosim as ps
    >>> circuit = ps.Circuit(
    ...     {
    ...         "instances": {
    ...             "ring": {"component": "ring_single", "settings": {"radius": 10.0, "coupling": 0.02}}
    ...         },
    ...         "ports": {"in": "ring,o1", "out": "ring,o2"},
    ...     }
    ... )
    >>> s = circuit("1.54:1.56:auto", ring={"loss_dB_cm": 3.0})
    >>> bool(s["in", "out"].power.min() < 0.5)
    True
    """

    def __init__(self, netlist: Written, *, strict: bool = False, windows: Policy | None = None) -> None:
        told = Told(policy(windows, strict=strict))
        with collector_paused():
            if isinstance(netlist, str | Path):
                netlist = reading.read(reading.find(netlist))
            elif not isinstance(netlist, Netlist):
                netlist = reading.from_dict(netlist)
            remarks = reading.check(netlist, strict=strict)
            if large := reading.check_size(netlist):
                warnings.warn(large, PhotosimWarning, stacklevel=2)
        self.netlist = netlist
        self.compiled = Compiled(netlist, {}, told)
        self.graph.check_answers(netlist.name)
        unused = self.compiled.exclusions.unused()
        if strict and unused:
            raise NetlistError(unused[0])
        for text in (*remarks, *unused, *self.remarks):
            warnings.warn(text, PhotosimWarning, stacklevel=2)
        check_buses(self.compiled)

    @property
    def graph(self) -> Graph:
        """The flat circuit."""
        return self.compiled.graph

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
        return tuple(part.name for part in self.graph.parts if isinstance(part.model, Source))

    @property
    def detectors(self) -> tuple[str, ...]:
        """Dotted names of the detectors."""
        return tuple(part.name for part in self.graph.parts if isinstance(part.model, Detector))

    @property
    def nonlinear(self) -> tuple[str, ...]:
        """Dotted names of the nonlinear parts, which cut the circuit into linear islands."""
        return tuple(part.name for part in self.graph.parts if isinstance(part.model, Nonlinear))

    @property
    def plan(self) -> Plan:
        """The plan of the S-matrix between all exposed ports."""
        return self.compiled.explained_plan(self.ports)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Remarks about the circuit as written that the netlist does not have, as sentences."""
        return self.compiled.ambient.remarks

    @property
    def parameters(self) -> dict[str, Any]:
        """All settings of the circuit and its parts: dotted name to value."""
        table = self.compiled.parameters
        return {n: v.copy() if isinstance(v, np.ndarray) else v for n, v in table.items()}

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross processes as the netlist, compiled anew where it arrives."""
        return (_of_checked, (self.netlist, self.compiled.windows.told.policy))

    def __deepcopy__(self, _memo: dict[int, Any]) -> Circuit:
        """Return the circuit itself: nothing in it changes but what it remembers of past work."""
        return self

    def at(self, settings: Mapping[str, Any]) -> tuple[Compiled, Point]:
        """Return the compiled circuit and the point of settings of a call with these nested settings."""
        return self.compiled.at(settings)

    def driven_at(self, settings: Mapping[str, Any]) -> tuple[Compiled, Point]:
        """Return the same as `at`, with the settings that DACs and other converters drive."""
        return self.compiled.driven_at(settings)

    def __call__(self, wl: Wavelengths, *, ports: Sequence[str] | None = None, **settings: Any) -> SMatrix:
        """Return the S-matrix at wavelengths wl (W,) in um between `ports` (all exposed ones by default).

        Raises ParameterError for a setting the circuit does not have or a
        value out of bounds, SingularCircuit where a loop has unit gain.
        """
        chosen = self.ports if ports is None else read_names("ports", ports)
        grid = self._grid(wl, settings, chosen, chosen)
        return self._matrix(grid, chosen, *self.at(settings))

    def _matrix(
        self, grid: NDArray[np.float64], chosen: tuple[str, ...], compiled: Compiled, point: Point
    ) -> SMatrix:
        """Return the S-matrix between chosen ports at a point that was found already."""
        values = compiled.solve(compiled.matrix_plan(chosen), point, grid, (len(chosen), len(chosen)))
        batch = {}
        if point.leading:
            batch = {n: v for n, v in point.settings.items() if np.ndim(v) and n in point.set_directly}
        series, units = Series(compiled, chosen, point, grid.copy()), {n: unit_of(compiled, n) for n in batch}
        return SMatrix(grid, chosen, values, self.name, series, batch, units)

    def _grid(
        self, wl: Any, settings: dict[str, Any], outputs: Sequence[str], inputs: Sequence[str]
    ) -> NDArray[np.float64]:
        """Return the wavelengths of a call; ParameterError for settings of an instance called wl."""
        refuse_settings("wl", wl)
        return resolve(self, wl, settings, outputs, inputs)

    def transfer(
        self, wl: Wavelengths, outputs: Sequence[str], inputs: Sequence[str], **settings: Any
    ) -> NDArray[np.complex128]:
        """Return waves `outputs` per unit of waves `inputs`, shape (..., W, n_out, n_in), at wl (W,) in um.

        The name of a wave is an exposed port, "instance,port" for the wave that leaves the instance there
        (for a detector: that arrives), or "instance,port:in" for the wave that arrives.
        """
        asked = read_names("outputs", outputs), read_names("inputs", inputs)
        grid = self._grid(wl, settings, *asked)
        compiled, point = self.at(settings)
        return compiled.waves(*asked, point, grid)

    def pullback(
        self,
        wl: Wavelengths,
        outputs: Sequence[str],
        inputs: Sequence[str],
        parameters: Sequence[str],
        **settings: Any,
    ) -> tuple[NDArray[np.complex128], Pull]:
        """Return (values, pull): the waves of `transfer`, and a function for their exact derivatives.

        `pull(cotangent)` takes dL/dRe + i dL/dIm of the values, in their shape, and returns a dictionary of
        dL/dparameter at each wavelength, (..., W), by dotted name.
        """
        asked = read_names("outputs", outputs), read_names("inputs", inputs)
        grid = self._grid(wl, settings, *asked)
        compiled, point = self.at(settings)
        target = compiled.target(read_names("parameters", parameters), point, len(grid))
        values = compiled.waves(*asked, point, grid)
        plan = compiled.wave_plan(*asked, keep=True)

        def pull(cotangent: NDArray[np.complex128]) -> dict[str, NDArray[np.float64]]:
            weights = read_cotangent(cotangent, values.shape, "pull")
            return compiled.pull_back(plan, target, point, grid, weights)

        return values, pull

    def value_and_grad(
        self,
        loss: Loss,
        *,
        wl: Wavelengths,
        parameters: Sequence[str],
        ports: Sequence[str] | None = None,
        **settings: Any,
    ) -> tuple[float, dict[str, Any]]:
        """Return the loss of the S-matrix, and its exact derivative by each parameter, {name: derivative}.

        `loss(s)` returns (value, cotangent). The cotangent is dL/dRe S + i dL/dIm S in the shape of s.values.
        The derivatives are floats, or arrays (B,) if settings are a batch.

        >>> import photosim as ps
        >>> ring, loss = ps.load("add_drop_ring"), ps.losses.power([("in", "drop")])
        >>> value, slope = ring.value_and_grad(loss, wl=[1.5512], parameters=["ring.radius"])
        >>> round(value, 3), list(slope)
        (0.748, ['ring.radius'])
        """
        chosen = self.ports if ports is None else read_names("ports", ports)
        grid = self._grid(wl, settings, chosen, chosen)
        check_arguments(Circuit.value_and_grad, locals())
        compiled, point = self.at(settings)
        target = compiled.target(read_names("parameters", parameters), point, len(grid), summed=True)
        s = self._matrix(grid, chosen, compiled, point)
        value, cotangent = value_and_cotangent(loss, s)
        plan = compiled.matrix_plan(chosen, keep=True)
        return value, compiled.pull_back_sums(plan, target, point, grid, cotangent)

    def vector(
        self,
        names: str | Sequence[str],
        *,
        bounds: Mapping[str, Any] | None = None,
        scales: Mapping[str, Any] | None = None,
    ) -> SettingsVector:
        """Return settings as a vector with names, start values, bounds and scales, for scipy's optimisers.

        names: names or patterns, such as "*.phase"; a setting that is computed from another one of them is
        left out.  bounds: (low, high) by name or pattern.  scales: size of a step by name or pattern; by
        default pi rad for phases, else the value of the setting, or 1.
        """
        return settings_vector(self, names, bounds, scales)

    def jacobian(
        self,
        wl: Wavelengths,
        outputs: Sequence[str],
        inputs: Sequence[str],
        parameters: Sequence[str],
        **settings: Any,
    ) -> tuple[NDArray[np.complex128], dict[str, NDArray[np.complex128]]]:
        """Return (values, slopes): the waves of `transfer` and their exact derivatives, for least squares.

        Each slope is the complex derivative by one parameter, in the shape of the values (..., W, n_out,
        n_in). The cost is two reverse passes for each element, whatever the number of parameters.
        """
        values, pull = self.pullback(wl, outputs, inputs, parameters, **settings)
        return values, element_slopes(parameters, values.shape, pull)

    def stream(
        self, wl: Wavelengths, *, ports: Sequence[str] | None = None, size: int = 1024, **settings: Any
    ) -> Iterator[SMatrix]:
        """Yield the S-matrix in blocks of `size` wavelengths, for sweeps that do not fit in memory."""
        refuse_settings("ports", ports)
        check_arguments(Circuit.stream, locals())
        if size < 1:
            message = f"size must be 1 wavelength or more, got {size}."
            raise ParameterError(message)
        chosen = self.ports if ports is None else read_names("ports", ports)
        grid = self._grid(wl, settings, chosen, chosen)
        for start in range(0, len(grid), size):
            yield self(grid[start : start + size], ports=ports, **settings)

    def fields(
        self, wl: Wavelengths, sources: Mapping[str, float], probes: Sequence[str], **settings: Any
    ) -> dict[str, NDArray[np.complex128]]:
        """Return the complex wave in sqrt(W), shape (..., W), at each probe for given input powers in W.

        The sources are coherent with each other and in phase.
        """
        refuse_settings("probes", probes)
        check_arguments(Circuit.fields, locals())
        for port, power in sources.items():
            check_number(f"source {port!r}", 0.0, power=power)
        powers = np.array(list(sources.values()), dtype=np.float64)
        waves = self.transfer(wl, list(probes), list(sources), **settings) @ np.sqrt(powers)
        return {probe: waves[..., k] for k, probe in enumerate(probes)}

    def photocurrents(self, wl: Wavelengths | None = None, **settings: Any) -> xarray.DataArray:
        """Return the mean photocurrents in A, dimensions (wavelength, detector).

        Without wl, the wavelengths are those of all laser lines. With wl, every source is tuned along it with
        its total power. The powers of different sources add up; ParameterError if light of separate lasers
        interferes at a detector. Dark current and spontaneous emission are included.
        """
        check_arguments(Circuit.photocurrents, locals())
        from photosim.signals.detection import photocurrents

        return photocurrents(self, wl, settings)

    def chain(self, end: str | None = None, /, *, wl: float | None = None, **settings: Any) -> OpticalChain:
        """Return the free-space chain that ends at a camera: modulator, medium and camera, with their light.

        end: name of the camera.  wl: wavelength in um of the laser. ParameterError without modulator or
        camera.
        """
        check_arguments(Circuit.chain, locals())
        return optical_chain(self, end, wl, settings)

    def to_gdsfactory_netlist(self) -> dict[str, Any]:
        """Return the netlist in the form of gdsfactory's `get_netlist(recursive=True)`; SAX reads it too."""
        return reading.to_gdsfactory(self.netlist)

    def save(self, path: str | Path, *, settings: Any = None) -> Path:
        """Write the netlist to a .yml file; settings: other ones by name, or a result of `ps.optimise`."""
        check_arguments(Circuit.save, locals())
        return reading.save(self.netlist, path, settings)


def _of_checked(netlist: Netlist, windows: Policy | None) -> Circuit:
    """Return the circuit of a netlist whose warnings were shown before."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PhotosimWarning)
        return Circuit(netlist, windows=windows)
