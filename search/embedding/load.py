"""Loads modules and keeps them: published weights that never change, and copies to train on.

A module is read from disk once for all frozen layers, and once more for each trainable layer that is in use at the same
time. A copy whose layer is gone serves the next one, with its weights set back.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from search.embedding.contract import check_takes_texts, dimension_of, reason, takes_training
from search.embedding.identity import fingerprint
from search.errors import InputError


@dataclass(frozen=True, eq=False)
class Module:
    """A SavedModel in memory that embeds texts.

    Attributes:
        name: What messages call it.
        folder: Where it was read from.
        fingerprint: Its content, as `identity.fingerprint` gives it.
        saved: What TensorFlow loaded.
        dimension: Width of the embedding.
        takes_training: Whether it distinguishes training from inference.
        trainable_variables: What fine-tuning changes; empty where the module cannot be fine-tuned.
        other_variables: The rest of its state.
    """

    name: str
    folder: Path
    fingerprint: str
    saved: Any
    dimension: int
    takes_training: bool
    trainable_variables: tuple[tf.Variable, ...]
    other_variables: tuple[tf.Variable, ...]

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
            Embeddings, float32 [batch, dim].
        """
        embedded = self.saved(texts, training=training) if self.takes_training else self.saved(texts)
        return tf.ensure_shape(tf.cast(embedded, tf.float32), [None, self.dimension])


_published: dict[Path, Module] = {}
_copies: dict[Path, list[tuple[Module, weakref.ref[object]]]] = {}


def published(folder: Path, name: str | None = None) -> Module:
    """Gives the module with its published weights, the same one for all who ask; nothing may change it.

    Args:
        folder: A SavedModel.
        name: What messages shall call it; None: by its folder.

    Raises:
        InputError: It cannot be loaded, or is not a module that maps strings [batch] to float [batch, dim].
    """
    folder = folder.resolve()
    if folder not in _published:
        _published[folder] = read(folder, name or str(folder))
    return _published[folder]


def check_any_trainable(modules: Mapping[str, Path]) -> None:
    """Finds out before a search whether fine-tuning is possible at all.

    Args:
        modules: Name to the folder of a SavedModel. They are loaded one by one, until one has something to train.

    Raises:
        InputError: None of them has; or one cannot be loaded.
    """
    if not any(published(folder, name).trainable_variables for name, folder in modules.items()):
        raise InputError(
            f"None of the modules {', '.join(modules)} has trainable variables: they can be used as they are, "
            "space.trainable=[false], but not fine-tuned."
        )


def trainable_copy(folder: Path, owner: object) -> Module:
    """Gives a copy of the module for one layer to train, its weights bit for bit the published ones.

    Args:
        folder: A SavedModel.
        owner: The layer. The copy is its own as long as it lives.

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
    """Reads a module from disk into memory of its own.

    Raises:
        InputError: As for `published`.
    """
    # A layer may be built while Keras traces a function or names what it makes: a module must not depend on that.
    with tf.init_scope(), tf.name_scope(""):
        return _read(folder, name)


def _read(folder: Path, name: str) -> Module:
    saved = _load(folder, name)
    check_takes_texts(saved, name)
    training = takes_training(saved)
    trainable = _distinct(getattr(saved, "trainable_variables", None) or ())
    functions = getattr(saved.__call__, "concrete_functions", ())
    captured = [variable for function in functions for variable in function.variables]
    others = _distinct([*(getattr(saved, "variables", None) or ()), *captured])
    known = {id(variable) for variable in trainable}
    return Module(
        name,
        folder,
        fingerprint(folder),
        saved,
        dimension_of(saved, training, name),
        training,
        trainable,
        tuple(variable for variable in others if id(variable) not in known),
    )


def _load(folder: Path, name: str) -> Any:
    try:
        try:
            return tf.saved_model.load(str(folder))
        except Exception as error:  # of which type depends on where in the module the operation is
            if "Op type not registered" not in str(error) or not _text_operations():
                raise
            return tf.saved_model.load(str(folder))
    except Exception as error:  # a damaged file makes TensorFlow raise nearly every type
        told = reason(error)
        if "Op type not registered" in told:
            operation = told.split("'")[1]
            raise InputError(
                f"module {name} needs the operation {operation}, which TensorFlow alone does not have: pip install "
                "'search[text]'"
            ) from error
        raise InputError(f"module {name} cannot be loaded from {folder}: {told}") from error


def _text_operations() -> bool:
    """Makes TensorFlow know the operations of tensorflow-text, if that is installed."""
    try:
        import tensorflow_text  # noqa: F401
    except ImportError:
        return False
    return True


def _distinct(variables: Iterable[tf.Variable]) -> tuple[tf.Variable, ...]:
    return tuple({id(variable): variable for variable in variables}.values())
