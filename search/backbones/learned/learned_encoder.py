"""Encoders that are learned from the training texts, as backbones."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import keras
import numpy as np
from numpy.typing import NDArray

from search.backbones.base import Backbone, PreparedInputs, Published, SavedModule
from search.backbones.learned.embeddings import TokenEmbedding
from search.backbones.learned.network import dimension_of, encoded
from search.backbones.learned.vocabulary import Tokens
from spaces import OF_BACKBONES


class LearnedEncoder(Backbone):
    """A layer over a vector for each token: their mean, a recurrent layer or a convolution.

    The refit keeps the vocabulary of the training split: it was selected with the rest, and a weight of the trial stays
    the weight of the same token.

    Args:
        name: The kind of layer, one of `spaces.ENCODERS`.
        tokens: The tokenizers of the training texts.
        embeddings: Token embeddings, by the values of `embedding`.
    """

    latency_settings = OF_BACKBONES

    def __init__(self, name: str, tokens: Tokens, embeddings: Mapping[str, TokenEmbedding]) -> None:
        super().__init__(name)
        self.tokens = tokens
        self._embeddings = embeddings
        self.token_level = tuple(name for name, embedding in embeddings.items() if embedding.cuts_texts)

    @property
    def modules(self) -> Sequence[SavedModule]:
        """The modules that embeddings start from."""
        return [embedding.module for embedding in self._embeddings.values() if embedding.module is not None]

    def symbolic(self, texts: keras.KerasTensor, values: Mapping[str, Any]) -> keras.KerasTensor:
        """Tokens, their vectors and the encoder: see `Backbone.symbolic`."""
        return encoded(self._embedding(values).of_texts(texts, self.tokens, values), values)

    def published(self, values: Mapping[str, Any]) -> Published | None:
        """The module that the embedding starts from."""
        embedding = self._embedding(values)
        if embedding.module is None:
            return None
        return Published(values["embedding"], (embedding.module,), embedding.cuts_texts, is_all=False)

    def trains_published(self, values: Mapping[str, Any]) -> bool:
        """Whether the vectors of the module are trained with the encoder."""
        return bool(values.get("embedding_trainable"))

    def dimension(self, values: Mapping[str, Any]) -> int | None:
        """The width of the encoder, or of the vectors that it takes the mean of."""
        module = self._embedding(values).module
        return dimension_of(values, values["embedding_size"] if module is None else module.dimension)

    def rate(self, values: Mapping[str, Any]) -> float:
        """The rate of the head, unless a token-level module has its own."""
        # A group of its own nevertheless: Keras alone squares the gradients of a token that comes up twice one by one.
        rate: float = values.get("embedding_fine_tuning_rate", values["learning_rate"])
        return rate

    def prepared(self, values: Mapping[str, Any]) -> PreparedInputs | None:
        """Numbers of tokens, or the rows of a frozen token-level module."""
        below = self._embedding(values).prepared(self.tokens, values)
        if below is None:
            return None

        def begin() -> tuple[keras.KerasTensor, keras.KerasTensor]:
            inputs, vectors = below.begin()
            return inputs, encoded(vectors, values)

        return replace(below, begin=begin)

    def learning_from(self, texts: NDArray[np.object_]) -> Self:
        """A copy with the vocabulary of other texts; modules in memory are shared."""
        other = copy.copy(self)
        other.tokens = self.tokens.learning_from(texts)
        return other

    def untrainable(self) -> list[str]:
        """The token-level modules without trainable weights."""
        embeddings = self._embeddings.items()
        cutting = [(name, one.module) for name, one in embeddings if one.cuts_texts and one.module is not None]
        return [name for name, module in cutting if not module.load().trainable_variables]

    def _embedding(self, values: Mapping[str, Any]) -> TokenEmbedding:
        return self._embeddings[values["embedding"]]
