"""Learning through simulated hardware: data, layers, rules, devices, the trainer and estimators.

The estimators are named here and come with scikit-learn when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from photosim.lazy import attach

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


__getattr__, __dir__ = attach(__name__, _HOMES)
