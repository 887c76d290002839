"""Loads modules and keeps them in memory: published weights, and copies for trainable layers.

A module is read from disk once for all frozen layers, and once more for each trainable layer that is in use at the same
time. A copy whose layer is gone serves the next one, with its weights set back.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from search.backbones.hub.adapt import TextCall, adapted, variables_of
from search.backbones.hub.answers import guarded
from search.backbones.hub.identity import fingerprint
from search.backbones.hub.saved_model import load_saved_model
from search.datasets.content import Content
from search.errors import InputError


@dataclass(frozen=True, eq=False)
class Module:
    """A SavedModel in memory that embeds texts.

    Attributes:
        name: Its name in messages.
        folder: Its folder.
        fingerprint: The result of `identity.fingerprint`.
        saved: The object that TensorFlow loaded.
        dimension: Width of the embedding.
        takes_training: Whether it distinguishes training from inference.
        trainable_variables: The variables that fine-tuning changes; empty where the module cannot be fine-tuned.
        other_variables: The rest of its state.
        call: How `saved` is called.
    """

    name: str
    folder: Path
    fingerprint: str
    saved: Any
    dimension: int
    takes_training: bool
    trainable_variables: tuple[tf.Variable, ...]
    other_variables: tuple[tf.Variable, ...]
    call: TextCall

    @property
    def gives_tokens(self) -> bool:
        """Whether it also gives a vector for each token, which could be pooled instead."""
        return self.call.gives_tokens

    @property
    def content(self) -> Content:
        """What the strings are that it takes: texts, or encoded images."""
        return self.call.content

    @property
    def variables(self) -> tuple[tf.Variable, ...]:
        """All of its state, those that fine-tuning changes first."""
        return self.trainable_variables + self.other_variables

    def __call__(self, texts: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Embeds texts.

        Args:
            texts: Strings [batch].
            training: Whether the call is a step of fine-tuning; passed on to modules that take it.

        Returns:
            Embeddings, float32 [batch, dim]: the call fails where that would not be a row of finite numbers for each.
        """
        return guarded(tf.cast(self.call(texts, training), tf.float32), texts, self.dimension)


_published: dict[Path, Module] = {}
_copies: dict[Path, list[tuple[Module, weakref.ref[object]]]] = {}


def published(folder: Path, name: str | None = None) -> Module:
    """The module with its published weights, shared by all callers.

    Nothing may change it but `search.training.sparse_fine_tuning`, which puts the published weights back as soon as it
    pauses.

    Args:
        folder: A SavedModel.
        name: Its name in messages; None: its folder.

    Raises:
        ChoiceNeeded: It needs a preprocessor, or gives only vectors of tokens.
        InputError: It cannot be loaded, or is not a module that maps strings [batch] to float [batch, dim].
    """
    folder = folder.resolve()
    if folder not in _published:
        _published[folder] = read(folder, name or str(folder))
    return _published[folder]


def forget(folder: Path) -> None:
    """Releases a module that is used in another form from here on."""
    _published.pop(folder.resolve(), None)


def trainable_copy(folder: Path, owner: object) -> Module:
    """A copy of the module for one layer to train, its weights bit for bit the published ones.

    Args:
        folder: A SavedModel.
        owner: The layer, which owns the copy as long as it exists.

    Raises:
        InputError: As for `published`, or the module has nothing to train.
    """
    original = published(folder)
    if not original.trainable_variables:
        raise InputError(
            f"module {original.name} has no trainable variables: it can be used as it is, space.trainable=[false], but "
            "not fine-tuned."
        )
    copies = _copies.setdefault(original.folder, [])
    copy = _unowned(copies)
    if copy is None:
        # Layers lie in reference cycles with their models: those that nobody uses may still wait to be collected.
        gc.collect()
        copy = _unowned(copies)
    if copy is None:
        copy = read(original.folder, original.name)
    with tf.init_scope():
        for variable, value in zip(copy.variables, original.variables, strict=True):
            variable.assign(value)
    copies[:] = [(module, user) for module, user in copies if module is not copy]
    copies.append((copy, weakref.ref(owner)))
    return copy


def _unowned(copies: Iterable[tuple[Module, weakref.ref[object]]]) -> Module | None:
    return next((module for module, owner in copies if owner() is None), None)


def read(folder: Path, name: str) -> Module:
    """Reads a module from disk, apart from all copies in memory.

    Raises:
        InputError: As for `published`.
    """
    # A layer may be built while Keras traces a function or names what it makes: a module must not depend on that.
    with tf.init_scope(), tf.name_scope(""):
        return _read(folder, name)


def _read(folder: Path, name: str) -> Module:
    saved = load_saved_model(folder, name)
    text_call = adapted(saved, name)
    trainable, others = variables_of(saved, text_call.call)
    return Module(
        name,
        folder,
        fingerprint(folder),
        saved,
        text_call.dimension,
        text_call.call.takes_training,
        trainable,
        others,
        text_call,
    )
