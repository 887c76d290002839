"""EfficientNet-Lite0 as a SavedModel: images in, one vector each out.

Tan & Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, 2019, https://arxiv.org/abs/1905.11946;
Lite, by its authors, is the same without squeeze-and-excitation and with ReLU6. The weights are Google's, converted to
PyTorch's names: convolutions are padded as TensorFlow pads them, and an image is (pixel - 127) / 128.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.hub.layer_groups import Group, ImageEncoder
from search.errors import InputError

NAME = "efficientnet-lite0"
SIZE = 128
"""Height and width of images where no others are asked for: of cats and dogs, photos of 32 x 32, a linear head told
0.76 right at 64, 0.80 at 96, 0.82 at 128 and at 160, which takes one and a half times as long."""
_MEAN, _DEVIATION = 127.0, 128.0
_EPSILON = 1e-3
# The blocks that halve height and width; what else tells blocks apart is the shape of their weights.
_HALVING = frozenset({1, 3, 5, 11})
_STEM, _HEAD = ("_conv_stem", "_bn0"), ("_conv_head", "_bn1")
_EXPAND, _DEPTHWISE, _PROJECT = ("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")

Weights = Mapping[str, NDArray[Any]]


class Convolution:
    """A convolution with the batch normalization behind it folded in, which hence never changes by itself.

    Args:
        weights: The weights of the network.
        place: What the names of the block begin with.
        names: Of the convolution and of the normalization.
        stride: Step from one place to the next.

    Raises:
        InputError: A weight is missing, or has another shape.
    """

    def __init__(self, weights: Weights, place: str, names: tuple[str, str], stride: int = 1) -> None:
        convolution, normalization = names
        kernel = _weight(weights, f"{place}{convolution}.weight", 4)
        scale, offset, mean, variance = (
            _weight(weights, f"{place}{normalization}.{name}", 1)
            for name in ("weight", "bias", "running_mean", "running_var")
        )
        if any(len(one) != len(kernel) for one in (scale, offset, mean, variance)):
            raise InputError(f"{NAME}: {place}{convolution} has other channels than {place}{normalization}.")
        factor = scale / np.sqrt(variance + _EPSILON)
        # Of each channel by itself: PyTorch's [channels, 1, h, w] is TensorFlow's [h, w, channels, 1].
        self._by_channel = convolution == _DEPTHWISE[0]
        order = (2, 3, 0, 1) if self._by_channel else (2, 3, 1, 0)
        folded = (kernel * factor[:, np.newaxis, np.newaxis, np.newaxis]).transpose(order)
        name = f"{place}{convolution}".replace(".", "_").lstrip("_")
        self.kernel = tf.Variable(np.ascontiguousarray(folded, np.float32), name=f"{name}/kernel")
        self.bias = tf.Variable((offset - mean * factor).astype(np.float32), name=f"{name}/bias")
        self._stride = stride

    @property
    def variables(self) -> list[tf.Variable]:
        """Its kernel and bias."""
        return [self.kernel, self.bias]

    @property
    def channels(self) -> int:
        """Channels that it gives."""
        return int(self.bias.shape[0])

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Maps float32 [batch, h, w, channels] to float32 [batch, h', w', channels']."""
        strides = [1, self._stride, self._stride, 1]
        convolve = tf.nn.depthwise_conv2d if self._by_channel else tf.nn.conv2d
        return convolve(images, self.kernel, strides, "SAME") + self.bias


