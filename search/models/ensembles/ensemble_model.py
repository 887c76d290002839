"""An ensemble as one Keras model: texts in, probabilities out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf

from search.backbones.hub.joined_layer import frozen_parts
from search.datasets import Column
from search.models.beside.symbolic import column_inputs
from search.models.ensembles.combiners import Combiner, Weighted
from search.models.ensembles.member import Member
from search.models.keras_model import above_embedding, linear_words


class Combination(keras.layers.Layer):
    """A layer that combines the outputs of members, a list of float32 [batch, classes].

    Args:
        combiner: The combiner, which works in float64.
        name: Name of the layer.
    """

    def __init__(self, combiner: Combiner, name: str) -> None:
        super().__init__(trainable=False, dtype="float32", autocast=False, name=name)
        self._combiner = combiner

    def call(self, outputs: list[tf.Tensor]) -> tf.Tensor:
        """Combines them."""
        return tf.cast(self._combiner(tf.cast(tf.stack(outputs), tf.float64)), tf.float32)

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        """The shape of the output, which is that of a member's."""
        return input_shape[0]


def ensemble_model(members: Sequence[Member], combiner: Combiner, beside: Sequence[Column] = ()) -> keras.Model:
    """Puts members under a combiner; members without weight are left out, and each frozen module is shared.

    Args:
        members: Members with models.
        combiner: The combiner, fitted on all of them in this order.
        beside: The columns that members take beside the texts.

    Returns:
        A model from strings [batch], and the columns beside them, to probabilities, float32 [batch, classes].
    """
    texts, columns = keras.Input((), dtype="string", name="texts"), column_inputs(beside)
    if isinstance(combiner, Weighted):
        members = [member for member, weight in zip(members, combiner.weights, strict=True) if weight]
        combiner = Weighted(combiner.weights[combiner.weights > 0])
    embedded: dict[Path, keras.KerasTensor] = {}
    outputs = []
    for member in members:
        model = member.model
        assert model is not None
        if frozen := frozen_parts(model):
            for part in frozen:
                if part.folder not in embedded:
                    embedded[part.folder] = part.published(f"module_{len(embedded) + 1}")(texts)
            vectors = [embedded[part.folder] for part in frozen]
            above = [vectors[0] if len(vectors) == 1 else keras.layers.Concatenate(dtype="float32")(vectors), *columns]
            if (words := linear_words(model)) is not None:
                above.append(words.named(f"{member.name}_words")(texts))
            outputs.append(_named(above_embedding(model), member.name)(above if len(above) > 1 else above[0]))
        else:
            part = _named(model, member.name) if isinstance(model, keras.Model) else model
            several = isinstance(part, keras.Model) and len(part.inputs) > 1
            outputs.append(part([texts, *columns] if several else texts))
    return keras.Model(
        [texts, *columns] if columns else texts, Combination(combiner, name="probabilities")(outputs), name="ensemble"
    )


def _named(model: keras.Model, name: str) -> keras.Model:
    """A copy of the model with a name of its own, over the same layers, without an optimizer."""
    return keras.Model(model.inputs if len(model.inputs) > 1 else model.inputs[0], model.outputs[0], name=name)
