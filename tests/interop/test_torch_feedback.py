"""Direct feedback in PyTorch, against the rules of the training room on networks of the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError
from photosim.training.devices import Digital, Projection, ScatteringMedium
from photosim.training.layers import dense_network
from photosim.training.layers.transformer import macro_ends, micro_ends
from photosim.training.layers.transformer import transformer as rows_of_layers
from photosim.training.losses import CLASSIFICATION, TOKENS
from photosim.training.passes import run
from photosim.training.rules import DFA, SegmentedDFA

torch: Any = pytest.importorskip("torch", reason="PyTorch is an extra: pip install 'photosim[torch]'")

CLASSES, TOKENS_LONG, WIDTH, BLOCKS, HEADS = 11, 6, 8, 3, 2
PLACES = {"macro": macro_ends(BLOCKS), "micro": micro_ends(BLOCKS)}


def drawn(seed: int = 0) -> tuple[Any, Any, Any, Any]:
    """Return a network of numpy, its parameters in double precision, codes and wanted next codes."""
    rng = np.random.default_rng(seed)
    network = rows_of_layers(CLASSES, TOKENS_LONG, WIDTH, BLOCKS, HEADS)
    parameters = network.initial(rng)
    parameters[-1]["weights"] = rng.standard_normal((CLASSES, WIDTH))
    return network, parameters, *rng.integers(CLASSES, size=(2, 4, TOKENS_LONG))


def gradients(module: Any, x: Any, y: Any) -> Any:
    """Return the module's logits and its gradients by the mean cross-entropy, layer by layer."""
    logits = module(torch.from_numpy(x))
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.from_numpy(y).flatten())
    loss.backward()
    return logits.detach().numpy(), ps.interop.torch.transformer_parameters(module, gradients=True)


@pytest.mark.parametrize("rounding", [None, "none", "threshold"])
@pytest.mark.parametrize("placement", PLACES)
def test_a_transformer_learns_as_that_of_numpy(placement: str, rounding: str | None) -> None:
    network, parameters, x, y = drawn()
    device = Digital(np.random.default_rng(1).standard_normal((WIDTH, CLASSES)))
    threshold = 0.2 if rounding == "threshold" else None
    rule, feedback = SegmentedDFA(tokens=TOKENS_LONG), None
    if rounding:
        rule = SegmentedDFA((device,), PLACES[placement], TOKENS_LONG, threshold)
        feedback = ps.interop.torch.DirectFeedback(device, rounding=rounding, threshold=0.2)
    forward, _ = run(network, parameters, x.astype(np.float64), y, TOKENS)
    module = ps.interop.torch.transformer(
        CLASSES, TOKENS_LONG, WIDTH, BLOCKS, HEADS, feedback=feedback, placement=placement
    ).double()
    ps.interop.torch.load_transformer(module, parameters)
    logits, found = gradients(module, x, y)
    np.testing.assert_allclose(logits.reshape(len(x), -1), forward.traces[-1].outputs, rtol=1e-10, atol=1e-10)
    for own, wanted in zip(found, rule.updates(forward), strict=True):
        assert wanted is not None
        assert own.keys() == wanted.keys()
        for name, value in own.items():
            np.testing.assert_allclose(value, wanted[name], rtol=1e-8, atol=1e-10, err_msg=name)


def test_errors_rounded_at_random_are_right_on_average() -> None:
    device = Digital(np.eye(CLASSES))
    feedback = ps.interop.torch.DirectFeedback(device, rounding="random", seed=3)
    error = np.random.default_rng(0).uniform(-1, 1, (1, CLASSES))
    (found,) = feedback.signals(np.repeat(error, 40_000, axis=0))
    assert set(np.unique(found)) == {-1.0, 0.0, 1.0}
    np.testing.assert_allclose(found.mean(axis=0), error[0], atol=5 * 0.5 / 200)


