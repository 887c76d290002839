"""Tries a module on a few sentences, to see whether a search can use it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.hub.contract import reason
from search.backbones.hub.load import Module

PAIRS = (
    ("The film was wonderful.", "I loved this movie."),
    ("The film was wonderful.", "The film was terrible."),
    ("How old are you?", "What is your age?"),
    ("How old are you?", "The committee approved the budget."),
)
_BATCH, _ROUNDS = 256, 3
# Batches of another size may be summed in another order, no more.
_ALIKE = 1e-4


@dataclass(frozen=True)
class Examination:
    """What a module does with sentences.

    Attributes:
        cosines: The cosine similarity of each of `PAIRS`; NaN where a vector is zero.
        empty: What the empty text gives, float32 [dim].
        seconds: For a text, in batches.
        frozen: Why it cannot be searched frozen; empty: it can.
        fine_tuned: Why it cannot be fine-tuned; empty: it can.
        sparse: Of how many trainable variables the gradient touches some rows alone.
    """

    cosines: tuple[float, ...]
    empty: NDArray[np.float32]
    seconds: float
    frozen: str
    fine_tuned: str
    sparse: int


def examine(module: Module) -> Examination:
    """Tries a module.

    Args:
        module: It is not changed.
    """
    texts = [*dict.fromkeys(text for pair in PAIRS for text in pair), ""]
    vectors = module(tf.constant(texts)).numpy()
    places = {text: place for place, text in enumerate(texts)}
    batch = tf.constant([texts[number % (len(texts) - 1)] for number in range(_BATCH)])
    seconds = min(_timed(module, batch) for _ in range(_ROUNDS)) / _BATCH
    fine_tuned, sparse = _fine_tuned(module, tf.constant(texts))
    return Examination(
        tuple(_cosine(vectors[places[first]], vectors[places[second]]) for first, second in PAIRS),
        vectors[-1],
        seconds,
        _frozen(module, texts, vectors),
        fine_tuned,
        sparse,
    )


def _timed(module: Module, batch: tf.Tensor) -> float:
    begun = time.perf_counter()
    module(batch).numpy()
    return time.perf_counter() - begun


def _cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    norms = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / norms if norms else float("nan")


def _frozen(module: Module, texts: list[str], vectors: NDArray[np.float32]) -> str:
    if not np.isfinite(vectors).all():
        return "it gives numbers that are not finite"
    if not np.array_equal(module(tf.constant(texts)).numpy(), vectors):
        return "it gives something else for the same texts the second time"
    alone = np.concatenate([module(tf.constant([text])).numpy() for text in texts])
    if not np.allclose(alone, vectors, rtol=_ALIKE, atol=_ALIKE * float(np.abs(vectors).max())):
        return "what it gives for a text depends on the other texts of the batch"
    return ""


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
