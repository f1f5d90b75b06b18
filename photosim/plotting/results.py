"""Which pictures belong to which result."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from photosim.plotting.charts import draw
from photosim.plotting.signals import for_transient
from photosim.plotting.spectra import for_spectrum
from photosim.plotting.training import alignment_angles, learning_curves, weight_error_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from photosim.training.result import TrainingResult


def for_result(result: Any) -> dict[str, Callable[[], Figure]]:
    """Return the pictures of an analysis result: name of the file, without suffix, to what draws it.

    A result that has a method `charts` says itself what is drawn. One that draws nothing gives an empty
    mapping.
    """
    if hasattr(result, "charts"):
        return {picture.name: partial(draw, picture) for picture in result.charts()}
    if hasattr(result, "rules"):
        training = cast("TrainingResult", result)
        pictures: dict[str, Callable[[], Figure]] = {"learning": lambda: learning_curves(training)}
        if any(outcome.aligned for outcome in training.rules):
            pictures["alignment"] = lambda: alignment_angles(training)
        for weights in training.weights:
            title = f"{training.name}: {weights.name}"
            pictures[f"weights_{_file_name(weights.name)}"] = partial(weight_error_map, weights, title=title)
        return pictures
    if hasattr(result, "eyes"):
        return for_transient(result)
    if hasattr(result, "channels"):
        return {"spectrum": lambda: for_spectrum(result)}
    return {}


def _file_name(text: str) -> str:
    """Return a name for people as a part of a file name."""
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")
