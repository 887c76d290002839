"""Composes a preprocessor, an encoder and a pooling into one module: a SavedModel from texts to vectors.

It is written once, and used like any other module.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import tensorflow as tf

from search.backbones.builders.saving import save_module
from search.backbones.hub.adapt import trial, variables_of
from search.backbones.hub.calls import Call
from search.backbones.hub.contract import ChoiceNeeded, describe, mask_key, no_vectors, token_key, vector_key
from search.backbones.hub.identity import fingerprint, seal_once
from search.backbones.hub.layer_groups import ImageEncoder, images_at_once, read_groups, write_groups
from search.backbones.hub.load import forget, published
from search.backbones.hub.parts import Parts, Preprocessor, load_parts
from search.backbones.hub.pooling import pool
from search.backbones.images.decoding import Decoding, decoded, in_parts, stages_of_images
from search.errors import InputError
from search.utils.files import whole_folder

_TEXTS = tf.TensorSpec([None], tf.string, name="texts")
# Part of what names the folder: to be raised when what is composed changes.
_VERSION = 2
Outputs = Mapping[str, Any]


def text_module(
    folder: Path,
    name: str,
    preprocessor: Preprocessor | None,
    pooling: str,
    modules: Path,
    image_size: int | None = None,
) -> Path:
    """Makes a module embed texts, or encoded images, by itself, by composing it with other parts on first use.

    Args:
        folder: A SavedModel.
        name: Its name in messages.
        preprocessor: Turns texts into the module's inputs, if it takes no texts; None: there is none.
        pooling: How to pool the vectors of tokens: mean, max, first, or auto (the module's own vector for each text
            where it gives one, else the mean).
        modules: Folder that composed modules are kept in, each under a name that follows from its parts.
        image_size: Height and width that images are brought to; None: those that the module takes, or takes best.

    Returns:
        `folder` if the module embeds strings already, else the folder of the composed module.

    Raises:
        InputError: The parts do not fit together, or one cannot be used.
        OSError: `modules` must not be written, or has no room.
    """
    layers = read_groups(folder)
    size = image_size or (layers.size[0] if isinstance(layers, ImageEncoder) else None)
    how = pooling if size is None else f"{pooling} {size}"
    target = modules / f"composed-{composed_name(folder, preprocessor, how)}"
    if target.is_dir():
        seal_once(target)
        return target
    try:
        module = published(folder, name)
        if image_size is not None:
            raise InputError(f"module {name} takes no images of any size: name it without @{image_size}.")
        if pooling == "auto" or not module.gives_tokens:
            return folder
        forget(folder)
    except ChoiceNeeded:
        pass
    parts = load_parts(folder, name, preprocessor, image_size)
    composed = _composed(parts, name, pooling)
    with whole_folder(target) as beside:
        if isinstance(layers, ImageEncoder) and isinstance(parts.preprocess, Decoding):
            composed.add_stages(layers, parts.preprocess.size)
            write_groups(beside, replace(layers, size=parts.preprocess.size))
        save_module(composed, beside)
    return target


def composed_name(folder: Path, preprocessor: Preprocessor | None, how: str) -> str:
    """A name for a composed module that follows from the content of its parts, wherever they are."""
    folders = [folder] if preprocessor is None else [folder, preprocessor.folder]
    key = "\0".join([str(_VERSION), how, *map(fingerprint, folders)])
    return hashlib.sha256(key.encode()).hexdigest()[:32]


class Composed(tf.train.Checkpoint):
    """A module in TF Hub's text API, which may take encoded images as its texts, to be saved.

    Args:
        parts: Its parts.
        vectors: Maps the outputs of the encoder and of the preprocessor, by name, to float32 [batch, dim].
    """

    def __init__(self, parts: Parts, vectors: Callable[[Outputs, Outputs], tf.Tensor]) -> None:
        super().__init__()
        # Held for TensorFlow to find: variables, vocabularies and whatever else the functions use.
        self.encoder, self.preprocessor = parts.encoder, parts.preprocessor
        trainable, others = variables_of(parts.encoder, parts.encode)
        if isinstance(parts.preprocess, Call):
            # It gives numbers of words, through which no gradient comes.
            frozen, rest = variables_of(parts.preprocessor, parts.preprocess)
            others += frozen + rest
        self.trainable_variables = list(trainable)
        self.variables = [*trainable, *others]
        self.regularization_losses = list(getattr(parts.encoder, "regularization_losses", None) or ())

        def whole(texts: tf.Tensor, training: bool = False) -> tf.Tensor:
            return vectors(*parts(texts, training))

        embed, is_told = whole, parts.encode.takes_training
        if isinstance(parts.preprocess, Decoding):
            # Gradients go through one part alone: a loop costs them twice the time.
            embed, is_told = _in_parts(whole, parts.preprocess.size), True
            self.images = tf.function(partial(decoded, size=parts.preprocess.size), input_signature=[_TEXTS])
            images = tf.TensorSpec([None, *parts.preprocess.size, 3], tf.uint8, name="images")
            self.embed_images = tf.function(lambda images: vectors(*parts.on_images(images)), input_signature=[images])
        if is_told:
            self.__call__ = tf.function(embed)
            for training in (False, True):
                self.__call__.get_concrete_function(_TEXTS, training=training)
        else:
            self.__call__ = tf.function(lambda texts: embed(texts), input_signature=[_TEXTS])

    def add_stages(self, layers: ImageEncoder, size: tuple[int, int]) -> None:
        """Adds the stages of an encoder of images, so that some of its layers can be trained above others."""
        for name, stage in stages_of_images(self.encoder, len(layers.groups) - 1, size).items():
            setattr(self, name, stage)


def _in_parts(whole: Callable[[tf.Tensor, bool], tf.Tensor], size: tuple[int, int]) -> Callable[..., tf.Tensor]:
    """The same function of encoded images, which outside training computes some at a time."""
    dimension = int(tf.function(whole).get_concrete_function(_TEXTS, False).output_shapes[-1])

    def embed(texts: tf.Tensor, training: bool = False) -> tf.Tensor:
        if training:
            return whole(texts, True)
        return in_parts(texts, images_at_once(size), dimension, lambda some: whole(some, False))

    return embed


def _composed(parts: Parts, name: str, pooling: str) -> Composed:
    """Chooses the outputs of a module that embed texts.

    Raises:
        InputError: None does, or the tokens to pool are not marked.
    """
    (outputs, made), _ = trial(parts, f"module {name}", [parts.content])
    vector, tokens = vector_key(outputs), token_key(outputs)
    if vector is not None and (pooling == "auto" or tokens is None):
        return Composed(parts, lambda outputs, _: tf.cast(outputs[vector], tf.float32))
    if tokens is None:
        raise no_vectors(outputs.get("", outputs), name)
    mask = mask_key({**made, **outputs}, outputs[tokens])
    pooling = "mean" if pooling == "auto" else pooling
    if pooling != "first" and mask is None and not isinstance(outputs[tokens], tf.RaggedTensor):
        raise InputError(
            f"module {name} gives a vector for each token, {describe(outputs.get('', outputs))}, and no mask "
            f"(input_mask) that says which tokens there are, as module.pooling={pooling} needs it: set "
            "module.pooling=first to take the first token's."
        )
    return Composed(
        parts,
        lambda outputs, made: pool(outputs[tokens], None if mask is None else {**made, **outputs}[mask], pooling),
    )
