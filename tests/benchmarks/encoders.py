"""The modules that are measured: word vectors, and a stand-in for a sentence encoder that takes its time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from search.backbones.catalog import ModulePlaces
from search.backbones.resolve import resolve_modules
from search.config import ModuleConfig, configuration_folder

GLOVE, SLOW = "glove-50", "slow-encoder"
_GLOVE_WORDS = 100_000
_DIMENSION = 512
_BUCKETS = 20_000
_SECONDS_PER_TEXT = 0.0025
_BATCH = 512
_FIRST_ROUNDS = 20
_TRIES = 3


class SlowEncoder(tf.train.Checkpoint):
    """Hashes words to vectors of 512 numbers, turns each by a fixed rotation many times, and averages a text's.

    As in a transformer, the time is matrix products over a text's words. A rotation loses nothing, so that what comes
    out can be learned from like any other bag of words.
    """

    def __init__(self, rounds: int) -> None:
        super().__init__()
        random = np.random.default_rng(0)
        rotation = np.linalg.qr(random.normal(size=(_DIMENSION, _DIMENSION)))[0]
        self.table = tf.Variable(random.normal(size=(_BUCKETS, _DIMENSION)), dtype=tf.float32, trainable=False)
        self.rotation = tf.Variable(rotation, dtype=tf.float32, trainable=False)
        self.rounds = tf.Variable(rounds, trainable=False)
        self.variables = [self.table, self.rotation, self.rounds]
        self.trainable_variables: list[tf.Variable] = []

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts: tf.Tensor) -> tf.Tensor:
        """Embeds texts, strings [batch], as float32 [batch, 512]."""
        indices, words, shape = tf.raw_ops.StringSplitV2(input=texts, sep="")
        vectors = tf.gather(self.table, tf.strings.to_hash_bucket_fast(words, _BUCKETS))
        for _ in tf.range(self.rounds):
            vectors = vectors @ self.rotation
        return tf.math.unsorted_segment_sqrt_n(vectors, indices[:, 0], shape[0])


def make_module(name: str, scratch: Path, texts: Sequence[str]) -> tuple[Path, str]:
    """Finds or builds a module.

    Args:
        name: `slow-encoder`, or whatever `space.modules` takes; glove-50 has 100,000 words.
        scratch: Where a slow encoder is built.
        texts: Those on which it is made to take 2.5 ms a text on this machine.

    Returns:
        The folder of its SavedModel, and what was measured.
    """
    if name == SLOW:
        folder = scratch / SLOW
        measured = _build(folder, texts[:_BATCH])
    else:
        kept = Path("~/.cache/search/modules").expanduser()
        folder = resolve_modules([name], ModulePlaces(ModuleConfig(_GLOVE_WORDS), kept, [configuration_folder()]))[name]
        measured = _milliseconds(tf.saved_model.load(str(folder)), texts[:_BATCH])
    return folder, f"{measured:.3f} ms a text in batches of {_BATCH}"


def _build(folder: Path, texts: Sequence[str]) -> float:
    """Writes a slow encoder with as many rounds as take the time it should; returns what it takes."""
    encoder = SlowEncoder(_FIRST_ROUNDS)
    for _ in range(_TRIES):
        ratio = 1000 * _SECONDS_PER_TEXT / _milliseconds(encoder, texts)
        encoder.rounds.assign(max(1, round(ratio * int(encoder.rounds))))
    tf.saved_model.save(encoder, str(folder))
    return _milliseconds(encoder, texts)


def _milliseconds(module: SlowEncoder, texts: Sequence[str]) -> float:
    batch = tf.constant(list(texts))
    module(batch)
    taken = []
    for _ in range(3):
        started = time.monotonic()
        module(batch).numpy()
        taken.append(time.monotonic() - started)
    return 1000 * min(taken) / len(texts)
