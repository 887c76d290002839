"""The baselines on word counts as TensorFlow layers that give scikit-learn's probabilities."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from search.models.ensembles.combiners import of_all_classes
from search.models.wide.terms import counted, linear, term_table


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
        self._table = term_table(terms)
        self._terms = len(terms)
        shortest, longest = words.ngram_range
        self._widths = tuple(range(shortest, longest + 1))
        self._sublinear = bool(words.sublinear_tf)
        if hasattr(model, "feature_log_prob_"):
            found = (model.feature_log_prob_, model.class_log_prior_)
        else:
            found = (model.coef_, model.intercept_)
        self._against_rest = getattr(model, "one_against_rest", False) and len(model.classes_) > 2
        weights, bias = of_all_classes(*found, model.classes_, classes)
        self._idf, self._weights, self._bias = (
            self.add_weight(name=name, shape=values.shape, initializer="zeros", trainable=False, autocast=False)
            for name, values in (("idf", words.idf_), ("weights", weights), ("bias", bias))
        )
        for variable, values in ((self._idf, words.idf_), (self._weights, weights), (self._bias, bias)):
            variable.assign(values)

    def call(self, texts: tf.Tensor) -> tf.Tensor:
        """Scores texts."""
        found = counted(texts, self._table, self._terms, self._widths, self._sublinear)
        products = linear(found, self._idf.value, self._weights.value, tf.shape(texts, tf.int64)[0])
        logits = products + tf.cast(self._bias.value, tf.float64)
        if self._against_rest:
            each = tf.sigmoid(logits)
            return tf.cast(each / tf.reduce_sum(each, axis=1, keepdims=True), tf.float32)
        return tf.cast(tf.nn.softmax(logits), tf.float32)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """Gives the shape of the probabilities."""
        return input_shape[0], self._bias.shape[0]
