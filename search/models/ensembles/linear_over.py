"""The baseline on a frozen backbone as a model: texts in, its probabilities out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from search.backbones.base import EMBEDDING
from search.backbones.hub.layer import TextEmbedding
from search.models.ensembles.combiners import of_all_classes


def linear_over(folder: Path, fitted: Any, classes: int) -> keras.Model:
    """Puts a fitted linear model over a frozen module, as the head of a trial stands over its.

    Args:
        folder: The module's SavedModel.
        fitted: With `coef_`, `intercept_` and `classes_` of scikit-learn's meaning, on the module's features.
        classes: Number of classes; those that it was not fitted on have probability 0.

    Returns:
        A model from strings [batch] to probabilities, float32 [batch, classes].
    """
    texts = keras.Input((), dtype="string", name="texts")
    output = keras.layers.Dense(classes, "softmax", dtype="float32", name="probabilities")
    model = keras.Model(texts, output(TextEmbedding(folder, name=EMBEDDING)(texts)))
    output.set_weights(of_all_classes(fitted.coef_, fitted.intercept_, fitted.classes_, classes))
    return model
