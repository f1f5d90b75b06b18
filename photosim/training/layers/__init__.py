"""Layers: what they make of their input, and their local derivatives. Parameters live outside."""

from photosim.training.layers.activations import ACTIVATIONS, Activation, activation
from photosim.training.layers.dense import Dense
from photosim.training.layers.dropout import Dropout
from photosim.training.layers.graph_convolution import GraphConvolution, normalised_adjacency
from photosim.training.layers.images import Convolution, Pooling, Windows
from photosim.training.layers.layer import Layer, Parameters, Randomness, Trace
from photosim.training.layers.network import Block, Network, dense_network

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Block",
    "Convolution",
    "Dense",
    "Dropout",
    "GraphConvolution",
    "Layer",
    "Network",
    "Parameters",
    "Pooling",
    "Randomness",
    "Trace",
    "Windows",
    "activation",
    "dense_network",
    "normalised_adjacency",
]
