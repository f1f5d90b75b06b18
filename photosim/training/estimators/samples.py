"""Samples of estimators: checked by scikit-learn, and by us for what it lets pass."""

from __future__ import annotations

from typing import Any

from photosim.training.data.checks import check_unmasked
from photosim.training.sklearn_versions import validate_data


def read_samples(estimator: Any, /, X: Any, y: Any = "no_validation", **options: Any) -> Any:
    """Return samples, or samples and targets, as scikit-learn checks them; options: of its `validate_data`.

    Raises ParameterError for masked entries, whose numbers scikit-learn would take.
    """
    check_unmasked(type(estimator).__name__, X=X, y=y)
    return validate_data(estimator, X, y, **options)
