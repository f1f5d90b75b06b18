"""What classifier and regressor share: parameters, standardised inputs, one training run or more."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from photosim.errors import ParameterError, listing
from photosim.netlist.forms import INTEGRAL
from photosim.netlist.mappings import read
from photosim.training.architecture import build_network, is_layer
from photosim.training.arrays import FloatArray, TargetArray
from photosim.training.checkpoint import State
from photosim.training.data.datasets import Dataset, Samples
from photosim.training.devices import Device, Digital, WeightBank
from photosim.training.devices.bank.circuit import only_bank
from photosim.training.estimators.recipe import (
    is_name,
    keywords_only,
    needs_of,
    own_rule,
    schedule_of,
    solver_of,
)
from photosim.training.layers import Network, Parameters
from photosim.training.loss_names import objective
from photosim.training.optimisers import Optimiser
from photosim.training.rules.catalogue import (
    HELD_BY_DEVICES,
    check_network,
    draw_feedback,
    make_rule,
    rules_that_need,
)
from photosim.training.sklearn_versions import validate_data
from photosim.training.trained import Scale, TrainedNetwork
from photosim.training.trainer import History, Schedule, Streams, begin, fit

if TYPE_CHECKING:
    from photosim.circuit import Circuit

LARGEST_SEED = 2**31 - 1
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
    noise: Literal["physical", "measured"] | None


@dataclass
class Session:
    """A training that may go on: what is trained, how, and its state."""

    network: Network
    rule: Any
    optimiser: Optimiser
    streams: Streams
    state: State
    dtype: Any


class PhotonicEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What classifier and regressor share: parameters, standardised inputs, one training run or more."""

    _classes = True
    """Whether targets are classes."""

    @keywords_only
    def __init__(  # noqa: PLR0913 - scikit-learn reads an estimator's parameters off this signature
        self,
        *,
        hardware: str | os.PathLike[str] | Circuit | None = None,
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

    def _train(
        self,
        x: FloatArray,
        y: TargetArray,
        outputs: int,
        weights: FloatArray | None,
        *,
        partial: bool = False,
    ) -> Self:
        """Train on x (samples, features) in their own units and y as the loss wants it; one epoch if partial.

        weights: how often each sample is met in an epoch; None for once.
        """
        from threadpoolctl import threadpool_limits

        going = self._session if self._goes_on(partial=partial) else None
        self._check()
        session = going or self._begin(x, outputs, weights)
        self._check_same(session, x.shape[1], outputs)
        if partial and going is not None:
            self.scale_.partial_fit(x, sample_weight=weights)
        session.state.metrics = session.state.metrics if partial else []
        data = self._dataset(self.scale_.transform(x), y, outputs, session.streams, weights)
        schedule = Schedule(
            session.state.epoch + 1 if partial else self.max_iter,
            self.batch_size,
            session.dtype,
            patience=self.n_iter_no_change if self.early_stopping and not partial else None,
        )
        # Matrices this small lose more by sharing among threads than they gain.
        with threadpool_limits(1):
            history: History = fit(
                session.network,
                session.rule,
                session.optimiser,
                data,
                schedule,
                session.streams,
                lambda epoch: self._say(epoch, schedule.epochs, session.state.metrics[-1]),
                objective(self.loss, classes=self._classes),
                session.state,
            )
        self._keep(session, history, partial=partial, going=going is not None)
        return self

    def _goes_on(self, *, partial: bool) -> bool:
        return hasattr(self, "_session") and (partial or bool(self.warm_start))

    def _begin(self, x: FloatArray, outputs: int, weights: FloatArray | None) -> Session:
        """Return a training before its first epoch, samples standardised by those seen first."""
        seed = int(check_random_state(self.random_state).randint(LARGEST_SEED))
        streams = Streams.tree(seed, 1)[0]
        self.scale_ = StandardScaler().fit(x, sample_weight=weights)
        network = self._network(x.shape[1], outputs)
        if is_name(self.rule):
            check_network(self.rule, network)
            self.feedback_ = self._devices(network, streams)
            rng = np.random.default_rng(streams.feedback)
            rule = make_rule(self.rule, network, self.feedback_, rng, self.threshold, self.step, self.repeats)
        else:
            rule = own_rule(self.rule)
            self.feedback_ = tuple(getattr(rule, "feedback", ()))
        widths = [block.outputs for block in network.hidden] or [outputs]
        schedule = schedule_of(self.schedule, self.max_iter, widths[-1])
        optimiser = solver_of(self.solver, self.learning_rate_init, self.momentum, schedule)
        dtype = np.float64 if self.precision == "double" else np.float32
        return Session(network, rule, optimiser, streams, begin(network, optimiser, streams, dtype), dtype)

    def _check_same(self, session: Session, inputs: int, outputs: int) -> None:
        """Raise ParameterError where a training that goes on is given a network of other layers."""
        layers = session.network.layers
        if (layers[0].inputs, layers[-1].outputs) != (inputs, outputs):
            message = (
                f"This training goes on with a network of {layers[0].inputs} inputs and {layers[-1].outputs} "
                f"outputs, but these need {inputs} and {outputs}: set warm_start to False to start anew."
            )
            raise ParameterError(message)
        if self._network(inputs, outputs) != session.network:
            message = (
                "This training goes on with the network it began with, but hidden_layer_sizes, activation, "
                "dropout or image_shape have changed: set warm_start to False to start anew."
            )
            raise ParameterError(message)

    def _keep(self, session: Session, history: History, *, partial: bool, going: bool) -> None:
        """Set the attributes that a training leaves."""
        self._session = session
        self.parameters_: list[Parameters] = [
            {name: value.astype(np.result_type(value, np.float64)) for name, value in own.items()}
            for own in history.parameters
        ]
        self.network_ = self._trained(session.network, self.parameters_)
        session.state.groups["parameters"] = [
            {name: value.copy() for name, value in own.items()} for own in history.parameters
        ]
        curves = {"loss_curve_": history.loss, "validation_scores_": history.validation}
        for name, values in curves.items():
            before = getattr(self, name) if going and not partial else values[:0]
            setattr(self, name, np.append(before, values))
        self.n_outputs_ = session.network.layers[-1].outputs
        self.n_iter_ = len(vars(self)["loss_curve_"])
        self.rule_ = session.rule
        self.counters_: dict[str, int] = dict(getattr(session.rule, "counters", {}))

    def _say(self, epoch: int, epochs: int, row: list[float]) -> None:
        """Write a line on the epoch if `verbose` asks for one."""
        every = int(self.verbose)
        if every and (epoch % every == 0 or epoch == epochs):
            held = f", validation {row[1]:.4f}" if np.isfinite(row[1]) else ""
            sys.stdout.write(f"{type(self).__name__}: epoch {epoch} of {epochs}, loss {row[2]:.4f}{held}\n")
            sys.stdout.flush()

    def _check(self) -> None:
        """Raise ParameterError for parameters that contradict each other, or that nothing else refuses."""
        needed = needs_of(self.rule)
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
        if self.hardware is None and (self.noise is not None or self.device is not None):
            message = "noise and device belong to hardware, which is None: give a netlist or a Circuit."
            raise ParameterError(message)
        if self.hardware is not None and not is_name(self.rule):
            message = (
                f"The rule {type(self.rule).__name__} is an object and has its own feedback devices: leave "
                "hardware out, or give the rule by name."
            )
            raise ParameterError(message)
        if self.hardware is not None and not needed & HELD_BY_DEVICES:
            message = (
                f"The rule {self.rule!r} has no feedback that hardware could carry; "
                f"these have: {listing(rules_that_need(*HELD_BY_DEVICES))}."
            )
            raise ParameterError(message)

    def _network(self, inputs: int, outputs: int) -> Network:
        shape = self.image_shape
        entries: list[Any] = [inputs if shape is None else shape]
        for layer in self._hidden_layers():
            other = isinstance(layer, Mapping) or is_layer(layer)
            entries.append(layer if other else int(layer))
            if self.dropout and not other:
                entries.append({"layer": "dropout", "share": self.dropout})
        network = build_network([*entries, outputs], self.activation, type(self).__name__)
        pixels = network.layers[0].inputs
        if pixels != inputs:
            what = f"image_shape {shape!r} means" if shape is not None else "the first layer takes"
            message = f"{what} {pixels} pixels, but the samples have {inputs} features."
            raise ParameterError(message if shape is not None else message.replace("pixels", "features"))
        return network

    def _hidden_layers(self) -> Sequence[Any]:
        """Return the hidden layers; one width alone means one layer, as for scikit-learn's MLPClassifier."""
        sizes = self.hidden_layer_sizes
        if is_layer(sizes) or isinstance(sizes, Mapping):
            return (sizes,)
        return sizes if isinstance(sizes, tuple | list) else tuple(np.atleast_1d(sizes))

    def _dataset(
        self, x: FloatArray, y: TargetArray, outputs: int, streams: Streams, weights: FloatArray | None
    ) -> Dataset:
        """Hold out samples if something is to be watched; there is no test part."""
        order = np.arange(len(x))
        held = 0
        if self.early_stopping:
            # Two at the least: R2 of one sample does not exist.
            if self.validation_fraction == 0.0:
                message = "early_stopping holds samples out: validation_fraction must be above 0, got 0."
                raise ParameterError(message)
            held = max(2, round(self.validation_fraction * len(x)))
            fresh = np.random.SeedSequence(streams.order.entropy, spawn_key=(*streams.order.spawn_key, 0))
            order = np.random.default_rng(fresh).permutation(len(x))
        if held >= len(x):
            message = f"{len(x)} samples leave none to learn from when {held} are held out to stop early."
            raise ParameterError(message)
        train, watched, nothing = (
            Samples(x[rows], y[rows]) for rows in (order[held:], order[:held], order[:0])
        )
        if weights is not None:
            train = Samples(train.x, train.y, weights[order[held:]])
        return Dataset(type(self).__name__, train, watched, nothing, outputs)

    def _devices(self, network: Network, streams: Streams) -> tuple[Device, ...]:
        """Return what holds the rule's feedback: banks of the hardware, or exact matrices."""
        rng = np.random.default_rng(streams.feedback)
        matrices = draw_feedback(self.rule, network, self.feedback, rng)
        if self.hardware is None:
            return tuple(Digital(matrix) for matrix in matrices)
        circuit = _circuit(self.hardware)
        bank = WeightBank.from_circuit(circuit, self.device or only_bank(circuit))
        noise: Any = self.noise
        return tuple(
            own.with_noise(noise, np.random.default_rng(child))
            for own, child in zip(bank.program_all(matrices), streams.noise.spawn(len(matrices)), strict=True)
        )

    def _trained(self, network: Network, parameters: list[Parameters]) -> TrainedNetwork:
        """Return the network as it stands now, with the units of samples and targets."""
        raise NotImplementedError

    def _inputs(self) -> Scale:
        return Scale(np.array(self.scale_.mean_), np.array(self.scale_.scale_))

    def _outputs(self, X: Any) -> FloatArray:
        """Return the network's outputs for X, in double precision so that no sample depends on its batch."""
        check_is_fitted(self)
        x = validate_data(self, X, dtype=np.float64, reset=False)
        return self.network_.outputs(x)


def _circuit(hardware: Any) -> Circuit:
    from photosim.circuit import Circuit, load

    if not isinstance(hardware, str | os.PathLike | Circuit):
        message = f"hardware must be a netlist's file or name, or a Circuit, got {hardware!r}."
        raise ParameterError(message)
    return hardware if isinstance(hardware, Circuit) else load(Path(hardware))
