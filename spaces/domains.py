"""What the settings of the space may be set to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ACTIVATIONS = ("relu", "gelu", "silu", "tanh", "elu")
OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd", "adagrad")
CLASS_WEIGHTS = ("none", "balanced")
ENCODERS = ("mean", "lstm", "gru", "bilstm", "bigru", "conv1d")
"""Values of `module` that name no module but what is learned from the training texts, over a vector per token."""
LEARNED = "learned"
AUTO = "auto"
LAYER_WIDTHS = ("units_1", "units_2", "units_3", "units_4")
"""Settings that set the width of one hidden layer apart from `units`; null: they do not."""


@dataclass(frozen=True)
class Domain:
    """What the values of a setting must be."""

    expected: str
    holds: Callable[[Any], bool]
    real: bool = False


def _whole(lowest: int) -> Domain:
    return Domain(f"whole numbers from {lowest}", lambda value: type(value) is int and value >= lowest)


def _one_of(names: tuple[str, ...]) -> Domain:
    return Domain(f"one of {', '.join(names)}", lambda value: value in names)


_TRUTH = Domain("true or false", lambda value: isinstance(value, bool))
_NOT_NEGATIVE = Domain("numbers from 0", lambda value: type(value) in (int, float) and value >= 0, real=True)
_RATE = Domain("numbers above 0", lambda value: type(value) in (int, float) and value > 0, real=True)
DOMAINS = {
    "modules": Domain("names, handles or folders", lambda value: isinstance(value, str) and bool(value.strip())),
    "trainable": _TRUTH,
    "vocabulary_size": _whole(3),
    "sequence_length": Domain(
        f"whole numbers from 1, or {AUTO}", lambda value: value == AUTO or _whole(1).holds(value)
    ),
    "ngrams": _whole(1),
    "embedding": Domain(
        f"{LEARNED}, or names of modules with vectors of words or tokens",
        lambda value: isinstance(value, str) and bool(value.strip()),
    ),
    "embedding_size": _whole(1),
    "encoder_units": _whole(1),
    "layers": _whole(0),
    "units": _whole(1),
    **{name: _whole(1) for name in LAYER_WIDTHS},
    "activation": _one_of(ACTIVATIONS),
    "dropout": Domain(
        "numbers from 0 to below 1", lambda value: type(value) in (int, float) and 0 <= value < 1, real=True
    ),
    "learning_rate": _RATE,
    "fine_tuning_rate": _RATE,
    "head_first": _TRUTH,
    "warmup_steps": _whole(0),
    "optimizer": _one_of(OPTIMIZERS),
    "weight_decay": _NOT_NEGATIVE,
    "clip_norm": _NOT_NEGATIVE,
    "batch_size": Domain(f"whole numbers from 1, or {AUTO}", _whole(1).holds),
    "class_weight": _one_of(CLASS_WEIGHTS),
}
