"""From hyperparameters to a compiled Keras model, strings in and probabilities out, and to its training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import keras
import keras_tuner
import tensorflow as tf

from search.batches import training_batches
from search.datasets import Examples
from search.embedding import TextEmbedding
from search.embedding.features import FeatureCache, Features, PassObserver
from search.epoch_scores import EpochScores
from search.fast_training import FastTraining, importance, optimizer_settings
from search.optimizers import make_optimizer
from search.tuning.head_first import best_head
from search.tuning.scores import training_sample
from search.tuning.seeds import ACCUMULATE, HEAD_EPOCHS, trial_seed
from search.tuning.training import Training, assign, model_weights
from spaces import TextClassifierSpace

_EMBEDDING = "embedding"


class TextClassifierHyperModel(keras_tuner.HyperModel):
    """A module under a head of dense layers, for KerasTuner or any tuner of this package.

    Args:
        space: What may vary.
        modules: Name of each module in the space to the folder of its SavedModel.
        classes: Number of classes.
        seed: Seed of the search; the order of the training rows follows from it and the hyperparameters.
        features: Where the features of frozen modules are kept; None: every model embeds its texts itself.
        on_pass: Is told of every pass of texts through a frozen module.
    """

    accumulates_gradients = True
    """Trains in smaller batches with the same step where the tuner asks for it: see `search.tuning.tuner`."""

    def __init__(
        self,
        space: TextClassifierSpace,
        modules: Mapping[str, Path],
        classes: int,
        seed: int,
        features: FeatureCache | None = None,
        on_pass: PassObserver | None = None,
    ) -> None:
        super().__init__()
        self.space = space
        self.modules = modules
        self.classes = classes
        self.seed = seed
        self._cache = features
        self._fast = FastTraining(modules, classes, features, on_pass)

    def declare_hyperparameters(self, hp: keras_tuner.HyperParameters) -> None:
        """Declares the whole space, before any model is built."""
        self.space.declare(hp)

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Builds and compiles the model of one configuration.

        Args:
            hp: KerasTuner's hyperparameters; those of the space are declared on it.

        Returns:
            A model from strings [batch] to probabilities, float32 [batch, classes].

        Raises:
            InputError: The module cannot be loaded, or not trained where `trainable` asks for it.
        """
        values = self.space.declare(hp)
        embedding = TextEmbedding(str(self.modules[values["module"]]), trainable=values["trainable"], name=_EMBEDDING)
        texts = keras.Input((), dtype="string", name="texts")
        hidden = embedding(texts)
        for i in range(1, values["layers"] + 1):
            hidden = keras.layers.Dense(values[f"units_{i}"], values["activation"], name=f"hidden_{i}")(hidden)
            if values["dropout"]:
                hidden = keras.layers.Dropout(values["dropout"], name=f"dropout_{i}")(hidden)
        # Two classes have two outputs like any other number: one code, the same model.
        outputs = keras.layers.Dense(self.classes, "softmax", dtype="float32", name="probabilities")(hidden)
        model = keras.Model(texts, outputs, name="text_classifier")
        optimizer = make_optimizer(
            optimizer_settings(values), embedding if values["trainable"] else None, hp.values.get(ACCUMULATE, 1)
        )
        # String operations cannot be compiled by XLA, which Keras would choose by itself where there is a GPU.
        model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=False)
        return model

    def fit(
        self,
        hp: keras_tuner.HyperParameters,
        model: keras.Model,
        train: Examples,
        valid: Examples | None = None,
        *,
        epochs: int,
        initial_epoch: int = 0,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        verbose: int = 0,
    ) -> keras.callbacks.History:
        """Trains a model that `build` made, scoring it on both splits after each epoch.

        Args:
            hp: The hyperparameters the model was built from.
            model: The model, at `initial_epoch` of its training.
            train: Rows to train on.
            valid: Rows to score by; None: none, as in the refit.
            epochs: Epochs of training when it ends, `initial_epoch` included.
            initial_epoch: Epochs behind the model.
            callbacks: Keras callbacks; they find every metric in their logs, `val_…` for those of `valid`.
            verbose: As in `keras.Model.fit`.

        Returns:
            Keras's history of the logs.
        """
        values = self.space.declare(hp)
        if values.get("head_first") and initial_epoch == 0:
            self._train_head(hp, model, train, valid)
        texts = tf.constant(train.texts.tolist())
        batch_size = max(1, values["batch_size"] // hp.values.get(ACCUMULATE, 1))
        seed = trial_seed(self.seed, hp.values)
        batches = training_batches(
            texts,
            train.labels,
            importance(values, train.labels, self.classes),
            batch_size=batch_size,
            seed=seed,
            epochs=range(initial_epoch, epochs),
        )
        sample = training_sample(len(train), None if valid is None else len(valid), seed)
        scored = {"": (tf.gather(texts, sample), train.labels[sample])}
        if valid is not None:
            scored["val_"] = (tf.constant(valid.texts.tolist()), valid.labels)
        return model.fit(
            batches,
            epochs=epochs,
            initial_epoch=initial_epoch,
            steps_per_epoch=math.ceil(len(train) / batch_size),
            callbacks=[EpochScores(scored), *callbacks],
            verbose=verbose,
            shuffle=False,  # the batches are shuffled already
        )

    def fast_training(
        self,
        hp: keras_tuner.HyperParameters,
        train: Examples,
        valid: Examples | None = None,
        *,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        verbose: int = 0,
    ) -> Training | None:
        """Makes what trains the same model as `build` and `fit`, in less time.

        Args:
            hp: The hyperparameters.
            train: Rows to train on.
            valid: Rows to score by; None: none, as in the refit.
            callbacks: As for `fit`.
            verbose: As for `fit`.

        Returns:
            The training, at its beginning; None where only a Keras model will do: callbacks that ask for one, no cache,
            a module that is to be trained in mixed precision.
        """
        values = self.space.declare(hp)
        if self._cache is None or callbacks:
            return None
        seed = trial_seed(self.seed, hp.values)
        if not values["trainable"]:
            return self._fast.head(values, train, valid, seed)
        if keras.config.dtype_policy().compute_dtype != "float32":
            return None
        accumulate = hp.values.get(ACCUMULATE, 1)
        return self._fast.module(
            values, train, valid, seed, accumulate, hp.values.get(HEAD_EPOCHS), partial(_note_head_epochs, hp)
        )

    def features(self, module: str, examples: Examples) -> Features:
        """The features of a split through a frozen module: see `FastTraining.features`."""
        return self._fast.features(module, examples)

    def _train_head(
        self, hp: keras_tuner.HyperParameters, model: keras.Model, train: Examples, valid: Examples | None
    ) -> None:
        """Trains the head of a model on features of the frozen module, before the two are trained together."""
        head = self._fast.head(self.space.declare(hp), train, valid, trial_seed(self.seed, hp.values))
        epochs, _ = best_head(head, hp.values.get(HEAD_EPOCHS))
        _note_head_epochs(hp, epochs)
        assign(model_weights(above_embedding(model)), head.weights())


def _note_head_epochs(hp: keras_tuner.HyperParameters, epochs: int) -> None:
    hp.values[HEAD_EPOCHS] = epochs


def above_embedding(model: keras.Model) -> keras.Model:
    """The part of a model above its module: features [batch, dim] to probabilities [batch, classes], same weights."""
    _, embedding, *head = model.layers
    inputs = keras.Input((embedding.dimension,))
    outputs = inputs
    for layer in head:
        outputs = layer(outputs)
    return keras.Model(inputs, outputs)
