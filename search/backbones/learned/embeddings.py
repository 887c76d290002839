"""The embeddings under a learned encoder: a vector for each token of a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import keras

from search.backbones.base import EMBEDDING, PreparedInputs, SavedModule
from search.backbones.hub.layer import TextEmbedding
from search.backbones.learned.initial_table import WordVectors
from search.backbones.learned.network import embedded, is_masked
from search.backbones.learned.vocabulary import Tokens
from search.backbones.tokens.token_module import TokenModule
from search.backbones.tokens.token_vectors import TokenVectors
from spaces import AUTO


class TokenEmbedding(Protocol):
    """Gives vectors of tokens, float32 [batch, length, dim], masked where `network.is_masked` says so.

    Attributes:
        cuts_texts: Whether its module tokenizes texts itself; else the vocabulary is that of the training texts.
    """

    cuts_texts: bool

    @property
    def module(self) -> SavedModule | None:
        """The published module that it starts from; None: it is learned from scratch."""

    def of_texts(self, texts: keras.KerasTensor, tokens: Tokens, values: Mapping[str, Any]) -> keras.KerasTensor:
        """Adds the embedding to a model: strings [batch] to vectors."""

    def prepared(self, tokens: Tokens, values: Mapping[str, Any]) -> PreparedInputs | None:
        """Inputs that can be computed once from texts, whose `begin` gives vectors; None where there are none."""


class TokenTable:
    """A table with a row for each token of the vocabulary, learned from scratch or from given word vectors on.

    Args:
        module: A module of word vectors; None: from scratch.
    """

    cuts_texts = False

    def __init__(self, module: SavedModule | None) -> None:
        self.module = module
        self._vectors: WordVectors | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process reads the vectors itself.
        return TokenTable, (self.module,)

    def of_texts(self, texts: keras.KerasTensor, tokens: Tokens, values: Mapping[str, Any]) -> keras.KerasTensor:
        """Adds tokenizer and table to a model: see `TokenEmbedding.of_texts`."""
        return self._of_ids(tokens.tokenized(texts, values), tokens, values)

    def prepared(self, tokens: Tokens, values: Mapping[str, Any]) -> PreparedInputs:
        """Numbers of tokens, int32 [batch, length]."""

        def begin() -> tuple[keras.KerasTensor, keras.KerasTensor]:
            ids = keras.Input((tokens.length(values),), dtype="int32", name="ids")
            return ids, self._of_ids(ids, tokens, values)

        return PreparedInputs(begin, lambda texts: tokens.ids(texts, values))

    def _of_ids(self, ids: keras.KerasTensor, tokens: Tokens, values: Mapping[str, Any]) -> keras.KerasTensor:
        vocabulary = tokens.vocabulary(values)
        if self.module is None:
            return embedded(ids, values, len(vocabulary), None)
        if self._vectors is None:
            self._vectors = WordVectors.of(self.module.folder, self.module.name)
            assert self._vectors is not None  # as it was when it was resolved
        return embedded(ids, values, len(vocabulary), self._vectors.table(vocabulary))


class ModuleTokens:
    """The vectors of a token-level module, frozen or fine-tuned as `embedding_trainable` says.

    Args:
        made: The token-level module.
        module: The published module it was made from.
    """

    cuts_texts = True

    def __init__(self, made: TokenModule, module: SavedModule) -> None:
        self.module = module
        self._made = made

    def of_texts(self, texts: keras.KerasTensor, tokens: Tokens, values: Mapping[str, Any]) -> keras.KerasTensor:
        """Adds the module to a model: see `TokenEmbedding.of_texts`."""
        trainable = values.get("embedding_trainable", False)
        return self._of_rows(TextEmbedding(self.module.folder, trainable, name=EMBEDDING)(texts), values)

    def prepared(self, tokens: Tokens, values: Mapping[str, Any]) -> PreparedInputs | None:
        """The rows of the frozen module, float32 [batch, tokens * width + 1]."""
        if values.get("embedding_trainable"):
            return None

        def begin() -> tuple[keras.KerasTensor, keras.KerasTensor]:
            rows = keras.Input((self._made.length * self._made.width + 1,), name="rows")
            return rows, self._of_rows(rows, values)

        return PreparedInputs(begin, None)

    def _of_rows(self, rows: keras.KerasTensor, values: Mapping[str, Any]) -> keras.KerasTensor:
        wanted, most = values["sequence_length"], self._made.length
        length = most if wanted == AUTO else min(wanted, most)
        return TokenVectors(self._made.width, length, is_masked(values), name="tokens")(rows)
