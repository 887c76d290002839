"""Frozen modules on each column of texts by itself, as one backbone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras

from search.backbones.base import EMBEDDING, Backbone, Published, SavedModule
from search.backbones.description import Description
from search.backbones.hub.layer import TextEmbedding
from search.backbones.hub.line_layer import LineEmbedding


class ApartColumns(Backbone):
    """The vectors that a frozen backbone of published modules gives for each column of texts, one behind the other.

    Args:
        backbone: The backbone.
        columns: Number of columns, which are the lines of a text.
    """

    def __init__(self, backbone: Backbone, columns: int) -> None:
        super().__init__(backbone.name)
        self._backbone = backbone
        self._columns = columns

    @property
    def modules(self) -> Sequence[SavedModule]:
        """The modules of the backbone."""
        return self._backbone.modules

    def symbolic(self, texts: keras.KerasTensor, values: Mapping[str, Any]) -> keras.KerasTensor:
        """The modules as one layer: see `Backbone.symbolic`."""
        parts = [TextEmbedding(one.folder) for one in self._inner(values).modules]
        return LineEmbedding(parts, self._columns, name=EMBEDDING)(texts)

    def published(self, values: Mapping[str, Any]) -> Published:
        """The modules on each of the columns."""
        inner, columns = self._inner(values), range(self._columns)
        modules = [replace(one, column=(at, self._columns)) for at in columns for one in inner.modules]
        return replace(inner, modules=tuple(modules))

    def trains_published(self, values: Mapping[str, Any]) -> bool:
        """False: no module is trained."""
        return False

    def rate(self, values: Mapping[str, Any]) -> float | None:
        """None: no layer is trained."""
        return None

    def describe(self, values: Mapping[str, Any]) -> Description:
        """The facts about the backbone, whose vectors are as many times as wide."""
        return replace(self._backbone.describe(values), dimension=self.dimension(values))

    def _inner(self, values: Mapping[str, Any]) -> Published:
        found = self._backbone.published(values)
        assert found is not None and found.takes_texts
        return found
