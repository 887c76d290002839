"""From texts to what an encoder takes: ids with those around a text, cut and padded to the longest of the batch."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from search.backbones.transformers.byte_pairs import BytePairs
from search.backbones.transformers.tokenizer_files import TokenizerFiles
from search.backbones.transformers.unigram import Unigram
from search.backbones.transformers.word_piece import WordPiece

_KINDS: dict[str, Callable[[TokenizerFiles], Callable[[tf.Tensor], tf.RaggedTensor]]] = {
    "WordPiece": WordPiece,
    "BPE": BytePairs,
    "Unigram": Unigram,
}


class Tokens:
    """A tokenizer.

    Args:
        files: What its files say.
        max_tokens: Ids of the longest text, with those around it.
    """

    def __init__(self, files: TokenizerFiles, max_tokens: int) -> None:
        self._files, self._cut = files, _KINDS[files.kind](files)
        self._room = max_tokens - len(files.before) - len(files.after)

    @property
    def resource(self) -> tf.Module | None:
        """An object outside the graph that a SavedModel has to keep with it; None: there is none."""
        return self._cut.resource if isinstance(self._cut, Unigram) else None

    def ids(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Ids of strings [batch], int32 [batch, (tokens)]."""
        inner = self._cut(texts)[:, : self._room]
        rows = tf.size(texts)
        around = [tf.tile([list(ids)], [rows, 1]) for ids in (self._files.before, self._files.after) if ids]
        sides = [tf.RaggedTensor.from_tensor(tf.cast(one, tf.int32)) for one in around]
        before, after = sides[: bool(self._files.before)], sides[bool(self._files.before) :]
        return tf.concat([*before, inner, *after], axis=1)

    def padded(self, ids: tf.RaggedTensor) -> tf.Tensor:
        """Ids padded to the longest text, int32 [batch, tokens]."""
        return ids.to_tensor(self._files.padding)
