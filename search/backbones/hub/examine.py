"""Tries a module on a few sentences, or made images, to see whether a search can use it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.hub.answers import answers
from search.backbones.hub.contract import reason
from search.backbones.hub.load import Module
from search.backbones.hub.purity import impurity
from search.backbones.images.samples import IMAGE_PAIRS, sample_images
from search.datasets.content import TEXT
from search.errors import InputError

PAIRS = (
    ("The film was wonderful.", "I loved this movie."),
    ("The film was wonderful.", "The film was terrible."),
    ("How old are you?", "What is your age?"),
    ("How old are you?", "The committee approved the budget."),
)
WORDLESS = ("!!!", "?", "12345", "🙂", "-- ... --")
"""Texts in which a tokenizer may find nothing."""

_LONG = "It took them years to find out what had really happened there, and why nobody had ever asked. " * 20
_BATCH, _ROUNDS = 256, 3
_IMAGES = 32


@dataclass(frozen=True)
class Examination:
    """The results of trying a module on sentences, or on images.

    Attributes:
        cosines: The cosine similarity of each of some pairs; NaN where a vector is zero.
        empty: The vector of the empty text, float32 [dim]; None: it has none, which a search never needs.
        seconds: Time per text or image, in batches.
        frozen: Why it cannot be searched frozen; empty: it can.
        fine_tuned: Why it cannot be fine-tuned; empty: it can.
        sparse: Number of trainable variables with a sparse gradient, one of some rows only.
    """

    cosines: Mapping[tuple[str, str], float]
    empty: NDArray[np.float32] | None
    seconds: float
    frozen: str
    fine_tuned: str
    sparse: int


def examine(module: Module) -> Examination:
    """Tries a module.

    Args:
        module: It is not changed.

    Raises:
        InputError: It cannot be used on a text, which is named.
    """
    who = f"module {module.name}"
    if module.content is TEXT:
        pairs, others = PAIRS, [*WORDLESS, _LONG]
        rows: dict[str, Any] = {text: text for pair in PAIRS for text in pair}
    else:
        pairs, others, rows = IMAGE_PAIRS, [], dict(sample_images())
    sentences = [*rows.values()]
    vectors = dict(zip(rows, answers(module, sentences, who), strict=True))
    size = _BATCH if module.content is TEXT else _IMAGES
    impure = impurity(module, [*sentences, *others], who, size)
    batch = tf.constant([sentences[number % len(sentences)] for number in range(size)])
    seconds = min(_timed(module, batch) for _ in range(_ROUNDS)) / size
    fine_tuned, sparse = _fine_tuned(module, tf.constant(sentences))
    return Examination(
        {(first, second): _cosine(vectors[first], vectors[second]) for first, second in pairs},
        _of_nothing(module, who) if module.content is TEXT else None,
        seconds,
        impure,
        fine_tuned or impure,
        sparse,
    )


def _of_nothing(module: Module, who: str) -> NDArray[np.float32] | None:
    try:
        empty: NDArray[np.float32] = answers(module, [""], who)[0]
    except InputError:
        return None
    return empty


def _timed(module: Module, batch: tf.Tensor) -> float:
    begun = time.perf_counter()
    module(batch).numpy()
    return time.perf_counter() - begun


def _cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    norms = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / norms if norms else float("nan")


def _fine_tuned(module: Module, texts: tf.Tensor) -> tuple[str, int]:
    if not module.trainable_variables:
        return "it has no trainable variables", 0
    # A step of training may change other state, such as moving averages: the module is put back as it was.
    before = [variable.numpy() for variable in module.other_variables]
    try:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(module(texts, training=True) ** 2)
        gradients = tape.gradient(loss, module.trainable_variables)
    except Exception as error:  # a module may raise whatever the operations inside it do
        return f"its gradient fails: {reason(error)}", 0
    finally:
        for variable, value in zip(module.other_variables, before, strict=True):
            variable.assign(value)
    if all(gradient is None for gradient in gradients):
        return "no gradient reaches its variables", 0
    return "", sum(isinstance(gradient, tf.IndexedSlices) for gradient in gradients)
