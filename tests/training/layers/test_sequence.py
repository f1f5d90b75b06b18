"""Layers of a Transformer: against slow loops, and their gradients against finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from photosim.errors import DataError, ParameterError
from photosim.training.data.graphs import TextData
from photosim.training.data.texts import manual, sequences, windows
from photosim.training.layers import Parameters
from photosim.training.layers.sequence import Attention, Embedding, FeedForward, SequenceLayer, TokenReadout
from photosim.training.layers.transformer import macro_ends, micro_ends, transformer
from photosim.training.losses import TOKENS, token_cross_entropy
from photosim.training.optimisers import Adam
from photosim.training.rules import Backprop
from photosim.training.trainer import Schedule, Streams, fit

TOKENS_, WIDTH, HEADS, CLASSES, BATCH = 5, 6, 3, 7, 4
CODES = np.random.default_rng(0).integers(0, CLASSES, (BATCH, TOKENS_)).astype(float)
X = np.random.default_rng(1).normal(size=(BATCH, TOKENS_ * WIDTH))
LAYERS: dict[str, Any] = {
    "embedding": (Embedding(TOKENS_, CLASSES, WIDTH), CODES),
    "attention": (Attention(TOKENS_, WIDTH, HEADS), X),
    "feed-forward": (FeedForward(TOKENS_, WIDTH, 9), X),
    "read-out": (TokenReadout(TOKENS_, WIDTH, CLASSES), X),
}


def drawn(layer: Any, seed: int = 2) -> Parameters:
    """Return parameters of which none is at a special value, as normalisation's 1 and 0 are."""
    rng = np.random.default_rng(seed)
    return {name: value + 0.3 * rng.normal(size=value.shape) for name, value in layer.initial(rng).items()}


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    layer, x = LAYERS[name]
    own = drawn(layer)
    delta = np.random.default_rng(3).normal(size=(BATCH, layer.outputs))
    trace = layer.forward(own, x)
    found, inputs = layer.both(trace, delta, 1)
    assert {key: value.shape for key, value in found.items()} == {key: v.shape for key, v in own.items()}

    def total(parameters: Parameters, at: Any) -> float:
        return float(np.sum(layer.forward(parameters, at).outputs * delta))

    step = 1e-6
    for key, value in own.items():
        slopes = np.zeros_like(value)
        for place in np.ndindex(value.shape):
            moved = [{**own, key: value.copy()} for _ in range(2)]
            moved[0][key][place] += step
            moved[1][key][place] -= step
            slopes[place] = (total(moved[0], x) - total(moved[1], x)) / (2 * step)
        np.testing.assert_allclose(found[key], slopes, rtol=1e-5, atol=1e-7, err_msg=key)
    if name == "embedding":
        assert not inputs.any()
        return
    for place in np.ndindex(BATCH, 7):
        up, down = x.copy(), x.copy()
        up[place] += step
        down[place] -= step
        slope = (total(own, up) - total(own, down)) / (2 * step)
        assert inputs[place] == pytest.approx(slope, rel=1e-5, abs=1e-7)


def normal(row: Any, own: Parameters) -> Any:
    return (row - row.mean()) / np.sqrt(row.var() + 1e-5) * own["scale"] + own["shift"]


def test_attention_is_that_of_a_loop_over_tokens_and_heads() -> None:
    layer, own = LAYERS["attention"][0], drawn(LAYERS["attention"][0])
    wanted = np.zeros((BATCH, TOKENS_, WIDTH))
    d = WIDTH // HEADS
    for sample in range(BATCH):
        rows = X[sample].reshape(TOKENS_, WIDTH)
        joint = [own["weights"] @ row + own["bias"] for row in rows]
        for t in range(TOKENS_):
            mixed = np.zeros(WIDTH)
            for h in range(HEADS):
                part = slice(h * d, (h + 1) * d)
                q = joint[t][:WIDTH][part]
                seen = range(t + 1)
                weights = np.exp([q @ joint[s][WIDTH : 2 * WIDTH][part] / np.sqrt(d) for s in seen])
                for weight, s in zip(weights / weights.sum(), seen, strict=True):
                    mixed[part] += weight * joint[s][2 * WIDTH :][part]
            wanted[sample, t] = normal(rows[t] + own["out"] @ mixed + own["out bias"], own)
    np.testing.assert_allclose(layer.forward(own, X).outputs, wanted.reshape(BATCH, -1), atol=1e-12)


def test_other_layers_are_those_of_a_loop_over_tokens() -> None:
    forward, own = LAYERS["feed-forward"][0], drawn(LAYERS["feed-forward"][0])
    readout, last = LAYERS["read-out"][0], drawn(LAYERS["read-out"][0])
    table, first = LAYERS["embedding"][0], drawn(LAYERS["embedding"][0])
    rows = X.reshape(-1, WIDTH)
    hidden = [np.maximum(own["weights"] @ row + own["bias"], 0.0) for row in rows]
    sums = [row + own["out"] @ lit + own["out bias"] for row, lit in zip(rows, hidden, strict=True)]
    wanted = [normal(row, own) for row in sums]
    np.testing.assert_allclose(forward.forward(own, X).outputs.reshape(-1, WIDTH), wanted, atol=1e-12)
    logits = [last["weights"] @ row + last["bias"] for row in rows]
    np.testing.assert_allclose(readout.forward(last, X).outputs.reshape(-1, CLASSES), logits, atol=1e-12)
    found = table.forward(first, CODES).outputs.reshape(BATCH, TOKENS_, WIDTH)
    for sample, t in np.ndindex(BATCH, TOKENS_):
        vector = first["weights"][:, int(CODES[sample, t])] + first["positions"][t]
        np.testing.assert_allclose(found[sample, t], vector)


