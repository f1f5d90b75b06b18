"""Any circuit is hardware of a network's layers, forwards, backwards or both."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

import photosim as ps
from photosim.circuit import Circuit
from photosim.errors import ParameterError
from photosim.training.devices import Device, Mesh, MeshErrors, Readout, TiledMesh, WeightBank, mesh_chip
from photosim.training.devices.device import Energy
from photosim.training.estimators import PhotonicClassifier
from photosim.training.hardware import with_hardware
from photosim.training.job import train
from photosim.training.layers import Convolution, Network, dense_network
from photosim.training.layers.circuit import CircuitLayer
from photosim.training.layers.held import HeldDense
from photosim.training.losses import CLASSIFICATION
from photosim.training.passes import run
from photosim.training.rules import Backprop
from photosim.training.trained import TrainedNetwork

RNG = np.random.default_rng(0)
X, Y = load_digits(return_X_y=True)
X, Y = X[:300], Y[:300]
PLAIN = dense_network((16, 6, 3))
PARAMETERS = PLAIN.initial(np.random.default_rng(1))
SAMPLES, LABELS = RNG.standard_normal((9, 16)), RNG.integers(0, 3, 9)


def classifier(**options: Any) -> PhotonicClassifier:
    settings: dict[str, Any] = {
        "hidden_layer_sizes": (12,),
        "max_iter": 3,
        "learning_rate_init": 0.02,
        "random_state": 0,
    }
    return PhotonicClassifier(**settings | options)


class Scaled:
    """A device of one's own, its members those of the protocol: every product comes out a little small."""

    def __init__(self, weights: Any = None, factor: float = 0.9) -> None:
        self.weights, self.factor = weights, factor
        self.counters: Counter[str] = Counter()

    def program(self, weights: Any) -> Scaled:  # noqa: D102
        return Scaled(np.array(weights), self.factor)

    def matrix(self) -> Any:  # noqa: D102
        return self.factor * self.weights

    def apply(self, x: Any, gain: Any = None) -> Any:  # noqa: D102
        self.counters["samples"] += len(x)
        product = x @ self.matrix().T
        return product if gain is None else gain * product

    def energy(self) -> Energy:  # noqa: D102
        return Energy(samples=self.counters["samples"])


def test_exact_hardware_gives_the_computers_gradient() -> None:
    exact = run(PLAIN, PARAMETERS, SAMPLES, LABELS)[0]
    for use in ("forward", "backward", "both", "auto"):
        uses = with_hardware(PLAIN, "clements_4x4", use=use)
        held = run(uses.network, PARAMETERS, SAMPLES, LABELS)[0]
        for one, other in zip(Backprop().updates(held), Backprop().updates(exact), strict=True):
            assert one is not None
            assert other is not None
            for name, value in other.items():
                np.testing.assert_allclose(one[name], value, atol=1e-12)
    kinds = [type(layer) for layer in with_hardware(PLAIN, "clements_4x4", use="backward").network.layers]
    assert [kind is HeldDense for kind in kinds] == [False, True]  # nothing goes back past the first layer


@pytest.mark.parametrize("use", ["forward", "backward", "both"])
def test_ways_meet_the_hardware_they_name(use: str) -> None:
    uses = with_hardware(PLAIN, Scaled(), use=use)
    exact = run(PLAIN, PARAMETERS, SAMPLES, LABELS)[0]
    held = run(uses.network, PARAMETERS, SAMPLES, LABELS)[0]
    outputs = held.traces[-1].outputs - PARAMETERS[-1]["bias"]
    hidden = held.traces[0].outputs @ PARAMETERS[-1]["weights"].T
    np.testing.assert_allclose(outputs, (1.0 if use == "backward" else 0.9) * hidden, atol=1e-12)
    back = held.back(uses.network.blocks[-1], exact.error)
    expected = exact.error @ PARAMETERS[-1]["weights"]
    np.testing.assert_allclose(back, (1.0 if use == "forward" else 0.9) * expected, atol=1e-12)
    assert uses.records()[-1] == {
        "layer": 2,
        "use": use,
        "hardware": "Scaled",
        "kind": "device",
        **({"forward": "weights programmed"} if use != "backward" else {}),
        **({"backward": "errors through the weights that it holds"} if use != "forward" else {}),
    }


