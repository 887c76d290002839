"""From texts to numbers of tokens, by a vocabulary of the training split."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from spaces import AUTO

log = logging.getLogger(__name__)

# Texts of a call.
_BATCH = 4096
# What the length of `auto` covers of the training texts, and its bound: a recurrent layer takes a step for each token.
_QUANTILE, _LONGEST = 0.95, 256
# Of the vocabulary: the token of padding and that of all words that are not in it.
_RESERVED = 2
PADDING, UNKNOWN = 0, 1


def usual_length(counts: NDArray[np.int64]) -> int:
    """The length of `auto`, from the numbers of tokens in the training texts."""
    return int(np.clip(np.quantile(counts, _QUANTILE, method="higher"), 1, _LONGEST))


class Tokens:
    """Turns texts into numbers of tokens, once for all trials with the same settings.

    Texts are lower-cased (letters of ASCII), freed of punctuation and split at white space. A text without any token
    counts as one unknown word, since means and recurrent layers cannot take an empty text.

    Args:
        texts: Texts of the training split, strings [n]; vocabularies and lengths follow from them alone.
    """

    def __init__(self, texts: NDArray[np.object_]) -> None:
        self._texts = texts
        # What was asked and whose rows to the numbers; the rows are kept so that no others can take their identity.
        self._ids: dict[tuple[Any, ...], tuple[NDArray[np.object_], tf.Tensor]] = {}
        self._counted = cache(self._count)
        self._others: dict[int, Tokens] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process counts the same texts to the same vocabulary.
        return Tokens, (self._texts,)

    def learning_from(self, texts: NDArray[np.object_]) -> Tokens:
        """The tokenizers of other training texts [n], shared by all callers with the same texts."""
        # Each holds on to its texts: their identity is theirs alone.
        return self._others.setdefault(id(texts), Tokens(texts))

    def vocabulary(self, values: Mapping[str, Any]) -> list[str]:
        """The tokens that a configuration knows, the most frequent first, behind those of padding and unknown words."""
        words, _ = self._counted(values["ngrams"])
        return words[: values["vocabulary_size"]]

    def length(self, values: Mapping[str, Any]) -> int:
        """How many tokens of a text a configuration looks at."""
        length = values["sequence_length"]
        return self._counted(values["ngrams"])[1] if length == AUTO else int(length)

    def tokenized(self, texts: keras.KerasTensor, values: Mapping[str, Any]) -> keras.KerasTensor:
        """Adds the tokenizer of a configuration to a model.

        Args:
            texts: Strings [batch].
            values: The hyperparameters.

        Returns:
            Numbers of tokens, int64 [batch, length].
        """
        ids = self._vectorizer(values)(texts)
        first = keras.ops.maximum(ids[:, :1], UNKNOWN)
        return keras.ops.concatenate([first, ids[:, 1:]], axis=1)

    def ids(self, texts: NDArray[np.object_], values: Mapping[str, Any]) -> tf.Tensor:
        """The numbers of tokens for the rows of a split, int32 [n, length], kept in memory once computed."""
        key = (id(texts), values["vocabulary_size"], values["ngrams"], self.length(values))
        if key not in self._ids:
            vectorizer = self._vectorizer(values)
            starts = range(0, len(texts), _BATCH)
            ids = np.concatenate(
                [vectorizer(tf.constant(texts[i : i + _BATCH].tolist())).numpy().astype(np.int32) for i in starts]
            )
            ids[:, 0] = np.maximum(ids[:, 0], UNKNOWN)
            self._ids[key] = (texts, tf.constant(ids))
        return self._ids[key][1]

    def _vectorizer(self, values: Mapping[str, Any]) -> keras.layers.TextVectorization:
        length = self.length(values)
        vectorizer = keras.layers.TextVectorization(
            values["vocabulary_size"], ngrams=values["ngrams"], output_sequence_length=length, name="tokens"
        )
        vectorizer.set_vocabulary(self.vocabulary(values)[_RESERVED:])
        return vectorizer

    def _count(self, ngrams: int) -> tuple[list[str], int]:
        """All tokens of the training texts, the most frequent first, and the length of `auto`."""
        vectorizer = keras.layers.TextVectorization(ngrams=ngrams, ragged=True)
        batches = [tf.constant(self._texts[i : i + _BATCH].tolist()) for i in range(0, len(self._texts), _BATCH)]
        vectorizer.adapt(
            tf.data.Dataset.from_generator(lambda: batches, output_signature=tf.TensorSpec([None], tf.string))
        )
        # NumPy's strings, of which Keras makes the list, lose zero characters at their end; and a .keras file that
        # holds a word with one of Unicode's line ends inside cannot be read again.
        known = dict.fromkeys(map(str, vectorizer.get_vocabulary()))
        words = [word for word in known if word.splitlines() in ([], [word])]
        if len(words) == _RESERVED:
            return words, 1
        lengths = np.concatenate([vectorizer(batch).row_lengths().numpy() for batch in batches])
        length = usual_length(lengths)
        log.info(
            "Tokens of the training texts (ngrams=%s): %s different ones; %s of them in 95 of 100 texts",
            ngrams,
            len(words) - _RESERVED,
            length,
        )
        return words, length
