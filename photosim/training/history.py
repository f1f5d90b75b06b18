"""The history of a training run: scores and losses after each epoch, and the trained parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from photosim.arguments import public
from photosim.display import Shown, figure, plotting
from photosim.smatrix import ByValue
from photosim.training.arrays import FloatArray
from photosim.training.layers import Parameters

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@public
@dataclass(frozen=True, eq=False)
class History(Shown, ByValue):
    """Scores and losses of a training after each epoch, and the trained parameters.

    accuracy, validation: accuracy (R2 in regression) for the test and validation samples, shape (epochs,);
    nan without such samples.  loss: mean training loss of each epoch, shape (epochs,).  parameters: arrays of
    each layer by name.  angles: angle in degrees between the updates and the gradient, shape (epochs, hidden
    layers); nan if `alignment` is 0.  best: the epoch of the parameters, counted from 1.
    """

    accuracy: FloatArray
    validation: FloatArray
    loss: FloatArray
    parameters: list[Parameters]
    angles: FloatArray
    best: int

    def __repr__(self) -> str:
        """Say how long it trained and how well, in a line."""
        return f"History({words(self.accuracy, self.loss)}, parameters of epoch {self.best})"

    def plot(self) -> Figure:
        """Return a figure of the scores and the loss over the epochs."""
        return plotting().history({"test": self.accuracy, "validation": self.validation}, self.loss)  # type: ignore[no-any-return]

    def html_blocks(self) -> Iterator[str]:
        """Yield the HTML that a notebook displays: the curves, and the last scores."""
        yield figure(self.plot())
        yield escape(repr(self))


def words(score: FloatArray, loss: FloatArray) -> str:
    """Return the number of epochs, and the last score and loss."""
    if not len(loss):
        return "0 epochs"
    return f"{len(loss)} epochs, score {score[-1]:.4g}, loss {loss[-1]:.4g}"
