"""Reads SavedModels, with a one-line error where TensorFlow cannot."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.saved_model.loader_impl import parse_saved_model

from search.backbones.hub.contract import reason
from search.backbones.hub.operations import in_words, reached_by
from search.errors import InputError
from search.utils.checksums import SEAL, Damaged, check_seal
from search.utils.plain_paths import plain_path

_log = logging.getLogger(__name__)
_UNKNOWN_OPERATION = "Op type not registered"


def load_saved_model(folder: Path, name: str) -> Any:
    """Loads a SavedModel of TensorFlow 2, with the operations of tensorflow-text where it needs them.

    A SavedModel is a program. If it reaches files, the network or Python, that is reported before it is run.

    Args:
        folder: The SavedModel.
        name: Its name in messages.

    Raises:
        InputError: It is damaged, of TensorFlow 1, or needs operations that nobody has.
    """
    check_module(folder, name)
    plain = plain_path(folder)
    try:
        _warn(plain, name)
        saved = _load(plain)
    except Exception as error:  # a damaged file makes TensorFlow raise nearly every type
        message = reason(error)
        if _UNKNOWN_OPERATION in message:
            operation = message.split("'")[1]
            needed = f"module {name} needs the operation {operation}"
            if _text_operations():
                raise InputError(f"{needed}, which neither TensorFlow nor tensorflow-text has.") from error
            raise InputError(f'{needed}, which TensorFlow alone does not have: pip install "search[text]"') from error
        raise InputError(f"module {name} cannot be loaded from {folder}: {message}") from error
    # What TensorFlow makes of a SavedModel without the objects of TensorFlow 2.
    if hasattr(saved, "prune") and hasattr(saved, "graph"):
        raise InputError(
            f"module {name} was saved by TensorFlow 1, and TensorFlow 2 can neither train nor export it: choose a "
            "version of it for TensorFlow 2."
        )
    return saved


def check_module(folder: Path, name: str) -> None:
    """Compares the files of a module with their checksums, where it has any.

    Raises:
        InputError: A file has changed.
    """
    try:
        check_seal(folder)
    except Damaged as error:
        raise InputError(
            f"module {name} cannot be used: {error}. Restore it from a copy, or remove {folder}: what is built, "
            f"fetched or unpacked is made again. If the change is meant, remove {folder / SEAL}."
        ) from error


def reach(folder: Path) -> str:
    """Describes what a SavedModel reaches besides the texts, without loading it; empty for nothing.

    Raises:
        OSError: Its file is damaged.
    """
    return in_words(reached_by(parse_saved_model(str(folder))))


@cache
def _warn(folder: Path, name: str) -> None:
    if reached := reach(folder):
        _log.warning("%s is a program that reaches %s: use it only if you trust whoever made it.", name, reached)


def _load(folder: Path) -> Any:
    try:
        return tf.saved_model.load(str(folder))
    except Exception as error:  # of which type depends on where in the module the operation is
        if _UNKNOWN_OPERATION not in str(error) or not _text_operations():
            raise
        return tf.saved_model.load(str(folder))


def _text_operations() -> bool:
    """Registers the operations of tensorflow-text, if that is installed."""
    try:
        import tensorflow_text  # noqa: F401
    except (ImportError, tf.errors.OpError):  # the latter where it was built for another TensorFlow
        return False
    return True
