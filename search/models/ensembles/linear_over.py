"""The baseline on a frozen backbone as a model: texts in, its probabilities out."""

from __future__ import annotations

from typing import Any

import keras

from search.backbones.base import Backbone
from search.models.ensembles.combiners import of_all_classes


def linear_over(backbone: Backbone, fitted: Any, classes: int) -> keras.Model:
    """Puts a fitted linear model over a frozen backbone, as the head of a trial stands over its.

    Args:
        backbone: The backbone.
        fitted: With `coef_`, `intercept_` and `classes_` of scikit-learn's meaning, on the backbone's features.
        classes: Number of classes; those that it was not fitted on have probability 0.

    Returns:
        A model from strings [batch] to probabilities, float32 [batch, classes].
    """
    texts = keras.Input((), dtype="string", name="texts")
    output = keras.layers.Dense(classes, "softmax", dtype="float32", name="probabilities")
    model = keras.Model(texts, output(backbone.symbolic(texts, {"trainable": False})))
    output.set_weights(of_all_classes(fitted.coef_, fitted.intercept_, fitted.classes_, classes))
    return model
