"""Parameters of classifier and regressor, and what they may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field
from sklearn.base import BaseEstimator

from photosim.errors import ParameterError, listing
from photosim.netlist.forms import INTEGRAL
from photosim.netlist.mappings import read
from photosim.training.architecture import is_layer
from photosim.training.estimators.recipe import keywords_only, needs_of
from photosim.training.loss_names import objective

_Whole = Annotated[int, Field(ge=1), INTEGRAL]
_Fraction = Annotated[float, Field(ge=0, le=0.999)]


@dataclass(frozen=True)
class _Bounds:
    """Bounds of the parameters that nothing else checks."""

    max_iter: _Whole
    batch_size: _Whole
    n_iter_no_change: _Whole
    early_stopping: bool
    warm_start: bool
    verbose: Annotated[int, Field(ge=0), INTEGRAL] | bool
    dropout: _Fraction
    learning_rate_init: Annotated[float, Field(ge=1e-12, le=1e6)]
    feedback: Annotated[float, Field(ge=1e-9, le=1e9)]
    validation_fraction: _Fraction
    precision: Literal["single", "double"]
    use: Literal["auto", "forward", "backward", "both"]
    noise: Literal["physical", "measured"] | None


class EstimatorParameters(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Parameters by name, as scikit-learn keeps them, and their check when training begins."""

    _classes = True
    """Whether targets are classes."""

    @keywords_only
    def __init__(  # noqa: PLR0913 - scikit-learn reads an estimator's parameters off this signature
        self,
        *,
        hardware: Any = None,
        use: str = "auto",
        device: str | None = None,
        noise: str | None = None,
        rule: Any = "dfa",
        loss: Any = None,
        hidden_layer_sizes: Any = (64,),
        activation: str = "tanh",
        dropout: float = 0.0,
        image_shape: tuple[int, int, int] | None = None,
        solver: Any = "adam",
        momentum: float = 0.9,
        learning_rate_init: float = 0.005,
        schedule: Any = None,
        batch_size: int = 32,
        max_iter: int = 100,
        early_stopping: bool = False,
        n_iter_no_change: int = 10,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        verbose: int = 0,
        feedback: float = 1.0,
        threshold: float = 0.25,
        step: float | None = None,
        repeats: int | None = None,
        precision: str = "single",
        random_state: Any = None,
    ) -> None:
        self.hardware = hardware
        self.use = use
        self.device = device
        self.noise = noise
        self.rule = rule
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.image_shape = image_shape
        self.solver = solver
        self.momentum = momentum
        self.learning_rate_init = learning_rate_init
        self.schedule = schedule
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.n_iter_no_change = n_iter_no_change
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.verbose = verbose
        self.feedback = feedback
        self.threshold = threshold
        self.step = step
        self.repeats = repeats
        self.precision = precision
        self.random_state = random_state

    def _check(self) -> None:
        """Raise ParameterError for parameters that contradict each other, or that nothing else refuses."""
        title = type(self).__name__
        read(
            _Bounds,
            {item.name: getattr(self, item.name) for item in fields(_Bounds)},
            title,
            noun="parameter",
        )
        for layer in self._hidden_layers():
            if not isinstance(layer, Mapping) and not is_layer(layer):
                read(_Whole, layer, f"{title}: a width in hidden_layer_sizes")
        objective(self.loss, classes=self._classes)
        needs_of(self.rule)
        given = [name for name in ("noise", "device") if getattr(self, name) is not None]
        given += ["use"] if self.use != "auto" else []
        if self.hardware is None and given:
            message = (
                f"{listing(given)} {'belongs' if len(given) == 1 else 'belong'} to hardware, which is None: "
                "give a netlist, a Circuit or a device."
            )
            raise ParameterError(message)

    def _hidden_layers(self) -> Sequence[Any]:
        """Return the hidden layers; one width alone means one layer, as for scikit-learn's MLPClassifier."""
        sizes = self.hidden_layer_sizes
        if is_layer(sizes) or isinstance(sizes, Mapping):
            return (sizes,)
        if isinstance(sizes, tuple | list):
            return sizes
        return tuple(sizes.tolist()) if isinstance(sizes, np.ndarray) and sizes.ndim == 1 else (sizes,)
