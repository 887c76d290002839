"""Images of bytes: what stands before a module that takes images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import tensorflow as tf

from search.errors import InputError


@cache
def trial_images() -> tuple[bytes, bytes]:
    """Two small images that modules are tried on, as PNG."""
    ramp = np.arange(40 * 40 * 3, dtype=np.int64).reshape(40, 40, 3)
    first, other = (tf.io.encode_png(tf.constant(one % 256, tf.uint8)).numpy() for one in (ramp, ramp // 20))
    return first, other


def decoded(texts: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Decodes images and brings them to one size, as TF Hub's tutorials do: squeezed, whatever their shape was.

    What a crop would cut off, or bars beside the image fill, cannot be told from what matters without knowing the task.

    Args:
        texts: Encoded images, strings [batch].
        size: Height and width.

    Returns:
        uint8 [batch, height, width, 3]. Rounded, so that what is kept of an image is what a model is given.
    """

    def one(text: tf.Tensor) -> tf.Tensor:
        image = tf.io.decode_image(text, channels=3, expand_animations=False)
        image.set_shape([None, None, 3])
        resized = tf.image.resize(image, size, antialias=True)  # bilinear
        return tf.cast(tf.clip_by_value(tf.round(resized), 0.0, 255.0), tf.uint8)

    return tf.map_fn(one, texts, fn_output_signature=tf.TensorSpec([*size, 3], tf.uint8))


def scaled(images: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Images uint8 as a module takes them: floats from 0 to 1, as TF Hub's image modules do, or integers."""
    return tf.cast(images, dtype) / 255 if dtype.is_floating else tf.cast(images, dtype)


@dataclass(frozen=True)
class Decoding:
    """The step from strings to the images that a module takes; it stands where a preprocessor of texts stands.

    Attributes:
        size: Height and width.
        dtype: Type of the images.
        name: The argument that they are given as; empty: the only one.
    """

    size: tuple[int, int]
    dtype: tf.DType
    name: str

    def on_texts(self, texts: tf.Tensor) -> dict[str, Any]:
        """Images [batch, height, width, 3] of encoded images, strings [batch]."""
        return self.on_images(decoded(texts, self.size))

    def on_images(self, images: tf.Tensor) -> dict[str, Any]:
        """Images [batch, height, width, 3] of decoded ones, uint8."""
        return {self.name: scaled(images, self.dtype)}


def chosen_size(spec: tf.TensorSpec, best: tuple[int, int], asked: int | None, name: str) -> tuple[int, int]:
    """The height and width of the images that a module is given.

    Args:
        spec: The images that it takes, [batch, height, width, 3].
        best: Height and width where it takes any.
        asked: Height and width that the user asks for; None: neither.
        name: The module's name in messages.

    Raises:
        InputError: It takes images of another size.
    """
    taken = tuple(spec.shape[1:3])
    if asked is not None:
        best = (asked, asked)
    size = tuple(own or wanted for own, wanted in zip(taken, best, strict=True))
    if asked is not None and size != best:
        raise InputError(
            f"module {name} takes images of {size[0]} x {size[1]} alone: name it without @{asked}, images are brought "
            "to that size."
        )
    return size[0], size[1]


def in_parts(texts: tf.Tensor, at_once: int, dimension: int, embed: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Embeds images some at a time, so that the memory is the same whatever the batch.

    Args:
        texts: Encoded images, strings [batch].
        at_once: Images of a part.
        dimension: Width of the vectors.
        embed: Maps strings [part] to float32 [part, dimension].
    """
    count = tf.size(texts)
    # There is always one, of no images, since nothing can be made of none.
    done = tf.TensorArray(tf.float32, 1, dynamic_size=True, infer_shape=False, element_shape=[None, dimension])
    done = done.write(0, tf.zeros([0, dimension]))

    def step(begin: tf.Tensor, done: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        end = tf.minimum(count, begin + at_once)
        return end, done.write(done.size(), embed(texts[begin:end]))

    _, done = tf.while_loop(lambda begin, done: begin < count, step, (0, done), parallel_iterations=2)
    return tf.ensure_shape(done.concat(), [None, dimension])


def stages_of_images(encoder: Any, count: int, size: tuple[int, int]) -> Mapping[str, Any]:
    """The stages of an encoder of images as `search.backbones.hub.layers` calls them, over images of one size.

    An image is a text of one token. What a layer gives for it lies in a row: [batch, 1, h * w * channels].

    Args:
        encoder: The loaded encoder, with its stages on images.
        count: Its layers.
        size: Height and width.

    Returns:
        `cut`, `begin`, `layer_0` and so on, and `finish`, to be saved.
    """
    lengths, values = tf.TensorSpec([None], tf.int32), encoder.begin(tf.zeros([1, *size, 3]))
    images = tf.TensorSpec([None, None, *size, 3], tf.uint8)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="texts")])
    def cut(texts: tf.Tensor) -> tf.RaggedTensor:
        return tf.RaggedTensor.from_row_lengths(decoded(texts, size), tf.ones([tf.size(texts)], tf.int64))

    def begun(ids: tf.Tensor) -> tf.Tensor:
        return encoder.begin(scaled(tf.reshape(ids, [-1, *size, 3]), tf.float32))

    stages: dict[str, Any] = {"cut": cut, "begin": _traced(begun, values, images, lengths)}
    for number in range(count):
        layer, shape = getattr(encoder, f"layer_{number}"), [-1, *values.shape[1:]]
        taken, values = _row_of(values), layer(values)
        stages[f"layer_{number}"] = _traced(partial(_on_rows, layer, shape), values, taken, lengths)
    last = [-1, *values.shape[1:]]
    stages["finish"] = tf.function(
        lambda hidden, lengths: _on_rows(encoder.finish, last, hidden), input_signature=[_row_of(values), lengths]
    )
    return stages


def _on_rows(function: Any, shape: list[int], rows: tf.Tensor) -> tf.Tensor:
    return function(tf.reshape(rows, shape))


def _row_of(values: tf.Tensor) -> tf.TensorSpec:
    return tf.TensorSpec([None, None, values.shape[1:].num_elements()])


def _traced(stage: Callable[[tf.Tensor], tf.Tensor], given: tf.Tensor, *signature: tf.TensorSpec) -> Any:
    """A stage that does the same in training, as a function that can be told of it.

    Args:
        stage: The stage, on its first argument.
        given: What it gives for one image.
        *signature: Its first two arguments.
    """
    row = [-1, 1, given.shape[1:].num_elements()]
    function: Any = tf.function(lambda values, lengths, training: tf.reshape(stage(values), row))
    for training in (False, True):
        function.get_concrete_function(*signature, training)
    return function
