"""Which pictures a result has: one line for each kind of result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from photosim.arguments import public
from photosim.plotting.budgets import for_budget
from photosim.plotting.charts import for_charts
from photosim.plotting.designs import for_optimise
from photosim.plotting.fits import for_fit
from photosim.plotting.responses import for_response
from photosim.plotting.signals import for_transient
from photosim.plotting.spectra import for_spectrum
from photosim.plotting.streams import for_stream
from photosim.plotting.sweeps import for_sweep
from photosim.plotting.training import for_training
from photosim.plotting.transceivers import figures
from photosim.plotting.yields import for_yield

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OF: Mapping[str, Callable[[Any], Mapping[str, Callable[[], Figure]]]] = {
    "SpectrumResult": lambda result: {"spectrum": lambda: for_spectrum(result)},
    "SweepResult": for_sweep,
    "YieldResult": for_yield,
    "FitResult": for_fit,
    "DesignResult": for_optimise,
    "BudgetResult": for_budget,
    "ResponseResult": for_response,
    "TransientResult": for_transient,
    "StreamResult": for_stream,
    "TrainingResult": for_training,
    "Figures": lambda result: {"figures": lambda: figures(result)},
    "ConstellationFigures": lambda result: {"figures": lambda: figures(result)},
}


@public
def pictures_of(result: Any) -> Mapping[str, Callable[[], Figure]]:
    """Return the functions that draw the pictures of a result, by name; empty if it has none."""
    found = _OF.get(type(result).__name__)
    if found is not None:
        return found(result)
    return for_charts(result) if hasattr(result, "charts") else {}
