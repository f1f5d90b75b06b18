"""Layers of a Transformer over sequences of tokens: embedding, attention, feed-forward, read-out.

A sample is a sequence; its features lie token by token, (batch, tokens * width). Attention and feed-forward
add what they make to their input and normalise the sum (post-norm, as vaswani2017 do), so that a network is a
row of them. All activations are inside: outputs equal pre. Gradients are exact, in the precision of the
parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.bounds import check_whole
from photosim.errors import ParameterError
from photosim.training.arrays import RealArray
from photosim.training.layers.layer import Parameters, Randomness, Trace, uniform
from photosim.training.layers.normalisation import normalised, normalised_back, unit

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class SequenceLayer:
    """Base of the layers of this module: outputs are pre, and one pass back gives all derivatives."""

    def derivative(self, trace: Trace) -> RealArray:
        """Return ones, shape (batch, outputs)."""
        return np.ones_like(trace.outputs)

    def both(self, trace: Trace, delta: RealArray, samples: int) -> tuple[Parameters, RealArray]:
        """Return the derivatives by the parameters over `samples`, and each sample's dL/dinputs.

        delta: each sample's dL/doutputs, shape (batch, outputs).
        """
        raise NotImplementedError

    def gradient(self, trace: Trace, delta: RealArray, samples: int) -> Parameters:
        """Return the derivatives by the parameters, summed over the batch and divided by `samples`."""
        return self.both(trace, delta, samples)[0]

    def back(
        self,
        parameters: Parameters,  # noqa: ARG002 - the trace holds them
        trace: Trace,
        delta: RealArray,
    ) -> RealArray:
        """Return each sample's dL/dinputs, shape (batch, inputs)."""
        return self.both(trace, delta, 1)[1]


@dataclass(frozen=True)
class Embedding(SequenceLayer):
    """Embedding: outputs[t] = weights[:, code of token t] + positions[t] (vaswani2017, positions learnt).

    Inputs are codes, whole numbers from 0 to vocabulary - 1, shape (batch, tokens). They have no derivative.
    """

    tokens: int
    vocabulary: int
    width: int

    def __post_init__(self) -> None:
        check_whole(self, 1, tokens=self.tokens, vocabulary=self.vocabulary, width=self.width)

    @property
    def inputs(self) -> int:
        """Number of codes."""
        return self.tokens

    @property
    def outputs(self) -> int:
        """Tokens times width."""
        return self.tokens * self.width

    @property
    def weights_shape(self) -> tuple[int, int]:
        """Shape of the table, (width, vocabulary)."""
        return self.width, self.vocabulary

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Parameters:
        """Draw table and positions uniformly from +-1/sqrt(width)."""
        bound = 1.0 / np.sqrt(self.width)
        return {
            "weights": rng.uniform(-bound, bound, self.weights_shape).astype(dtype),
            "positions": rng.uniform(-bound, bound, (self.tokens, self.width)).astype(dtype),
        }

    def forward(
        self,
        parameters: Parameters,
        x: RealArray,
        rng: Randomness = None,  # noqa: ARG002 - part of the protocol
    ) -> Trace:
        """Return the trace for codes x, shape (batch, tokens); ParameterError for codes out of range."""
        codes = x.astype(np.intp)
        if (codes != x).any() or codes.min(initial=0) < 0 or codes.max(initial=0) >= self.vocabulary:
            message = f"Tokens are whole numbers from 0 to {self.vocabulary - 1}, got others."
            raise ParameterError(message)
        out = parameters["weights"].T[codes] + parameters["positions"]
        flat = out.reshape(len(x), -1)
        return Trace(x, flat, flat, codes)

    def both(self, trace: Trace, delta: RealArray, samples: int) -> tuple[Parameters, RealArray]:
        """Return the derivatives by table and positions, and zeros for the codes."""
        from scipy.sparse import csr_array

        share = (delta / samples).reshape(-1, self.width)
        codes = trace.memo.ravel()
        ones = np.ones(codes.size, share.dtype)
        which = csr_array((ones, (codes, np.arange(codes.size))), shape=(self.vocabulary, codes.size))
        table = np.ascontiguousarray((which @ share).T)
        places = share.reshape(-1, self.tokens, self.width).sum(axis=0)
        return {"weights": table, "positions": places}, np.zeros_like(trace.inputs)


