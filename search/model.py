"""The classifier a search ends with: refitted on all labelled rows but the test split, saved, and scored."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import keras_tuner
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.batches import scorer
from search.datasets import Examples
from search.embedding.batched import SCORING_BATCH
from search.embedding.features import Features
from search.files import whole_file, whole_folder, write_json
from search.hypermodel import TextClassifierHyperModel, above_embedding
from search.reporting.tensorboard import Curves
from search.tuning.seeds import trial_seed
from search.tuning.training import KerasTraining, Training, assign, model_weights


@dataclass(frozen=True)
class Classifier:
    """A trained model with what it takes to read its answers.

    Attributes:
        model: Strings [batch] to probabilities, float32 [batch, classes].
        classes: Names of the classes, in the order of the probabilities.
        threshold: Two classes: the second is predicted where its probability reaches this; None: the most probable is.
    """

    model: keras.Model
    classes: tuple[str, ...]
    threshold: float | None

    def probabilities(self, texts: NDArray[np.object_], features: Features | None = None) -> NDArray[np.float64]:
        """Scores texts.

        Args:
            texts: Strings [n].
            features: What the model's frozen module gives for them [n, dim], if that is known.

        Returns:
            Probabilities, float64 [n, classes].
        """
        if features is None:
            return scorer(self.model)(tf.constant(texts.tolist()))
        probabilities = scorer(above_embedding(self.model))
        starts = range(0, len(features), SCORING_BATCH)
        rows = (np.arange(start, min(start + SCORING_BATCH, len(features))) for start in starts)
        return np.concatenate([probabilities(tf.constant(features.take(some))) for some in rows])

    def save(self, saved_model: Path, keras_file: Path) -> None:
        """Writes the model twice, each whole or not at all.

        The SavedModel needs this package neither to load nor to run: `tf.saved_model.load(path)(texts)` gives the
        probabilities, as does its signature `serving_default`, texts -> probabilities. `labels.json` in its folder
        names the classes and the threshold.

        Args:
            saved_model: Folder of the SavedModel.
            keras_file: A file that ends in .keras; `keras.models.load_model` reads it once `TextEmbedding` is imported
                from `search.embedding`.
        """
        # Without the optimizer, whose slots would make the files three times as large.
        plain = keras.Model(self.model.inputs, self.model.outputs, name=self.model.name)
        archive = keras.export.ExportArchive()
        archive.track(plain)
        signature = [tf.TensorSpec([None], tf.string, name="texts")]
        # The first endpoint is also the default signature.
        archive.add_endpoint("serve", lambda texts: {"probabilities": plain(texts, training=False)}, signature)
        archive.add_endpoint("__call__", lambda texts: plain(texts, training=False), signature)
        # One may stand there from before the run was resumed.
        shutil.rmtree(saved_model, ignore_errors=True)
        with whole_folder(saved_model) as folder:
            archive.write_out(str(folder), verbose=False)
            write_json(folder / "labels.json", {"labels": list(self.classes), "threshold": self.threshold})
        with whole_file(keras_file) as file:
            plain.save(file)


def refit(
    hypermodel: TextClassifierHyperModel,
    hp: keras_tuner.HyperParameters,
    examples: Examples,
    epochs: int,
    seed: int,
    curves: Curves,
) -> keras.Model:
    """Trains a configuration afresh on more rows.

    Args:
        hypermodel: Builds and fits the model.
        hp: The configuration.
        examples: All rows to learn from.
        epochs: How long: as many epochs as were best in the search.
        seed: Seed of the search; the initial weights follow from it and the configuration.
        curves: Is told of every epoch.

    Returns:
        The trained model.
    """

    def on_epoch_end(epoch: int, metrics: Mapping[str, float]) -> bool:
        curves.add(epoch, metrics)
        return False

    keras.utils.set_random_seed(trial_seed(seed, hp.values))
    model = hypermodel.build(hp)
    training: Training = hypermodel.fast_training(hp, examples) or KerasTraining(
        model, partial(hypermodel.fit, hp, model, examples)
    )
    training.run(range(epochs), on_epoch_end)
    curves.close()
    assign(model_weights(model), training.weights())
    return model
