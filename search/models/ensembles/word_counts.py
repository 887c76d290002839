"""The baselines on word counts as TensorFlow layers that give scikit-learn's probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from sklearn.pipeline import FeatureUnion

from search.datasets import Column
from search.models.beside.symbolic import column_inputs, column_vectors
from search.models.ensembles.combiners import of_all_classes
from search.models.wide.terms import counted, linear, term_table


class WordCounts(keras.layers.Layer):
    """TF-IDF under a linear model, from a fitted pipeline of scikit-learn: strings [batch] to float32 [batch, classes].

    Where the pipeline has columns beside the words, it takes a list of texts and their vectors.

    Args:
        pipeline: `TfidfVectorizer` with its own tokenizer and l2 norm, then naive Bayes, logistic regression or
            `NaiveBayesWeightedRegression`.
        classes: Number of classes; those on which the pipeline was not fitted have probability 0.
        name: Name of the layer.
    """

    def __init__(self, pipeline: Any, classes: int, name: str) -> None:
        super().__init__(trainable=False, dtype="float32", autocast=False, name=name)
        self.supports_jit = False
        words, model = words_of(pipeline), pipeline[-1]
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
        beside = {"beside": weights[len(terms) :]} if len(weights) > len(terms) else {}
        named = {"idf": words.idf_, "weights": weights[: len(terms)], "bias": bias, **beside}
        self._idf, self._weights, self._bias, *self._beside = (
            self.add_weight(name=name, shape=values.shape, initializer="zeros", trainable=False, autocast=False)
            for name, values in named.items()
        )
        for variable, values in zip((self._idf, self._weights, self._bias, *self._beside), named.values(), strict=True):
            variable.assign(values)

    def call(self, inputs: tf.Tensor | list[tf.Tensor]) -> tf.Tensor:
        """Scores texts."""
        texts, *columns = inputs if isinstance(inputs, list | tuple) else [inputs]
        found = counted(texts, self._table, self._terms, self._widths, self._sublinear)
        products = linear(found, self._idf.value, self._weights.value, tf.shape(texts, tf.int64)[0])
        logits = products + tf.cast(self._bias.value, tf.float64)
        for vectors, weights in zip(columns, self._beside, strict=True):
            logits += tf.cast(vectors, tf.float64) @ tf.cast(weights.value, tf.float64)
        if self._against_rest:
            each = tf.sigmoid(logits)
            return tf.cast(each / tf.reduce_sum(each, axis=1, keepdims=True), tf.float32)
        return tf.cast(tf.nn.softmax(logits), tf.float32)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, int]:
        """Gives the shape of the probabilities."""
        of_texts = input_shape[0] if isinstance(input_shape, list) else input_shape
        return of_texts[0], self._bias.shape[0]


def words_of(pipeline: Any) -> Any:
    """The `TfidfVectorizer` of a pipeline, which may stand beside the preprocessing of columns."""
    first = pipeline[0]
    return first.transformer_list[0][1][-1] if isinstance(first, FeatureUnion) else first


def words_beside(pipeline: Any, columns: Sequence[Column], classes: int, name: str) -> keras.layers.Layer:
    """The pipeline as a part of a model that takes texts, or texts and columns where it has both."""
    layer = WordCounts(pipeline, classes, name)
    if not isinstance(pipeline[0], FeatureUnion):
        return layer
    texts, inputs = keras.Input((), dtype="string", name="texts"), column_inputs(columns)
    vectors = column_vectors(columns, pipeline[0].transformer_list[1][1], inputs)
    return keras.Model([texts, *inputs], layer([texts, vectors]))
