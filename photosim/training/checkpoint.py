"""Checkpoints: the full state of a training run in one file, which is written whole or not at all."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import DataError
from photosim.files.atomic import replacing
from photosim.training.data.files import read_npz
from photosim.training.layers import Network, Parameters
from photosim.training.rules.rule import Rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIX = ".checkpoint.npz"
"""Ending of a checkpoint's name."""
WRITTEN = re.compile(r".*\.checkpoint\.npz|\.photosim-[^.]*\.npz")
"""Names of checkpoints, and of those that a killed run was writing."""
_ABOUT = "about"
_RULE = "rule"
"""Group of the arrays that a rule and its devices remember; no group of a State is called so."""
Arrays = list[Parameters]


@dataclass
class State:
    """State of a training run between two epochs.

    groups: arrays of each layer, under the names "parameters", "memory" (of the optimiser) and "best".
    metrics: a row of numbers for each finished epoch.  order: generator of the order of samples and of
    dropout.
    """

    groups: dict[str, Arrays]
    metrics: list[list[float]]
    order: np.random.Generator

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.metrics)


def save(path: Path, key: str, state: State, rule: Rule, network: Network | None = None) -> None:
    """Write a run's state, whole or not at all, whatever kills the process or the machine.

    key: the fingerprint of what is trained; resume refuses a file of another.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for group, layers in state.groups.items():
        for index, own in enumerate(layers):
            arrays |= {f"{group}/{index}/{name}": value for name, value in own.items()}
    states = rule_state(rule, network)
    for index, kept in enumerate(states):
        memory = kept.pop("memory")
        arrays |= {f"{_RULE}/{index}/{name}": value for name, value in memory.items()}
    about = {
        "key": key,
        "names": list(arrays),
        "groups": {group: len(layers) for group, layers in state.groups.items()},
        "metrics": state.metrics,
        "order": state.order.bit_generator.state,
        "rule": states,
    }
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays, **{_ABOUT: np.array(json.dumps(about))})
        file.flush()
        # On the disk before the rename, or a power cut could leave the new name without its content.
        os.fsync(file.fileno())


def resume(path: Path, key: str, state: State, rule: Rule, network: Network | None = None) -> None:
    """Put a saved run's state into `state` and the rule; nothing happens if there is no file.

    Raises DataError for a damaged file, and for one of another run.
    """
    if not path.exists():
        return
    try:
        about = json.loads(str(read_npz(path, (_ABOUT,))[_ABOUT]))
        names = tuple(str(name) for name in about["names"])
        saved = about["key"]
    except (ValueError, KeyError, TypeError) as error:
        message = f"{path} is not a checkpoint: {error}."
        raise DataError(message) from error
    if saved != key:
        message = (
            f"{path} is the checkpoint of another run (other data, network, rule, optimiser, schedule, "
            "seed or version of photosim): give another name, or remove it to start anew."
        )
        raise DataError(message)
    try:
        _restore(path, about, names, state, _holders(rule, network))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        message = f"{path} is damaged: it lacks or misstates {error}. Remove it to start anew."
        raise DataError(message) from error


def _restore(
    path: Path, about: Mapping[str, Any], names: tuple[str, ...], state: State, holders: list[Any]
) -> None:
    """Put what a checkpoint holds into `state`, the rule and the devices."""
    arrays = read_npz(path, names)
    groups: dict[str, Arrays] = {group: [{} for _ in range(size)] for group, size in about["groups"].items()}
    remembered: Arrays = [{} for _ in about["rule"]]
    for name in names:
        group, index, inner = name.split("/", 2)
        place = remembered if group == _RULE else groups[group]
        place[int(index)][inner] = np.array(arrays[name])
    state.groups = groups
    state.metrics = [[float(number) for number in row] for row in about["metrics"]]
    state.order.bit_generator.state = about["order"]
    _remember(
        holders, [{**own, "memory": memory} for own, memory in zip(about["rule"], remembered, strict=True)]
    )


def rule_state(rule: Rule, network: Network | None = None) -> list[dict[str, Any]]:
    """Return what a rule, its devices and those of the layers remember.

    That is: their generators' states, counters, and arrays by name.
    """
    return [
        {
            "rng": own.rng.bit_generator.state if _has(own, "rng", np.random.Generator) else None,
            "counters": dict(own.counters) if _has(own, "counters", Counter) else None,
            "memory": {name: np.array(value) for name, value in getattr(own, "memory", {}).items()},
        }
        for own in _holders(rule, network)
    ]


def restore_rule(rule: Rule, states: list[dict[str, Any]], network: Network | None = None) -> None:
    """Make a rule and its devices remember what rule_state returned."""
    _remember(_holders(rule, network), states)


def _remember(holders: list[Any], states: list[dict[str, Any]]) -> None:
    for own, state in zip(holders, states, strict=True):
        if state["rng"] is not None:
            own.rng.bit_generator.state = state["rng"]
        if state["counters"] is not None:
            own.counters.clear()
            own.counters.update(state["counters"])
        for name, value in state["memory"].items():
            own.memory[name][...] = value


def _holders(rule: Rule, network: Network | None) -> list[Any]:
    """Return what may remember: the rule, its devices, and layers that hardware holds, with their devices."""
    layers = () if network is None else network.layers
    held = [own for layer in layers if hasattr(layer, "counters") for own in (layer, _device(layer))]
    return [rule, *getattr(rule, "feedback", ()), *held]


def _device(layer: Any) -> Any:
    return getattr(layer, "hardware", None) or getattr(layer, "device", None)


def _has(own: Any, name: str, kind: type) -> bool:
    return isinstance(getattr(own, name, None), kind)
