"""Saves and restores what training can change in a model, and nothing else.

A frozen module is never written: a checkpoint of a frozen trial holds its head alone.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from search.files import whole_file

_NOTES = "notes"


def save_weights(path: Path, model: keras.Model) -> None:
    """Writes the weights that training can change, whole or not at all.

    Args:
        path: A file that ends in .npz.
        model: A built model.
    """
    _save(path, _weights(model), {})


def restore_weights(path: Path, model: keras.Model) -> None:
    """Sets the weights of a freshly built model of the same hyperparameters to those of `save_weights`.

    Raises:
        ValueError: The file holds weights of another model.
    """
    _restore(path, _weights(model))


def save_state(path: Path, model: keras.Model, notes: Mapping[str, Any]) -> None:
    """Writes all that the next epoch depends on: the weights, the optimizer's slots and step, random states.

    Args:
        path: A file that ends in .npz.
        model: A built and compiled model.
        notes: What else must be known to go on, ready for JSON; in the same file, so that the two always agree.
    """
    _save(path, [*_weights(model), *model.optimizer.variables], notes)


def restore_state(path: Path, model: keras.Model) -> None:
    """Makes a freshly built, compiled model go on where `save_state` left the one it was called on.

    Raises:
        ValueError: The file holds the state of another model.
    """
    model.optimizer.build(model.trainable_variables)
    _restore(path, [*_weights(model), *model.optimizer.variables])


def read_notes(path: Path) -> dict[str, Any]:
    """The notes of a state."""
    with np.load(path, allow_pickle=False) as saved:
        notes: dict[str, Any] = json.loads(saved[_NOTES].tobytes())
    return notes


def is_whole(path: Path) -> bool:
    """Whether a checkpoint is there and every byte of it is as it was written."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


def _weights(model: keras.Model) -> list[Any]:
    """Every variable of the layers that train: weights, moving statistics, the states of random generators."""
    found: dict[int, Any] = {}
    for layer in model._flatten_layers(include_self=True):
        if layer.trainable:
            for variable in (*layer._trainable_variables, *layer._non_trainable_variables, *_random_states(layer)):
                found.setdefault(id(variable), variable)
    return list(found.values())


def _random_states(layer: keras.Layer) -> list[Any]:
    return [generator.state for generator in layer._seed_generators]


def _save(path: Path, variables: list[Any], notes: Mapping[str, Any]) -> None:
    arrays = {str(i): keras.ops.convert_to_numpy(variable.value) for i, variable in enumerate(variables)}
    arrays[_NOTES] = np.frombuffer(json.dumps(notes).encode(), np.uint8)
    with whole_file(path) as beside:
        np.savez(beside, **arrays)


def _restore(path: Path, variables: list[Any]) -> None:
    with np.load(path, allow_pickle=False) as saved:
        shapes = [saved[str(i)].shape for i in range(len(saved.files) - 1)]
        if shapes != [tuple(variable.shape) for variable in variables]:
            raise ValueError(f"{path} holds the weights of another model: shapes {shapes}.")
        for i, variable in enumerate(variables):
            variable.assign(saved[str(i)])
