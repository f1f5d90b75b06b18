"""One training run with a checkpoint, to be killed: python killed_run.py FILE OUT.

It says each epoch as it is kept, and waits for a line before the next one: whoever kills it within a bound
time kills it in a known epoch, however slow the machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from photosim.training.data.datasets import Dataset, split
from photosim.training.history import History
from photosim.training.layers import dense_network
from photosim.training.optimisers import Adam
from photosim.training.rules import make_rule
from photosim.training.trainer import Schedule, Streams, fit

EPOCHS = 12
NETWORK = dense_network((6, 64, 64, 3))


def data() -> Dataset:
    """Three clouds of points."""
    rng = np.random.default_rng(0)
    label = np.arange(600) % 3
    return split("clouds", rng.normal(size=(600, 6)) + label[:, np.newaxis], label)


def train(path: Path | None, progress: Callable[[int], None]) -> History:
    """Train by a rule that draws random numbers as it goes."""
    rule = make_rule("sign-symmetry-redrawn", NETWORK, rng=np.random.default_rng(1))
    schedule = Schedule(EPOCHS, 8, alignment=50, checkpoint=path)
    return fit(NETWORK, rule, Adam(0.01), data(), schedule, Streams.tree(0, 1)[0], progress)


def say(epoch: int) -> None:
    """Tell the other process, and wait for it."""
    sys.stdout.write(f"{epoch}\n")
    sys.stdout.flush()
    sys.stdin.readline()


if __name__ == "__main__":
    history = train(Path(sys.argv[1]), say)
    weights = {f"weights{k}": own["weights"] for k, own in enumerate(history.parameters)}
    np.savez(sys.argv[2], loss=history.loss, angles=history.angles, **weights)  # type: ignore[arg-type]