def test_errors_of_a_mesh_are_the_same_both_ways() -> None:
    tiles = TiledMesh.from_circuit(mesh_chip("svd_mesh", 4), "mesh", MeshErrors(coupling=0.05))
    network = with_hardware(PLAIN, tiles, use="both").network
    layer: Any = network.layers[-1]
    held = layer.device(PARAMETERS[-1]["weights"]).matrix()
    assert np.abs(held - PARAMETERS[-1]["weights"]).max() > 1e-3
    found = run(network, PARAMETERS, SAMPLES, LABELS)[0]
    back = found.back(network.blocks[-1], found.error)
    np.testing.assert_allclose(back, found.error @ held, atol=1e-12)


def test_one_hardware_for_each_layer(circuit: Circuit) -> None:
    bank = WeightBank.from_circuit(circuit, "bank")
    network = dense_network((16, 6, 5, 3))
    uses = with_hardware(network, [None, "clements_4x4", bank], use="forward")
    kinds = [getattr(layer, "hardware", None) for layer in uses.network.layers]
    assert [type(kind).__name__ for kind in kinds] == ["NoneType", "TiledMesh", "WeightBank"]
    assert [record["use"] for record in uses.records()] == ["none", "forward", "forward"]
    assert uses.records()[1]["forward"] == "weights programmed, 4 tiles of 4 x 4"
    for wrong, sentence in (
        (["clements_4x4"], "lists 1 devices, but the network has 3 layers that learn"),
        ([None, None, None], "would not be used"),
    ):
        with pytest.raises(ParameterError, match=sentence):
            with_hardware(network, wrong)


def test_any_circuit_is_trained_through_its_settings() -> None:
    device = Device.from_circuit(ps.load("clements_4x4"), reading="power")
    uses = with_hardware(PLAIN, device)
    assert [type(layer) for layer in uses.network.layers] == [CircuitLayer, CircuitLayer]
    assert uses.records()[0]["forward"] == "settings trained, 8 tiles of 4 x 4"
    parameters = uses.network.initial(np.random.default_rng(0))
    forward = run(uses.network, parameters, SAMPLES, LABELS)[0]
    updates = Backprop().updates(forward)
    step = 1e-6
    for layer, name, place in (
        (0, "b11.inner.phase", 3),
        (1, "end1.phase", 1),
        (0, "gain", 0),
        (1, "bias", 2),
    ):
        losses = []
        for side in (step, -step):
            moved = [{key: value.copy() for key, value in own.items()} for own in parameters]
            moved[layer][name][place] += side
            losses.append(run(uses.network, moved, SAMPLES, LABELS)[1])
        own = updates[layer]
        assert own is not None
        assert own[name][place] == pytest.approx((losses[0] - losses[1]) / (2 * step), abs=1e-8)


@pytest.mark.parametrize(
    ("options", "use"),
    [
        ({"hardware": "clements_4x4"}, ["both", "forward"]),
        ({"hardware": "clements_4x4", "rule": "backprop"}, ["forward", "both"]),
        ({"hardware": "clements_4x4", "rule": "spsa", "repeats": 1}, ["forward", "forward"]),
        ({"hardware": "opu"}, ["backward", "none"]),
        ({"hardware": "opu", "rule": "ternary-dfa", "noise": "physical"}, ["backward", "none"]),
        ({"hardware": "opu", "rule": "pepita"}, ["backward", "none"]),
        ({"hardware": mesh_chip("svd_mesh", 3), "rule": "two-pass"}, ["both", "forward"]),
        ({"hardware": Mesh, "use": "forward"}, ["forward", "forward"]),
        ({"hardware": [None, Scaled()], "use": "forward"}, ["none", "forward"]),
    ],
)
def test_estimators_say_what_hardware_did(options: dict[str, Any], use: list[str]) -> None:
    if options["hardware"] is Mesh:  # made here: every process collects the table above
        options = options | {"hardware": Mesh.from_circuit(ps.load("clements_4x4"))}
    fitted = classifier(max_iter=1, **options).fit(X, Y)
    assert [record["use"] for record in fitted.uses_] == use
    assert [record["layer"] for record in fitted.uses_] == [1, 2]
    assert np.isfinite(fitted.predict_proba(X)).all()
    clone(fitted)


