"""Several frozen modules side by side, as one backbone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from search.backbones.base import EMBEDDING, Backbone, Published, SavedModule
from search.backbones.hub.joined_layer import JoinedEmbedding
from search.backbones.hub.layer import TextEmbedding


class JoinedModules(Backbone):
    """The vectors of several published modules, one behind the other; none of them is ever trained.

    Args:
        name: The value of the hyperparameter `module`, such as use-multilingual+minilm.
        modules: The modules, in this order.
    """

    def __init__(self, name: str, modules: Sequence[SavedModule]) -> None:
        super().__init__(name)
        self._modules = tuple(modules)

    @property
    def modules(self) -> Sequence[SavedModule]:
        """The modules."""
        return self._modules

    def symbolic(self, texts: keras.KerasTensor, values: Mapping[str, Any]) -> keras.KerasTensor:
        """The modules as one layer: see `Backbone.symbolic`."""
        return JoinedEmbedding([TextEmbedding(one.folder) for one in self._modules], name=EMBEDDING)(texts)

    def published(self, values: Mapping[str, Any]) -> Published:
        """All modules, which are all of the backbone."""
        return Published(self.name, self._modules, takes_texts=True, is_all=True)

    def trains_published(self, values: Mapping[str, Any]) -> bool:
        """False: no module is trained."""
        return False

    def rate(self, values: Mapping[str, Any]) -> float | None:
        """None: no layer is trained."""
        return None

    def untrainable(self) -> list[str]:
        """The name: joined modules are searched as they were published."""
        return [self.name]