class Block:
    """An inverted residual block: to more channels, each by itself, and back to few.

    Args:
        weights: The weights of the network.
        number: The block's.

    Raises:
        InputError: A weight is missing, or has another shape.
    """

    def __init__(self, weights: Weights, number: int) -> None:
        place = f"_blocks.{number}."
        stride = 2 if number in _HALVING else 1
        expands = f"{place}{_EXPAND[0]}.weight" in weights
        self._expand = Convolution(weights, place, _EXPAND) if expands else None
        self._depthwise = Convolution(weights, place, _DEPTHWISE, stride)
        self._project = Convolution(weights, place, _PROJECT)
        self.inputs = int((self._expand or self._depthwise).kernel.shape[2])
        self._adds = stride == 1 and self.inputs == self._project.channels

    @property
    def variables(self) -> list[tf.Variable]:
        """The variables of its convolutions."""
        some = (self._expand, self._depthwise, self._project)
        return [variable for one in some if one is not None for variable in one.variables]

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Maps float32 [batch, h, w, channels] to float32 [batch, h', w', channels']."""
        hidden = images if self._expand is None else tf.nn.relu6(self._expand(images))
        hidden = self._project(tf.nn.relu6(self._depthwise(hidden)))
        return hidden + images if self._adds else hidden


class EfficientNetLite(tf.train.Checkpoint):
    """The network in TF Hub's image API, for images of any size.

    Besides the call on images, a SavedModel of it has its stages: `begin`, `layer_0`, `layer_1` and so on, `finish`.

    Args:
        weights: The published weights, by PyTorch's names.

    Raises:
        InputError: A weight is missing, or has another shape.
    """

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        stem, head = Convolution(weights, "", _STEM, stride=2), Convolution(weights, "", _HEAD)
        count = len({name.split(".")[1] for name in weights if name.startswith("_blocks.")})
        blocks = [Block(weights, number) for number in range(count)]
        parts: list[tuple[str, Sequence[tf.Variable]]] = [("embeddings", stem.variables)]
        parts += [(f"block_{number}", block.variables) for number, block in enumerate(blocks)]
        parts.append(("head", head.variables))
        self.trainable_variables = [variable for _, some in reversed(parts) for variable in some]
        self.variables = list(self.trainable_variables)
        self._groups = partial(_groups, parts[::-1])  # as they are, they would be saved as attributes

        def begin(images: tf.Tensor) -> tf.Tensor:
            return tf.nn.relu6(stem((images * 255.0 - _MEAN) / _DEVIATION))

        def finish(hidden: tf.Tensor) -> tf.Tensor:
            return tf.reduce_mean(hidden, axis=[1, 2])

        layers: list[Any] = [*blocks, lambda hidden: tf.nn.relu6(head(hidden))]
        widths = [*(block.inputs for block in blocks), int(head.kernel.shape[2]), head.channels]
        self.begin = _of_images(begin, 3)
        self.finish = _of_images(finish, widths[-1])
        stages = [_of_images(layer, width) for layer, width in zip(layers, widths, strict=False)]
        for number, stage in enumerate(stages):
            setattr(self, f"layer_{number}", stage)

        def whole(images: tf.Tensor) -> tf.Tensor:
            hidden = begin(images)
            for layer in layers:
                hidden = layer(hidden)
            return finish(hidden)

        self.__call__ = _of_images(whole, 3)

    @property
    def described(self) -> ImageEncoder:
        """The facts about the encoder that `search_layers.json` keeps."""
        return ImageEncoder(NAME, self._groups(), (SIZE, SIZE))


def _of_images(function: Any, channels: int) -> Any:
    return tf.function(function, input_signature=[tf.TensorSpec([None, None, None, channels], name="images")])


def _groups(parts: Sequence[tuple[str, Sequence[tf.Variable]]]) -> tuple[Group, ...]:
    found, place = [], 0
    for name, variables in parts:
        places = tuple(range(place, place + len(variables)))
        found.append(Group(name, places, tuple(one.name.removesuffix(":0") for one in variables)))
        place += len(variables)
    return tuple(found)


def _weight(weights: Weights, name: str, rank: int) -> NDArray[np.float64]:
    if name not in weights or weights[name].ndim != rank:
        found = f"of shape {list(weights[name].shape)}" if name in weights else "not there"
        raise InputError(f"{NAME}: expected the weight {name} with {rank} axes, but it is {found}.")
    return weights[name].astype(np.float64)
