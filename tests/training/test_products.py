"""Updates that the optimiser forms one after the other: the same numbers as arrays, for every reader."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from photosim.training.data.datasets import Dataset, Samples
from photosim.training.layers import dense_network
from photosim.training.layers.products import Products
from photosim.training.optimisers import SGD, Adam
from photosim.training.passes import ForwardPass, Updates, run
from photosim.training.rules import Backprop
from photosim.training.rules.rule import Need
from photosim.training.trainer import Schedule, Streams, fit

NETWORK = dense_network((12, 70, 5))


def samples(count: int = 90) -> Dataset:
    rng = np.random.default_rng(0)
    part = Samples(rng.standard_normal((count, 12)).astype(np.float32), rng.integers(0, 5, count))
    return Dataset("noise", part, Samples(part.x[:0], part.y[:0]), Samples(part.x[:0], part.y[:0]), 5)


@dataclass(frozen=True)
class Arrays:
    """Backpropagation that hands over arrays."""

    needs: ClassVar[frozenset[Need]] = frozenset()
    factor: float = 1.0

    def updates(self, forward: ForwardPass) -> Updates:
        """Return updates that do not wait for their reader."""
        return Backprop().updates(replace(forward, late=False))


@dataclass(frozen=True)
class Doubled:
    """Backpropagation that changes what it finds, in place."""

    needs: ClassVar[frozenset[Need]] = frozenset()

    def updates(self, forward: ForwardPass) -> Updates:
        """Return twice the updates."""
        found: Any = Backprop().updates(forward)
        for update in found:
            update["weights"] *= 2.0
            update["bias"] = update["bias"] + update["bias"]
        return list(found)


def trained(rule: Any, optimiser: Any) -> list[np.ndarray]:
    history = fit(NETWORK, rule, optimiser, samples(), Schedule(3, 16), Streams.tree(0, 1)[0])
    return [value for own in history.parameters for value in own.values()]


@pytest.mark.parametrize("optimiser", [SGD(0.1, 0.9, weight_decay=0.01), Adam()])
def test_training_has_the_numbers_of_arrays(optimiser: Any) -> None:
    for one, other in zip(trained(Backprop(), optimiser), trained(Arrays(), optimiser), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_rule_may_change_what_it_finds() -> None:
    plain = SGD(0.1, 0.0)
    for one, other in zip(trained(Doubled(), plain), trained(Backprop(), SGD(0.2, 0.0)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_readers_find_a_dictionary() -> None:
    data = samples().train
    parameters = NETWORK.initial(np.random.default_rng(1), np.float32)
    forward, _ = run(NETWORK, parameters, data.x, data.y)
    expected = Backprop().updates(forward)
    found: list[Any] = list(Backprop().updates(replace(forward, late=True)))
    for update, arrays in zip(found, expected, strict=True):
        assert isinstance(update, Products)
        assert arrays is not None
        assert (len(update), update.open) == (2, True)
        assert update.shapes() == {name: value.shape for name, value in arrays.items()}
        assert list({**update}) == list(update) == list(arrays)
        assert not update.open
        for name, value in arrays.items():
            np.testing.assert_array_equal(update[name], value)


def test_fit_leaves_updates_open_until_the_optimiser_takes_them() -> None:
    seen = []

    class Watching(SGD):
        """Records what it is handed."""

        def step(self, parameters: Any, update: Any, memory: Any, factor: float = 1.0) -> None:
            """Take the step."""
            super().step(parameters, update, memory, factor)
            seen.append(update.open)

    trained(Backprop(), Watching(0.1))
    assert seen
    assert all(seen)
