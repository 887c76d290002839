"""The features of the splits of a search, computed once for each module and split."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from search.backbones.base import SavedModule
from search.backbones.hub.answers import answers_in_batches
from search.datasets import Examples, Subset
from search.features.cache import FeatureCache, Features
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
    """

    def __init__(self, cache: FeatureCache | None = None) -> None:
        self.cache = cache
        self._on_pass: PassObserver | None = None
        # What a module gives and a split; the split is kept so that no other can take its identity.
        self._kept: dict[Hashable, tuple[Examples, Any]] = {}

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

    def _of_one(self, module: SavedModule, examples: Examples) -> Inputs:
        def computed(whole: Examples) -> Features:
            if self.cache is None:
                return _embedded(module, whole.texts)
            return self.cache.features(module.folder, module.given(whole.texts), self._on_pass, module.name)

        found: Inputs = self._once(module, examples, computed)
        return found

    def tokens(self, layers: ModuleLayers, examples: Examples) -> RaggedRows:
        """Numbers of the tokens of a split: texts are cut once, whatever learns above."""
        rows: RaggedRows = self._once(layers.module.folder, examples, lambda whole: layers.tokens(whole.texts))
        return rows

    def below(self, layers: ModuleLayers, examples: Examples) -> RaggedRows | None:
        """The tokens of a split after the layers that stay as published; None where they cannot be kept."""
        cache = self.cache
        if layers.constant is None or cache is None:
            return None

        def computed(whole: Examples) -> RaggedRows | None:
            work = TokenPass(layers, self.tokens(layers, whole))
            return token_features(cache, work, whole.texts, self._on_pass)

        rows: RaggedRows | None = self._once((layers.module.folder, layers.constant), examples, computed)
        return rows

    def _once(self, key: Hashable, examples: Examples, computed: Callable[[Examples], Any]) -> Any:
        """A result that each split has once; for a part of a split, some rows of the result of the whole."""
        whole = examples.whole if isinstance(examples, Subset) else examples
        if (key, id(whole)) not in self._kept:
            self._kept[key, id(whole)] = (whole, computed(whole))
        found = self._kept[key, id(whole)][1]
        return found.of_some(examples.at) if isinstance(examples, Subset) and found is not None else found


def embedded(modules: Sequence[SavedModule], texts: NDArray[np.object_]) -> Inputs:
    """The features of texts, strings [n], through modules side by side: computed and kept nowhere."""
    return side_by_side([_embedded(module, texts) for module in modules])


def _embedded(saved: SavedModule, texts: NDArray[np.object_]) -> Features:
    module = saved.load()
    rows = np.arange(len(texts))
    vectors = answers_in_batches(module, saved.given(texts), f"module {module.name}")
    return Features([vectors], np.zeros(len(texts), np.int32), rows, module.dimension)
