"""Transformers as rows of layers, and where their blocks end."""

from __future__ import annotations

from photosim.bounds import check_whole
from photosim.training.layers.layer import Layer
from photosim.training.layers.network import Network
from photosim.training.layers.sequence import Attention, Embedding, FeedForward, TokenReadout


def transformer(vocabulary: int, tokens: int, width: int, blocks: int, heads: int) -> Network:
    """Return a decoder-only Transformer: embedding, blocks of attention and feed-forward, read-out.

    Inputs are codes (batch, tokens), outputs logits of each next token (batch, tokens * vocabulary). The
    feed-forward part is four times as wide as a token. Layers 1, 3, ... are attention, 2, 4, ... what follows
    it.
    """
    check_whole("transformer", 1, blocks=blocks)
    layers: list[Layer] = [Embedding(tokens, vocabulary, width)]
    for _ in range(blocks):
        layers += [Attention(tokens, width, heads), FeedForward(tokens, width, 4 * width)]
    return Network((*layers, TokenReadout(tokens, width, vocabulary)))


def macro_ends(blocks: int) -> tuple[int, ...]:
    """Return the numbers of the layers at which blocks end: one feedback for each block."""
    return tuple(range(2, 2 * blocks + 1, 2))


def micro_ends(blocks: int) -> tuple[int, ...]:
    """Return the numbers of all attention and feed-forward layers: a feedback for each."""
    return tuple(range(1, 2 * blocks + 1))