@dataclass(frozen=True)
class Residual(SequenceLayer):
    """Base of attention and feed-forward: tokens of one width go in and come out."""

    tokens: int
    width: int

    @property
    def inputs(self) -> int:
        """Tokens times width."""
        return self.tokens * self.width

    @property
    def outputs(self) -> int:
        """Tokens times width."""
        return self.tokens * self.width


@dataclass(frozen=True)
class Attention(Residual):
    """Attention: outputs = norm(x + W_out concat(softmax(Q K^T / sqrt(d) + mask) V)) (vaswani2017).

    heads of width d = width / heads; a token attends to itself and those before. `weights` holds query, key
    and value, shape (3 width, width).
    """

    heads: int

    def __post_init__(self) -> None:
        check_whole(self, 1, tokens=self.tokens, width=self.width, heads=self.heads)
        if self.width % self.heads:
            message = f"A width of {self.width} cannot be divided among {self.heads} heads."
            raise ParameterError(message)

    @property
    def weights_shape(self) -> tuple[int, int]:
        """Shape of query, key and value together."""
        return 3 * self.width, self.width

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Parameters:
        """Draw weights uniformly from +-1/sqrt(width); normalisation begins as 1 and 0."""
        own = uniform(rng, self.weights_shape, dtype)
        out = uniform(rng, (self.width, self.width), dtype)
        return own | {"out": out["weights"], "out bias": out["bias"]} | unit(self.width, dtype)

    def forward(
        self,
        parameters: Parameters,
        x: RealArray,
        rng: Randomness = None,  # noqa: ARG002 - part of the protocol
    ) -> Trace:
        """Return the trace for x, shape (batch, tokens * width): x plus the attention, normalised."""
        rows = x.reshape(-1, self.width)
        joint = rows @ parameters["weights"].T
        joint += parameters["bias"]
        q, k, v = self._heads(joint, 3)
        scores = np.matmul(q, k.swapaxes(-1, -2))
        scores *= scores.dtype.type((self.width / self.heads) ** -0.5)
        scores += np.triu(np.full((self.tokens, self.tokens), -np.inf, scores.dtype), 1)
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed = self._joined(np.matmul(scores, v)[np.newaxis])
        out = mixed @ parameters["out"].T
        out += parameters["out bias"]
        out += rows
        normal, held = normalised(out, parameters)
        flat = normal.reshape(len(x), -1)
        return Trace(x, flat, flat, (parameters, held, (q, k, v), scores, mixed))

    def both(self, trace: Trace, delta: RealArray, samples: int) -> tuple[Parameters, RealArray]:
        """Return the derivatives by all parameters, and each sample's dL/dinputs."""
        parameters, held, (q, k, v), scores, mixed = trace.memo
        rows, norm = normalised_back(delta.reshape(-1, self.width), parameters, held, samples)
        (mix,) = self._heads(rows @ parameters["out"], 1)
        slopes = np.matmul(mix, v.swapaxes(-1, -2))
        slopes -= np.sum(slopes * scores, axis=-1, keepdims=True)
        slopes *= scores
        slopes *= scores.dtype.type((self.width / self.heads) ** -0.5)
        parts = (np.matmul(slopes, k), np.matmul(slopes.swapaxes(-1, -2), q))
        joint = self._joined(np.stack([*parts, np.matmul(scores.swapaxes(-1, -2), mix)]))
        inner = joint @ parameters["weights"]
        inner += rows
        found = {
            "weights": joint.T @ trace.inputs.reshape(-1, self.width) / samples,
            "bias": joint.sum(axis=0) / samples,
            "out": rows.T @ mixed / samples,
            "out bias": rows.sum(axis=0) / samples,
        }
        return found | norm, inner.reshape(len(delta), -1)

    def _heads(self, rows: RealArray, count: int) -> RealArray:
        """Return (batch * tokens, count * width) as (count, batch, heads, tokens, d)."""
        apart = rows.reshape(-1, self.tokens, count, self.heads, self.width // self.heads)
        return np.ascontiguousarray(apart.transpose(2, 0, 3, 1, 4))

    def _joined(self, apart: RealArray) -> RealArray:
        """Return (count, batch, heads, tokens, d) as (batch * tokens, count * width)."""
        return apart.transpose(1, 3, 0, 2, 4).reshape(-1, len(apart) * self.width)


@dataclass(frozen=True)
class FeedForward(Residual):
    """Feed-forward layer, token by token: outputs = norm(x + W_out relu(W x + b) + c) (vaswani2017)."""

    hidden: int

    def __post_init__(self) -> None:
        check_whole(self, 1, tokens=self.tokens, width=self.width, hidden=self.hidden)

    @property
    def weights_shape(self) -> tuple[int, int]:
        """Shape of the first matrix."""
        return self.hidden, self.width

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Parameters:
        """Draw weights uniformly from +-1/sqrt(summands); normalisation begins as 1 and 0."""
        own = uniform(rng, self.weights_shape, dtype)
        out = uniform(rng, (self.width, self.hidden), dtype)
        return own | {"out": out["weights"], "out bias": out["bias"]} | unit(self.width, dtype)

    def forward(
        self,
        parameters: Parameters,
        x: RealArray,
        rng: Randomness = None,  # noqa: ARG002 - part of the protocol
    ) -> Trace:
        """Return the trace for x, shape (batch, tokens * width): x plus the two products, normalised."""
        rows = x.reshape(-1, self.width)
        lit = rows @ parameters["weights"].T
        lit += parameters["bias"]
        np.maximum(lit, 0.0, out=lit)
        out = lit @ parameters["out"].T
        out += parameters["out bias"]
        out += rows
        normal, held = normalised(out, parameters)
        flat = normal.reshape(len(x), -1)
        return Trace(x, flat, flat, (parameters, held, lit))

    def both(self, trace: Trace, delta: RealArray, samples: int) -> tuple[Parameters, RealArray]:
        """Return the derivatives by all parameters, and each sample's dL/dinputs."""
        parameters, held, lit = trace.memo
        rows, norm = normalised_back(delta.reshape(-1, self.width), parameters, held, samples)
        slopes = rows @ parameters["out"]
        slopes *= lit > 0.0
        inner = slopes @ parameters["weights"]
        inner += rows
        found = {
            "weights": slopes.T @ trace.inputs.reshape(-1, self.width) / samples,
            "bias": slopes.sum(axis=0) / samples,
            "out": rows.T @ lit / samples,
            "out bias": rows.sum(axis=0) / samples,
        }
        return found | norm, inner.reshape(len(delta), -1)


@dataclass(frozen=True)
class TokenReadout(SequenceLayer):
    """Read-out of tokens: the logits outputs[t] = W x[t] + b, shape (batch, tokens * classes)."""

    tokens: int
    width: int
    classes: int

    def __post_init__(self) -> None:
        check_whole(self, 1, tokens=self.tokens, width=self.width, classes=self.classes)

    @property
    def inputs(self) -> int:
        """Tokens times width."""
        return self.tokens * self.width

    @property
    def outputs(self) -> int:
        """Tokens times classes."""
        return self.tokens * self.classes

    @property
    def weights_shape(self) -> tuple[int, int]:
        """Shape of the weights."""
        return self.classes, self.width

    def initial(
        self,
        rng: np.random.Generator,  # noqa: ARG002 - part of the protocol
        dtype: DTypeLike = np.float64,
    ) -> Parameters:
        """Return zeros: random feedback aligns sooner with weights that begin there (nokland2016)."""
        return {"weights": np.zeros(self.weights_shape, dtype), "bias": np.zeros(self.classes, dtype)}

    def forward(
        self,
        parameters: Parameters,
        x: RealArray,
        rng: Randomness = None,  # noqa: ARG002 - part of the protocol
    ) -> Trace:
        """Return the trace for x, shape (batch, tokens * width): logits, shape (batch, tokens * classes)."""
        out = x.reshape(-1, self.width) @ parameters["weights"].T
        out += parameters["bias"]
        flat = out.reshape(len(x), -1)
        return Trace(x, flat, flat, parameters)

    def both(self, trace: Trace, delta: RealArray, samples: int) -> tuple[Parameters, RealArray]:
        """Return the derivatives by all parameters, and each sample's dL/dinputs."""
        rows = delta.reshape(-1, self.classes)
        seen = trace.inputs.reshape(-1, self.width)
        found = {"weights": rows.T @ seen / samples, "bias": rows.sum(axis=0) / samples}
        return found, (rows @ trace.memo["weights"]).reshape(len(delta), -1)
