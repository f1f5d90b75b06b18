"""Networks through hardware: what each layer's hardware does for a rule, and a record of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from photosim.arguments import check_arguments
from photosim.bounds import check_choice
from photosim.errors import ParameterError, listing
from photosim.training.arrays import FloatArray
from photosim.training.devices import Device
from photosim.training.hardware.found import FINE, Found, Settings, exact, media, read_hardware
from photosim.training.layers import Dense, Layer, Network
from photosim.training.layers.held import Way
from photosim.training.rules.catalogue import HELD_BY_DEVICES, needs, rules_that_need
from photosim.training.rules.rule import Need

if TYPE_CHECKING:
    from photosim.circuit import Circuit

Use = Literal["auto", "forward", "backward", "both"]
USES = ("auto", "forward", "backward", "both")
WEIGHTS = frozenset({Need.TRANSPOSED_WEIGHTS, Need.SIGNS_OF_WEIGHTS})
"""Needs of rules whose errors go back through the layers' own weights, or their signs."""


@dataclass(frozen=True)
class LayerUse:
    """What hardware does for one layer that learns, counted from 1.

    forward, backward: what it does, in words; None where the computer does it.
    """

    layer: int
    hardware: Found | None
    forward: str | None = None
    backward: str | None = None

    @property
    def way(self) -> Literal["none", "forward", "backward", "both"]:
        """The ways that go through hardware."""
        if self.forward is not None:
            return "forward" if self.backward is None else "both"
        return "none" if self.backward is None else "backward"

    def record(self) -> dict[str, Any]:
        """Return plain values: layer, use, and, where there is hardware, its name and kind."""
        found = self.hardware
        own = {} if found is None else {"hardware": found.name, "kind": found.kind}
        said = {"forward": self.forward, "backward": self.backward}
        return {"layer": self.layer, "use": self.way, **own, **{k: v for k, v in said.items() if v}}


@dataclass(frozen=True)
class Uses:
    """A network whose layers hardware holds, and what it does there: one LayerUse for each that learns."""

    network: Network
    layers: tuple[LayerUse, ...]
    seeds: tuple[np.random.SeedSequence, ...] = ()

    def records(self) -> tuple[dict[str, Any], ...]:
        """Return what was done, as plain values, one mapping for each layer that learns."""
        return tuple(layer.record() for layer in self.layers)

    def hold(self, runs: Sequence[Sequence[FloatArray]]) -> None:
        """Program the feedback matrices of several runs ahead, all in one go."""
        for found, places in self._places(len(runs[0]) if runs else 0):
            if found is not None:
                found.hold([own[k] for own in runs for k in places])

    def feedback(self, matrices: Sequence[FloatArray], *, ternary: bool = False) -> tuple[Device, ...]:
        """Return what holds a rule's feedback matrices: hardware where it carries them, else exact devices.

        ternary: errors are -1, 0 and 1, which a medium shows in one picture a sign.
        """
        found: list[Device | None] = [None] * len(matrices)
        for hardware, places in self._places(len(matrices)):
            own = [matrices[k] for k in places]
            if hardware is None:
                devices = exact(own)
            elif hardware.kind == "medium":
                rng = np.random.default_rng(self.seeds[places[0]])
                devices = media(hardware, own, rng, levels=1 if ternary else FINE)
            else:
                hardware.hold(own)
                devices = tuple(
                    hardware.feedback(matrix, np.random.default_rng(self.seeds[k]))
                    for k, matrix in zip(places, own, strict=True)
                )
            for k, device in zip(places, devices, strict=True):
                found[k] = device
        return tuple(device for device in found if device is not None)

    def _places(self, count: int) -> list[tuple[Found | None, list[int]]]:
        """Return each hardware that carries feedback, or None, and the numbers of its matrices."""
        grouped: dict[int, tuple[Found | None, list[int]]] = {}
        for k in range(count):
            use = self.layers[k]
            carrier = use.hardware if use.backward is not None else None
            grouped.setdefault(id(carrier), (carrier, []))[1].append(k)
        return list(grouped.values())


