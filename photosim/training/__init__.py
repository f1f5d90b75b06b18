"""Learning through simulated hardware: data, layers, rules, devices, the trainer and estimators.

The estimators are named here and come with scikit-learn when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from photosim.training.estimators import PhotonicClassifier, PhotonicRegressor, PhotonicTransformer
    from photosim.training.trained import TrainedNetwork

_HOMES = {
    "PhotonicClassifier": "estimators",
    "PhotonicRegressor": "estimators",
    "PhotonicTransformer": "estimators",
    "TrainedNetwork": "trained",
}
__all__ = ["PhotonicClassifier", "PhotonicRegressor", "PhotonicTransformer", "TrainedNetwork"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in __all__:
        message = f"module 'photosim.training' has no attribute {name!r}"
        raise AttributeError(message, name=name)
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
