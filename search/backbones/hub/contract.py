"""The outputs of a module: which of them embeds texts. TF Hub's text API is float [batch, dim].

https://www.tensorflow.org/hub/common_saved_model_apis/text
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from search.errors import InputError

TRIAL = ("a first text", "and another")
"""The texts that a module is tried on."""

_VECTORS = ("default", "pooled_output", "outputs")
_TOKENS = ("sequence_output", "default", "outputs", "elmo", "word_emb")
_MASKS = ("input_mask", "attention_mask", "padding_mask", "mask")


class ChoiceNeeded(InputError):
    """A module that embeds texts only with something the user must choose: a preprocessor, a pooling of tokens."""


def named(outputs: Any) -> dict[str, Any]:
    """Names the outputs of a module: a dictionary by its keys, a sequence by position, a tensor by ''."""
    if isinstance(outputs, Mapping):
        return {str(key): value for key, value in outputs.items()}
    if isinstance(outputs, list | tuple):
        return {str(position): value for position, value in enumerate(outputs)}
    return {"": outputs}


def vector_key(outputs: Mapping[str, Any]) -> str | None:
    """The name of the output float [batch, dim]: a known name, or the only one; None: none, or several.

    Args:
        outputs: The outputs of a module for `TRIAL`, by name.
    """
    fitting = [key for key, value in outputs.items() if _is_floats(value, 2) and key not in _MASKS]
    return _chosen(fitting, _VECTORS)


def token_key(outputs: Mapping[str, Any]) -> str | None:
    """The name of the output float [batch, tokens, dim], dense or ragged; see `vector_key`."""
    return _chosen([key for key, value in outputs.items() if _is_floats(value, 3)], _TOKENS)


def mask_key(outputs: Mapping[str, Any], tokens: Any) -> str | None:
    """The name of the output that marks the tokens that are there, [batch, tokens]; None: none does."""
    for key in _MASKS:
        mask: Any = outputs.get(key)
        if tf.is_tensor(mask) and not isinstance(mask, tf.RaggedTensor) and mask.shape == tokens.shape[:2]:
            return key
    return None


def no_vectors(outputs: Any, name: str) -> InputError:
    """The error about a module without a known output that embeds texts."""
    given = named(outputs)
    expected = f"float32 [{len(TRIAL)}, ?] for {len(TRIAL)} texts"
    vectors = [key for key, value in given.items() if _is_floats(value, 2)]
    if len(vectors) > 1:
        return InputError(
            f"module {name} gives several vectors for each text, {describe(outputs)}: expected one, {expected}, or one "
            f"called {', '.join(_VECTORS[:-1])} or {_VECTORS[-1]}."
        )
    return InputError(
        f"module {name} does not give a vector for each text: expected {expected}, but got {describe(outputs)}."
    )


def reason(error: Exception) -> str:
    """The most telling line of an error's message."""
    lines = [line for line in str(error).splitlines() if line and not line[0].isspace()]
    if not lines:
        return type(error).__name__
    # TensorFlow tells first where in the graph an operation failed, and last why.
    return lines[-1] if lines[0].startswith("Graph execution error") else lines[0]


def describe(value: Any) -> str:
    """The type and shape of a tensor, or of a structure of them: `float32 [?, 224, 224, 3]`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {describe(item)}" for key, item in sorted(value.items())) + "}"
    if isinstance(value, list | tuple):
        return "(" + ", ".join(describe(item) for item in value) + ")"
    if not hasattr(value, "dtype") or not hasattr(value, "shape"):
        return type(value).__name__
    if value.shape.rank is None:
        return f"{value.dtype.name} of any shape"
    return f"{value.dtype.name} [{', '.join('?' if size is None else str(size) for size in value.shape)}]"


def _is_floats(value: Any, rank: int) -> bool:
    if not tf.is_tensor(value) or not value.dtype.is_floating or value.shape.rank != rank:
        return False
    return bool(value.shape[0] == len(TRIAL)) and value.shape[-1] is not None


def _chosen(fitting: Sequence[str], known: Sequence[str]) -> str | None:
    return next((key for key in known if key in fitting), fitting[0] if len(fitting) == 1 else None)
