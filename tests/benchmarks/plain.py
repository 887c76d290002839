"""The search as a user would write it with KerasTuner alone, with the module or its features in every trial's model.

The module is a frozen Keras layer of this package, since none else runs under Keras 3. It keeps the module's weights
out of the checkpoints and reads it from disk once for all trials, so that the plain search is faster and smaller here
than with a layer of the usual kind.
"""

from __future__ import annotations

import time
import warnings
from typing import Any

import keras
import keras_tuner
import numpy as np
import tensorflow as tf
from job import DROPOUT, FACTOR, LAYERS, LEARNING_RATE, OBJECTIVE, UNITS, Job, Outcome, valid_scores
from measure import Stopwatch, disk, peak_memory

from search.backbones.hub.layer import TextEmbedding
from search.tuning.oracles.schedule import brackets, total_epochs, total_trials


class PlainHyperModel(keras_tuner.HyperModel):
    """A frozen module, or a float input in its place, under a head of dense layers."""

    def __init__(self, classes: int, embedding: keras.Layer | None, dimension: int, timed: bool) -> None:
        super().__init__()
        self.classes = classes
        self.embedding = embedding
        self.dimension = dimension
        self.clock = _EpochClock() if timed else None

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        if self.embedding is None:
            inputs = hidden = keras.Input((self.dimension,))
        else:
            inputs = keras.Input((), dtype="string")
            hidden = self.embedding(inputs)
        dropout = hp.Float("dropout", DROPOUT["min"], DROPOUT["max"])
        for i in range(1, LAYERS + 1):
            units = hp.Int(f"units_{i}", UNITS["min"], UNITS["max"], step=UNITS["step"])
            hidden = keras.layers.Dense(units, "relu")(hidden)
            hidden = keras.layers.Dropout(dropout)(hidden)
        model = keras.Model(inputs, keras.layers.Dense(self.classes, "softmax")(hidden))
        rate = hp.Float("learning_rate", LEARNING_RATE["min"], LEARNING_RATE["max"], sampling="log")
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        if self.clock is not None:
            kwargs["callbacks"] = [*kwargs["callbacks"], self.clock]
        return model.fit(*args, **kwargs)


class _EpochClock(keras.callbacks.Callback):
    """Seconds of every epoch from the end of its first batch, which may have traced the model."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch == 0:
            self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds.append(time.monotonic() - self._started)


def search_plain(job: Job) -> Outcome:
    """KerasTuner's Hyperband over models that hold the module."""
    return _search(job, precomputed=False)


def search_precomputed(job: Job) -> Outcome:
    """KerasTuner's Hyperband over heads, on features that the module gave once, in the time that is measured."""
    return _search(job, precomputed=True)


def _search(job: Job, precomputed: bool) -> Outcome:
    warnings.filterwarnings("ignore", message="Skipping variable loading for optimizer")
    splits = job.splits()
    keras.utils.set_random_seed(job.seed)

    stopwatch = Stopwatch()
    embedding = TextEmbedding(job.module)
    dimension = embedding.dimension
    inputs = [splits.train.texts.astype(str), splits.valid.texts.astype(str)]
    if precomputed:
        inputs = [_features(embedding, texts) for texts in inputs]
    train, valid = (
        tf.data.Dataset.from_tensor_slices((values, examples.labels))
        for values, examples in zip(inputs, (splits.train, splits.valid), strict=True)
    )
    train = train.shuffle(len(splits.train)).batch(job.batch).prefetch(tf.data.AUTOTUNE)
    valid = valid.batch(job.batch).prefetch(tf.data.AUTOTUNE)
    model = PlainHyperModel(
        len(splits.classes), None if precomputed else embedding, dimension, timed=job.max_trials is not None
    )
    tuner = keras_tuner.Hyperband(
        model,
        objective=OBJECTIVE,
        max_epochs=job.max_epochs,
        factor=FACTOR,
        seed=job.seed,
        directory=str(job.folder),
        project_name="plain",
    )
    tuner.oracle.max_trials = job.max_trials
    tuner.search(train, validation_data=valid, verbose=0)
    seconds, cpu = stopwatch.read()

    values = [trial.hyperparameters.values for trial in tuner.oracle.trials.values()]
    epochs = sum(value["tuner/epochs"] - value["tuner/initial_epoch"] for value in values)
    used, memory = disk(job.folder), peak_memory()
    scores = valid_scores(splits.valid.labels, tuner.get_best_models(1)[0].predict(valid, verbose=0))
    if model.clock is None:
        return Outcome(seconds, cpu, len(values), epochs, *scores, memory, used)
    schedule = brackets(job.max_epochs, FACTOR, 1)
    trials, planned = total_trials(schedule), total_epochs(schedule)
    an_epoch = float(np.median(model.clock.seconds))
    a_trial = (seconds - sum(model.clock.seconds)) / len(values)
    whole = a_trial * trials + an_epoch * planned
    return Outcome(whole, cpu * whole / seconds, trials, planned, *scores, memory, used, len(values))


def _features(embedding: TextEmbedding, texts: np.ndarray) -> np.ndarray:
    batches = tf.data.Dataset.from_tensor_slices(texts).batch(1024).prefetch(tf.data.AUTOTUNE)
    return np.concatenate([embedding(batch).numpy() for batch in batches])
