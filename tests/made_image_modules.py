"""Modules of images of the shapes that real ones come in: the same small encoder, published in many ways.

An image's vector is the mean of its pixels' colours and of their squares, times one table.
"""

import numpy as np
import shapes
import tensorflow as tf
from made_networks import made_weights

from search.backbones.hub.layer_groups import write_groups
from search.backbones.images.efficientnet import EfficientNetLite

SIZE, DIMENSION = 6, 4
TABLE = np.random.default_rng(0).normal(size=(6, DIMENSION)).astype(np.float32)


def expected(pixels):
    """The vectors of images from 0 to 1, [n, h, w, 3]."""
    colours = pixels.reshape(len(pixels), -1, 3)
    return np.concatenate([colours.mean(1), (colours**2).mean(1)], axis=1) @ TABLE


class Encoder(shapes.Encoder):
    """Has the table, and lists it as trainable unless told otherwise."""

    def __init__(self, listed=True):
        super().__init__(listed, TABLE)

    def embed(self, images):
        means = [tf.reduce_mean(one, [1, 2]) for one in (images, images**2)]
        return tf.concat(means, axis=1) @ self.table


def _published(folder, function, spec, signature=None):
    encoder = Encoder(listed=signature is None)
    called = tf.function(lambda images: function(encoder, images), input_signature=[spec])
    if signature is None:
        encoder.__call__ = called
    tf.saved_model.save(encoder, str(folder), signatures=signature and {signature: called})


def _spec(height=SIZE, width=SIZE, dtype=tf.float32):
    return tf.TensorSpec([None, height, width, 3], dtype, name="images")


def _told_of_training(folder):
    """An encoder that normalizes by the batch in training, and counts the batches."""
    encoder = Encoder()
    count = tf.Variable(0, trainable=False, name="count")
    encoder.variables.append(count)

    def call(inputs, training=False, batch_norm_momentum=0.99):
        if training:
            count.assign_add(1)
            inputs = inputs - tf.reduce_mean(inputs, 0, keepdims=True)
        return encoder.embed(inputs)

    encoder.__call__ = tf.function(call)
    for training in (False, True):
        encoder.__call__.get_concrete_function(_spec(None, None), training=training, batch_norm_momentum=0.99)
    tf.saved_model.save(encoder, str(folder))


def write_network(folder):
    """A small EfficientNet-Lite, whose layers are known."""
    network = EfficientNetLite(made_weights())
    folder.mkdir(parents=True, exist_ok=True)
    write_groups(folder, network.described)
    tf.saved_model.save(network, str(folder))


SHAPES = {
    "images of one size": lambda folder: _published(folder, Encoder.embed, _spec()),
    "images of any size": lambda folder: _published(folder, Encoder.embed, _spec(None, None)),
    "images of bytes": lambda folder: _published(
        folder, lambda encoder, images: encoder.embed(tf.cast(images, tf.float32) / 255), _spec(dtype=tf.uint8)
    ),
    "images in a signature": lambda folder: _published(
        folder, lambda encoder, images: {"default": encoder.embed(images)}, _spec(), "default"
    ),
    "images for serving, with logits": lambda folder: _published(
        folder,
        lambda encoder, images: {"pooled_output": encoder.embed(images), "logits": encoder.embed(images)[:, :2]},
        _spec(None, SIZE),
        "serving_default",
    ),
    "images, told of training": _told_of_training,
    "network of images": write_network,
}
"""What writes a module of each shape to a folder."""
