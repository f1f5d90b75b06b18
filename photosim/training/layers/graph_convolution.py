"""Layers over the nodes of a graph: each node gathers what its neighbours hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_whole
from photosim.errors import ParameterError
from photosim.training.arrays import LabelArray, RealArray
from photosim.training.layers.activations import Activation
from photosim.training.layers.layer import Parameters, Randomness, Trace

if TYPE_CHECKING:
    from numpy.typing import DTypeLike
    from scipy.sparse import csr_array


@public
def normalised_adjacency(edges: LabelArray, nodes: int) -> csr_array:
    """Return S = D^-1/2 (A + 1) D^-1/2 of undirected edges (edges, 2), D the row sums of A + 1 (kipf2017).

    An edge given twice, in either direction, counts once; shape (nodes, nodes).
    """
    from scipy.sparse import csr_array, eye_array

    edges = np.asarray(edges)
    check_whole("normalised_adjacency", 1, nodes=nodes)
    if (
        edges.ndim != 2
        or edges.shape[1] != 2
        or edges.dtype.kind not in "iu"
        or (edges.size and not 0 <= edges.min() <= edges.max() < nodes)
    ):
        message = f"Edges are pairs of nodes from 0 to {nodes - 1}, got an array of shape {edges.shape}."
        raise ParameterError(message)
    pairs = np.unique(np.sort(edges[edges[:, 0] != edges[:, 1]], axis=1), axis=0)
    one, other = np.concatenate([pairs, pairs[:, ::-1]]).T
    joined = csr_array((np.ones(one.size), (one, other)), shape=(nodes, nodes)) + eye_array(
        nodes, format="csr"
    )
    root = 1.0 / np.sqrt(joined.sum(axis=1))
    return csr_array(joined.multiply(root[:, np.newaxis]).multiply(root[np.newaxis]))


@public
@dataclass(frozen=True)
class GraphConvolution:
    """Graph convolution: outputs = f(S x W.T) over all nodes, weights (outputs, inputs), no bias (kipf2017).

    adjacency: S, shape (nodes, nodes), symmetric or not.  The batch is the nodes in their order. x may be a
    sparse matrix, as a bag of words is.  activation: function of each unit.
    """

    inputs: int
    outputs: int
    activation: Activation
    adjacency: csr_array

    @property
    def weights_shape(self) -> tuple[int, int]:
        """Shape of the weights."""
        return self.outputs, self.inputs

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Parameters:
        """Draw weights uniformly from +-sqrt(6 / (inputs + outputs)), as kipf2017's code does."""
        bound = np.sqrt(6.0 / (self.inputs + self.outputs))
        return {"weights": rng.uniform(-bound, bound, self.weights_shape).astype(dtype)}

    def forward(
        self,
        parameters: Parameters,
        x: Any,
        rng: Randomness = None,  # noqa: ARG002 - part of the protocol
    ) -> Trace:
        """Return the trace of the layer for x, shape (nodes, inputs)."""
        pre = np.asarray(self.adjacency @ (x @ parameters["weights"].T))
        return Trace(x, pre, self.activation.value(pre))

    def derivative(self, trace: Trace) -> RealArray:
        """Return the activation's derivative at each unit, shape (nodes, outputs)."""
        return self.activation.derivative(trace.pre, trace.outputs)

    def gradient(self, trace: Trace, delta: RealArray, samples: int) -> Parameters:
        """Return the mean of dL/dweights; delta: each node's dL/dpre, shape (nodes, outputs)."""
        # The neighbours' inputs are in a node's pre: the own weights' derivative goes through S exactly.
        share = self.adjacency.T @ (delta / samples)
        return {"weights": np.asarray((trace.inputs.T @ share).T)}

    def back(
        self,
        parameters: Parameters,
        trace: Trace,  # noqa: ARG002 - part of the protocol
        delta: RealArray,
    ) -> RealArray:
        """Return each node's dL/dinputs, shape (nodes, inputs), through S and the transposed weights."""
        return np.asarray(self.adjacency.T @ (delta @ parameters["weights"]))
