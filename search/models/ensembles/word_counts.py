"""The baselines on word counts as TensorFlow layers that give scikit-learn's probabilities."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import keras
import tensorflow as tf

from search.models.ensembles.combiners import of_all_classes

# Of a word; scikit-learn's pattern \b\w\w+\b leaves out single characters.
_SHORTEST = 2


class WordCounts(keras.layers.Layer):
    """TF-IDF under a linear model, from a fitted pipeline of scikit-learn: strings [batch] to float32 [batch, classes].

    Args:
        pipeline: `TfidfVectorizer` with its own tokenizer and l2 norm, then naive Bayes, logistic regression or
            `NaiveBayesWeightedRegression`.
        classes: Number of classes; those on which the pipeline was not fitted have probability 0.
        name: Name of the layer.
    """

    def __init__(self, pipeline: Any, classes: int, name: str) -> None:
        super().__init__(trainable=False, dtype="float32", autocast=False, name=name)
        self.supports_jit = False
        words, model = pipeline[0], pipeline[-1]
        terms = words.get_feature_names_out().tolist()
        ids = tf.range(len(terms), dtype=tf.int64)
        self._table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(tf.constant(terms), ids), -1)
        self._terms = len(terms)
        shortest, longest = words.ngram_range
        self._widths = tuple(range(shortest, longest + 1))
        self._sublinear = bool(words.sublinear_tf)
        if hasattr(model, "feature_log_prob_"):
            linear = (model.feature_log_prob_, model.class_log_prior_)
        else:
            linear = (model.coef_, model.intercept_)
        self._against_rest = getattr(model, "one_against_rest", False) and len(model.classes_) > 2
        weights, bias = of_all_classes(*linear, model.classes_, classes)
        self._idf, self._weights, self._bias = (
            self.add_weight(name=name, shape=values.shape, initializer="zeros", trainable=False, autocast=False)
            for name, values in (("idf", words.idf_), ("weights", weights), ("bias", bias))
        )
        for variable, values in ((self._idf, words.idf_), (self._weights, weights), (self._bias, bias)):
            variable.assign(values)

    def call(self, texts: tf.Tensor) -> tf.Tensor:
        """Scores texts."""
        terms = tf.strings.ngrams(tokens(texts), self._widths, separator=" ")
        ids, rows = self._table.lookup(terms.values), terms.value_rowids()
        known = ids >= 0
        cells = tf.boolean_mask(rows, known) * self._terms + tf.boolean_mask(ids, known)
        cells, _, counts = tf.unique_with_counts(cells, tf.int64)
        rows, ids = cells // self._terms, cells % self._terms
        frequencies = tf.cast(counts, tf.float64)
        if self._sublinear:
            frequencies = 1 + tf.math.log(frequencies)
        values = frequencies * _gathered(self._idf, ids)
        batch = tf.shape(texts, tf.int64)[0]
        lengths = tf.sqrt(tf.math.unsorted_segment_sum(values**2, rows, batch))
        sums = tf.math.unsorted_segment_sum(values[:, None] * _gathered(self._weights, ids), rows, batch)
        logits = tf.math.divide_no_nan(sums, lengths[:, None]) + tf.cast(self._bias.value, tf.float64)
        if self._against_rest:
            each = tf.sigmoid(logits)
            return tf.cast(each / tf.reduce_sum(each, axis=1, keepdims=True), tf.float32)
        return tf.cast(tf.nn.softmax(logits), tf.float32)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """Gives the shape of the probabilities."""
        return input_shape[0], self._bias.shape[0]


def tokens(texts: tf.Tensor) -> tf.RaggedTensor:
    r"""The words of scikit-learn's vectorizers: lower-cased runs of two or more characters of Python's \w.

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
    r"""An RE2 pattern equal to Python's \W+, since RE2's own \pL and \pN are of another version of Unicode."""
    edges = []
    inside = False
    for code in range(sys.maxunicode + 2):
        word = code <= sys.maxunicode and (chr(code).isalnum() or code == ord("_"))
        if word != inside:
            edges.append(code)
            inside = word
    ranges = (rf"\x{{{first:x}}}-\x{{{end - 1:x}}}" for first, end in zip(edges[::2], edges[1::2], strict=True))
    return f"[^{''.join(ranges)}]+"


def _gathered(weights: keras.Variable, ids: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.gather(weights.value, ids), tf.float64)
