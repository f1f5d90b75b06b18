"""Losses by name for classifiers and regressors, and losses of one's own, held to what a loss returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from photosim.arguments import takes
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.reals import NotReal, as_real, shown
from photosim.training.arrays import RealArray, TargetArray
from photosim.training.losses import (
    CLASSIFICATION,
    REGRESSION,
    Objective,
    absolute_error,
    hinge,
    huber,
    log_cosh,
    one_hot_squared_error,
    softmax_cross_entropy,
    squared_error,
)

Loss = Callable[[RealArray, TargetArray], tuple[float, RealArray]]
"""loss(outputs, targets): the batch's mean loss, and each sample's derivative of its own loss."""


FOR_CLASSES: Mapping[str, Loss] = MappingProxyType(
    {"cross-entropy": softmax_cross_entropy, "squared-error": one_hot_squared_error, "hinge": hinge}
)
"""Losses of classifiers by name, the usual one first."""
FOR_NUMBERS: Mapping[str, Loss] = MappingProxyType(
    {
        "squared-error": squared_error,
        "absolute-error": absolute_error,
        "huber": huber,
        "log-cosh": log_cosh,
    }
)
"""Losses of regressors by name, the usual one first."""


@dataclass(frozen=True)
class OwnLoss:
    """A loss of one's own that is held to what a loss returns."""

    loss: Loss

    def __call__(self, outputs: RealArray, targets: TargetArray) -> tuple[float, RealArray]:
        """Return mean loss and errors; ParameterError for anything but a number and such an array."""
        answer: Any = self.loss(outputs, targets)
        rule = f"The loss {_name(self.loss)} must return (mean loss, errors of shape {outputs.shape})"
        if not (isinstance(answer, tuple) and len(answer) == 2):
            message = f"{rule}, got {shown(answer)}."
            raise ParameterError(message)
        try:
            value = float(as_real(answer[0]))
        except (NotReal, TypeError) as reason:
            message = f"{rule}, but its mean loss is not a number: {reason}."
            raise ParameterError(message) from None
        errors = np.asarray(answer[1])
        if errors.shape != outputs.shape or errors.dtype.kind not in "biuf":
            message = f"{rule}, but its errors are {errors.dtype} of shape {errors.shape}."
            raise ParameterError(message)
        return value, errors.astype(outputs.dtype, copy=False)


def objective(loss: Any, *, classes: bool) -> Objective:
    """Return the objective of a loss: a name, a function loss(outputs, targets), an Objective, or None.

    classes: whether targets are class numbers, else numbers (batch, outputs).  None is cross-entropy of
    classes and squared error of numbers.  Raises ParameterError with the nearest name for anything else.
    """
    usual, known = (CLASSIFICATION, FOR_CLASSES) if classes else (REGRESSION, FOR_NUMBERS)
    if loss is None:
        return usual
    if isinstance(loss, Objective):
        return loss
    if isinstance(loss, str):
        if loss in known:
            return replace(usual, loss=known[loss])
        kind = "classification" if classes else "regression"
        message = f"There is no loss {loss!r} for {kind}. There are: {listing(known)}."
        raise ParameterError(message + did_you_mean(loss, known))
    if not callable(loss) or isinstance(loss, type):
        message = (
            f"loss must be one of {listing(known)}, a function loss(outputs, targets) that returns the mean "
            f"loss and each sample's errors, or an Objective, got {shown(loss)}."
        )
        raise ParameterError(message)
    if not takes(loss, 2):
        message = f"The loss {_name(loss)} must take two arguments, loss(outputs, targets)."
        raise ParameterError(message)
    return replace(usual, loss=OwnLoss(loss))


def _name(loss: Any) -> str:
    return repr(getattr(loss, "__name__", type(loss).__name__))
