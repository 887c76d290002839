"""Writes modules as SavedModels."""

from __future__ import annotations

import errno
from pathlib import Path

import tensorflow as tf

from search.backbones.hub.identity import seal_module


def save_module(module: tf.train.Checkpoint, folder: Path) -> None:
    """Writes a SavedModel, and the checksums of all files that are then in its folder.

    Args:
        module: The module.
        folder: The folder to write to, best a temporary one; see `search.utils.files.whole_folder`.

    Raises:
        OSError: The disk is full, or `folder` must not be written: Python's errors in place of TensorFlow's.
    """
    try:
        tf.saved_model.save(module, str(folder))
    except tf.errors.ResourceExhaustedError as error:
        raise OSError(errno.ENOSPC, "No space left on device", str(folder)) from error
    except tf.errors.PermissionDeniedError as error:
        raise OSError(errno.EACCES, "Permission denied", str(folder)) from error
    seal_module(folder)