def test_no_token_sees_a_later_one() -> None:
    network = transformer(CLASSES, TOKENS_, WIDTH, blocks=2, heads=HEADS)
    parameters = [drawn(layer) for layer in network.layers]
    before = network.predict(parameters, CODES).reshape(BATCH, TOKENS_, -1)
    later = CODES.copy()
    later[:, 3] = (later[:, 3] + 1) % CLASSES
    after = network.predict(parameters, later).reshape(BATCH, TOKENS_, -1)
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert np.abs(before[:, 3:] - after[:, 3:]).min(axis=(0, 2)).max() > 0.0


def test_codes_out_of_range_are_refused() -> None:
    layer = Embedding(2, 5, 3)
    own = layer.initial(np.random.default_rng(0))
    for codes in ([[0.0, 5.0]], [[-1.0, 0.0]], [[0.5, 0.0]]):
        with pytest.raises(ParameterError, match="whole numbers from 0 to 4"):
            layer.forward(own, np.array(codes))
    with pytest.raises(ParameterError, match="A width of 6 cannot be divided among 4 heads"):
        Attention(5, 6, 4)
    with pytest.raises(ParameterError, match="FeedForward: hidden must be a whole number, 1 or more, got 0"):
        FeedForward(5, 6, 0)


def test_the_loss_of_tokens_is_their_mean() -> None:
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(3, 2 * 4)), rng.integers(0, 4, (3, 2))
    loss, error = token_cross_entropy(logits, labels)
    apart = logits.reshape(6, 4)
    p = np.exp(apart) / np.exp(apart).sum(axis=1, keepdims=True)
    assert loss == pytest.approx(-np.mean(np.log(p[np.arange(6), labels.ravel()])))
    p[np.arange(6), labels.ravel()] -= 1.0
    np.testing.assert_allclose(error, p.reshape(3, 8))
    with pytest.raises(DataError, match="from 0 to 3, one for each output, got 4"):
        TOKENS.check("here", np.full((2, 2), 4), 8)
    with pytest.raises(DataError, match=r"of shape \(samples, tokens\)"):
        TOKENS.check("here", np.zeros((2, 3), int), 8)


def test_texts_are_cut_into_sequences_and_their_next_characters() -> None:
    part = windows(np.arange(12), 5)
    np.testing.assert_array_equal(part.x, [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]])
    np.testing.assert_array_equal(part.y, [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]])
    with pytest.raises(DataError, match="5 characters is too short for sequences of 5"):
        windows(np.arange(5), 5)
    data = sequences(TextData("abc", "abc", np.arange(40) % 3, np.arange(30) % 3), 4, held=3)
    assert (len(data.train), len(data.test), data.classes) == (9, 3, 3)


def test_the_manual_is_a_text() -> None:
    text = manual()
    assert text.train.size > 200_000
    assert {"e", "t", " "} < set(text.alphabet)
    assert "import" in "".join(text.alphabet[code] for code in text.train)


def test_a_small_transformer_learns_what_follows() -> None:
    """Period 3: the next character is certain from the one before; chance is log 3."""
    data = sequences(TextData("abc", "abc", np.arange(600) % 3, np.arange(60) % 3), 6)
    network = transformer(3, 6, 8, blocks=1, heads=2)
    history = fit(
        network, Backprop(), Adam(0.01), data, Schedule(10, 8), Streams.tree(0, 1)[0], objective=TOKENS
    )
    assert -history.accuracy[-1] < 0.05 < np.log(3.0)
    assert np.diff(history.loss).max() < 0.0


def test_samples_of_an_epoch_can_be_fewer() -> None:
    data = sequences(TextData("abc", "abc", np.arange(600) % 3, np.arange(60) % 3), 6)
    network = transformer(3, 6, 8, blocks=1, heads=2)
    history = fit(
        network, Backprop(), Adam(0.01), data, Schedule(2, 8, samples=16), Streams.tree(0, 1)[0],
        objective=TOKENS,
    )  # fmt: skip
    assert history.loss[0] == pytest.approx(np.log(3.0), rel=0.5)  # two steps: a mean over what was seen


def test_layers_of_single_precision_stay_in_it() -> None:
    network = transformer(CLASSES, TOKENS_, WIDTH, blocks=1, heads=HEADS)
    own = network.initial(np.random.default_rng(0), np.float32)
    for layer, trace in zip(network.layers, network.forward(own, CODES.astype(np.float32)), strict=True):
        assert isinstance(layer, SequenceLayer)
        assert trace.outputs.dtype == np.float32
        update, inputs = layer.both(trace, np.ones_like(trace.outputs), 4)
        assert {value.dtype for value in update.values()} | {inputs.dtype} == {np.dtype(np.float32)}


def test_ends_are_those_of_blocks_and_layers() -> None:
    network = transformer(CLASSES, TOKENS_, WIDTH, blocks=3, heads=HEADS)
    assert all(isinstance(network.layers[k], FeedForward) for k in macro_ends(3))
    assert micro_ends(3) == tuple(range(1, len(network.layers) - 1))
