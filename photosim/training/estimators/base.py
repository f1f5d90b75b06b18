"""What classifier and regressor share: standardised inputs, one training run or more."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from photosim.errors import ParameterError
from photosim.training.architecture import build_network, is_layer
from photosim.training.arrays import FloatArray, TargetArray
from photosim.training.checkpoint import State
from photosim.training.data.datasets import Dataset, Samples
from photosim.training.devices import Device, Digital
from photosim.training.estimators.parameters import EstimatorParameters
from photosim.training.estimators.recipe import (
    drawn_seed,
    is_name,
    needs_of,
    own_rule,
    schedule_of,
    solver_of,
)
from photosim.training.estimators.samples import read_samples
from photosim.training.hardware.found import Settings
from photosim.training.hardware.use import Uses, used
from photosim.training.history import History
from photosim.training.layers import Network, Parameters
from photosim.training.loss_names import objective
from photosim.training.optimisers import Optimiser
from photosim.training.rules.catalogue import (
    check_network,
    draw_feedback,
    make_rule,
)
from photosim.training.trained import Scale, TrainedNetwork
from photosim.training.trainer import Schedule, Streams, begin, fit


@dataclass
class Session:
    """A training that may go on: what is trained, how, and its state.

    plain: the network without hardware, by which a changed one is known.
    """

    network: Network
    plain: Network
    rule: Any
    optimiser: Optimiser
    streams: Streams
    state: State
    dtype: Any


class PhotonicEstimator(EstimatorParameters):
    """What classifier and regressor share: standardised inputs, one training run or more."""

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
        seed = drawn_seed(self.random_state)
        streams = Streams.tree(seed, 1)[0]
        self.scale_ = StandardScaler().fit(x, sample_weight=weights)
        plain = self._network(x.shape[1], outputs)
        uses = self._uses(plain, streams)
        network = plain if uses is None else uses.network
        if is_name(self.rule):
            check_network(self.rule, network)
        if is_name(self.rule):
            self.feedback_ = self._devices(network, uses, streams)
            rng = np.random.default_rng(streams.feedback)
            rule = make_rule(self.rule, network, self.feedback_, rng, self.threshold, self.step, self.repeats)
        else:
            rule = own_rule(self.rule)
            self.feedback_ = tuple(getattr(rule, "feedback", ()))
        widths = [block.outputs for block in network.hidden] or [outputs]
        schedule = schedule_of(self.schedule, self.max_iter, widths[-1])
        optimiser = solver_of(self.solver, self.learning_rate_init, self.momentum, schedule)
        dtype = np.float64 if self.precision == "double" else np.float32
        return Session(
            network, plain, rule, optimiser, streams, begin(network, optimiser, streams, dtype), dtype
        )

    def _check_same(self, session: Session, inputs: int, outputs: int) -> None:
        """Raise ParameterError where a training that goes on is given a network of other layers."""
        layers = session.network.layers
        if (layers[0].inputs, layers[-1].outputs) != (inputs, outputs):
            message = (
                f"warm_start continues with a network of {layers[0].inputs} inputs and {layers[-1].outputs} "
                f"outputs, but these need {inputs} and {outputs}: set warm_start to False to start anew."
            )
            raise ParameterError(message)
        if self._network(inputs, outputs) != session.plain:
            message = (
                "warm_start continues with the network of the last fit, but hidden_layer_sizes, activation, "
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

    def _uses(self, network: Network, streams: Streams) -> Uses | None:
        """Return the network through hardware and what that does there; None without hardware."""
        if self.hardware is None:
            self.uses_: tuple[dict[str, Any], ...] = tuple(
                {"layer": k, "use": "none"} for k in range(1, len(network.blocks) + 1)
            )
            return None
        name = repr(self.rule) if is_name(self.rule) else type(self.rule).__name__
        settings = Settings(self.device, self.noise)
        found = used(network, self.hardware, needs_of(self.rule), name, self.use, settings, streams.noise)
        self.uses_ = found.records()
        return found

    def _devices(self, network: Network, uses: Uses | None, streams: Streams) -> tuple[Device, ...]:
        """Return what holds the rule's feedback: the hardware, or exact matrices."""
        rng = np.random.default_rng(streams.feedback)
        matrices = draw_feedback(self.rule, network, self.feedback, rng)
        if uses is None:
            return tuple(Digital(matrix) for matrix in matrices)
        return uses.feedback(matrices, ternary=self.rule == "ternary-dfa")

    def _trained(self, network: Network, parameters: list[Parameters]) -> TrainedNetwork:
        """Return the network as it stands now, with the units of samples and targets."""
        raise NotImplementedError

    def _inputs(self) -> Scale:
        return Scale(np.array(self.scale_.mean_), np.array(self.scale_.scale_))

    def _outputs(self, X: Any) -> FloatArray:
        """Return the network's outputs for X, in double precision so that no sample depends on its batch."""
        check_is_fitted(self)
        x = read_samples(self, X, dtype=np.float64, reset=False)
        return self.network_.outputs(x)
