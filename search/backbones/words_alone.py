"""Nothing under a head: the model is the logistic regression on words that stands beside heads elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from search.backbones.base import Backbone, Published, SavedModule


class WordsAlone(Backbone):
    """A model without a backbone and without a head."""

    has_vectors = False

    @property
    def modules(self) -> Sequence[SavedModule]:
        """None."""
        return ()

    def symbolic(self, texts: keras.KerasTensor, values: Mapping[str, Any]) -> None:
        """Puts nothing into a model: see `Backbone.symbolic`."""

    def published(self, values: Mapping[str, Any]) -> Published | None:
        """None: there are no published weights."""
        return None

    def trains_published(self, values: Mapping[str, Any]) -> bool:
        """Whether published weights are trained: there are none."""
        return False

    def rate(self, values: Mapping[str, Any]) -> float | None:
        """None: no layer is trained."""
        return None
