"""A published encoder whose layers are known one by one, as a backbone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from search.backbones.base import EMBEDDING, SavedModule
from search.backbones.hub.layer import TextEmbedding
from search.backbones.hub.layer_groups import Encoder, ImageEncoder
from search.backbones.hub.layers import ModuleLayers
from search.backbones.hub.module import HubModule
from spaces import ALL


class LayeredModule(HubModule):
    """A module of which all layers or the last ones are fine-tuned, as `trainable` and `unfreeze` say.

    Args:
        module: The module, by its name in the configuration.
        encoder: What its folder says of its layers.
    """

    layered = True

    def __init__(self, module: SavedModule, encoder: Encoder | ImageEncoder) -> None:
        super().__init__(module)
        self._encoder = encoder

    def symbolic(self, texts: keras.KerasTensor, values: Mapping[str, Any]) -> keras.KerasTensor:
        """The module as a layer: see `Backbone.symbolic`."""
        folder, unfreeze = str(self._module.folder), _unfreeze(values)
        return TextEmbedding(folder, values["trainable"], unfreeze if values["trainable"] else None, EMBEDDING)(texts)

    def layers(self, values: Mapping[str, Any]) -> ModuleLayers | None:
        """The layers that are fine-tuned; None where the module is frozen."""
        trained = self.trains_published(values)
        return ModuleLayers(self._module.load(), self._encoder, _unfreeze(values)) if trained else None

    def groups(self, model: keras.Model, values: Mapping[str, Any]) -> list[list[keras.Variable]]:
        """The weights of each layer that is fine-tuned, from the output down."""
        layers = self.layers(values)
        if layers is None:
            return []
        weights = model.get_layer(EMBEDDING).module_weights
        return [[weights[place] for place in group] for group in layers.learning]


def _unfreeze(values: Mapping[str, Any]) -> int | None:
    chosen = values.get("unfreeze", ALL)
    return None if chosen == ALL else int(chosen)
