"""The interface of devices, matrices held by hardware, and the record of their operations."""

from __future__ import annotations

from abc import ABCMeta
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number, check_whole
from photosim.errors import ParameterError
from photosim.training.arrays import FloatArray, RealArray

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from photosim.circuit import Circuit
    from photosim.training.devices.circuit.device import CircuitDevice

    _OfProtocols = ABCMeta
    Numbers = NDArray[np.number]


else:
    _OfProtocols = type(Protocol)


@public
@dataclass(frozen=True)
class Energy:
    """Use of a device since it was built.

    cycles: number of input vectors times tiles.  seconds: the time of those cycles.  light: optical energy of
    the laser in J in that time, without electronics and heaters.  samples: number of input vectors.
    """

    cycles: int = 0
    samples: int = 0
    seconds: float = 0.0
    light: float = 0.0

    def __post_init__(self) -> None:
        """Raise ParameterError for counts, times or energies below zero."""
        check_whole(self, cycles=self.cycles, samples=self.samples)
        check_number(self, 0.0, seconds=self.seconds, light=self.light)


def check_real(what: str, values: ArrayLike) -> None:
    """Raise ParameterError, starting with `what`, for complex numbers: an imaginary part would be dropped."""
    if np.iscomplexobj(values):
        message = f"{what} real numbers, got complex ones: give real and imaginary parts apart."
        raise ParameterError(message)


def check_batch(title: str, x: Any, gain: Any, shape: tuple[int, ...]) -> None:
    """Raise ParameterError unless a matrix of this shape can multiply x, with finite numbers and gains.

    title: the device, with its article.  x: of shape (batch, inputs).  gain: None or (batch, outputs).
    """
    for what, values in (("x", x), ("gain", gain)):
        if what == "gain" and values is None:
            continue
        if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiuc":
            kind = values.dtype if isinstance(values, np.ndarray) else type(values).__name__
            message = f"{title}: {what} must be an array of numbers, got one of {kind}."
            raise ParameterError(message)
    if x.ndim != 2 or x.shape[1] != shape[1]:
        message = f"{title} holds {shape[1]} inputs: x must be (batch, {shape[1]}), got {x.shape}."
        raise ParameterError(message)
    if gain is not None:
        check_real(f"{title} takes gains that are", gain)
    if gain is not None and np.shape(gain) != (len(x), shape[0]):
        message = (
            f"{title} has {shape[0]} outputs: gain must be ({len(x)}, {shape[0]}), got {np.shape(gain)}."
        )
        raise ParameterError(message)
    if not np.isfinite(x).all():
        message = f"{title} takes finite numbers: x has {x[~np.isfinite(x)][0]} among its entries."
        raise ParameterError(message)


class _Made(_OfProtocols):
    """What makes devices of circuits: Device.from_circuit, which classes of devices do not inherit."""

    def from_circuit(  # noqa: PLR0913 - keywords, each of which stands alone
        cls,  # noqa: N805 - an instance of a metaclass is a class
        circuit: Circuit,
        *,
        inputs: Sequence[str] | str | None = None,
        outputs: Sequence[str] | str | None = None,
        parameters: Sequence[str] | str | None = None,
        wl: float | None = None,
        encoding: str | None = None,
        reading: str | None = None,
        noise: Any = None,
        rng: np.random.Generator | None = None,
        power: float = 1e-3,
        rate: float = 1e9,
    ) -> CircuitDevice:
        """Return any circuit with optical inputs and outputs as a device; its `explain` says what it does.

        inputs: exposed ports, waves "inst,port", or light sources, each line of which is one input.  outputs:
        exposed ports, waves or detectors.  What is left out is found: ports called in... and out..., or those
        on the two sides of the circuit, its sources and detectors.  parameters: settings to train and
        program, dotted names with wildcards; all phases unless given.  wl: in um; that of the phases.
        encoding: "fields" or "powers".  reading: "quadrature", "fields", "power" or "amplitude" at ports,
        "current" at detectors.  noise: None or "physical".  power: light in W at an input that is 1, where
        no source says it.  rate: vectors a second. Nonlinear parts are in their steady state. Raises
        ParameterError, naming what would do, for names that the circuit does not have, settings without a
        derivative, and nonlinear parts that are not declared with `steady` or that light comes back to.
        """
        from photosim.training.devices.circuit.device import CircuitDevice
        from photosim.training.devices.circuit.reading import readout
        from photosim.training.devices.circuit.wiring import wire

        found = wire(circuit, inputs, outputs, parameters, wl)
        light = power if found.powers is None else float(found.powers.max())
        chosen = rng or np.random.default_rng(0)
        return CircuitDevice(found, readout(found, encoding, reading), noise, chosen, light, rate)


class Device(Protocol, metaclass=_Made):
    """A real matrix of shape (outputs, inputs) held by hardware.

    `Device.from_circuit` makes one of any circuit; any object with these members is one.
    """

    @property
    def counters(self) -> Counter[str]:
        """Work done so far by name: cycles, samples, clipped conversions and the like."""

    def program(self, weights: FloatArray) -> Self:
        """Return a device of the same hardware that holds `weights` (outputs, inputs) as well as it can."""

    def matrix(self) -> FloatArray:
        """Return the effective matrix of the present settings, in the shape and units of `weights`."""

    def apply(self, x: RealArray, gain: RealArray | None = None) -> RealArray:
        """Return gain * (x @ matrix.T), shape (batch, outputs), with the device's errors.

        x: of shape (batch, inputs).  gain: of shape (batch, outputs), applied by the hardware after
        detection; None means 1.  In the precision of x, or double.
        """

    def energy(self) -> Energy:
        """Return what the device did since it was built."""
