"""One training run with a checkpoint, to be killed: python killed_run.py FILE OUT."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from photosim.training.data import Dataset, split
from photosim.training.devices import Digital
from photosim.training.layers import dense_network
from photosim.training.optimisers import Adam
from photosim.training.rules import make_rule
from photosim.training.trainer import History, Schedule, Streams, fit

EPOCHS = 40
NETWORK = dense_network((6, 64, 64, 3))


def data() -> Dataset:
    """Three clouds of points."""
    rng = np.random.default_rng(0)
    label = np.arange(600) % 3
    return split("clouds", rng.normal(size=(600, 6)) + label[:, np.newaxis], label)


def train(path: Path | None, rule: str = "sign-symmetry-redrawn", *, epochs: int = EPOCHS) -> History:
    """Train by a rule that draws random numbers as it goes; says each epoch as it is kept."""
    made = make_rule(rule, NETWORK, [Digital(np.ones((64, 3)))] * 2, np.random.default_rng(1))
    schedule = Schedule(epochs, 16, alignment=50, checkpoint=path)
    return fit(NETWORK, made, Adam(0.01), data(), schedule, Streams.tree(0, 1)[0], say)


def say(epoch: int) -> None:
    """Tell the other process."""
    sys.stdout.write(f"{epoch}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    history = train(Path(sys.argv[1]))
    weights = {f"weights{k}": own["weights"] for k, own in enumerate(history.parameters)}
    np.savez(sys.argv[2], loss=history.loss, angles=history.angles, **weights)  # type: ignore[arg-type]
