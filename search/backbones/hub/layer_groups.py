"""The layers of an encoder's SavedModel: which of its trainable variables belong to which, from the output down."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from search.utils.files import write_json
from search.utils.ragged import TOKENS_AT_ONCE

IMAGES_AT_ONCE = 2**19
"""Pixels of images that go through layers in one call: what a layer gives for more leaves a processor's caches."""

ANY_SIZE = (224, 224)
"""Height and width of images where a module takes any and does not say which are best."""

GROUPS = "search_layers.json"
"""The file beside saved_model.pb."""


@dataclass(frozen=True)
class Group:
    """A layer.

    Attributes:
        name: Of the layer.
        variables: Places of its variables in the SavedModel's `trainable_variables`.
        names: What each of them is.
    """

    name: str
    variables: tuple[int, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Encoder:
    """An encoder that was made a SavedModel.

    Attributes:
        architecture: Such as bert.
        tokenizer: The kind of its tokenizer.
        tokens: In its vocabulary.
        max_tokens: Longest text; what is longer is cut.
        pooling: How vectors of tokens become one.
        normalized: Whether that is made 1 long.
        prompt: What is put before each text.
        padding: Number of the token that fills a batch.
        groups: Layers from the output down; the embeddings are the last.
    """

    architecture: str
    tokenizer: str
    tokens: int
    max_tokens: int
    pooling: str
    normalized: bool
    prompt: str
    padding: int
    groups: tuple[Group, ...]

    @property
    def at_once(self) -> int:
        """Tokens that go through its layers in one call."""
        return TOKENS_AT_ONCE

    def told(self) -> list[tuple[str, str]]:
        """The facts, each under a title, for the screen."""
        return [
            ("architecture", f"{self.architecture}, {len(self.groups)} groups of layers"),
            ("tokens", f"{self.tokenizer}, {self.tokens:,} in all; longer texts are cut at {self.max_tokens}"),
            ("pooling", f"{self.pooling}{', normalized' if self.normalized else ''}"),
            *([("prompt", repr(self.prompt))] if self.prompt else []),
        ]


@dataclass(frozen=True)
class ImageEncoder:
    """An encoder of images that was made a SavedModel.

    To its layers an image is a text of one token, which is the image.

    Attributes:
        architecture: Such as efficientnet-lite0.
        groups: Layers from the output down; the embeddings, which are the first convolution, are the last.
        size: Height and width of the images; where the SavedModel leaves them open, those to use if nobody asks.
    """

    architecture: str
    groups: tuple[Group, ...]
    size: tuple[int, int]
    padding: ClassVar[int] = 0

    @property
    def at_once(self) -> int:
        """Images that go through its layers in one call."""
        return images_at_once(self.size)

    def told(self) -> list[tuple[str, str]]:
        """The facts, each under a title, for the screen."""
        height, width = self.size
        return [
            ("architecture", f"{self.architecture}, {len(self.groups)} groups of layers"),
            ("images", f"brought to {height} x {width}"),
        ]


def images_at_once(size: tuple[int, int]) -> int:
    """Images of a height and width that are computed in one call."""
    return max(1, IMAGES_AT_ONCE // (size[0] * size[1]))


def write_groups(folder: Path, encoder: Encoder | ImageEncoder) -> None:
    """Writes what is known of an encoder beside its SavedModel."""
    write_json(folder / GROUPS, asdict(encoder))


def read_groups(folder: Path) -> Encoder | ImageEncoder | None:
    """Reads what `write_groups` wrote; None: the SavedModel in the folder is no such encoder."""
    try:
        content = json.loads((folder / GROUPS).read_text(encoding="utf-8"))
        groups = tuple(Group(one["name"], *_tuples(one["variables"], one["names"])) for one in content.pop("groups"))
        if "size" in content:
            height, width = map(int, content["size"])
            return ImageEncoder(content["architecture"], groups, (height, width))
        return Encoder(**content, groups=groups)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _tuples(variables: Sequence[int], names: Sequence[str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    return tuple(map(int, variables)), tuple(map(str, names))
