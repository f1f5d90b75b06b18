"""Checks of samples before they are learnt from: each raises a DataError of one sentence."""

from __future__ import annotations

from typing import Any

import numpy as np

from photosim.errors import DataError, ParameterError, listing
from photosim.reals import holds_masked
from photosim.training.arrays import TargetArray

NUMBERS = "biufc"
"""Kinds of arrays that hold numbers."""
SHOWN = 5
"""Classes that a message lists."""


def check_unmasked(where: str, **arrays: Any) -> None:
    """Raise ParameterError, starting with `where`, for an array with masked entries, by its name.

    numpy and scikit-learn compute with the numbers below a mask, which are not known.
    """
    for name, value in arrays.items():
        if holds_masked(value):
            message = (
                f"{where}: {name} has masked entries, whose values are not known: leave those samples out, "
                f"or fill them, as in {name}.filled(0.0)."
            )
            raise ParameterError(message)


def check_inputs(where: str, x: Any, count: int | None = None, features: int | None = None) -> None:
    """Raise DataError, starting with `where`, unless x holds finite numbers, shape (samples, features).

    count, features: their numbers; None for any.
    """
    check_unmasked(where, x=x)
    if np.ndim(x) != 2 or np.asarray(x).dtype.kind not in NUMBERS:
        message = (
            f"{where}: inputs must be an array of numbers of shape (samples, features), got shape "
            f"{np.shape(x)} of {np.asarray(x).dtype}."
        )
        raise DataError(message)
    if count is not None and len(x) != count:
        message = f"{where}: there are {len(x)} rows of inputs, but {count} labels or targets."
        raise DataError(message)
    if features is not None and x.shape[1] != features:
        message = f"{where}: the samples have {x.shape[1]} features, but the network takes {features}."
        raise DataError(message)
    # The sum of finite numbers may overflow, but not the other way round: a cheap first look.
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = x.size and not np.isfinite(np.sum(x))
    if suspicious and not np.isfinite(x).all():
        row, column = np.argwhere(~np.isfinite(x))[0]
        message = f"{where}: inputs must be finite, but row {row}, column {column} is {x[row, column]}."
        raise DataError(message)


def check_known(where: str, others: TargetArray, learnt: TargetArray) -> None:
    """Raise DataError, starting with `where`, for class numbers `others` that are not among those learnt."""
    unknown = np.setdiff1d(others, learnt)
    if unknown.size:
        few = listing([str(k) for k in unknown[:SHOWN].tolist()])
        more = f" and {unknown.size - SHOWN} more" if unknown.size > SHOWN else ""
        plural = "es" if unknown.size > 1 else ""
        message = (
            f"{where}: class{plural} {few}{more} occur{'' if plural else 's'} here, but not in the training "
            "samples."
        )
        raise DataError(message)


def check_weights(where: str, weights: Any, count: int) -> None:
    """Raise DataError, starting with `where`, unless weights are finite, 0 or more, one for each sample."""
    check_unmasked(where, weights=weights)
    found = np.asarray(weights)
    if found.shape != (count,) or found.dtype.kind not in "biuf":
        message = f"{where}: weights must be {count} numbers, one for each sample, got shape {found.shape}."
        raise DataError(message)
    wrong = ~(np.isfinite(found) & (found >= 0.0))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        message = f"{where}: weights must be finite and 0 or more, but that of row {row} is {found[row]}."
        raise DataError(message)
    if not np.any(found > 0.0):
        message = f"{where}: all weights are zero: there is nothing to learn from."
        raise DataError(message)
