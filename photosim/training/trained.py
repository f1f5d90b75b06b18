"""Trained networks: what a training leaves, in one noun that predicts, tells what it is, and has a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import check_arguments, public
from photosim.display import Shown, table
from photosim.errors import DataError, listing
from photosim.reals import shown
from photosim.smatrix import ByValue
from photosim.training.arrays import FloatArray
from photosim.training.data.checks import check_inputs, check_unmasked
from photosim.training.layer_files import read_layers, write_layers
from photosim.training.layers import Layer, Network, Parameters
from photosim.training.losses import softmax

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray


SHOWN = 4
"""Parameters of a layer that the table of a network names."""
MOST_LINES = 12
"""Rows of the table of a network in its repr."""
_HEAD = ("", "layer", "features", "parameters", "number")


@dataclass(frozen=True, eq=False)
class Scale(ByValue):
    """Units of a network's inputs or outputs: (numbers - center) / width, each of shape (features,)."""

    center: FloatArray
    width: FloatArray

    def standardised(self, numbers: Any) -> Any:
        """Return numbers (samples, features) in the network's units."""
        return (numbers - self.center) / self.width

    def original(self, numbers: Any) -> Any:
        """Return numbers (samples, features) in their own units."""
        return numbers * self.width + self.center


@public
@dataclass(frozen=True, eq=False)
class TrainedNetwork(Shown, ByValue):
    """A network and its parameters, which predict and can be saved.

    inputs, targets: units that samples and, in regression, targets come in; None for those of the network.
    classes: labels in the order of the outputs; None in regression.
    """

    network: Network
    parameters: list[Parameters]
    inputs: Scale | None = None
    targets: Scale | None = None
    classes: Any = None

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The network's layers."""
        return self.network.layers

    @property
    def parameter_count(self) -> int:
        """Number of real parameters of all layers."""
        return sum(_count(own) for own in self.parameters)

    def outputs(self, x: Any) -> FloatArray:
        """Return the last layer's outputs (samples, outputs) for x (samples, features), in x's units."""
        check_unmasked("The network", x=x)
        x = np.asarray(x)
        check_inputs("The network", x, features=self.layers[0].inputs)
        return self._outputs(x)

    def _outputs(self, x: NDArray[Any]) -> FloatArray:
        inside = x if self.inputs is None else self.inputs.standardised(x)
        return np.asarray(self.network.predict(self.parameters, inside), dtype=np.float64)

    def predict(self, x: Any) -> Any:
        """Return the likeliest class (samples,), or targets (samples, outputs) in their own units."""
        found = self.outputs(x)
        if self.classes is not None:
            return self.classes[found.argmax(axis=1)]
        return found if self.targets is None else self.targets.original(found)

    def predict_proba(self, x: Any) -> FloatArray:
        """Return class probabilities (samples, classes); DataError for a network without classes."""
        if self.classes is None:
            message = "This network predicts numbers, not classes: it has no probabilities."
            raise DataError(message)
        return np.asarray(softmax(self.outputs(x)), dtype=np.float64)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the network as an .npz file of plain arrays and text, no pickle; return its path.

        Raises DataError for a path that is not .npz or cannot be written, and for a layer of which a field
        is neither a number, a text, an array, a circuit nor a record of such.
        """
        check_arguments(TrainedNetwork.save, {"path": path})
        more: dict[str, Any] = {}
        for name, scale in (("inputs", self.inputs), ("targets", self.targets)):
            if scale is not None:
                more |= {f"{name}.center": scale.center, f"{name}.width": scale.width}
        if self.classes is not None:
            more["classes"] = _plain_classes(self.classes)
        return write_layers(Path(path), self.layers, self.parameters, more)

    @classmethod
    def load(cls, path: str | os.PathLike[str], layers: Collection[type] = ()) -> TrainedNetwork:
        """Return the network of a file that `save` wrote.

        layers: classes of one's own layers, which the file knows by name only; nothing in it is executed.
        Raises DataError for a missing or damaged file, or a layer of an unknown class.
        """
        check_arguments(TrainedNetwork.load, {"path": path})
        built, parameters, more = read_layers(Path(path), layers)
        scales = {
            name: Scale(more[f"{name}.center"], more[f"{name}.width"])
            for name in ("inputs", "targets")
            if f"{name}.center" in more and f"{name}.width" in more
        }
        return cls(
            Network(built), parameters, scales.get("inputs"), scales.get("targets"), more.get("classes")
        )

    def __repr__(self) -> str:
        """Return a short table of layers, shapes and numbers of parameters."""
        return str(self)

    def html_blocks(self) -> Iterator[str]:
        """Yield the HTML that a notebook displays: a row for each layer."""
        yield table(_HEAD, self._rows(), f"{len(self.layers)} layers")

    def _rows(self) -> list[tuple[str, ...]]:
        """Return number, kind, features, parameters and their number of every layer, and of all."""
        rows = [
            (
                str(number),
                type(layer).__name__,
                f"{layer.inputs} -> {layer.outputs}",
                listing([f"{name} {_shape(value)}" for name, value in own.items()], SHOWN) if own else "-",
                f"{_count(own):,}",
            )
            for number, (layer, own) in enumerate(zip(self.layers, self.parameters, strict=True), start=1)
        ]
        return [*rows, ("", "all", "", "", f"{self.parameter_count:,}")]

    def __str__(self) -> str:
        """Return a short table of layers, shapes and numbers of parameters."""
        rows = self._rows()
        if len(rows) > MOST_LINES:
            rows = [
                *rows[: MOST_LINES - 2],
                ("", f"and {len(rows) - MOST_LINES + 1} more", "", "", ""),
                rows[-1],
            ]
        whole = [_HEAD, *rows]
        widths = [max(len(row[k]) for row in whole) for k in range(len(_HEAD))]
        lines = [
            "  ".join(
                cell.rjust(width) if k in (0, len(_HEAD) - 1) else cell.ljust(width)
                for k, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in whole
        ]
        return "\n".join(lines)


def _shape(value: Any) -> str:
    return "x".join(str(size) for size in np.shape(value)) or "1"


def _count(own: Parameters) -> int:
    return sum(value.size * (2 if np.iscomplexobj(value) else 1) for value in own.values())


def _plain_classes(classes: NDArray[Any]) -> NDArray[Any]:
    """Return labels as numbers or text; DataError for others."""
    if classes.dtype.kind in "biufUS":
        return classes
    if all(isinstance(label, str) for label in classes.tolist()):
        return np.array(classes.tolist())
    message = f"Labels are saved as numbers or text, got {shown(classes.tolist()[:3])}."
    raise DataError(message)