def with_hardware(
    network: Network,
    hardware: Any,
    *,
    rule: Any = "backprop",
    use: str = "auto",
    device: str | None = None,
    noise: str | None = None,
    seed: int | np.random.SeedSequence = 0,
) -> Uses:
    """Return a network whose dense layers use hardware, and a record of this use for each layer.

    hardware: a netlist's name or path, a Circuit, a device, a chip, or a list with one of these, or None, for
    each layer that learns.  rule: its name, or an object that says what it `needs`.  use: "forward", weights
    programmed or settings trained; "backward", errors or feedback; "both"; or "auto", all that it can do for
    the rule.  device: the instance meant, where a circuit has several.  noise: None, "physical" or
    "measured".  seed: of the noise. Raises ParameterError, saying what would do, for what cannot be.
    """
    check_arguments(with_hardware, {"network": network, "device": device})
    settings = Settings(device, noise)
    needed = needs(rule) if isinstance(rule, str) else frozenset(getattr(rule, "needs", frozenset()))
    name = repr(rule) if isinstance(rule, str) else type(rule).__name__
    noisy = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    return used(network, hardware, needed, name, use, settings, noisy)


def used(
    network: Network,
    hardware: Any,
    needed: frozenset[Need],
    rule: str,
    use: str,
    settings: Settings,
    noise: np.random.SeedSequence,
    own: Circuit | None = None,
) -> Uses:
    """Return what `with_hardware` does, for a rule that needs `needed` and is called `rule`."""
    check_choice("hardware", USES, use=use)
    blocks = network.blocks
    found = _each(hardware, len(blocks), settings, own)
    count = len(blocks)
    idle = next((one for one in found if one is not None and not one.holds and not one.carries), None)
    if idle is not None:
        message = (
            f"{idle.name!r} has no setting to turn, or readings that are neither real nor linear: it holds "
            "no layer and carries no feedback. Device.from_circuit(circuit, parameters=[...]) names other "
            "settings than phases."
        )
        raise ParameterError(message)
    # Feedback first, layers after: a rule's feedback has the same noise whatever its layers do.
    seeds = tuple(_spawned(noise, 2 * count))
    layers: list[Layer] = list(network.layers)
    uses = []
    for k, (block, one) in enumerate(zip(blocks, found, strict=True)):
        layer = layers[block.first]
        if one is None:
            uses.append(LayerUse(k + 1, None))
            continue
        case = _Case(one, layer, needed, rule, use, first=k == 0, last=k == count - 1)
        chosen = case.ways()
        if isinstance(hardware, list | tuple):
            case.check_listed(chosen)
        uses.append(LayerUse(k + 1, one, *_words(one, layer, needed, chosen)))
        through = _through(chosen, needed)
        if through is not None and isinstance(layer, Dense):
            layers[block.first] = one.layer(layer, through, np.random.default_rng(seeds[count + k]))
    if not any(use.way != "none" for use in uses):
        message = (
            f"hardware would not be used: the rule {rule} has no feedback that it could compute, and it "
            f"holds none of the layers. Rules with feedback: {listing(rules_that_need(*HELD_BY_DEVICES))}."
        )
        raise ParameterError(message)
    return Uses(Network(tuple(layers)), tuple(uses), seeds)


def _spawned(noise: np.random.SeedSequence, count: int) -> list[np.random.SeedSequence]:
    """Return children of a sequence as a first spawn gives them, however often it spawned before."""
    fresh = np.random.SeedSequence(noise.entropy, spawn_key=noise.spawn_key)
    return fresh.spawn(count)


def _each(hardware: Any, count: int, settings: Settings, own: Circuit | None) -> list[Found | None]:
    """Return one hardware for each layer that learns."""
    if not isinstance(hardware, list | tuple):
        return [read_hardware(hardware, settings, own)] * count
    if len(hardware) != count:
        message = (
            f"hardware lists {len(hardware)} devices, but the network has {count} layers that learn: give "
            "one for each, None for a layer in the computer."
        )
        raise ParameterError(message)
    known: dict[Any, Found] = {}
    found: list[Found | None] = []
    for one in hardware:
        key = one if isinstance(one, str) else os.fspath(one) if isinstance(one, os.PathLike) else id(one)
        if one is not None and key not in known:
            known[key] = read_hardware(one, settings)
        found.append(None if one is None else known[key])
    return found


