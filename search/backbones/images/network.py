"""A Keras model of images as a SavedModel in TF Hub's image API, with its sections as stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from search.backbones.hub.layer_groups import Group, ImageEncoder
from search.backbones.images.sections import Section, sections
from search.errors import InputError

_EMBEDDINGS = "embeddings"


class ImageNetwork(tf.train.Checkpoint):
    """A network of images of one size, one vector each out.

    It computes in training what it does elsewhere: normalizes by the statistics that it was published with, whichever
    layers learn, and drops nothing out.

    Args:
        architecture: Its name in messages and records.
        model: From the network's own inputs, float32 [batch, height, width, 3], to a map float32 [batch, h, w, dim], of
            which the vector is the mean, or to tokens float32 [batch, tokens, dim], of which it is the first.
        inputs: Makes these inputs of images, float32 [batch, height, width, 3] from 0 to 1.
    """

    def __init__(self, architecture: str, model: Any, inputs: Callable[[tf.Tensor], tf.Tensor]) -> None:
        super().__init__()
        cut = sections(model)
        first, *others = [_function(one.model) for one in cut]

        def whole(images: tf.Tensor) -> tf.Tensor:
            hidden = first(inputs(images))
            for layer in others:
                hidden = layer(hidden)
            return _vector(hidden)

        self.__call__ = _saved(whole, model.inputs[0])
        # What its vector does not depend on, such as a token that hides patches, is left out.
        used = {id(one) for one in self.__call__.get_concrete_function().variables}
        groups = [_used(section, used) for section in reversed(cut)]
        self.trainable_variables = [variable for _, some in groups for _, variable in some]
        state = [one.value for one in model.non_trainable_weights if id(one.value) in used]
        self.variables = [*self.trainable_variables, *state]
        height, width = model.inputs[0].shape[1:3]
        described = ImageEncoder(architecture, _described(groups), (int(height), int(width)))
        self._described: Callable[[], ImageEncoder] = lambda: described  # as it is, an attribute would be saved
        self.dimension = int(model.outputs[0].shape[-1])
        self.begin = _saved(lambda images: first(inputs(images)), model.inputs[0])
        for number, layer in enumerate(others):
            setattr(self, f"layer_{number}", _saved(layer, cut[number + 1].model.inputs[0]))
        self.finish = _saved(_vector, model.outputs[0])

    @property
    def described(self) -> ImageEncoder:
        """The facts about the network that `search_layers.json` keeps."""
        return self._described()


def made_network(name: str, architecture: str, make: Callable[[], Any], inputs: Callable[[Any], Any]) -> ImageNetwork:
    """Makes the network of a Keras model in float32.

    Args:
        name: The module's name in messages.
        architecture: See `ImageNetwork`.
        make: Makes the model.
        inputs: See `ImageNetwork`.

    Raises:
        InputError: It cannot be made.
    """
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        return ImageNetwork(architecture, make(), inputs)
    except (KeyError, TypeError, ValueError, IndexError, OSError) as error:
        reason = (str(error).strip("'\" ").splitlines() or [type(error).__name__])[0]
        raise InputError(f"module {name}: {architecture} cannot be made of its files ({reason:.200}).") from error
    finally:
        keras.config.set_dtype_policy(policy)


def _function(model: Any) -> Callable[[tf.Tensor], tf.Tensor]:
    return partial(model, training=False)


def _saved(function: Callable[[tf.Tensor], tf.Tensor], taken: Any) -> Any:
    return tf.function(function, input_signature=[tf.TensorSpec([None, *taken.shape[1:]], name="images")])


def _vector(hidden: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(hidden, axis=[1, 2]) if hidden.shape.rank == 4 else hidden[:, 0]


def _used(section: Section, used: set[int]) -> tuple[str, list[tuple[str, tf.Variable]]]:
    weights = [(one.path, one.value) for one in section.model.trainable_weights if id(one.value) in used]
    return section.name, weights


def _described(groups: Sequence[tuple[str, Sequence[tuple[str, tf.Variable]]]]) -> tuple[Group, ...]:
    found, place = [], 0
    for number, (name, weights) in enumerate(groups):
        places = tuple(range(place, place + len(weights)))
        is_first = number == len(groups) - 1
        found.append(Group(_EMBEDDINGS if is_first else name, places, tuple(path for path, _ in weights)))
        place += len(weights)
    return tuple(found)
