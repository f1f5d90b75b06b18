"""Data to learn from: sets of samples, graphs and texts, time series, and the files they come from."""

from photosim.training.data.datasets import DATASETS, Dataset, Samples, load, split

__all__ = ["DATASETS", "Dataset", "Samples", "load", "split"]
