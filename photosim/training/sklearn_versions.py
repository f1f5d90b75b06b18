"""Samples checked by scikit-learn of any version, and by us for what it lets pass."""

from __future__ import annotations

from typing import Any

from photosim.training.data.checks import check_unmasked

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # scikit-learn 1.5: a method of every estimator

    def validate_data(estimator: Any, /, *arrays: Any, **options: Any) -> Any:
        """Return the checked arrays, and let the estimator know the number and names of their columns."""
        return estimator._validate_data(*arrays, **options)  # noqa: SLF001 - scikit-learn's own, then


def read_samples(estimator: Any, /, X: Any, y: Any = "no_validation", **options: Any) -> Any:
    """Return samples, or samples and targets, as scikit-learn checks them; options: of its `validate_data`.

    Raises ParameterError for masked entries, whose numbers scikit-learn would take.
    """
    check_unmasked(type(estimator).__name__, X=X, y=y)
    return validate_data(estimator, X, y, **options)


class SeveralTargets:
    """Tells scikit-learn, in its form of every version, that several targets may be learnt at once."""

    def __sklearn_tags__(self) -> Any:
        """Return the tags since 1.6."""
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.target_tags.multi_output = True
        return tags

    def _more_tags(self) -> dict[str, bool]:
        """Return the tags before 1.6."""
        return {"multioutput": True}


__all__ = ["SeveralTargets", "read_samples"]
