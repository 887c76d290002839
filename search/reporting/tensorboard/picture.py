"""Draws a confusion matrix; Pillow, which TensorBoard brings along, does all that it takes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_CELL, _GAP, _SIZE = 64, 12, 15
_LONGEST = 18
_INK, _PAPER = (33, 37, 41), (255, 255, 255)
_FULL = np.array([8, 81, 156])


@dataclass(frozen=True)
class Picture:
    """An image in PNG, and its size in pixels."""

    png: bytes
    width: int
    height: int


def drawn_name(name: str, position: int) -> str:
    """The name of a class in the picture: its number where the font may lack its letters."""
    try:
        name.encode("latin-1")
    except UnicodeEncodeError:
        return f"#{position + 1}"
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 3]}..."


def matrix_picture(title: str, names: Sequence[str], matrix: NDArray[np.int64]) -> Picture:
    """Draws counts in cells that are the darker, the larger a part of their row they are.

    Args:
        title: The heading.
        names: Names of the classes.
        matrix: A row per true class, a column per predicted one [classes, classes].
    """
    font = ImageFont.load_default(_SIZE)
    shown = [drawn_name(name, i) for i, name in enumerate(names)]
    longest = max(int(font.getlength(name)) for name in shown)
    turned = longest > _CELL - 8
    left = longest + 2 * _GAP + _SIZE + _GAP
    top = 4 * _GAP + 2 * _SIZE + (longest if turned else _SIZE)
    width = max(left + _CELL * len(names) + _GAP, int(font.getlength(title)) + 2 * _GAP)
    picture = Image.new("RGB", (width, top + _CELL * len(names) + _GAP), _PAPER)
    draw = ImageDraw.Draw(picture)
    draw.text((_GAP, _GAP), title, _INK, font)
    middle = _CELL * len(names) / 2
    draw.text((left + middle, 2 * _GAP + _SIZE), "predicted", _INK, font, anchor="ma")
    _draw_upright(picture, (_GAP, round(top + middle)), "true", font)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    for i, name in enumerate(shown):
        draw.text((left - _GAP, top + _CELL * (i + 0.5)), name, _INK, font, anchor="rm")
        if turned:
            _draw_upright(
                picture, (round(left + _CELL * (i + 0.5) - _SIZE / 2), top - _GAP // 2), name, font, ends=True
            )
        else:
            draw.text((left + _CELL * (i + 0.5), top - _GAP // 2), name, _INK, font, anchor="mb")
        for j, count in enumerate(matrix[i].tolist()):
            share = float(shares[i, j])
            corner = (left + _CELL * j, top + _CELL * i)
            fill = tuple(np.round(_PAPER + share * (_FULL - _PAPER)).astype(int).tolist())
            draw.rectangle((*corner, corner[0] + _CELL - 2, corner[1] + _CELL - 2), fill)
            centre = (corner[0] + _CELL / 2, corner[1] + _CELL / 2)
            ink = _PAPER if share > 0.5 else _INK
            draw.text((centre[0], centre[1] - 8), _short(count), ink, font, anchor="mm")
            draw.text((centre[0], centre[1] + 10), f"{share:.0%}", ink, ImageFont.load_default(_SIZE - 3), anchor="mm")
    file = io.BytesIO()
    # A palette: a third of the size.
    picture.quantize(64).save(file, "PNG", optimize=True)
    return Picture(file.getvalue(), picture.width, picture.height)


def _draw_upright(
    picture: Image.Image,
    corner: tuple[int, int],
    text: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    *,
    ends: bool = False,
) -> None:
    """Draws a text that runs upwards: centred on a height, or beginning there."""
    size = (int(font.getlength(text)) + 2, _SIZE + 5)
    strip = Image.new("RGB", size, _PAPER)
    ImageDraw.Draw(strip).text((0, 0), text, _INK, font)
    x, y = corner
    picture.paste(strip.rotate(90, expand=True), (x, y - size[0] if ends else y - size[0] // 2))


def _short(count: int) -> str:
    return f"{count:,}" if count < 100_000 else f"{count / 1000:,.0f}k"
