"""Updates of dense layers that are not formed yet: an optimiser forms one when it needs it, and drops it."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Mapping

from photosim.training.arrays import RealArray


class Products(UserDict[str, RealArray]):
    """The update of a dense layer, weights and bias, formed when it is read.

    share: each sample's dL/dpre over the number of samples, (batch, outputs).  inputs: of the layer, (batch,
    inputs). The update of the weights is share.T @ inputs, that of the bias the sum of share.
    """

    def __init__(self, share: RealArray, inputs: RealArray) -> None:
        self.share, self.inputs = share, inputs
        self._formed: dict[str, RealArray] | None = None

    @property
    def data(self) -> dict[str, RealArray]:
        """The arrays by name; whoever reads them may change them."""
        if self._formed is None:
            self._formed = {name: self.form(name) for name in self.shapes()}
        return self._formed

    @data.setter
    def data(self, arrays: dict[str, RealArray]) -> None:
        self._formed = arrays

    def __len__(self) -> int:
        """Return the number of arrays, without forming them."""
        return 2 if self._formed is None else len(self._formed)

    @property
    def open(self) -> bool:
        """Whether nobody has read the arrays."""
        return self._formed is None

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the arrays, which need not be formed for it."""
        outputs = self.share.shape[1]
        return {"weights": (outputs, self.inputs.shape[1]), "bias": (outputs,)}

    def form(self, name: str) -> RealArray:
        """Return one of the arrays without keeping it."""
        return self.share.T @ self.inputs if name == "weights" else self.share.sum(axis=0)


def formed(update: Mapping[str, RealArray], name: str) -> RealArray:
    """Return one array of an update. One that is not formed yet is not kept: its memory is used again."""
    return update.form(name) if isinstance(update, Products) and update.open else update[name]
