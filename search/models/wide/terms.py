"""Words of texts and how often each stands there, by TensorFlow as by scikit-learn."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import tensorflow as tf

# Of a word; scikit-learn's pattern \b\w\w+\b leaves out single characters.
_SHORTEST = 2


class Counted(NamedTuple):
    """Terms that stand in texts, each once for a text.

    Attributes:
        rows: Which texts, int64 [k].
        ids: Which terms, int64 [k].
        frequencies: How often, or 1 + log of that, float64 [k].
    """

    rows: tf.Tensor
    ids: tf.Tensor
    frequencies: tf.Tensor


def term_table(terms: Sequence[str]) -> tf.lookup.StaticHashTable:
    """The numbers of terms by the terms, -1 for others."""
    ids = tf.range(len(terms), dtype=tf.int64)
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(tf.constant(terms), ids), -1)


def counted(
    texts: tf.Tensor, table: tf.lookup.StaticHashTable, terms: int, widths: tuple[int, ...], sublinear: bool
) -> Counted:
    """Counts the terms in texts.

    Args:
        texts: Strings [batch].
        table: As `term_table` makes it.
        terms: How many terms it has.
        widths: How many neighbouring words make a term.
        sublinear: Whether to give 1 + log of how often.
    """
    found = tf.strings.ngrams(tokens(texts), widths, separator=" ")
    ids, rows = table.lookup(found.values), found.value_rowids()
    known = ids >= 0
    cells = tf.boolean_mask(rows, known) * terms + tf.boolean_mask(ids, known)
    cells, _, counts = tf.unique_with_counts(cells, tf.int64)
    frequencies = tf.cast(counts, tf.float64)
    return Counted(cells // terms, cells % terms, 1 + tf.math.log(frequencies) if sublinear else frequencies)


def linear(found: Counted, idf: tf.Tensor, kernel: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
    """The products of texts' TF-IDF, each of length 1, with a matrix, at the cost of the words in the texts.

    Args:
        found: The terms in the texts.
        idf: Of each term [terms].
        kernel: The matrix [terms, classes].
        batch: How many texts there are, int64.

    Returns:
        float64 [batch, classes], 0 for texts without a known term.
    """
    values = found.frequencies * _gathered(idf, found.ids)
    lengths = tf.sqrt(tf.math.unsorted_segment_sum(values**2, found.rows, batch))
    sums = tf.math.unsorted_segment_sum(values[:, None] * _gathered(kernel, found.ids), found.rows, batch)
    return tf.math.divide_no_nan(sums, lengths[:, None])


def tokens(texts: tf.Tensor) -> tf.RaggedTensor:
    r"""The words that scikit-learn's vectorizers see: lower-cased, runs of two and more characters of Python's \w.

    Args:
        texts: Strings [batch].

    Returns:
        Strings [batch, (words)].
    """
    lowered = tf.strings.lower(texts, encoding="utf-8")
    runs = tf.strings.split(tf.strings.regex_replace(lowered, _between_words(), " "), " ")
    return tf.ragged.boolean_mask(runs, tf.strings.length(runs, unit="UTF8_CHAR") >= _SHORTEST)


@cache
def _between_words() -> str:
    r"""RE2's pattern for what Python's \W+ matches: the classes \pL and \pN of RE2 are of another Unicode."""
    edges = []
    inside = False
    for code in range(sys.maxunicode + 2):
        word = code <= sys.maxunicode and (chr(code).isalnum() or code == ord("_"))
        if word != inside:
            edges.append(code)
            inside = word
    ranges = (rf"\x{{{first:x}}}-\x{{{end - 1:x}}}" for first, end in zip(edges[::2], edges[1::2], strict=True))
    return f"[^{''.join(ranges)}]+"


def _gathered(weights: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.gather(weights, ids), tf.float64)
