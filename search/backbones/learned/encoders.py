"""The encoders of a search: what their configurations share, and how they are trained."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.hub.layer import TextEmbedding
from search.backbones.learned.initial_table import WordVectors
from search.backbones.learned.network import EMBEDDING, embedded, encoded, is_masked
from search.backbones.learned.tokens import Tokens
from search.backbones.tokens.token_module import TokenModule
from search.backbones.tokens.token_names import is_tokens_key, tokens_key
from search.backbones.tokens.token_vectors import TokenVectors
from spaces import AUTO, LEARNED

# The features of the other splits together are seldom more than those of the training split.
_SPLITS = 2


class Encoders:
    """Makes the parts of models that are learned from the training texts.

    The vocabulary is the training split's in the refit too: it is part of what was selected, and a weight of the trial
    stays the weight of the same token.

    Args:
        modules: What `resolve_embeddings` gave, among others.
        texts: Those of the training split; None: they are not known.
    """

    def __init__(self, modules: Mapping[str, Path], texts: NDArray[np.object_] | None) -> None:
        self._modules = modules
        self._tokens = None if texts is None else Tokens(texts)
        self._texts = texts
        self._vectors: dict[str, WordVectors] = {}
        self._token_modules = {key: TokenModule.read(modules[key]) for key in modules if is_tokens_key(key)}

    def learning_from(self, texts: NDArray[np.object_]) -> Encoders:
        """The same for other training texts [n], with the vectors that are in memory already."""
        other = copy.copy(self)
        other._tokens = Tokens(texts)
        return other

    def text_encoder(self, texts: keras.KerasTensor, values: Mapping[str, Any]) -> keras.KerasTensor:
        """Puts tokenizer and encoder of a configuration into a model: strings [batch] to float32 [batch, dim]."""
        module = self._token_module(values)
        if module is None:
            return encoded(self._embedded(self.tokens.tokenized(texts, values), values), values)
        trainable = values.get("embedding_trainable", False)
        return _over_rows(TextEmbedding(module.folder, trainable, name=EMBEDDING)(texts), module, values)

    def id_encoder(self, values: Mapping[str, Any]) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Begins a model with the encoder of a configuration.

        Returns:
            Its input, numbers of tokens, int32 [batch, length], and what it gives for them, float32 [batch, dim]. Its
            weights are those of `text_encoder`, in the same order.
        """
        ids = keras.Input((self.tokens.length(values),), dtype="int32", name="ids")
        return ids, encoded(self._embedded(ids, values), values)

    def row_encoder(self, values: Mapping[str, Any]) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Begins a model with what is above the token-level module of a configuration.

        Returns:
            Its input, what the module gives for texts, float32 [batch, tokens * width + 1], and what the encoder gives
            for that, as `id_encoder` says it.
        """
        module = self._token_module(values)
        assert module is not None
        rows = keras.Input((module.length * module.width + 1,), name="rows")
        return rows, _over_rows(rows, module, values)

    def takes_ids(self, values: Mapping[str, Any]) -> bool:
        """Whether a configuration is trained on numbers of tokens, as all are but those over a token-level module."""
        return self._token_module(values) is None

    def constant_module(self, values: Mapping[str, Any], has_room: Callable[[int, int], bool]) -> str | None:
        """The token-level module of a configuration, if it is not trained and what it gives for all texts can be kept.

        Args:
            values: The hyperparameters.
            has_room: Whether features of so many texts, of such a width, can be kept.

        Returns:
            Its name among the modules.
        """
        module = self._token_module(values)
        if module is None or values.get("embedding_trainable") or self._texts is None:
            return None
        fits = has_room(_SPLITS * len(self._texts), module.length * module.width + 1)
        return tokens_key(values["embedding"]) if fits else None

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

    def _token_module(self, values: Mapping[str, Any]) -> TokenModule | None:
        return self._token_modules.get(tokens_key(values["embedding"]))

    def _embedded(self, ids: keras.KerasTensor, values: Mapping[str, Any]) -> keras.KerasTensor:
        vocabulary = self.tokens.vocabulary(values)
        name = values["embedding"]
        if name == LEARNED:
            return embedded(ids, values, len(vocabulary), None)
        if name not in self._vectors:
            vectors = WordVectors.of(self._modules[name], name)
            assert vectors is not None  # as it was when it was resolved
            self._vectors[name] = vectors
        return embedded(ids, values, len(vocabulary), self._vectors[name].table(vocabulary))


def _over_rows(rows: keras.KerasTensor, module: TokenModule, values: Mapping[str, Any]) -> keras.KerasTensor:
    length = values["sequence_length"]
    length = module.length if length == AUTO else min(length, module.length)
    return encoded(TokenVectors(module.width, length, is_masked(values), name="tokens")(rows), values)
