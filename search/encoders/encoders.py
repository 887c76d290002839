"""The encoders of a search: what their configurations share, and how they are trained."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.encoders.network import encoded
from search.encoders.tokens import Tokens
from search.encoders.word_vectors import WordVectors
from spaces import LEARNED


class Encoders:
    """Makes the parts of models that are learned from the training texts alone.

    The vocabulary is the training split's in the refit too: it is part of what was selected, and a weight of the trial
    stays the weight of the same token.

    Args:
        modules: Name of each module of word vectors to the folder of its SavedModel.
        texts: Those of the training split; None: they are not known.
    """

    def __init__(self, modules: Mapping[str, Path], texts: NDArray[np.object_] | None) -> None:
        self._modules = modules
        self._tokens = None if texts is None else Tokens(texts)
        self._vectors: dict[str, WordVectors] = {}

    def learning_from(self, texts: NDArray[np.object_]) -> Encoders:
        """The same for other training texts [n], with the vectors that are in memory already."""
        other = copy.copy(self)
        other._tokens = Tokens(texts)
        return other

    def text_encoder(self, texts: keras.KerasTensor, values: Mapping[str, Any]) -> keras.KerasTensor:
        """Puts tokenizer and encoder of a configuration into a model: strings [batch] to float32 [batch, dim]."""
        return self._encoded(self.tokens.tokenized(texts, values), values)

    def id_encoder(self, values: Mapping[str, Any]) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Begins a model with the encoder of a configuration.

        Returns:
            Its input, numbers of tokens, int32 [batch, length], and what it gives for them, float32 [batch, dim]. Its
            weights are those of `text_encoder`, in the same order.
        """
        ids = keras.Input((self.tokens.length(values),), dtype="int32", name="ids")
        return ids, self._encoded(ids, values)

    def ids(self, texts: NDArray[np.object_], values: Mapping[str, Any]) -> tf.Tensor:
        """Numbers of the tokens of a split's rows, int32 [n, length]; computed once for all trials."""
        return self.tokens.ids(texts, values)

    @property
    def tokens(self) -> Tokens:
        """The tokenizers.

        Raises:
            ValueError: The texts of the training split were not given.
        """
        if self._tokens is None:
            raise ValueError("An encoder needs the texts of the training split. Received: texts=None")
        return self._tokens

    def _encoded(self, ids: keras.KerasTensor, values: Mapping[str, Any]) -> keras.KerasTensor:
        vocabulary = self.tokens.vocabulary(values)
        name = values["embedding"]
        if name == LEARNED:
            return encoded(ids, values, len(vocabulary), None)
        if name not in self._vectors:
            self._vectors[name] = WordVectors(self._modules[name], name)
        return encoded(ids, values, len(vocabulary), self._vectors[name].table(vocabulary))
