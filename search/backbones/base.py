"""The contract of a backbone: the part of a model under its head, from a text to one vector.

Nothing outside this room asks which kind of backbone it has before it. A new kind is one subclass in one file, which
`search.backbones.of_space` makes, and one line in tests/backbones/contract.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import keras
import tensorflow as tf
from numpy.typing import NDArray

from search.backbones.description import Description
from search.backbones.hub.saved_variables import variable_counts
from search.datasets.content import TEXT, Content
from search.datasets.text_columns import column_texts

if TYPE_CHECKING:
    import numpy as np

    from search.backbones.hub.layers import ModuleLayers
    from search.backbones.hub.load import Module

EMBEDDING = "embedding"
"""Name of the layer that holds the published weights of a backbone, or its vectors of tokens."""

TRAINS_PUBLISHED = ("trainable", "embedding_trainable")
"""Hyperparameters that say whether published weights are trained."""


@dataclass(frozen=True)
class SavedModule:
    """A published SavedModel on disk, which maps strings [batch] to float32 [batch, dim].

    Attributes:
        name: Its name in messages, records of passes and times.
        folder: Its SavedModel.
        room: Number of texts and width of the features, which are computed once only where they fit in the cache;
            None: they always are.
        dimension: Width of its vectors, for texts or for their tokens; None: not known here.
        licence: Its licence, as the catalog states it; None: not known.
        column: Which column of texts it is given, and of how many; None: whole texts.
        content: What it embeds, texts or images.
    """

    name: str
    folder: Path
    room: tuple[int, int] | None = None
    dimension: int | None = None
    licence: str | None = None
    column: tuple[int, int] | None = None
    content: Content = TEXT

    def given(self, texts: NDArray[np.object_]) -> NDArray[np.object_]:
        """The texts that it is given of texts [n]: these, or one of their columns."""
        return texts if self.column is None else column_texts(texts, *self.column)

    @property
    def parameters(self) -> int | None:
        """Numbers in its variables; None where its file does not say."""
        return _parameters(self.folder)

    def load(self) -> Module:
        """The module in memory, with its published weights, the same one for all who ask.

        Raises:
            InputError: It cannot be loaded.
        """
        from search.backbones.hub.load import published

        return published(self.folder, self.name)


@cache
def _parameters(folder: Path) -> int | None:
    counts = variable_counts(folder)
    return None if counts is None else counts.parameters


@dataclass(frozen=True)
class Published:
    """The published weights that a backbone starts from.

    Attributes:
        name: The module, as the configuration calls it.
        modules: The SavedModel, or several whose vectors stand side by side.
        takes_texts: Whether the model passes its texts to them; else their vectors were copied into an embedding.
        is_all: Whether the backbone is this and nothing else.
    """

    name: str
    modules: tuple[SavedModule, ...]
    takes_texts: bool
    is_all: bool


@dataclass(frozen=True)
class PreparedInputs:
    """Inputs of a model that are the same in every epoch and are computed once from texts.

    Attributes:
        begin: Begins a model with them: returns its input, and the backbone's output for it, float32 [batch, dim]. The
            weights are those of `Backbone.symbolic`, in the same order.
        of_texts: Computes them from strings [n]; None: they are the features of the backbone's constant module.
    """

    begin: Callable[[], tuple[keras.KerasTensor, keras.KerasTensor]]
    of_texts: Callable[[NDArray[np.object_]], tf.Tensor] | None


def total(numbers: Sequence[int | None]) -> int | None:
    """The sum; None where one is not known."""
    return None if None in numbers else sum(number for number in numbers if number is not None)


class Backbone(ABC):
    """The part of a model between texts and head, for any values of the hyperparameters that shape it.

    Attributes:
        name: The value of the hyperparameter `module` that chooses it.
        latency_settings: The settings of the space, besides `modules`, that decide how long it takes for a text.
        layered: Whether its layers are known one by one, so that some can be trained above others that are not.
        has_vectors: Whether it gives a vector of a text; else there is no head, and the model is words alone.
        token_level: Values of `embedding` that cut texts into tokens themselves: it has no vocabulary under them.
    """

    latency_settings: tuple[str, ...] = ()
    layered: bool = False
    has_vectors: bool = True
    token_level: tuple[str, ...] = ()

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    @abstractmethod
    def modules(self) -> Sequence[SavedModule]:
        """All published modules that any configuration starts from."""

    @abstractmethod
    def symbolic(self, texts: keras.KerasTensor, values: Mapping[str, Any]) -> keras.KerasTensor | None:
        """Puts the backbone into a model.

        Args:
            texts: Strings [batch].
            values: The hyperparameters.

        Returns:
            float32 [batch, dim]. Its weights are the published ones, or fresh ones where there are none. None: there is
            nothing under a head, and no head.

        Raises:
            InputError: A module cannot be loaded, or cannot be trained where the hyperparameters ask for it.
        """

    @abstractmethod
    def published(self, values: Mapping[str, Any]) -> Published | None:
        """The published weights that a configuration starts from; None where it is trained from scratch."""

    @abstractmethod
    def trains_published(self, values: Mapping[str, Any]) -> bool:
        """Whether training changes the published weights of a configuration."""

    @abstractmethod
    def rate(self, values: Mapping[str, Any]) -> float | None:
        """The learning rate of the layers in `groups`; None where they are not trained."""

    def prepared(self, values: Mapping[str, Any]) -> PreparedInputs | None:
        """Inputs that can be computed once, if a configuration has any and layers above them; else None."""
        return None

    def learning_from(self, texts: NDArray[np.object_]) -> Self:
        """A copy for other training texts [n]; a vocabulary, for example, is then learned from these alone."""
        return self

    def untrainable(self) -> list[str]:
        """Names, as in the configuration, of modules that cannot be trained."""
        return []

    def groups(self, model: keras.Model, values: Mapping[str, Any]) -> list[list[keras.Variable]]:
        """The variables of a model that are trained at the rate of the backbone, by layer from the output down."""
        trained = [layer.trainable_variables for layer in model.layers if layer.name == EMBEDDING]
        return [group for group in trained if group]

    def layers(self, values: Mapping[str, Any]) -> ModuleLayers | None:
        """The layers of the module that is trained, where they are known one by one; None elsewhere."""
        return None

    def describe(self, values: Mapping[str, Any]) -> Description:
        """The facts about the backbone of a configuration, for records and reports."""
        found, dimension = self.published(values), self.dimension(values)
        if found is None:
            return Description(self.name, None, False, dimension)
        frozen = not self.trains_published(values)
        licences = [module.licence for module in found.modules]
        sizes = [module.parameters for module in found.modules]
        licence = None if None in licences else " and ".join(dict.fromkeys(map(str, licences)))
        return Description(self.name, found.name, frozen, dimension, licence, total(sizes))

    def dimension(self, values: Mapping[str, Any]) -> int | None:
        """The width of the vector of a text; None: not known, or there is none."""
        found = self.published(values)
        return total([module.dimension for module in found.modules]) if found is not None and found.is_all else None

    def text_modules(self, values: Mapping[str, Any]) -> tuple[SavedModule, ...]:
        """The published modules that take the model's texts, side by side."""
        found = self.published(values)
        return found.modules if found is not None and found.takes_texts else ()

    def constant(self, values: Mapping[str, Any]) -> tuple[SavedModule, ...]:
        """The modules that take the texts, where training leaves their outputs constant; else none."""
        return () if self.trains_published(values) else self.text_modules(values)

    def frozen_features(self, values: Mapping[str, Any]) -> tuple[SavedModule, ...]:
        """The modules whose features, side by side, are the backbone's output and constant; there may be none."""
        return self._whole(values, trained=False)

    def fine_tuned(self, values: Mapping[str, Any]) -> SavedModule | None:
        """The module that is fine-tuned and is all of the backbone; None where there is none."""
        return next(iter(self._whole(values, trained=True)), None)

    def _whole(self, values: Mapping[str, Any], trained: bool) -> tuple[SavedModule, ...]:
        found = self.published(values)
        fits = found is not None and found.is_all and self.trains_published(values) is trained
        return found.modules if found is not None and fits else ()
