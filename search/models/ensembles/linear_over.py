"""The baseline on a frozen backbone as a model: texts in, its probabilities out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from search.backbones.base import Backbone
from search.datasets import Column
from search.models.beside.symbolic import column_inputs, column_vectors
from search.models.ensembles.combiners import of_all_classes
from search.models.keras_model import beside


def linear_over(backbone: Backbone, fitted: Any, classes: int, columns: Sequence[Column] = ()) -> keras.Model:
    """Puts a fitted linear model over a frozen backbone, as the head of a trial stands over its.

    Args:
        backbone: The backbone.
        fitted: With `coef_`, `intercept_` and `classes_` of scikit-learn's meaning, on the backbone's features; and,
            where there are columns beside the texts, `columns`, their preprocessing.
        classes: Number of classes; those that it was not fitted on have probability 0.
        columns: The columns.

    Returns:
        A model from strings [batch], and the columns, to probabilities, float32 [batch, classes].
    """
    texts = keras.Input((), dtype="string", name="texts")
    output = keras.layers.Dense(classes, "softmax", dtype="float32", name="probabilities")
    hidden, inputs = backbone.symbolic(texts, {"trainable": False}), column_inputs(columns)
    if inputs:
        hidden = beside(hidden, column_vectors(columns, fitted.columns, inputs))
    model = keras.Model([texts, *inputs] if inputs else texts, output(hidden))
    output.set_weights(of_all_classes(fitted.coef_, fitted.intercept_, fitted.classes_, classes))
    return model
