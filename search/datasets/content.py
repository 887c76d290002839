"""Kinds of content that the rows of a data set can hold: texts, or images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.config.dataset import DatasetConfig


@dataclass(frozen=True)
class Content:
    """A kind of content.

    Attributes:
        name: Its name in messages and records, of the column that says what a row is, and in `dataset.content`.
        has_words: Whether words can be counted in it.
        plain_modules: Modules of the catalog that nothing was learned for; a linear model on the features of each is a
            baseline.
        space: The file of `conf/space` that is made for it.
        tables: The file of `conf/dataset` for tables of it.
        signatures: The signatures of saved models that are converted for other runtimes, for the names of classes with
            their probabilities, and for these alone. Few runtimes decode images, and theirs take decoded ones.
        new: A path of new rows, in examples.
        rows: Two new rows in Python, in examples.
        given: Reads rows that are given from Python: gives their names, and the rows themselves, None where one is
            missing; None: they are strings.
        altered: Makes an altered copy of a row, given its number and a value of `augment`; None: there are none.
    """

    name: str
    has_words: bool
    plain_modules: tuple[str, ...]
    space: str
    tables: str
    signatures: tuple[str, str]
    new: str
    rows: str
    given: Callable[[Any, DatasetConfig], tuple[list[str], list[bytes | None]]] | None = None
    altered: Callable[[bytes, int, str], bytes] | None = None


def _given_images(given: Any, settings: DatasetConfig) -> tuple[list[str], list[bytes | None]]:
    from search.datasets.images.given import named_pictures

    return named_pictures(given, settings.max_pixels)


def _altered_image(image: bytes, view: int, augment: str) -> bytes:
    from search.datasets.images.views import altered  # Pillow is of no use to texts

    return altered(image, view, augment)


TEXT = Content("text", True, (), "default", "csv", ("serving_default", "__call__"), "new.csv", '["a text", "another"]')
IMAGE = Content(
    "image",
    False,
    ("pixels", "colours"),
    "images",
    "images",
    ("images", "probabilities_of_images"),
    "photos",
    '[open(name, "rb").read() for name in ("a.jpg", "b.png")]',
    _given_images,
    _altered_image,
)


CONTENTS = {one.name: one for one in (TEXT, IMAGE)}
"""By the names that `dataset.content` takes."""


def content_of(rows: Sequence[Any] | NDArray[np.object_]) -> Content:
    """The content of rows [n] by the type of the first: strings are texts, bytes are encoded images."""
    return IMAGE if len(rows) and isinstance(rows[0], bytes) else TEXT
