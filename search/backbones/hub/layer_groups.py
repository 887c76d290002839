"""The layers of an encoder's SavedModel: which of its trainable variables belong to which, from the output down."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from search.utils.files import write_json

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


def write_groups(folder: Path, encoder: Encoder) -> None:
    """Writes what is known of an encoder beside its SavedModel."""
    write_json(folder / GROUPS, asdict(encoder))


def read_groups(folder: Path) -> Encoder | None:
    """Reads what `write_groups` wrote; None: the SavedModel in the folder is no such encoder."""
    try:
        content = json.loads((folder / GROUPS).read_text(encoding="utf-8"))
        groups = tuple(Group(one["name"], *_tuples(one["variables"], one["names"])) for one in content.pop("groups"))
        return Encoder(**content, groups=groups)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _tuples(variables: Sequence[int], names: Sequence[str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    return tuple(map(int, variables)), tuple(map(str, names))
