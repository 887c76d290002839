"""From the name of a module to a Keras layer.

`from search.embedding import TextEmbedding` is also what lets `keras.models.load_model` read a saved classifier.
The names are imported when they are first used, since most of them bring TensorFlow along.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search.embedding.features import FeatureCache, Features, PassObserver
    from search.embedding.layer import TextEmbedding
    from search.embedding.resolve import resolve_modules

__all__ = ["FeatureCache", "Features", "PassObserver", "TextEmbedding", "resolve_modules"]

_ROOMS = {
    "FeatureCache": "search.embedding.features",
    "Features": "search.embedding.features",
    "PassObserver": "search.embedding.features",
    "TextEmbedding": "search.embedding.layer",
    "resolve_modules": "search.embedding.resolve",
}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return getattr(import_module(_ROOMS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
