"""Networks trained through simulated hardware, and random optical features, as scikit-learn estimators."""

from photosim.training.estimators.features import PhotonicTransformer
from photosim.training.estimators.supervised import PhotonicClassifier, PhotonicRegressor

__all__ = ["PhotonicClassifier", "PhotonicRegressor", "PhotonicTransformer"]
