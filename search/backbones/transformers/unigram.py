"""Tokenizers of SentencePiece as operations of TensorFlow, with the ids that the `tokenizers` library gives.

Kudo, Subword Regularization, 2018, https://arxiv.org/abs/1804.10959: the most probable pieces of each word.
"""

from __future__ import annotations

import re

import numpy as np
import tensorflow as tf

from search.backbones.transformers.characters import WHITE_SPACE
from search.backbones.transformers.normalizers import normalizing
from search.backbones.transformers.sentence_piece import unigram_model
from search.backbones.transformers.tokenizer_files import TokenizerFiles

# Private characters; those of people's own texts are left out. The first ends a segment of a text, the second stands
# for characters that no piece has, and each other for a special token.
_END, _UNKNOWN, _MARKS = "\U0010ff00", "\U0010ff01", 0x10FF02
_WORD = "▁"
# Scores are rounded to it, so that SentencePiece, which adds them as float32, adds without an error up to 512: of
# the same pieces in several orders it then takes that of the library, which adds as float64. Pieces whose scores
# differ by less would be taken for alike.
_ROUNDED = 2.0**-15


class Unigram(tf.Module):
    """Normalizes texts between special tokens, and cuts them into words, each with its mark of a beginning, and pieces.

    Args:
        files: What its files say.
    """

    def __init__(self, files: TokenizerFiles) -> None:
        import tensorflow_text

        super().__init__()
        self._marks = tuple((token, chr(_MARKS + place)) for place, token in enumerate(files.special))
        self._private = f"[{_END}-{chr(_MARKS + len(self._marks))}]"
        self._taking_spaces = frozenset(files.taking_spaces)
        self._white_space = files.white_space
        self._steps = tuple(normalizing(files.normalizers))
        scores = [round(score / _ROUNDED) * _ROUNDED for score in files.scores]
        # Tokens that were added behind the model's are only found as special ones.
        pieces = [*zip(files.vocabulary, scores, strict=False), *((mark, 0.0) for _, mark in self._marks)]
        self._ids = np.array([*range(len(scores)), *files.special.values(), files.unknown], np.int32)
        model = unigram_model(pieces, _UNKNOWN)
        self.resource = tensorflow_text.SentencepieceTokenizer(model, out_type=tf.int32)

    def __call__(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Cuts strings [batch] into ids, int32 [batch, (tokens)], without those around a text."""
        texts = tf.strings.regex_replace(texts, self._private, "")
        for token, mark in self._marks:
            spaces = f"[{WHITE_SPACE}]*" if token in self._taking_spaces else ""
            texts = tf.strings.regex_replace(texts, spaces + re.escape(token), _END + mark + _END)
        segments = tf.strings.split(texts, _END)
        words = self._words(segments.values)
        distinct, place = tf.unique(words.values)
        pieces = tf.gather(self._ids, self.resource.tokenize(distinct))
        by_word = words.with_values(tf.gather(pieces, place))
        return segments.with_values(by_word.merge_dims(1, 2)).merge_dims(1, 2).with_row_splits_dtype(tf.int64)

    def _words(self, segments: tf.Tensor) -> tf.RaggedTensor:
        """Cuts segments into words that begin with their mark, strings [segments, (words)]."""
        marked = tf.strings.regex_full_match(segments, self._private)
        texts = tf.where(marked, "", segments)
        for step in self._steps:
            texts = step(texts)
        if self._white_space:
            texts = tf.strings.regex_replace(texts, f"[{WHITE_SPACE}]+", " ")
            texts = tf.strings.regex_replace(tf.strings.strip(texts), f"(^| )({_WORD})?(.)", rf"{_WORD}\3")
        else:
            texts = tf.strings.regex_replace(
                tf.strings.regex_replace(texts, " ", _WORD), f"^([^{_WORD}])", rf"{_WORD}\1"
            )
        begun = tf.strings.regex_replace(tf.where(marked, segments, texts), _WORD, _END + _WORD)
        words = tf.strings.split(begun, _END)
        return tf.ragged.boolean_mask(words, words != "")