def test_hardware_that_is_exact_learns_as_a_computer_does() -> None:
    exact = classifier(precision="double").fit(X, Y)
    held = classifier(precision="double", hardware="clements_4x4").fit(X, Y)
    np.testing.assert_allclose(held.predict_proba(X), exact.predict_proba(X), atol=1e-6)
    layer: Any = held.network_.layers[0]
    assert layer.counters["programmings"] == 3 * 10 + 1
    assert exact.uses_ == ({"layer": 1, "use": "none"}, {"layer": 2, "use": "none"})


def test_a_worse_netlist_learns_worse() -> None:
    scores = []
    for settings in ({}, {"coupling": 0.35, "loss_dB": 0.5}):
        chip = mesh_chip("clements_mesh", 8, **settings)
        scores.append(
            classifier(hardware=chip, rule="dfa", use="forward", max_iter=4).fit(X, Y).loss_curve_[-1]
        )
    assert scores[1] > 1.2 * scores[0]


def test_networks_through_hardware_have_a_file(tmp_path: Path, circuit: Circuit) -> None:
    for hardware in ("clements_4x4", Device.from_circuit(ps.load("clements_4x4")), circuit):
        fitted = classifier(hardware=hardware, use="forward", max_iter=1).fit(X, Y)
        path = fitted.network_.save(tmp_path / "network.npz")
        np.testing.assert_array_equal(TrainedNetwork.load(path).outputs(X), fitted.network_.outputs(X))


