"""From hyperparameters to a compiled Keras model, strings in and probabilities out, and to its training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones import TextEmbedding
from search.backbones.learned import EMBEDDING, Encoders
from search.backbones.tokens.token_names import tokens_key
from search.datasets import Examples
from search.features.cache import FeatureCache, PassObserver
from search.models.keras_model import InputRows, compiled_model, fit_model
from search.training.base import KerasTraining, Training, assign, model_weights
from search.training.fast_training import FastTraining
from search.training.head import Inputs
from search.training.lp_ft import best_head
from search.tuning.seeds import ACCUMULATE, HEAD_EPOCHS, trial_seed
from spaces import ENCODERS, TextClassifierSpace


class TextClassifierHyperModel(keras_tuner.HyperModel):
    """A module or an encoder under a head of dense layers, for KerasTuner or any tuner of this package.

    Args:
        space: What may vary.
        modules: Name of each module of the space to the folder of its SavedModel, with what `resolve_embeddings` gave.
        classes: Number of classes.
        seed: Seed of the search; the order of the training rows follows from it and the hyperparameters.
        features: Where the features of frozen modules are kept; None: every model embeds its texts itself.
        on_pass: Is told of every pass of texts through a frozen module.
        texts: Those of the training split, strings [n], for encoders: the vocabulary of every model is of them.

    Attributes:
        admit: Is shown the hyperparameters of a trial before it is trained; what it raises fails the trial.
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
        texts: NDArray[np.object_] | None = None,
    ) -> None:
        super().__init__()
        self.space = space
        self.modules = modules
        self.classes = classes
        self.seed = seed
        self.admit: Callable[[keras_tuner.HyperParameters], None] = lambda hp: None
        self._cache = features
        self._fast = FastTraining(modules, classes, features, on_pass)
        self._encoders = Encoders(modules, texts)

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
        texts = keras.Input((), dtype="string", name="texts")
        if values["module"] in ENCODERS:
            hidden = self._encoders.text_encoder(texts, values)
        else:
            folder = str(self.modules[values["module"]])
            hidden = TextEmbedding(folder, trainable=values["trainable"], name=EMBEDDING)(texts)
        return compiled_model(values, self.classes, hp.values.get(ACCUMULATE, 1), texts, hidden)

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
        module = self._text_module(values)
        with nullcontext() if module is None else self._fast.faults_of_module(module, train, valid):
            if values.get("head_first") and initial_epoch == 0:
                self._train_head(hp, model, train, valid)
            splits = [None if split is None else _strings(split) for split in (train, valid)]
            how = {"epochs": epochs, "initial_epoch": initial_epoch, "callbacks": callbacks, "verbose": verbose}
            return self._fit(hp)(model, values, *splits, **how)

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
            a module that is to be trained in mixed precision, or under an encoder.
        """
        if valid is not None:
            self.admit(hp)
        values = self.space.declare(hp)
        if callbacks:
            return None
        if values["module"] in ENCODERS:
            return self._encoder_training(hp, values, train, valid)
        if self._cache is None:
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

    def learning_from(self, texts: NDArray[np.object_]) -> TextClassifierHyperModel:
        """The same for a part of the training split [n]: what is learned from texts, as a vocabulary, is of these.

        What frozen modules give and modules that are held in memory are shared; every configuration is admitted.
        """
        # No copy: KerasTuner binds `build` to the instance that it was made for.
        other = TextClassifierHyperModel(self.space, self.modules, self.classes, self.seed, self._cache)
        other._fast = self._fast
        other._encoders = self._encoders.learning_from(texts)
        return other

    def features(self, module: str, examples: Examples) -> Inputs:
        """The features of a split through a frozen module: see `FastTraining.features`."""
        return self._fast.features(module, examples)

    def constant_features(self, values: Mapping[str, Any], examples: Examples) -> Inputs | None:
        """What a configuration's module gives for a split, where training does not change it."""
        name = self._constant_module(values)
        return None if name is None else self.features(name, examples)

    def _text_module(self, values: Mapping[str, Any]) -> str | None:
        name = values["module"] if values["module"] not in ENCODERS else tokens_key(values["embedding"])
        return name if name in self.modules else None

    def _constant_module(self, values: Mapping[str, Any]) -> str | None:
        if values["module"] in ENCODERS:
            return self._encoders.constant_module(values, self._cache)
        return None if values.get("trainable") else str(values["module"])

    def _encoder_training(
        self, hp: keras_tuner.HyperParameters, values: Mapping[str, Any], train: Examples, valid: Examples | None
    ) -> KerasTraining | None:
        """Trains what is above the tokenizer, or the token-level module, on what these give, which is there already."""
        takes_ids, constant = self._encoders.takes_ids(values), self._constant_module(values)
        if not takes_ids and constant is None:
            return None
        keras.utils.set_random_seed(trial_seed(self.seed, hp.values))
        inputs, hidden = self._encoders.id_encoder(values) if takes_ids else self._encoders.row_encoder(values)
        model = compiled_model(values, self.classes, hp.values.get(ACCUMULATE, 1), inputs, hidden)

        def rows(split: Examples) -> InputRows:
            if constant is None:
                return InputRows(self._encoders.ids(split.texts, values), split.labels)
            return InputRows(self.features(constant, split), split.labels)

        splits = [None if split is None else rows(split) for split in (train, valid)]
        return KerasTraining(model, partial(self._fit(hp), model, values, *splits))

    def _fit(self, hp: keras_tuner.HyperParameters) -> Callable[..., keras.callbacks.History]:
        """`fit_model` for a trial."""
        accumulate, seed = hp.values.get(ACCUMULATE, 1), trial_seed(self.seed, hp.values)
        return partial(fit_model, classes=self.classes, accumulate=accumulate, seed=seed)

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


def _strings(examples: Examples) -> InputRows:
    return InputRows(tf.constant(examples.texts.tolist()), examples.labels)


def above_embedding(model: keras.Model) -> keras.Model:
    """The part of a model above its module: features [batch, dim] to probabilities [batch, classes], same weights."""
    _, embedding, *head = model.layers
    inputs = keras.Input((embedding.dimension,))
    outputs = inputs
    for layer in head:
        outputs = layer(outputs)
    return keras.Model(inputs, outputs)
