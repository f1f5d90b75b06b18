"""Converters wired to electrical inputs: which output drives which input, and the settings that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from photosim.errors import ParameterError
from photosim.kernels.receivers import quantise
from photosim.model import Detector, Electronic, Equaliser, Network, PortRef, Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.graph import Graph, Part

Real = TypeVar("Real", bound=np.floating)


@dataclass(frozen=True)
class Drive:
    """What one converter gives to the setting that it is wired to.

    part, setting: the driven part and its setting.  converter, stage: name of what drives it, what it does.
    wanted, value: the level that the circuit requests and the level that the converter gives, or arrays.
    beyond: how many of `wanted` lie outside the converter's range.  unit: of all of these.  emphasis: name
    and stage of each equaliser between the two, through which `value` has passed as a slow signal does, and
    `level` has not.
    """

    part: str
    setting: str
    converter: str
    stage: Stage
    wanted: Any
    value: Any
    beyond: int
    unit: str = "V"
    level: Any = 0.0
    emphasis: tuple[tuple[str, Stage], ...] = ()

    @property
    def name(self) -> str:
        """The driven setting by dotted name, "modulator.voltage"."""
        return f"{self.part}.{self.setting}"

    def remark(self, each: str = "values") -> str:
        """Return the sentence about a converter that leaves its range; an empty text where it does not."""
        if not self.beyond:
            return ""
        wanted, value, low, high = np.broadcast_arrays(
            self.wanted, self.value, self.stage.low, self.stage.high
        )
        worst = np.unravel_index(int(np.argmax(np.abs(wanted - value))), wanted.shape)
        where = f" in {self.beyond} of {wanted.size} {each}" if wanted.ndim else ""
        ends = float(low[worst]), float(high[worst])
        return out_of_range(self.converter, float(wanted[worst]), *ends, self.unit, where)


def drivers(graph: Graph) -> dict[PortRef, PortRef]:
    """Return what is wired to each electrical input: input port to output port.

    Raises ParameterError for a wire between two outputs or two inputs, and for an input with two drivers.
    """
    found: dict[PortRef, PortRef] = {}
    for left, right in graph.wires:
        ends = sorted((left, right), key=lambda end: _is_input(graph, end))
        if [_is_input(graph, end) for end in ends] != [False, True]:
            what, rest = (
                ("inputs", "an output (dac, amplifier, detector) to each")
                if _is_input(graph, left)
                else ("outputs", "each to an input (adc, amplifier, modulator)")
            )
            message = f"{_name(left)} and {_name(right)} are both electrical {what}; connect {rest}."
            raise ParameterError(message)
        output, entry = ends
        if entry in found:
            message = f"{_name(entry)} is driven by both {_name(found[entry])} and {_name(output)}."
            raise ParameterError(message)
        found[entry] = output
    return found


def converter_drives(graph: Graph, settings_of: Callable[[Part], Mapping[str, Any]]) -> tuple[Drive, ...]:
    """Return what parts without an input, such as a dac, drive: the nearest of their levels, in their range.

    settings_of: all settings of a part, each a number or an array (N,); then the levels are arrays (N,).
    Raises ParameterError for a level that the driven setting cannot have, and for a setting that is driven by
    a part with an input of its own, such as an amplifier or a detector: what it follows is not carried.
    """
    found = []
    wires = drivers(graph)
    for (name, port), (driver, _) in wires.items():
        converter, emphasis = _through(graph, wires, driver, settings_of)
        part, driving = graph.part(name), graph.part(converter).model
        setting = part.model.drives.get(port)
        if setting is None or isinstance(driving, Network):
            continue
        if isinstance(part.model, Network) and isinstance(driving, Detector):
            continue  # its current is an input of the electrical equations
        if not isinstance(driving, Electronic) or driving.inputs:
            message = (
                f"Setting '{name}.{setting}' is wired to {converter!r} ({driving.name}), which has an input. "
                "Only parts without an input, such as a dac, can drive a setting, directly or through a "
                "pre_emphasis: wire one of those, or remove the wire and give the setting a value."
            )
            raise ParameterError(message)
        stage = driving.stage(**settings_of(graph.part(converter)))
        level, beyond = convert(np.asarray(stage.level, dtype=np.float64), stage)
        value = np.asarray(level)
        for _, between in emphasis:
            assert isinstance(between.work, Equaliser)  # noqa: S101 - it was found as one
            value, _ = convert(value * sum(between.work.taps), between)
        given: Any = value if value.ndim else float(value)
        where = f"Converter {converter!r} drives instance {name!r} ({part.model.name})"
        part.model.parameters[setting].check(given, where)
        unit = part.model.parameters[setting].unit
        found.append(
            Drive(name, setting, converter, stage, stage.level, given, beyond, unit, level, emphasis)
        )
    return tuple(found)


def _through(
    graph: Graph,
    wires: Mapping[PortRef, PortRef],
    driver: str,
    settings_of: Callable[[Part], Mapping[str, Any]],
) -> tuple[str, tuple[tuple[str, Stage], ...]]:
    """Return the part whose output passes fixed equalisers up to `driver`, and these, first to last."""
    passed: list[tuple[str, Stage]] = []
    here = driver
    while True:
        model = graph.part(here).model
        if not isinstance(model, Electronic) or not model.inputs or here in dict(passed):
            break
        stage = model.stage(**settings_of(graph.part(here)))
        work = stage.work
        before = wires.get((here, model.inputs[0]))
        if not isinstance(work, Equaliser) or work.adaptation != "fixed" or before is None:
            return driver, ()
        passed.insert(0, (here, stage))
        here = before[0]
    return here, tuple(passed)


def convert(values: NDArray[Real], stage: Stage) -> tuple[NDArray[Real], int]:
    """Return values as they leave the range and the steps of a stage, and how many lay beyond the range."""
    step = 0.0 if stage.bits is None else stage.step
    held = np.empty_like(values, order="C")
    own = values.dtype.type
    ends = own(stage.low), own(stage.high), own(step)
    beyond = quantise(np.ascontiguousarray(values).reshape(-1), *ends, held.reshape(-1))
    return held, int(beyond)


def out_of_range(name: str, value: float, low: float, high: float, unit: str = "V", where: str = "") -> str:
    """Return the sentence about a stage that should put out more, or less, than it can.

    where: which values lie beyond, as in " in 3 of 9 samples"; `value` is the worst of them.
    """
    return (
        f"{name!r} should give {value:.4g} {unit}, outside its range of {low:.4g} to {high:.4g} {unit}"
        f"{where}: its output stays at the end of the range; change its range, or what comes before it."
    )


def _is_input(graph: Graph, end: Any) -> bool:
    name, port = end
    model = graph.part(name).model
    return port in model.drives or (isinstance(model, Electronic) and port in model.inputs)


def _name(end: Any) -> str:
    return f"'{end[0]},{end[1]}'"
