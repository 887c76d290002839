"""The features of the splits of a search, computed once for each module and split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from search.backbones.base import SavedModule
from search.backbones.hub.answers import answers_in_batches
from search.datasets import Examples, Subset
from search.features.cache import FeatureCache, Features, FeaturesOfSome
from search.features.passes import PassObserver
from search.features.token_features import TokenPass, token_features
from search.utils.ragged import RaggedRows

if TYPE_CHECKING:
    from search.backbones.hub.layers import ModuleLayers


class Inputs(Protocol):
    """Features of the rows of a split, in memory or on disk."""

    @property
    def dimension(self) -> int:
        """Width of the features."""

    def __len__(self) -> int:
        """Number of rows."""

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.floating]:
        """Features of some rows, float32 [k, dim]."""


class _SideBySide:
    """Features of the same rows through several modules, one behind the other.

    Args:
        parts: The features through each module.
    """

    def __init__(self, parts: Sequence[Inputs]) -> None:
        self.dimension = sum(part.dimension for part in parts)
        self._parts = parts

    def __len__(self) -> int:
        return len(self._parts[0])

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.floating]:
        """Features of some rows; see `Inputs.take`."""
        return np.concatenate([part.take(rows) for part in self._parts], axis=1)


def side_by_side(parts: Sequence[Inputs]) -> Inputs:
    """The features of the same rows through one module or several, one behind the other."""
    return parts[0] if len(parts) == 1 else _SideBySide(parts)


class SplitFeatures:
    """Gives the features of splits through frozen modules.

    Args:
        cache: The cache of features on disk; None: none.
        on_pass: Observes every pass of texts through a module.
    """

    def __init__(self, cache: FeatureCache | None = None, on_pass: PassObserver | None = None) -> None:
        self.cache = cache
        self._on_pass = on_pass
        # Module and split to its features; the split is kept so that no other can take its identity.
        self._features: dict[tuple[SavedModule, int], tuple[Examples, Features]] = {}
        self._tokens: dict[tuple[Path, int], tuple[Examples, RaggedRows]] = {}
        self._below: dict[tuple[Path, int, int], tuple[Examples, RaggedRows | None]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process maps what is kept on disk itself, and has an observer of its own.
        return SplitFeatures, (self.cache,)

    def observe_passes(self, observer: PassObserver) -> None:
        """Sets the observer of passes from now on."""
        self._on_pass = observer

    def has_room(self, texts: int, dimension: int) -> bool:
        """Whether there is a cache, and in it room for the features of so many texts."""
        return self.cache is not None and self.cache.has_room(texts, dimension)

    def of(self, modules: Sequence[SavedModule], examples: Examples) -> Inputs:
        """Gives the features of a split: from memory, from the cache, or else computed.

        Args:
            modules: The module, or several whose features stand side by side.
            examples: The split; of a part of one, the features of the whole are kept.

        Returns:
            float32 [rows of the split, dim].
        """
        return side_by_side([self._of_one(module, examples) for module in modules])

    def _of_one(self, module: SavedModule, examples: Examples) -> Features | FeaturesOfSome:
        if isinstance(examples, Subset):
            return FeaturesOfSome(self._of_whole(module, examples.whole), examples.at)
        return self._of_whole(module, examples)

    def tokens(self, layers: ModuleLayers, examples: Examples) -> RaggedRows:
        """Numbers of the tokens of a split: texts are cut once, whatever learns above."""
        whole = examples.whole if isinstance(examples, Subset) else examples
        key = (layers.module.folder, id(whole))
        if key not in self._tokens:
            self._tokens[key] = (whole, layers.tokens(whole.texts))
        rows = self._tokens[key][1]
        return rows.of_some(examples.at) if isinstance(examples, Subset) else rows

    def below(self, layers: ModuleLayers, examples: Examples) -> RaggedRows | None:
        """The tokens of a split after the layers that stay as published; None where they cannot be kept."""
        if layers.constant is None or self.cache is None:
            return None
        whole = examples.whole if isinstance(examples, Subset) else examples
        key = (layers.module.folder, layers.constant, id(whole))
        if key not in self._below:
            work = TokenPass(layers, self.tokens(layers, whole))
            self._below[key] = (whole, token_features(self.cache, work, whole.texts, self._on_pass))
        rows = self._below[key][1]
        return rows.of_some(examples.at) if rows is not None and isinstance(examples, Subset) else rows

    def _of_whole(self, module: SavedModule, examples: Examples) -> Features:
        key = (module, id(examples))
        if key not in self._features:
            found = (
                _embedded(module, examples.texts)
                if self.cache is None
                else self.cache.features(module.folder, examples.texts, self._on_pass, module.name)
            )
            self._features[key] = (examples, found)
        return self._features[key][1]


def embedded(modules: Sequence[SavedModule], texts: NDArray[np.object_]) -> Inputs:
    """The features of texts, strings [n], through modules side by side: computed and kept nowhere."""
    return side_by_side([_embedded(module, texts) for module in modules])


def _embedded(saved: SavedModule, texts: NDArray[np.object_]) -> Features:
    module = saved.load()
    rows = np.arange(len(texts))
    vectors = answers_in_batches(module, texts, f"module {module.name}")
    return Features([vectors], np.zeros(len(texts), np.int32), rows, module.dimension)
