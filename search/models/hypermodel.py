"""From hyperparameters to a compiled Keras model, strings in and probabilities out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import keras_tuner

from search.backbones.apart import ApartColumns
from search.backbones.base import Backbone, SavedModule
from search.backbones.description import Description
from search.backbones.hub.layers import ModuleLayers
from search.datasets import Examples
from search.evaluation.metric_list import Target
from search.features.cache import FeatureCache
from search.features.passes import PassObserver
from search.features.splits import Inputs, SplitFeatures, side_by_side
from search.models.beside.encoder import ColumnEncoder
from search.models.keras_model import beside, compiled_model
from search.models.scorer import ModelInputs
from search.models.wide.words import Words
from search.utils.ragged import RaggedRows
from spaces import TextClassifierSpace, has_words, stands_apart


class TextClassifierHyperModel(keras_tuner.HyperModel):
    """A backbone under a head of dense layers.

    It builds models; `search.training.trainable.TrainableHyperModel` also trains them.

    Args:
        space: The search space.
        backbones: The backbone of each value of `module`, from `search.backbones.of_space.resolve_backbones`.
        target: The classes, and whether they are ordered.
        seed: Seed of the search.
        features: The cache of the features of frozen modules; None: every model embeds its texts itself.
        words: The words of the training texts; None: no configuration has words beside its head.
        max_epochs: Epochs of a trial that is trained in full; a linear schedule of the rates ends there.
        columns: The columns beside the training texts; None: there are none.
    """

    def __init__(
        self,
        space: TextClassifierSpace,
        backbones: Mapping[str, Backbone],
        target: Target,
        seed: int,
        features: FeatureCache | None = None,
        words: Words | None = None,
        max_epochs: int = 1,
        columns: ColumnEncoder | None = None,
    ) -> None:
        super().__init__()
        self.space = space
        self.backbones = backbones
        self.target = target
        self.classes = target.classes
        self.seed = seed
        self.words = words
        self.max_epochs = max_epochs
        self.columns = columns
        self._features = SplitFeatures(features)

    def observe_passes(self, observer: PassObserver) -> None:
        """Sets the observer of passes of texts through frozen modules from now on."""
        self._features.observe_passes(observer)

    def declare_hyperparameters(self, hp: keras_tuner.HyperParameters) -> None:
        """Declares the whole space, before any model is built."""
        self.space.declare(hp)

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Builds and compiles the model of one configuration.

        Args:
            hp: KerasTuner's hyperparameters; those of the space are declared on it.

        Returns:
            A model from strings [batch], and the columns beside them, to probabilities, float32 [batch, classes].

        Raises:
            InputError: The module cannot be loaded, or cannot be trained where `trainable` asks for it.
        """
        return self.model(self.space.declare(hp))

    def model(self, values: Mapping[str, Any], accumulate: int = 1) -> keras.Model:
        """Builds and compiles the model of a configuration, as `build` does.

        Args:
            values: The hyperparameters.
            accumulate: Batches whose gradients are averaged before the weights move.
        """
        texts = keras.Input((), dtype="string", name="texts")
        backbone = self.backbone(values)
        inputs, hidden = texts, backbone.symbolic(texts, values)
        if self.columns is not None:
            columns, vectors = self.columns.symbolic()
            inputs, hidden = [texts, *columns], beside(hidden, vectors)
        if not has_words(values):
            return compiled_model(values, self.target, accumulate, backbone, inputs, hidden)
        assert self.words is not None
        wide = self.words.layer(self.classes)(texts)
        return compiled_model(values, self.target, accumulate, backbone, inputs, hidden, wide)

    def backbone(self, values: Mapping[str, Any]) -> Backbone:
        """The backbone of a configuration."""
        backbone = self.backbones[str(values["module"])]
        return ApartColumns(backbone, self.space.text_columns) if stands_apart(values) else backbone

    def describe(self, values: Mapping[str, Any]) -> Description:
        """The facts about the backbone of a configuration, for records."""
        return self.backbone(values).describe(values)

    @property
    def keeps_features(self) -> bool:
        """Whether features of frozen modules are cached."""
        return self._features.cache is not None

    def features(self, modules: Sequence[SavedModule], examples: Examples) -> Inputs:
        """The features of a split through frozen modules side by side: see `SplitFeatures.of`."""
        return self._features.of(modules, examples)

    def under_head(self, modules: Sequence[SavedModule], examples: Examples) -> Inputs:
        """The inputs of a head over frozen modules: their features of a split, and the columns beside the texts."""
        features = self.features(modules, examples)
        return features if self.columns is None else side_by_side([features, self.columns.vectors(examples)])

    def constant_features(self, values: Mapping[str, Any], examples: Examples) -> Inputs | None:
        """The features of a split through a configuration's modules, where they are constant; else None."""
        modules = self._constant_modules(values)
        return self.features(modules, examples) if modules else None

    def has_constant_features(self, values: Mapping[str, Any]) -> bool:
        """Whether a configuration has features that are constant, computed once and kept."""
        return bool(self._constant_modules(values))

    def tokens(self, layers: ModuleLayers, examples: Examples) -> RaggedRows:
        """Numbers of the tokens of a split: see `SplitFeatures.tokens`."""
        return self._features.tokens(layers, examples)

    def below(self, layers: ModuleLayers, examples: Examples) -> RaggedRows | None:
        """The tokens of a split after the layers that stay as published: see `SplitFeatures.below`."""
        return self._features.below(layers, examples)

    def prepares_inputs(self, values: Mapping[str, Any]) -> bool:
        """Whether a configuration is trained on inputs that are the same in every epoch and can be kept."""
        prepared = None if self.columns is not None else self.backbone(values).prepared(values)
        return prepared is not None and (prepared.of_texts is not None or bool(self._constant_modules(values)))

    def prepared_model(self, values: Mapping[str, Any], accumulate: int = 1) -> keras.Model:
        """Builds the model that takes `prepared_inputs`; its weights are those of `model`, in the same order.

        Where there are words beside the head, their logits are an input, and the weights of the words are missing.

        Args:
            values: The hyperparameters, for which `prepares_inputs` holds.
            accumulate: See `model`.
        """
        backbone = self.backbone(values)
        prepared = backbone.prepared(values)
        assert prepared is not None
        inputs, hidden = prepared.begin()
        if not has_words(values):
            return compiled_model(values, self.target, accumulate, backbone, inputs, hidden)
        offset = keras.Input((self.classes,))
        return compiled_model(values, self.target, accumulate, backbone, [inputs, offset], hidden, offset)

    def prepared_inputs(self, values: Mapping[str, Any], examples: Examples) -> ModelInputs:
        """The inputs of `prepared_model` for the rows of a split: numbers of tokens, or features."""
        prepared = self.backbone(values).prepared(values)
        assert prepared is not None
        if prepared.of_texts is not None:
            return prepared.of_texts(examples.texts)
        features = self.constant_features(values, examples)
        assert features is not None
        return features

    def _constant_modules(self, values: Mapping[str, Any]) -> tuple[SavedModule, ...]:
        """The modules that training does not change, if their features can be cached; else none."""
        modules = self.backbone(values).constant(values)
        rooms = [module.room for module in modules if module.room is not None]
        return modules if all(self._features.has_room(*room) for room in rooms) else ()
