"""Small pictures of rows that are images, for pages and TensorBoard."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageOps

from search.datasets.images.normalise import as_png

_SIDE, _QUALITY = 112, 85
_SPRITE = 48


@dataclass(frozen=True)
class Sprite:
    """The pictures of points side by side in one.

    Attributes:
        png: A square of them, line by line.
        side: Width and height of each, in pixels.
    """

    png: bytes
    side: int


def data_uri(row: bytes) -> str:
    """An image as a small JPEG within the address that a page shows it by."""
    content = io.BytesIO()
    small(row).save(content, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(content.getvalue()).decode()}"


def small(row: bytes) -> Image.Image:
    """An image in RGB, smaller where it is large."""
    with Image.open(io.BytesIO(row)) as image:
        image.draft("RGB", (_SIDE, _SIDE))
        found = image.convert("RGB")
    found.thumbnail((_SIDE, _SIDE))
    return found


def sprite(rows: Sequence[bytes]) -> Sprite:
    """The images of points, as the embedding projector shows them."""
    across = max(1, round(len(rows) ** 0.5 + 0.499))
    sheet = Image.new("RGB", (across * _SPRITE, across * _SPRITE), "white")
    for place, one in enumerate(map(small, rows)):
        left, top = place % across * _SPRITE, place // across * _SPRITE
        sheet.paste(ImageOps.pad(one, (_SPRITE, _SPRITE), color="white"), (left, top))
    return Sprite(as_png(sheet), _SPRITE)


def data_uris(rows: Iterable[bytes]) -> list[str]:
    """Images as `data_uri` gives them."""
    return [data_uri(row) for row in rows]
