"""Backbones, the part of a model under its head: pretrained modules and encoders learned from scratch.

The names are imported when they are first used, since most of them bring TensorFlow along.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search.backbones.hub.layer import TextEmbedding
    from search.backbones.of_space import resolve_backbones
    from search.backbones.resolve import resolve_modules

__all__ = ["TextEmbedding", "resolve_backbones", "resolve_modules"]

_ROOMS = {
    "TextEmbedding": "search.backbones.hub.layer",
    "resolve_backbones": "search.backbones.of_space",
    "resolve_modules": "search.backbones.resolve",
}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return getattr(import_module(_ROOMS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
