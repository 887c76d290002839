"""Whether what TensorFlow loaded is a text module: TF Hub's API, strings [batch] -> float [batch, dim].

https://www.tensorflow.org/hub/common_saved_model_apis/text
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from search.errors import InputError

_TEXTS = ("a first text", "and another")


def check_takes_texts(saved: Any, name: str) -> None:
    """Makes sure that a module can be called on strings [batch].

    Args:
        saved: What `tf.saved_model.load` gave.
        name: What messages call it.

    Raises:
        InputError: It has no call, or one that takes something else.
    """
    if not callable(saved):
        signatures = ", ".join(getattr(saved, "signatures", {})) or "none"
        raise InputError(
            f"module {name} cannot be called: expected TF Hub's text API, an object to call on strings, but it "
            f"has only signatures ({signatures})."
        )
    inputs = [_first_input(function) for function in getattr(saved.__call__, "concrete_functions", ())]
    if inputs and not any(_is_texts(given) for given in inputs):
        kinds = " or ".join(dict.fromkeys(_describe(given) for given in inputs))
        raise InputError(f"module {name} is no text module: expected one that takes string [?], but it takes {kinds}.")


def takes_training(saved: Any) -> bool:
    """Whether a module's call has an argument `training`."""
    return "training" in inspect.signature(saved.__call__).parameters


def dimension_of(saved: Any, training: bool, name: str) -> int:
    """Tries a module on two texts.

    Args:
        saved: What `tf.saved_model.load` gave.
        training: Whether its call has an argument `training`.
        name: What messages call it.

    Returns:
        Width of the vectors.

    Raises:
        InputError: It fails, or gives anything but a vector of floats for each text.
    """
    texts = tf.constant(_TEXTS)
    try:
        embedded = saved(texts, training=False) if training else saved(texts)
    except Exception as error:  # a module may raise whatever the operations inside it do
        raise InputError(f"module {name} fails on texts: {reason(error)}") from error
    if tf.is_tensor(embedded) and embedded.dtype.is_floating and embedded.shape.rank == 2:
        rows, dimension = embedded.shape
        if rows == len(_TEXTS):
            return int(dimension)
    raise InputError(
        f"module {name} does not give a vector for each text: expected float32 [{len(_TEXTS)}, ?] for {len(_TEXTS)} "
        f"texts, but got {_describe(embedded)}."
    )


def reason(error: Exception) -> str:
    """The one line of an error that says what is wrong."""
    lines = [line for line in str(error).splitlines() if line and not line[0].isspace()]
    if not lines:
        return type(error).__name__
    # TensorFlow tells first where in the graph an operation failed, and last why.
    return lines[-1] if lines[0].startswith("Graph execution error") else lines[0]


def _first_input(function: Any) -> Any:
    positional, named = function.structured_input_signature
    return positional[0] if positional else next(iter(named.values()), None)


def _is_texts(given: Any) -> bool:
    return isinstance(given, tf.TensorSpec) and given.dtype == tf.string and given.shape.rank in (None, 1)


def _describe(value: Any) -> str:
    """Says what a tensor, or a structure of them, is: `float32 [?, 224, 224, 3]`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_describe(item)}" for key, item in sorted(value.items())) + "}"
    if isinstance(value, list | tuple):
        return "(" + ", ".join(_describe(item) for item in value) + ")"
    if not hasattr(value, "dtype") or not hasattr(value, "shape"):
        return type(value).__name__
    if value.shape.rank is None:
        return f"{value.dtype.name} of any shape"
    return f"{value.dtype.name} [{', '.join('?' if size is None else str(size) for size in value.shape)}]"
