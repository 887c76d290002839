"""BERT's tokenizer as operations of TensorFlow, with the ids that the `tokenizers` library gives."""

from __future__ import annotations

import re

import tensorflow as tf

from search.backbones.transformers.characters import AS_IT_IS, bert_table
from search.backbones.transformers.tokenizer_files import TokenizerFiles

# Characters that BERT's cleaning leaves out, so that no text has any: each stands for a special token in a text, and
# one for a word that is too long.
_MARKS = 0x10FF00


class WordPiece(tf.Module):
    """Cuts texts into words at spaces and punctuation, and words into the longest pieces of a vocabulary.

    Args:
        files: What its files say.
    """

    def __init__(self, files: TokenizerFiles) -> None:
        import tensorflow_text

        super().__init__()
        self._files = files
        marks = {token: chr(_MARKS + place) for place, token in enumerate(files.special)}
        self._marks = tuple((token, mark) for token, mark in marks.items() if token not in files.normalized)
        self._too_long = chr(_MARKS + len(marks))
        all_marks = (*marks.values(), self._too_long)
        self._no_marks = f"[{all_marks[0]}-{all_marks[-1]}]"
        self._table, replacements = bert_table(files.lowercase, files.strip_accents, files.chinese, all_marks)
        self._replacements = [text.encode() for text in replacements]
        vocabulary = [marks.get(token, token) for token in files.vocabulary]
        unknown = vocabulary[files.unknown]
        self._pieces = tensorflow_text.FastWordpieceTokenizer(
            vocabulary,
            unknown_token=unknown,
            max_bytes_per_word=8 * files.longest_word,
            token_out_type=tf.int32,
            no_pretokenization=True,
        )
        # These stand in texts that are cleaned, as they are when they are cleaned themselves.
        written = self._cleaned(tf.constant(list(files.normalized), tf.string)).numpy()
        self._late_marks = tuple(
            (text.decode(), marks[token]) for text, token in zip(written, files.normalized, strict=True)
        )

    def __call__(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Cuts strings [batch] into ids, int32 [batch, (tokens)], without those around a text."""
        # Replaced before anything is cut, as the library finds them in what people wrote.
        texts = tf.strings.regex_replace(texts, self._no_marks, "")
        for token, mark in self._marks:
            texts = tf.strings.regex_replace(texts, re.escape(token), mark)
        texts = self._cleaned(texts)
        for written, mark in self._late_marks:
            texts = tf.strings.regex_replace(texts, re.escape(written), f" {mark} ")
        words = tf.strings.split(texts)
        length = tf.strings.length(words.values, "UTF8_CHAR")
        known = tf.where(length > self._files.longest_word, self._too_long, words.values)
        return words.with_values(self._pieces.tokenize(known)).merge_dims(1, 2)

    def _cleaned(self, texts: tf.Tensor) -> tf.Tensor:
        """Replaces characters as BERT does, and puts spaces around what is a word of its own."""
        characters = tf.strings.unicode_split(texts, "UTF-8")
        codes = tf.strings.unicode_decode(characters.values, "UTF-8").values
        entries = self._table.of_codes(codes)
        cleaned = tf.where(entries == AS_IT_IS, characters.values, tf.gather(self._replacements, entries))
        return tf.strings.unsorted_segment_join(cleaned, characters.value_rowids(), tf.size(texts))