@dataclass(frozen=True)
class _Case:
    """One layer, what is to hold it, and what its rule needs."""

    found: Found
    layer: Layer
    needed: frozenset[Need]
    rule: str
    use: str
    first: bool
    last: bool

    @property
    def forward(self) -> bool:
        """Whether the hardware could hold the layer."""
        return self.found.holds and type(self.layer) is Dense

    @property
    def backward(self) -> bool | None:
        """Whether the hardware could send errors back at this layer; None where the rule sends none."""
        if self.needed & WEIGHTS:  # through the weights of all layers but the first
            return self.forward and not self.first
        if self.needed & {Need.FEEDBACK, Need.LAYERED_FEEDBACK}:
            return self.found.carries and not self.last
        if Need.INPUT_FEEDBACK in self.needed:
            return self.found.carries and self.first
        return None

    def ways(self) -> tuple[bool, bool]:
        """Return whether hardware serves forwards and backwards; ParameterError if it cannot as asked."""
        if self.use in {"forward", "both"} and not self.found.holds:
            raise ParameterError(_cannot_hold(self.found, self.use))
        backward = self.backward
        if self.use in {"backward", "both"} and backward is None:
            rules = listing(["backprop", *rules_that_need(*HELD_BY_DEVICES)], 20)
            message = (
                f"use={self.use!r}: the rule {self.rule} has no feedback that hardware could compute. Use "
                f"'forward', or a rule that sends errors back: {rules}."
            )
            raise ParameterError(message)
        if self.use != "forward" and not self.found.holds and self.needed & WEIGHTS:
            raise ParameterError(_needs_weights(self.found, self.rule))
        held = self.use == "both" and self.needed & WEIGHTS  # errors go back through what is trained
        if self.use in {"backward", "both"} and not held and not self.found.carries:
            raise ParameterError(_cannot_carry(self.found))
        return self.forward and self.use != "backward", bool(backward) and self.use != "forward"

    def check_listed(self, chosen: tuple[bool, bool]) -> None:
        """Raise ParameterError where hardware named for this very layer cannot hold it as asked."""
        if chosen[0] or self.use == "backward" or not self.found.holds or type(self.layer) is Dense:
            return
        message = (
            f"hardware names {self.found.name!r} for a layer of the kind {type(self.layer).__name__}: only "
            "dense layers can be in hardware, so give None for this one."
        )
        raise ParameterError(message)


def _cannot_hold(found: Found, use: str) -> str:
    rules = listing(rules_that_need(*HELD_BY_DEVICES), 20)
    return (
        f"use={use!r}: {found.name!r} cannot hold weights, since its matrix is the one that disorder gave "
        f"it. It carries feedback: use 'backward', with one of the rules {rules}."
    )


def _cannot_carry(found: Found) -> str:
    if found.kind == "chip":
        return (
            "A chip cannot carry feedback: its powers are never negative. Use 'forward', its heaters are "
            "trained."
        )
    if found.device.wiring.stages:
        return (
            f"{found.name!r} cannot carry feedback: instance {found.device.wiring.stages[0].part!r} is "
            "nonlinear. Use 'forward', its settings are trained."
        )
    return (
        f"{found.name!r} cannot carry feedback: its readings are not linear in what is sent, or it has no "
        "setting to turn. Use 'forward', or read 'quadrature'."
    )


def _needs_weights(found: Found, rule: str) -> str:
    return (
        f"The rule {rule} sends errors back through the layers' own weights, which {found.name!r} cannot "
        f"hold: take a rule with fixed feedback: {listing(rules_that_need(*HELD_BY_DEVICES), 20)}."
    )


def _through(chosen: tuple[bool, bool], needed: frozenset[Need]) -> Way | None:
    """Return the way that a layer's own products take through hardware."""
    forward, backward = chosen
    if forward:
        return "both" if backward and needed & WEIGHTS else "forward"
    return "backward" if backward and needed & WEIGHTS else None


def _words(
    found: Found, layer: Layer, needed: frozenset[Need], chosen: tuple[bool, bool]
) -> tuple[str | None, str | None]:
    """Return in words what hardware does forwards and backwards."""
    forward = backward = None
    if chosen[0]:
        what = {"circuit": "settings trained", "chip": "heaters trained"}.get(
            found.kind, "weights programmed"
        )
        forward = what + _tiles(found, (layer.outputs, layer.inputs))
    if chosen[1]:
        if needed & WEIGHTS:
            read = "errors through the powers that were read"
            backward = read if found.kind == "chip" else "errors through the weights that it holds"
        elif found.kind == "medium":
            backward = "feedback by the medium's random matrix"
        else:
            backward = "feedback matrix programmed"
    return forward, backward


def _tiles(found: Found, shape: tuple[int, int]) -> str:
    if found.tile is None:
        return ""
    rows, columns = found.tile
    count = -(-shape[0] // rows) * -(-shape[1] // columns)
    return f", {count} tile{'s' if count > 1 else ''} of {rows} x {columns}"