def deep(depth: int, device: Any) -> Any:
    """Return a deep dense network of numpy and the same in PyTorch, in stages of one layer."""
    network = dense_network((7, *[WIDTH] * depth, CLASSES), "tanh")
    parameters = network.initial(np.random.default_rng(0))
    stages = []
    for own in parameters[:-1]:
        linear = torch.nn.Linear(*own["weights"].shape[::-1]).double()
        stages.append(torch.nn.Sequential(linear, torch.nn.Tanh()))
    readout = torch.nn.Linear(WIDTH, CLASSES).double()
    module = ps.interop.torch.Stages(stages, readout, ps.interop.torch.DirectFeedback(device))
    with torch.no_grad():
        for linear, own in zip([*(stage[0] for stage in stages), readout], parameters, strict=True):
            linear.weight.copy_(torch.from_numpy(own["weights"]))
            linear.bias.copy_(torch.from_numpy(own["bias"]))
    return network, parameters, module


def test_a_deep_network_learns_as_by_the_rule() -> None:
    rng = np.random.default_rng(4)
    devices = tuple(Digital(rng.standard_normal((WIDTH, CLASSES))) for _ in range(12))
    network, parameters, module = deep(12, devices)
    x, y = rng.standard_normal((5, 7)), rng.integers(CLASSES, size=5)
    forward, _ = run(network, parameters, x, y, CLASSIFICATION)
    wanted = DFA(devices).updates(forward)
    logits = module(torch.from_numpy(x))
    torch.nn.functional.cross_entropy(logits, torch.from_numpy(y)).backward()
    linears = [*(stage[0] for stage in module.stages), module.readout]
    for linear, own in zip(linears, wanted, strict=True):
        assert own is not None
        np.testing.assert_allclose(linear.weight.grad.numpy(), own["weights"], rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(linear.bias.grad.numpy(), own["bias"], rtol=1e-8, atol=1e-12)


def test_a_medium_carries_the_errors_and_counts_its_frames() -> None:
    chain = ps.Circuit("transformer_dfa")
    (medium,) = ScatteringMedium.from_circuit(
        chain, CLASSES, [WIDTH], Projection(noise="physical"), size=0.3, rng=np.random.default_rng(0)
    )
    feedback = ps.interop.torch.DirectFeedback(medium, rounding="random")
    torch.manual_seed(0)
    module = ps.interop.torch.transformer(CLASSES, TOKENS_LONG, WIDTH, 2, HEADS, feedback=feedback)
    codes = torch.arange(4 * TOKENS_LONG).reshape(4, -1) % CLASSES  # the next code is the last and one
    steps = torch.optim.Adam(module.parameters(), lr=0.02)
    losses = []
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(module(codes).flatten(0, 1), (codes.flatten() + 1) % CLASSES)
        steps.zero_grad()
        loss.backward()
        steps.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    done = feedback.work()
    assert done["samples"] == 40 * codes.numel()
    assert 0 < done["frames"] <= 4 * done["samples"]
    assert done["seconds"] == pytest.approx(done["frames"] * medium.how.frame)
    assert done["light_J"] > 0.0


def test_wrong_feedback_is_refused() -> None:
    device, torched = Digital(np.ones((WIDTH, CLASSES))), ps.interop.torch
    with pytest.raises(ParameterError, match="takes devices that form products"):
        torched.DirectFeedback([])
    with pytest.raises(ParameterError, match="'random'"):
        torched.DirectFeedback(device, rounding="rondom")
    with pytest.raises(ParameterError, match="cannot be divided among 3 heads"):
        torched.transformer(CLASSES, 4, WIDTH, 1, 3)
    codes = torch.zeros(1, 4, dtype=torch.long)
    module = torched.transformer(CLASSES, 4, WIDTH, 3, 2, feedback=torched.DirectFeedback((device, device)))
    with pytest.raises(ParameterError, match="2 devices for 3 stages"):
        module(codes)
    module = torched.transformer(CLASSES, 4, 2 * WIDTH, 1, 2, feedback=torched.DirectFeedback(device))
    with pytest.raises(ParameterError, match=f"{WIDTH} outputs cannot reach a stage of width {2 * WIDTH}"):
        module(codes).sum().backward()
    with pytest.raises(ParameterError, match="has 4 layers and the parameters are those of 8"):
        torched.load_transformer(module, drawn()[1])
