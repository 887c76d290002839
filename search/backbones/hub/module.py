"""Published modules as backbones: a SavedModel and nothing else under the head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from search.backbones.base import EMBEDDING, Backbone, Published, SavedModule
from search.backbones.hub.layer import TextEmbedding


class HubModule(Backbone):
    """A module in TF Hub's text API, frozen or fine-tuned as `trainable` says.

    Args:
        module: The module, by its name in the configuration.
    """

    def __init__(self, module: SavedModule) -> None:
        super().__init__(module.name)
        self._module = module

    @property
    def modules(self) -> Sequence[SavedModule]:
        """The module."""
        return [self._module]

    def symbolic(self, texts: keras.KerasTensor, values: Mapping[str, Any]) -> keras.KerasTensor:
        """The module as a layer: see `Backbone.symbolic`."""
        return TextEmbedding(str(self._module.folder), values["trainable"], name=EMBEDDING)(texts)

    def published(self, values: Mapping[str, Any]) -> Published:
        """The module, which is all of the backbone."""
        return Published(self.name, (self._module,), takes_texts=True, is_all=True)

    def trains_published(self, values: Mapping[str, Any]) -> bool:
        """Whether the module is fine-tuned."""
        return bool(values.get("trainable"))

    def rate(self, values: Mapping[str, Any]) -> float | None:
        """The rate of fine-tuning."""
        return values.get("fine_tuning_rate")

    def untrainable(self) -> list[str]:
        """The module's name, if it has no trainable variables."""
        return [] if self._module.load().trainable_variables else [self.name]
