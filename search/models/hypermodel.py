"""From hyperparameters to a compiled Keras model, strings in and probabilities out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
from numpy.typing import NDArray

from search.backbones import TextEmbedding
from search.backbones.learned import EMBEDDING, Encoders
from search.backbones.tokens.token_names import tokens_key
from search.datasets import Examples
from search.features.cache import FeatureCache
from search.features.passes import PassObserver
from search.features.splits import Inputs, SplitFeatures
from search.models.keras_model import compiled_model
from search.models.scorer import ModelInputs
from spaces import ENCODERS, TextClassifierSpace


class TextClassifierHyperModel(keras_tuner.HyperModel):
    """A module or an encoder under a head of dense layers.

    It makes models; `search.training.trainable.TrainableHyperModel` trains them too.

    Args:
        space: What may vary.
        modules: Name of each module of the space to the folder of its SavedModel, with what `resolve_embeddings` gave.
        classes: Number of classes.
        seed: Seed of the search.
        features: Where the features of frozen modules are kept; None: every model embeds its texts itself.
        on_pass: Is told of every pass of texts through a frozen module.
        texts: Those of the training split, strings [n], for encoders: the vocabulary of every model is of them.
    """

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
        self._features = SplitFeatures(modules, features, on_pass)
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
        return self.model(self.space.declare(hp))

    def model(self, values: Mapping[str, Any], accumulate: int = 1) -> keras.Model:
        """Builds and compiles the model of a configuration, as `build` does.

        Args:
            values: The hyperparameters.
            accumulate: Batches whose gradients are averaged before the weights move.
        """
        texts = keras.Input((), dtype="string", name="texts")
        name = self.module_under_head(values)
        if name is None:
            hidden = self._encoders.text_encoder(texts, values)
        else:
            hidden = TextEmbedding(str(self.modules[name]), trainable=values["trainable"], name=EMBEDDING)(texts)
        return compiled_model(values, self.classes, accumulate, texts, hidden)

    def module_under_head(self, values: Mapping[str, Any]) -> str | None:
        """Name of the published module whose vector of a text the head sees; None where an encoder is learned."""
        return None if values["module"] in ENCODERS else str(values["module"])

    def module_of_texts(self, values: Mapping[str, Any]) -> str | None:
        """Name of the module that a configuration's model gives texts to; None where there is none."""
        name = self.module_under_head(values) or tokens_key(values["embedding"])
        return name if name in self.modules else None

    @property
    def keeps_features(self) -> bool:
        """Whether there is a place for the features of frozen modules."""
        return self._features.cache is not None

    def features(self, module: str, examples: Examples) -> Inputs:
        """The features of a split through a frozen module: see `SplitFeatures.of`."""
        return self._features.of(module, examples)

    def constant_features(self, values: Mapping[str, Any], examples: Examples) -> Inputs | None:
        """The features of a split through a configuration's module, where training does not change them."""
        name = self._constant_module(values)
        return None if name is None else self.features(name, examples)

    def prepares_inputs(self, values: Mapping[str, Any]) -> bool:
        """Whether what a configuration's encoder sees is the same in every epoch, and can be kept."""
        if self.module_under_head(values) is not None:
            return False
        return self._encoders.takes_ids(values) or self._constant_module(values) is not None

    def prepared_model(self, values: Mapping[str, Any], accumulate: int = 1) -> keras.Model:
        """Builds the model above what `prepared_inputs` gives; its weights are those of `model`, in the same order.

        Args:
            values: The hyperparameters, of which `prepares_inputs` is true.
            accumulate: As for `model`.
        """
        takes_ids = self._encoders.takes_ids(values)
        inputs, hidden = self._encoders.id_encoder(values) if takes_ids else self._encoders.row_encoder(values)
        return compiled_model(values, self.classes, accumulate, inputs, hidden)

    def prepared_inputs(self, values: Mapping[str, Any], examples: Examples) -> ModelInputs:
        """What `prepared_model` takes for the rows of a split: numbers of tokens, or a token-level module's rows."""
        constant = self._constant_module(values)
        return self._encoders.ids(examples.texts, values) if constant is None else self.features(constant, examples)

    def _constant_module(self, values: Mapping[str, Any]) -> str | None:
        name = self.module_under_head(values)
        if name is None:
            return self._encoders.constant_module(values, self._features.has_room)
        return None if values.get("trainable") else name
