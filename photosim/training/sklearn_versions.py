"""What scikit-learn before 1.6 calls by another name."""

from __future__ import annotations

from typing import Any

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # scikit-learn 1.5: a method of every estimator

    def validate_data(estimator: Any, /, *arrays: Any, **options: Any) -> Any:
        """Return the checked arrays, and let the estimator know the number and names of their columns."""
        return estimator._validate_data(*arrays, **options)  # noqa: SLF001 - scikit-learn's own, then


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


__all__ = ["SeveralTargets", "validate_data"]