def test_noise_reaches_both_ways(circuit: Circuit) -> None:
    fitted = classifier(hardware=circuit, noise="physical", rule="dfa", max_iter=1).fit(X[:60], Y[:60])
    layer: Any = fitted.network_.layers[0]
    assert layer.hardware.noise == "physical"
    assert vars(fitted.feedback_[0])["noise"] == "physical"
    assert np.any(fitted.network_.outputs(X[:5]) != fitted.network_.outputs(X[:5]))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"hardware": 3}, "hardware must be a netlist's name or path, a Circuit, a chip, a device with"),
        ({"hardware": "clement_4x4"}, "hardware='clement_4x4' is not a netlist that can be read"),
        (
            {"hardware": "clements_4x4", "use": "forwards"},
            "'use' must be auto, forward, backward or both.*Did you mean 'forward'",
        ),
        ({"use": "forward"}, "use belongs to hardware, which is None"),
        (
            {"hardware": "opu", "use": "forward"},
            "'opu' cannot hold weights, since its matrix is the one that",
        ),
        ({"hardware": "opu", "rule": "backprop"}, "which 'opu' cannot hold: take a rule with fixed feedback"),
        ({"hardware": "clements_4x4", "rule": "frozen", "use": "both"}, "'frozen' has no feedback"),
        ({"hardware": "opu", "rule": "frozen"}, "hardware would not be used"),
        ({"hardware": "clements_4x4", "noise": "physical"}, "a mesh between ports has no detectors"),
        ({"hardware": "crow"}, "'crow' has no setting to turn"),
        ({"hardware": ["opu"]}, "lists 1 devices, but the network has 2 layers"),
        ({"hardware": Scaled}, "hardware must be a netlist's name or path"),
        ({"hardware": "clements_4x4", "device": "b00"}, "'b00' is not a weight bank"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as error:
        classifier(**options).fit(X, Y)
    assert isinstance(error.value, ParameterError)


def test_only_dense_layers_are_held() -> None:
    layers = ({"layer": "convolution", "channels": 2, "kernel": 3},)
    fitted = classifier(
        hidden_layer_sizes=layers, image_shape=(1, 8, 8), hardware="clements_4x4", rule="backprop", max_iter=1
    ).fit(X, Y)
    assert isinstance(fitted.network_.layers[0], Convolution)
    assert [record["use"] for record in fitted.uses_] == ["none", "both"]
    with pytest.raises(ParameterError, match="of the kind Convolution: only dense layers can be in hardware"):
        clone(fitted).set_params(hardware=["clements_4x4", None]).fit(X, Y)


TRAIN: dict[str, Any] = {
    "kind": "train", "name": "digits", "data": "digits", "network": [64, 10, 10], "seeds": 1, "epochs": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("netlist", "options", "use"),
    [
        ("clements_4x4", {"rules": ["dfa"], "use": "both"}, ["both", "forward"]),
        ("clements_4x4", {"rules": ["dfa-device"], "device": "clements_4x4"}, ["backward", "none"]),
        ("opu", {"rules": ["dfa-device-noise"], "device": "camera"}, ["backward", "none"]),
        ("opu", {"rules": ["backprop"], "hardware": "clements_4x4"}, ["forward", "both"]),
        ("opu", {"rules": ["dfa"], "hardware": ["opu", "clements_4x4"]}, ["backward", "forward"]),
    ],
    ids=str,
)
def test_analyses_use_any_hardware(netlist: str, options: dict[str, Any], use: list[str]) -> None:
    result = train(ps.load(netlist), TRAIN | options)
    (outcome,) = result.rules
    assert [own["use"] for own in outcome.uses] == use
    assert result.numbers()["rules"][outcome.rule]["uses"][0]["layer"] == 1
    assert outcome.counters["samples"] > 0
    shown = any("what hardware did" in table.title for table in result.tables())
    assert shown != outcome.rule.startswith("dfa-device")
    assert outcome.loss[0, -1] < outcome.loss[0, 0]


def test_analyses_refuse_in_a_sentence() -> None:
    for options, sentence in (
        (
            {"rules": ["dfa-device"]},
            "needs `device`, the name of a weight bank's, mesh's or camera's instance",
        ),
        ({"rules": ["dfa"], "use": "sideways"}, "use"),
        ({"rules": ["dfa"], "hardware": 5}, "hardware must be a netlist's name or path"),
        ({"rules": ["backprop"], "use": "auto"}, "which 'opu' cannot hold"),
    ):
        with pytest.raises(ParameterError, match=sentence):
            train(ps.load("opu"), TRAIN | options)


def test_a_killed_run_with_noisy_layers_goes_on_bit_for_bit(tmp_path: Path, circuit: Circuit) -> None:
    from photosim.training.data.datasets import split
    from photosim.training.optimisers import Adam
    from photosim.training.trainer import Schedule, Streams, fit

    data = split("few", X[:, :16], Y)
    plain = dense_network((16, 4, data.classes))

    def trained(epochs: int, checkpoint: Path | None) -> list[Any]:
        network = with_hardware(plain, circuit, noise="physical").network
        streams = Streams.tree(0, 1)[0]
        schedule = Schedule(epochs, 60, checkpoint=checkpoint)
        return fit(network, Backprop(), Adam(0.01), data, schedule, streams).parameters

    whole = trained(3, None)
    file = tmp_path / "run.checkpoint.npz"
    trained(1, file)
    for one, other in zip(trained(3, file), whole, strict=True):
        for name, value in other.items():
            np.testing.assert_array_equal(one[name], value)


def test_readings_of_tiles_are_noisy_both_ways() -> None:
    tiles = TiledMesh.from_circuit(ps.load("clements_4x4"), readout=Readout(noise=0.01))
    network: Network = with_hardware(PLAIN, tiles, use="both").network
    found = run(network, PARAMETERS, SAMPLES, LABELS, CLASSIFICATION)[0]
    back = found.back(network.blocks[-1], found.error)
    expected = found.error @ PARAMETERS[-1]["weights"]
    assert 1e-4 < np.std(back - expected) < 0.1 * np.std(expected)


@pytest.mark.parametrize(
    ("behind", "kind"), [("ring_activation", "circuit"), ("attenuator", "circuit"), (None, "mesh")]
)
def test_a_mesh_among_other_parts_is_not_all_of_a_circuit(behind: str | None, kind: str) -> None:
    written: dict[str, Any] = {
        "instances": {"mesh": {"component": "clements_mesh", "settings": {"n": 2}}},
        "ports": {"in0": "mesh,in0", "in1": "mesh,in1", "out0": "mesh,out0", "out1": "mesh,out1"},
    }
    if behind is not None:
        written["instances"]["other"] = behind
        written["connections"] = {"mesh,out1": "other,o1"}
        written["ports"]["out1"] = "other,o2"
    circuit = Circuit(written)
    assert with_hardware(dense_network((4, 4, 2)), circuit).records()[0]["kind"] == kind
    named = with_hardware(dense_network((4, 4, 2)), circuit, device="mesh").records()[0]
    assert named["kind"] == "mesh"
